#include "schema.h"

#include <string.h>

#include "listing.h"

const struct sg_schema_field *sg_schema_field(const struct sg_schema *schema, const char *name)
{
    for (size_t i = 0; i < schema->num; i++)
        if (strcmp(schema->fields[i].name, name) == 0)
            return &schema->fields[i];
    return NULL;
}

const char *sg_schema_text(const struct sg_schema *schema, char into[SG_SCHEMA_TEXT_SIZE])
{
    struct sg_listing listing = sg_listing_start(into, SG_SCHEMA_TEXT_SIZE);

    for (size_t i = 0; i < schema->num; i++) {
        sg_listing_add(&listing, i > 0 ? ", " : "");
        sg_listing_add(&listing, schema->fields[i].name);
    }
    if (schema->num == 0)
        sg_listing_add(&listing, "none");
    return into;
}
