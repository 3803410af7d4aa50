#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/limits.h"
#include "line/input.h"
#include "line/statement.h"
#include "target.h"

enum { TAR = -1 };

static void make_schema(struct sg_schema_field fields[2])
{
    struct sg_error error = {0};

    fields[0] = (struct sg_schema_field){.name = "id"};
    fields[1] = (struct sg_schema_field){.name = "type", .optional = true};
    if (!sg_pattern_new("device-[A-Z0-9]{1,16}", &fields[0].pattern, &error) ||
        !sg_pattern_new("[a-z]+", &fields[1].pattern, &error))
        abort();
}

/* kind is TAR or a manifest's format. */
static bool open_as(int kind, const char *path, const struct sg_schema *schema,
                    struct sg_input **source, struct sg_error *error)
{
    if (kind == TAR)
        return sg_input_open_tar(path, -1, source, error);
    return sg_input_open_manifest(path, schema, -1, (enum sg_manifest_format)kind, source, error);
}

/* How many items there are, and whether they end in order. */
static bool read_all(struct sg_input *source, uint64_t *num, struct sg_error *error)
{
    for (;; ++*num) {
        sg_auto(sg_item) struct sg_item *item = NULL;

        if (!sg_input_next(source, &item, error))
            return false;
        if (item == NULL)
            return true;
        if (item->request.len > SG_LIMIT_REQUEST)
            abort();
    }
}

static bool pass_all(struct sg_input *source, uint64_t *num, struct sg_error *error)
{
    for (bool more = true; more; *num += more)
        if (!source->kind->pass(source, &more, error))
            return false;
    return true;
}

/* Counting fails where reading does, and finds as many otherwise. A stream is never counted. */
static void read_as(int kind, const char *path, const struct sg_schema *schema)
{
    sg_auto(sg_input) struct sg_input *source = NULL, *counted = NULL;
    struct sg_error error = {0}, again = {0};
    uint64_t num = 0, passed = 0;
    bool is_read;

    if (!open_as(kind, path, schema, &source, &error)) {
        if (error.code == SG_OK)
            abort();
        return;
    }
    if (kind == SG_MANIFEST_PEM || kind == SG_MANIFEST_STREAM) {
        (void)!read_all(source, &num, &error);
        return;
    }
    if (!open_as(kind, path, schema, &counted, &again))
        abort();
    is_read = read_all(source, &num, &error);
    if (is_read != pass_all(counted, &passed, &again) || (is_read && num != passed))
        abort();
}

static void hear(void *context, enum sg_statement_fault fault, const char *file)
{
    (void)context, (void)fault, (void)file;
}

/* Nobody is trusted, so that a statement which holds is a finding. */
static void verify(const char *path)
{
    STACK_OF(X509) *roots = sk_X509_new_null();
    struct sg_statement_verdict verdict = {0};
    struct sg_error error = {0};

    if (sg_statement_verify(path, "/nonexistent", roots, hear, NULL, &verdict, &error))
        abort();
    sg_buf_free(&verdict.text);
    sk_X509_free(roots);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sg_schema_field fields[2];
    const struct sg_schema schema = {fields, 2};
    int file = memfd_create("fuzz", MFD_CLOEXEC);
    char path[64];

    if (file < 0 || write(file, data, size) != (ssize_t)size)
        abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    make_schema(fields);
    for (int kind = TAR; kind <= SG_MANIFEST_STREAM; kind++)
        read_as(kind, path, &schema);
    verify(path);
    for (size_t i = 0; i < schema.num; i++)
        sg_pattern_free(fields[i].pattern);
    close(file);
    return 0;
}
