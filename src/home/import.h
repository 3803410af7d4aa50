/* import: what both formats of a registry import share: the records so far, and messages that
 * begin with a line. */
#ifndef SG_HOME_IMPORT_H
#define SG_HOME_IMPORT_H

#include "registry.h"

struct import {
    const struct sg_schema *schema;
    const char *what, *name; /* "device", "devices.csv" */
    struct sg_record *records;
    size_t *lines; /* where each record begins, from 1 */
    size_t num, capacity;
};

/* sg_import_add checks a record against the schema and takes it; record is empty then.
 * Fails: SG_INVALID with the line. */
SG_MUST_USE bool sg_import_add(struct import *import, size_t line, struct sg_record *record,
                               struct sg_error *error);

/* sg_import_set gives a record its id or an attribute. Fails: SG_INVALID with the line, on a value
 * with a zero byte in it too, which a C text would hide. */
SG_MUST_USE bool sg_import_set(const struct import *import, size_t line, struct sg_record *record,
                               const char *field, struct sg_slice value, struct sg_error *error);

/* sg_import_fail is sg_fail(SG_INVALID) with "name:line: " before the message. */
bool sg_import_fail(const struct import *import, size_t line, struct sg_error *error,
                    const char *format, ...) __attribute__((format(printf, 4, 5)));

SG_MUST_USE bool sg_import_csv(struct import *import, struct sg_slice text, struct sg_error *error);
SG_MUST_USE bool sg_import_json_lines(struct import *import, struct sg_slice text,
                                      struct sg_error *error);

#endif
