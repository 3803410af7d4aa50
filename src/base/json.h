/* json: reading and writing JSON. What comes from outside is one object, read strictly by a table.
 *
 * Refused: what is no JSON (RFC 8259), keys that come twice, keys that the table does not have, and
 * values of another type or length. Messages name keys and places, never values: these may be
 * secrets. For the same reason all that jansson frees is wiped, once sg_json_wipe_freed was called.
 * Thread rule: none.
 */
#ifndef SG_BASE_JSON_H
#define SG_BASE_JSON_H

#include <jansson.h>

#include "cleanup.h"

SG_DEFINE_CLEANUP(json_t, json_decref)

/* sg_json_wipe_freed has jansson overwrite, in this process, whatever it frees. */
void sg_json_wipe_freed(void);

/* sg_json_parse reads one object of at most limit bytes. The caller releases it.
 * Fails: SG_MALFORMED, rule "RFC 8259". */
SG_MUST_USE bool sg_json_parse(struct sg_slice text, size_t limit, json_t **object,
                               struct sg_error *error);

enum sg_json_kind {
    SG_JSON_TEXT,    /* const char *, borrowed from the object */
    SG_JSON_LINES,   /* the same, with whatever characters: for what a parser of its own reads */
    SG_JSON_INTEGER, /* int64_t */
    SG_JSON_BOOL,    /* bool */
    SG_JSON_OBJECT,  /* nothing: the caller takes it out of the object */
};
enum sg_json_presence { SG_JSON_OPTIONAL, SG_JSON_REQUIRED };

/* One key of an object. What an optional key leaves out stays as it was. */
struct sg_json_field {
    const char *key; /* NULL ends the table */
    enum sg_json_kind kind;
    enum sg_json_presence presence;
    size_t offset;       /* of its place in `into` */
    int64_t least, most; /* of a number; of a text's bytes */
};

/* sg_json_read fills into by the table.
 * Fails: SG_USAGE, rule "JSON KEY": unknown, missing, of another type or length, or no text as
 * base/text.h wants it. */
SG_MUST_USE bool sg_json_read(const json_t *object, const struct sg_json_field *fields, void *into,
                              struct sg_error *error);

/* sg_json_text is a text, or "?" where it is none that JSON takes; NULL when memory ran out.
 * sg_json_text_or_null is JSON null for NULL; sg_json_moment for 0. */
json_t *sg_json_text(const char *text);
json_t *sg_json_text_or_null(const char *text);
json_t *sg_json_moment(int64_t moment);

#endif
