#define PCRE2_CODE_UNIT_WIDTH 8
#include "pattern.h"

#include <pcre2.h>
#include <string.h>

#include "limits.h"

struct sg_pattern {
    char *text;
    pcre2_code *code;
    pcre2_match_context *context; /* holds the limits; only read by a match */
};

SG_DEFINE_CLEANUP(pcre2_match_data, pcre2_match_data_free)

/* The ends are anchored by options and not by adding to the text, which could close a bracket. */
static bool compile(struct sg_pattern *pattern, struct sg_error *error)
{
    static const uint32_t OPTIONS = PCRE2_ANCHORED | PCRE2_ENDANCHORED | PCRE2_DOLLAR_ENDONLY |
                                    PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C;
    PCRE2_UCHAR reason[128];
    PCRE2_SIZE where;
    int number;

    pattern->code = pcre2_compile((PCRE2_SPTR)pattern->text, PCRE2_ZERO_TERMINATED, OPTIONS,
                                  &number, &where, NULL);
    if (pattern->code != NULL)
        return true;
    pcre2_get_error_message(number, reason, sizeof reason);
    return sg_fail(error, SG_INVALID, NULL, "pattern '%.80s' is wrong at byte %zu: %s",
                   pattern->text, where + 1, (const char *)reason);
}

bool sg_pattern_new(const char *text, struct sg_pattern **pattern, struct sg_error *error)
{
    sg_auto(sg_pattern) struct sg_pattern *fresh = calloc(1, sizeof *fresh);

    if (fresh == NULL || (fresh->text = strdup(text)) == NULL ||
        (fresh->context = pcre2_match_context_create(NULL)) == NULL)
        return sg_fail_memory(error);
    pcre2_set_match_limit(fresh->context, SG_LIMIT_PATTERN_STEPS);
    if (!compile(fresh, error))
        return false;
    *pattern = SG_TAKE(fresh);
    return true;
}

bool sg_pattern_matches(const struct sg_pattern *pattern, const char *value)
{
    sg_auto(pcre2_match_data) pcre2_match_data *match =
        pcre2_match_data_create_from_pattern(pattern->code, NULL);

    /* Out of memory, over the limit, not UTF-8: none of these is a match. */
    return match != NULL && pcre2_match(pattern->code, (PCRE2_SPTR)value, strlen(value), 0, 0,
                                        match, pattern->context) >= 0;
}

const char *sg_pattern_text(const struct sg_pattern *pattern)
{
    return pattern->text;
}

void sg_pattern_free(struct sg_pattern *pattern)
{
    if (pattern == NULL)
        return;
    pcre2_match_context_free(pattern->context);
    pcre2_code_free(pattern->code);
    free(pattern->text);
    free(pattern);
}
