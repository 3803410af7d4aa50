#include "expect.h"

#include <stdlib.h>

#include "base/file.h"
#include "base/limits.h"
#include "cert/lint_rules.h"

/* docs/lint.md has a row for every rule, and no others. */

enum { DOCUMENT_SIZE = 1 << 20 };

static struct sg_buf document;

static int set_up(void **state)
{
    const char *source = getenv("SIGNET_SOURCE");
    sg_auto(malloc) char *path = NULL;
    struct sg_error error = {0};

    (void)state;
    assert_non_null(source);
    expect_success("path", sg_path_join(source, "docs/lint.md", &path, &error), &error);
    expect_success("lint.md", sg_file_read(path, DOCUMENT_SIZE, &document, &error), &error);
    assert_true(sg_buf_append(&document, "", 1, DOCUMENT_SIZE + 1, NULL));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    sg_buf_free(&document);
    return 0;
}

static void expect_row(const char *section, const char *what, size_t *num)
{
    char row[512];

    snprintf(row, sizeof row, "\n| %s | %s |\n", section, what);
    if (strstr((const char *)document.data, row) == NULL)
        fail_msg("docs/lint.md lacks the row %s", row + 1);
    ++*num;
}

/* The rows of two columns before the chapter on what needs no rule, without the tables' heads. */
static size_t count_rows(void)
{
    const char *end = strstr((const char *)document.data, "\n## What needs no rule\n");
    size_t num = 0, num_heads = 0;

    assert_non_null(end);
    for (const char *at = (const char *)document.data; at < end; at = strchr(at, '\n') + 1) {
        num += at[0] == '|';
        num_heads += strncmp(at, "| source | rule |\n", 18) == 0;
    }
    return num - 2 * num_heads; /* a head has a line below it */
}

static void every_rule_is_in_the_document(void **state)
{
    size_t num = 0;

    (void)state;
    for (size_t i = 0; SG_LINT_TABLES[i] != NULL; i++)
        for (const struct sg_lint_rule *rule = SG_LINT_TABLES[i]; rule->section != NULL; rule++)
            expect_row(rule->section, rule->what, &num);
    for (const struct sg_crl_lint_rule *rule = SG_CRL_LINT_RULES; rule->section != NULL; rule++)
        expect_row(rule->section, rule->what, &num);
    assert_int_equal(count_rows(), num);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_rule_is_in_the_document),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
