/* registry: records of devices and users, checked against the home's schema on the way in. */
#ifndef SG_HOME_REGISTRY_H
#define SG_HOME_REGISTRY_H

#include "config.h"
#include "model/requester.h"

/* sg_registry_check holds a record against its schema: no unknown attribute, none missing, each
 * value matching its whole pattern. what names the record's kind ("device").
 * Fails: SG_REFUSED, rule "registry device.type", text with value and pattern. */
SG_MUST_USE bool sg_registry_check(const struct sg_schema *schema, const char *what,
                                   const struct sg_record *record, struct sg_error *error);

/* sg_registry_amend changes a record by what changes says: an empty value takes the attribute away.
 * The outcome is held against the schema; an attribute that the schema has lost can be taken away.
 * Fails: as sg_registry_check; SG_REFUSED on a change of the id. record is of no use then. */
SG_MUST_USE bool sg_registry_amend(const struct sg_schema *schema, const char *what,
                                   const struct sg_record *changes, struct sg_record *record,
                                   struct sg_error *error);

/* sg_registry_check_part is sg_registry_check for a record that may lack attributes. */
SG_MUST_USE bool sg_registry_check_part(const struct sg_schema *schema, const char *what,
                                        const struct sg_record *record, struct sg_error *error);

enum sg_registry_format { SG_REGISTRY_CSV, SG_REGISTRY_JSON_LINES };

/* sg_registry_read reads a whole import: CSV (RFC 4180) with a header line that names the fields,
 * or one JSON object a line with text values. Every record is checked.
 * name     for messages: "devices.csv:17: …".
 * records  malloc'd array, each to be released with sg_record_done.
 * lines    malloc'd array: where each record begins in the file, from 1; NULL when nobody asks.
 * Fails: SG_INVALID with the line; nothing is returned then. Also on an id that comes twice. */
SG_MUST_USE bool sg_registry_read(const struct sg_schema *schema, const char *what,
                                  enum sg_registry_format format, const char *name,
                                  struct sg_slice text, struct sg_record **records, size_t **lines,
                                  size_t *num, struct sg_error *error);

#endif
