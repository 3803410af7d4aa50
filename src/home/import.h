/* import: one record at a time out of CSV or JSON lines; for imports into the registry, and for
 * manifests that carry more beside each record.
 *
 * Thread rule: none.
 */
#ifndef SG_HOME_IMPORT_H
#define SG_HOME_IMPORT_H

#include "registry.h"

enum { SG_IMPORT_EXTRAS = 2 };

/* What a file's records look like. Borrowed. */
struct sg_import_format {
    const struct sg_schema *schema;
    const char *what, *name;              /* "device", "devices.csv" */
    const char *extras[SG_IMPORT_EXTRAS]; /* fields beside the record's; NULL: no such field */
};

/* One record, and the values beside it: empty when they are not there. Not held against the schema
 * yet. */
struct sg_import_record {
    struct sg_record record;
    struct sg_buf extras[SG_IMPORT_EXTRAS];
};
void sg_import_record_done(struct sg_import_record *record);
SG_DEFINE_CLEANUP_IN_PLACE(sg_import_record, sg_import_record_done)

/* The values of one CSV record, one after the other, each followed by a zero byte. */
struct sg_csv_row {
    size_t line;
    struct sg_buf bytes;
    size_t ends[SG_LIMIT_ATTRIBUTES + 2];
    size_t num;
};
void sg_csv_row_done(struct sg_csv_row *row);
SG_DEFINE_CLEANUP_IN_PLACE(sg_csv_row, sg_csv_row_done)

/* sg_csv_record_len: how many bytes the first record of a text has, with its line break; 0 when its
 * end is not there. A record may be on several lines (RFC 4180 2.6). */
size_t sg_csv_record_len(struct sg_slice text);

/* sg_import_csv_header reads the line that names the fields: each is the schema's or an extra, the
 * id is among them, and none is there twice. line: of text in its file, from 1.
 * Fails, as all below: SG_INVALID with the line; the outputs are unchanged then. */
SG_MUST_USE bool sg_import_csv_header(const struct sg_import_format *format, struct sg_slice text,
                                      size_t line, struct sg_csv_row *header,
                                      struct sg_error *error);

/* sg_import_csv_record reads one record of CSV; an empty value is an absent one. */
SG_MUST_USE bool sg_import_csv_record(const struct sg_import_format *format,
                                      const struct sg_csv_row *header, struct sg_slice text,
                                      size_t line, struct sg_import_record *record,
                                      struct sg_error *error);

/* sg_import_json_record reads one JSON object, whose values are text. */
SG_MUST_USE bool sg_import_json_record(const struct sg_import_format *format, struct sg_slice text,
                                       size_t line, struct sg_import_record *record,
                                       struct sg_error *error);

/* sg_import_is_blank: nothing but spaces, tabs and line breaks. */
bool sg_import_is_blank(struct sg_slice text);

/* sg_import_skip_mark leaves out the byte order mark with which spreadsheets begin UTF-8 files. */
struct sg_slice sg_import_skip_mark(struct sg_slice text);

/* ---- for the readers of both formats ---- */

/* sg_import_set gives a record its id, an attribute or an extra. Fails: also on a value with a zero
 * byte in it, which a C text would hide. */
SG_MUST_USE bool sg_import_set(const struct sg_import_format *format, size_t line,
                               struct sg_import_record *record, const char *field,
                               struct sg_slice value, struct sg_error *error);

/* sg_import_fail is sg_fail(SG_INVALID) with "name:line: " before the message. */
bool sg_import_fail(const struct sg_import_format *format, size_t line, struct sg_error *error,
                    const char *text, ...) __attribute__((format(printf, 4, 5)));

#endif
