/* ceremony_forge: changing a ceremony's files as its own people could, who sign them again. */
#ifndef SG_TEST_CEREMONY_FORGE_H
#define SG_TEST_CEREMONY_FORGE_H

#include "ceremony_fixture.h"

static inline void replace(struct sg_ceremony_bundle *bundle, const char *name, const char *old,
                           const char *new)
{
    struct sg_buf *bytes = need_file(bundle, name);
    sg_auto(sg_buf) struct sg_buf changed = {0};
    struct sg_error error = {0};
    char *at = strstr((char *)bytes->data, old);

    assert_non_null(at);
    expect_success(name,
                   sg_buf_printf(&changed, 1 << 20, &error, "%.*s%s%s",
                                 (int)(at - (char *)bytes->data), (char *)bytes->data, new,
                                 at + strlen(old)),
                   &error);
    set_file(bundle, name, sg_buf_slice(&changed));
}

/* Chains the record anew, as somebody would who changes a line of it. */
static inline void chain_anew(const struct stage *stage, struct sg_ceremony_bundle *bundle)
{
    const struct sg_buf *record = need_file(bundle, "transcript.jsonl");
    sg_auto(malloc) char *text = strdup((char *)record->data);
    sg_auto(sg_buf) struct sg_buf whole = {0};
    char head[SG_SHA256_HEX_SIZE], *rest = text, *line;
    struct sg_error error = {0};
    int n = 0;

    memcpy(head, stage->ceremony.sha256, sizeof head);
    while ((line = strsep(&rest, "\n")) != NULL && line[0] != '\0') {
        json_t *entry = json_loads(line, 0, NULL);
        uint8_t digest[SG_SHA256_LEN];
        char *again;

        json_object_set_new(entry, "prev", json_string(head));
        json_object_set_new(entry, "n", json_integer(++n));
        again = json_dumps(entry, JSON_COMPACT | JSON_SORT_KEYS);
        sg_sha256(sg_slice_text(again), digest);
        sg_hex(sg_slice_of(digest, sizeof digest), head, sizeof head);
        expect_success("line", sg_buf_printf(&whole, 1 << 20, &error, "%s\n", again), &error);
        free(again);
        json_decref(entry);
    }
    set_file(bundle, "transcript.jsonl", sg_buf_slice(&whole));
}

static inline void drop_line(const struct stage *stage, struct sg_ceremony_bundle *bundle,
                             const char *with)
{
    struct sg_buf *record = need_file(bundle, "transcript.jsonl");
    char *at = strstr((char *)record->data, with), *from = at, *to;
    sg_auto(sg_buf) struct sg_buf changed = {0};
    struct sg_error error = {0};

    assert_non_null(at);
    while (from > (char *)record->data && from[-1] != '\n')
        from--;
    to = strchr(at, '\n') + 1;
    expect_success("drop",
                   sg_buf_printf(&changed, 1 << 20, &error, "%.*s%s",
                                 (int)(from - (char *)record->data), (char *)record->data, to),
                   &error);
    set_file(bundle, "transcript.jsonl", sg_buf_slice(&changed));
    chain_anew(stage, bundle);
}

#endif
