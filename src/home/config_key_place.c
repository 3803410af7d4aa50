/* Keys on tokens that the service has for its own ends. */
#include <string.h>

#include "config_parts.h"

bool sg_config_read_key_uri(const struct sg_yaml *document, const struct sg_yaml_node *value,
                            struct sg_key_place *place, struct sg_error *error)
{
    struct sg_error why = {0};

    if (!sg_yaml_text(document, value, &place->key, error))
        return false;
    place->line = value->line;
    place->column = value->column;
    return sg_config_check_uri(place->key, &why) || sg_config_fail_as(document, value, &why, error);
}

static bool read_token(const struct sg_yaml *document, const struct sg_yaml_node *value, void *into,
                       struct sg_error *error)
{
    return sg_yaml_text(document, value, &((struct sg_key_place *)into)->token, error);
}

static bool read_key(const struct sg_yaml *document, const struct sg_yaml_node *value, void *into,
                     struct sg_error *error)
{
    return sg_config_read_key_uri(document, value, into, error);
}

bool sg_config_read_key_place(const struct sg_yaml *document, const struct sg_yaml_node *value,
                              void *into, struct sg_error *error)
{
    static const struct sg_yaml_field FIELDS[] = {
        {"token", SG_YAML_REQUIRED, read_token},
        {"key", SG_YAML_REQUIRED, read_key},
        {0},
    };

    return sg_yaml_mapping(document, value, FIELDS, into, error);
}
