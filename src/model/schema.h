/* schema: what the records of a home's registry look like, as signet.yaml says. */
#ifndef SG_MODEL_SCHEMA_H
#define SG_MODEL_SCHEMA_H

#include "base/pattern.h"

/* What a record's value must look like. */
struct sg_schema_field {
    const char *name;
    struct sg_pattern *pattern;
    bool optional; /* {match: PATTERN, optional: true} */
};

/* fields[0] is the id ("id" for devices, "name" for users). num 0: no such records here. */
struct sg_schema {
    struct sg_schema_field *fields;
    size_t num;
};

/* sg_schema_field: the field of that name, the id among them, or NULL. */
const struct sg_schema_field *sg_schema_field(const struct sg_schema *schema, const char *name);

enum { SG_SCHEMA_TEXT_SIZE = 240 };
/* sg_schema_text: "name, email, upn", or "none"; what is too long ends in "…". Returns into. */
const char *sg_schema_text(const struct sg_schema *schema, char into[SG_SCHEMA_TEXT_SIZE]);

#endif
