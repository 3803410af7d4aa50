/* input: where a line's requests come from: a folder, a tar, a manifest, or a stream.
 *
 * Thread rule: one source belongs to one thread.
 */
#ifndef SG_LINE_INPUT_H
#define SG_LINE_INPUT_H

#include "home/config.h"
#include "item.h"

struct sg_input;

/* What every kind of source can do. next puts NULL into item at the end; pass does all of it but
 * for reading the item, and says whether there was one. */
struct sg_input_kind {
    bool (*next)(struct sg_input *source, struct sg_item **item, struct sg_error *error);
    bool (*pass)(struct sg_input *source, bool *more, struct sg_error *error);
    void (*close)(struct sg_input *source);
};

/* The head of every kind's own struct. */
struct sg_input {
    const struct sg_input_kind *kind;
    const char *path;               /* borrowed */
    const struct sg_schema *schema; /* of devices; borrowed */
    int stop;                       /* reading ends when this can be read from */
};

/* sg_input_open opens an input by what it is: a folder of requests, FILE.tar,
 * FILE.csv, FILE.jsonl or FILE.ndjson, or "-": PEM or JSON lines on standard input.
 * path, schema   borrowed.
 * Fails: SG_USAGE on what is none of these, SG_FAILED, SG_INVALID. */
SG_MUST_USE bool sg_input_open(const char *path, const struct sg_schema *schema, int stop,
                               struct sg_input **source, struct sg_error *error);

/* sg_input_next gives the next item, to be freed by the caller; NULL at the end. An item that
 * can't be read has an error of its own. Fails: what follows can't be read either. */
SG_MUST_USE bool sg_input_next(struct sg_input *source, struct sg_item **item,
                               struct sg_error *error);
void sg_input_close(struct sg_input *source);

typedef struct sg_input sg_input;
SG_DEFINE_CLEANUP(sg_input, sg_input_close)

/* sg_input_count tells how many items an input has, without keeping them; 0 when that can't be
 * known beforehand, as of a stream. */
SG_MUST_USE bool sg_input_count(const char *path, const struct sg_schema *schema, uint64_t *num,
                                struct sg_error *error);

/* sg_input_names_devices: do its items say which device they are for? A stream may. */
bool sg_input_names_devices(const char *path);

/* ---- each kind, for source.c; source is calloc'd and head filled in by them ---- */
SG_MUST_USE bool sg_input_open_folder(const char *path, struct sg_input **source,
                                      struct sg_error *error);
SG_MUST_USE bool sg_input_open_tar(const char *path, int stop, struct sg_input **source,
                                   struct sg_error *error);
enum sg_manifest_format {
    SG_MANIFEST_CSV,
    SG_MANIFEST_JSON_LINES,
    SG_MANIFEST_PEM,
    SG_MANIFEST_STREAM, /* one of the latter two: it will show */
};
SG_MUST_USE bool sg_input_open_manifest(const char *path, const struct sg_schema *schema, int stop,
                                        enum sg_manifest_format format, struct sg_input **source,
                                        struct sg_error *error);

#endif
