#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "home/registry.h"

#include "target.h"

/* An import is read against the schema that a new home has. */
static const char ID[] = "device-[A-Z0-9]{4,32}";
static const char REGION[] = "[a-z0-9-]{1,16}";

static void import(const struct sg_schema *schema, enum sg_registry_format format,
                   struct sg_slice text)
{
    struct sg_record *records = NULL;
    struct sg_error error = {0};
    size_t num = 0;

    if (!sg_registry_read(schema, "device", format, "fuzz", text, &records, NULL, &num, &error)) {
        if (error.code != SG_INVALID || error.text[0] == '\0' || records != NULL)
            abort();
        return;
    }
    for (size_t i = 0; i < num; i++) {
        if (!sg_registry_check(schema, "device", &records[i], &error))
            abort();
        sg_record_done(&records[i]);
    }
    free(records);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    sg_auto(sg_pattern) struct sg_pattern *id = NULL;
    sg_auto(sg_pattern) struct sg_pattern *region = NULL;

    if (!sg_pattern_new(ID, &id, NULL) || !sg_pattern_new(REGION, &region, NULL))
        return 0;
    struct sg_schema_field fields[] = {{"id", id, false}, {"region", region, true}};
    const struct sg_schema schema = {fields, 2};
    import(&schema, SG_REGISTRY_CSV, sg_slice_of(data, size));
    import(&schema, SG_REGISTRY_JSON_LINES, sg_slice_of(data, size));
    return 0;
}
