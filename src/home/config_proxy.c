/* `service: proxy`: the server in front of the service at which its clients' TLS ends. */
#include <string.h>

#include "config_parts.h"

static bool read_path(const struct sg_yaml *document, const struct sg_yaml_node *value,
                      const char **path, struct sg_error *error)
{
    if (!sg_yaml_text(document, value, path, error))
        return false;
    return ((*path)[0] != '\0' && (*path)[strlen(*path) - 1] != '/') ||
           sg_yaml_fail(document, value, error, "'%s' names no file", *path);
}

static bool read_listen(const struct sg_yaml *document, const struct sg_yaml_node *value,
                        void *into, struct sg_error *error)
{
    return read_path(document, value, &((struct sg_service_config *)into)->proxy.listen, error);
}

static bool read_user(const struct sg_yaml *document, const struct sg_yaml_node *value, void *into,
                      struct sg_error *error)
{
    return sg_yaml_text(document, value, &((struct sg_service_config *)into)->proxy.user, error);
}

static bool read_certificate(const struct sg_yaml *document, const struct sg_yaml_node *value,
                             void *into, struct sg_error *error)
{
    return read_path(document, value, &((struct sg_service_config *)into)->proxy.certificate,
                     error);
}

/* RFC 9110 5.6.2, a token; those that say something else already are refused. */
static bool read_name(const struct sg_yaml *document, const struct sg_yaml_node *value,
                      const char **name, struct sg_error *error)
{
    static const char CHARACTERS[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                     "0123456789-";

    if (!sg_yaml_text(document, value, name, error))
        return false;
    return ((*name)[0] != '\0' && (*name)[strspn(*name, CHARACTERS)] == '\0') ||
           sg_yaml_fail(document, value, error,
                        "'%s' is no name of a header, of letters, digits and '-'", *name);
}

static bool read_header(const struct sg_yaml *document, const struct sg_yaml_node *value,
                        void *into, struct sg_error *error)
{
    return read_name(document, value, &((struct sg_service_config *)into)->proxy.header, error);
}

static bool read_address(const struct sg_yaml *document, const struct sg_yaml_node *value,
                         void *into, struct sg_error *error)
{
    return read_name(document, value, &((struct sg_service_config *)into)->proxy.address, error);
}

bool sg_config_read_proxy(const struct sg_yaml *document, const struct sg_yaml_node *value,
                          void *into, struct sg_error *error)
{
    static const struct sg_yaml_field FIELDS[] = {
        {"listen", SG_YAML_OPTIONAL, read_listen},
        {"user", SG_YAML_OPTIONAL, read_user},
        {"certificate", SG_YAML_OPTIONAL, read_certificate},
        {"header", SG_YAML_OPTIONAL, read_header},
        {"address", SG_YAML_OPTIONAL, read_address},
        {0},
    };
    struct sg_service_config *config = into;

    config->proxy.header = "Client-Cert";
    if (!sg_yaml_mapping(document, value, FIELDS, config, error))
        return false;
    if ((config->proxy.listen == NULL) != (config->proxy.user == NULL))
        return sg_yaml_fail(document, value, error,
                            "listen and user belong together: the path of a Unix socket, and whose "
                            "process may connect there");
    return config->proxy.listen != NULL || config->proxy.certificate != NULL ||
           sg_yaml_fail(document, value, error,
                        "proxy has to say who it is: by listen and user, or by certificate");
}
