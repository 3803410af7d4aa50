#include <string.h>

#include "base/limits.h"
#include "config_parts.h"
#include "service_config.h"

/* ---- texts ---- */

static bool read_file(const struct sg_yaml *document, const struct sg_yaml_node *value,
                      const char **file, struct sg_error *error)
{
    if (!sg_yaml_text(document, value, file, error))
        return false;
    if ((*file)[0] == '\0' || (*file)[strlen(*file) - 1] == '/')
        return sg_yaml_fail(document, value, error, "'%s' names no file", *file);
    return true;
}

static bool is_port(const char *text)
{
    const size_t len = strspn(text, "0123456789");

    return len > 0 && len <= 5 && text[len] == '\0' && strtol(text, NULL, 10) <= 65535;
}

/* "192.0.2.1:443" or "[2001:db8::1]:443": names would have to be looked up while the service
 * starts, and may be several addresses. */
static bool is_address(const char *text)
{
    const char *colon = strrchr(text, ':');
    const bool is_v6 = text[0] == '[';
    const size_t host = colon != NULL ? (size_t)(colon - text) : 0;

    if (colon == NULL || !is_port(colon + 1))
        return false;
    if (is_v6)
        return host > 3 && text[host - 1] == ']' &&
               strspn(text + 1, "0123456789abcdefABCDEF:.") == host - 2;
    return host > 0 && strspn(text, "0123456789.") == host;
}

static bool read_address(const struct sg_yaml *document, const struct sg_yaml_node *value,
                         void *into, struct sg_error *error)
{
    struct sg_addresses *addresses = into;
    const char *text = NULL;

    if (!sg_yaml_text(document, value, &text, error))
        return false;
    if (!is_address(text))
        return sg_yaml_fail(document, value, error,
                            "'%s' is no address to listen on; write 192.0.2.1:443, 0.0.0.0:443 or "
                            "'[::]:443'",
                            text);
    addresses->items[addresses->num++] = text;
    return true;
}

static bool read_addresses(const struct sg_yaml *document, const struct sg_yaml_node *value,
                           struct sg_addresses *addresses, struct sg_error *error)
{
    if (value->kind == SG_YAML_SEQUENCE &&
        (value->num_children == 0 || value->num_children > SG_LIMIT_ADDRESSES))
        return sg_yaml_fail(document, value, error, "listen has to have 1 to %d addresses",
                            SG_LIMIT_ADDRESSES);
    addresses->items = calloc(SG_LIMIT_ADDRESSES, sizeof *addresses->items);
    if (addresses->items == NULL)
        return sg_fail_memory(error);
    if (value->kind == SG_YAML_SCALAR)
        return read_address(document, value, addresses, error);
    return sg_yaml_each(document, value, read_address, addresses, error);
}

/* ---- https, http, metrics ---- */

static bool read_https_listen(const struct sg_yaml *document, const struct sg_yaml_node *value,
                              void *into, struct sg_error *error)
{
    return read_addresses(document, value, &((struct sg_service_config *)into)->https.listen,
                          error);
}

static bool read_certificate(const struct sg_yaml *document, const struct sg_yaml_node *value,
                             void *into, struct sg_error *error)
{
    return read_file(document, value, &((struct sg_service_config *)into)->https.certificate,
                     error);
}

/* A key in a file says so, as PINs do; one on a token has a URI. */
static bool read_key(const struct sg_yaml *document, const struct sg_yaml_node *value, void *into,
                     struct sg_error *error)
{
    static const char FILE_SOURCE[] = "file:";
    struct sg_service_config *config = into;
    const char *text = NULL;

    if (!sg_yaml_text(document, value, &text, error))
        return false;
    if (strncmp(text, "pkcs11:", strlen("pkcs11:")) == 0)
        return sg_config_read_key_uri(document, value, &config->https.place, error);
    if (strncmp(text, FILE_SOURCE, strlen(FILE_SOURCE)) != 0 || text[strlen(FILE_SOURCE)] == '\0')
        return sg_yaml_fail(document, value, error,
                            "key has to be file:NAME, the private key of the certificate in PEM, "
                            "or the URI of one on a token, pkcs11:object=NAME");
    config->https.key = text + strlen(FILE_SOURCE);
    return true;
}

static bool read_https_token(const struct sg_yaml *document, const struct sg_yaml_node *value,
                             void *into, struct sg_error *error)
{
    return sg_yaml_text(document, value, &((struct sg_service_config *)into)->https.place.token,
                        error);
}

static bool read_device(const struct sg_yaml *document, const struct sg_yaml_node *value,
                        void *into, struct sg_error *error)
{
    return sg_yaml_text(document, value, &((struct sg_service_config *)into)->https.device, error);
}

static bool read_policy(const struct sg_yaml *document, const struct sg_yaml_node *value,
                        void *into, struct sg_error *error)
{
    return sg_yaml_text(document, value, &((struct sg_service_config *)into)->https.policy, error);
}

/* The key is in a file or on a token; the certificate in a file, or made for a device of the
 * registry, whose key the issuer can reach. */
static bool check_https(const struct sg_yaml *document, const struct sg_yaml_node *value,
                        const struct sg_service_config *config, struct sg_error *error)
{
    if ((config->https.place.key != NULL) != (config->https.place.token != NULL))
        return sg_yaml_fail(document, value, error,
                            "a key on a token needs both: token: NAME, key: 'pkcs11:object=NAME'");
    if ((config->https.certificate == NULL) == (config->https.device == NULL))
        return sg_yaml_fail(document, value, error,
                            "https has either a certificate, which is a file, or a device, for "
                            "which the issuer makes one");
    return config->https.device == NULL || config->https.place.key != NULL ||
           sg_yaml_fail(document, value, error,
                        "the issuer certifies a key that it can use: token: NAME, key: "
                        "'pkcs11:object=NAME'");
}

static bool read_minimum(const struct sg_yaml *document, const struct sg_yaml_node *value,
                         void *into, struct sg_error *error)
{
    static const struct sg_yaml_choice VERSIONS[] = {{"1.2", true}, {"1.3", false}, {0}};
    int allow = true;

    if (!sg_yaml_word(document, value, VERSIONS, &allow, error))
        return false;
    ((struct sg_service_config *)into)->https.allow_tls_1_2 = allow;
    return true;
}

static bool read_https(const struct sg_yaml *document, const struct sg_yaml_node *value, void *into,
                       struct sg_error *error)
{
    static const struct sg_yaml_field FIELDS[] = {
        {"listen", SG_YAML_REQUIRED, read_https_listen},
        {"certificate", SG_YAML_OPTIONAL, read_certificate},
        {"key", SG_YAML_REQUIRED, read_key},
        {"token", SG_YAML_OPTIONAL, read_https_token},
        {"device", SG_YAML_OPTIONAL, read_device},
        {"policy", SG_YAML_OPTIONAL, read_policy},
        {"minimum", SG_YAML_OPTIONAL, read_minimum},
        {0},
    };

    return sg_yaml_mapping(document, value, FIELDS, into, error) &&
           check_https(document, value, into, error);
}

static bool read_http_listen(const struct sg_yaml *document, const struct sg_yaml_node *value,
                             void *into, struct sg_error *error)
{
    return read_addresses(document, value, &((struct sg_service_config *)into)->http, error);
}

static bool read_http(const struct sg_yaml *document, const struct sg_yaml_node *value, void *into,
                      struct sg_error *error)
{
    static const struct sg_yaml_field FIELDS[] = {
        {"listen", SG_YAML_REQUIRED, read_http_listen},
        {0},
    };

    return sg_yaml_mapping(document, value, FIELDS, into, error);
}

static bool read_metrics_listen(const struct sg_yaml *document, const struct sg_yaml_node *value,
                                void *into, struct sg_error *error)
{
    return read_addresses(document, value, &((struct sg_service_config *)into)->metrics, error);
}

static bool read_metrics(const struct sg_yaml *document, const struct sg_yaml_node *value,
                         void *into, struct sg_error *error)
{
    static const struct sg_yaml_field FIELDS[] = {
        {"listen", SG_YAML_REQUIRED, read_metrics_listen},
        {0},
    };

    return sg_yaml_mapping(document, value, FIELDS, into, error);
}

/* ---- est ---- */

static bool add_label(const struct sg_yaml *document, const struct sg_yaml_node *value,
                      const char *label, struct sg_service_config *config, struct sg_error *error)
{
    struct sg_est_label *added = &config->est.labels[config->est.num_labels];

    if (!sg_yaml_text(document, value, &added->policy, error))
        return false;
    added->label = label;
    added->line = value->line;
    added->column = value->column;
    config->est.num_labels++;
    return true;
}

static bool read_default_policy(const struct sg_yaml *document, const struct sg_yaml_node *value,
                                void *into, struct sg_error *error)
{
    return add_label(document, value, "", into, error);
}

/* RFC 7030 3.2.2: a label is a path segment, and none of the operations. */
static bool is_label(const char *text)
{
    static const char *const OPERATIONS[] = {"cacerts", "simpleenroll", "simplereenroll",
                                             "fullcmc", "serverkeygen", "csrattrs"};

    for (size_t i = 0; i < sizeof OPERATIONS / sizeof OPERATIONS[0]; i++)
        if (strcmp(text, OPERATIONS[i]) == 0)
            return false;
    return sg_config_name_is_valid(text);
}

static bool read_labels(const struct sg_yaml *document, const struct sg_yaml_node *value,
                        void *into, struct sg_error *error)
{
    if (value->kind != SG_YAML_MAPPING || value->num_children > SG_LIMIT_LABELS)
        return sg_yaml_fail(document, value, error,
                            "labels has to be a mapping of labels to policies, %d at most",
                            SG_LIMIT_LABELS);
    for (size_t i = 0; i < value->num_children; i++) {
        const struct sg_yaml_node *child = &value->children[i];

        if (!is_label(child->key))
            return sg_yaml_fail(document, child, error,
                                "'%s' can't be a label: it has to be made of letters, digits, '.', "
                                "'_', '-', and be no operation of EST",
                                child->key);
        if (!add_label(document, child, child->key, into, error))
            return false;
    }
    return true;
}

static bool read_est_issuer(const struct sg_yaml *document, const struct sg_yaml_node *value,
                            void *into, struct sg_error *error)
{
    return sg_yaml_text(document, value, &((struct sg_service_config *)into)->est.issuer, error);
}

static bool read_base64(const struct sg_yaml *document, const struct sg_yaml_node *value,
                        void *into, struct sg_error *error)
{
    static const struct sg_yaml_choice FORMS[] = {{"one-line", false}, {"lines", true}, {0}};
    int wrap = false;

    if (!sg_yaml_word(document, value, FORMS, &wrap, error))
        return false;
    ((struct sg_service_config *)into)->est.wrap_base64 = wrap;
    return true;
}

static bool read_key_signer(const struct sg_yaml *document, const struct sg_yaml_node *value,
                            void *into, struct sg_error *error)
{
    return sg_config_read_key_place(document, value,
                                    &((struct sg_service_config *)into)->est.key_signer, error);
}

static bool read_key_certificate(const struct sg_yaml *document, const struct sg_yaml_node *value,
                                 void *into, struct sg_error *error)
{
    return read_file(document, value, &((struct sg_service_config *)into)->est.key_certificate,
                     error);
}

static bool read_server_keys(const struct sg_yaml *document, const struct sg_yaml_node *value,
                             void *into, struct sg_error *error)
{
    static const struct sg_yaml_field FIELDS[] = {
        {"signer", SG_YAML_REQUIRED, read_key_signer},
        {"certificate", SG_YAML_REQUIRED, read_key_certificate},
        {0},
    };

    return sg_yaml_mapping(document, value, FIELDS, into, error);
}

static bool read_est(const struct sg_yaml *document, const struct sg_yaml_node *value, void *into,
                     struct sg_error *error)
{
    static const struct sg_yaml_field FIELDS[] = {
        {"policy", SG_YAML_OPTIONAL, read_default_policy},
        {"labels", SG_YAML_OPTIONAL, read_labels},
        {"issuer", SG_YAML_OPTIONAL, read_est_issuer},
        {"base64", SG_YAML_OPTIONAL, read_base64},
        {"server_keys", SG_YAML_OPTIONAL, read_server_keys},
        {0},
    };
    struct sg_service_config *config = into;

    config->est.labels = calloc(SG_LIMIT_LABELS + 1, sizeof *config->est.labels);
    if (config->est.labels == NULL)
        return sg_fail_memory(error);
    if (!sg_yaml_mapping(document, value, FIELDS, into, error))
        return false;
    return config->est.num_labels > 0 ||
           sg_yaml_fail(document, value, error,
                        "est has to have a policy, labels with policies, or both");
}

/* ---- limits ---- */

static bool read_connections(const struct sg_yaml *document, const struct sg_yaml_node *value,
                             void *into, struct sg_error *error)
{
    return sg_yaml_integer(document, value, 1, SG_LIMIT_CONNECTIONS,
                           &((struct sg_service_config *)into)->limits.connections, error);
}

static bool read_queue(const struct sg_yaml *document, const struct sg_yaml_node *value, void *into,
                       struct sg_error *error)
{
    return sg_yaml_integer(document, value, 1, SG_LIMIT_QUEUE,
                           &((struct sg_service_config *)into)->limits.queue, error);
}

static bool read_refusals(const struct sg_yaml *document, const struct sg_yaml_node *value,
                          void *into, struct sg_error *error)
{
    return sg_yaml_integer(document, value, 1, SG_LIMIT_QUEUE,
                           &((struct sg_service_config *)into)->limits.refusals, error);
}

static bool read_time(const struct sg_yaml *document, const struct sg_yaml_node *value,
                      int64_t *seconds, struct sg_error *error)
{
    enum { SHORTEST_S = 1, LONGEST_S = 3600 };

    if (!sg_yaml_duration(document, value, seconds, error))
        return false;
    return (*seconds >= SHORTEST_S && *seconds <= LONGEST_S) ||
           sg_yaml_fail(document, value, error, "%s has to be from 1s to 1h", value->key);
}

static bool read_request_time(const struct sg_yaml *document, const struct sg_yaml_node *value,
                              void *into, struct sg_error *error)
{
    return read_time(document, value, &((struct sg_service_config *)into)->limits.request_s, error);
}

static bool read_idle_time(const struct sg_yaml *document, const struct sg_yaml_node *value,
                           void *into, struct sg_error *error)
{
    return read_time(document, value, &((struct sg_service_config *)into)->limits.idle_s, error);
}

static bool read_reply_time(const struct sg_yaml *document, const struct sg_yaml_node *value,
                            void *into, struct sg_error *error)
{
    return read_time(document, value, &((struct sg_service_config *)into)->limits.reply_s, error);
}

static bool read_answer_time(const struct sg_yaml *document, const struct sg_yaml_node *value,
                             void *into, struct sg_error *error)
{
    return read_time(document, value, &((struct sg_service_config *)into)->limits.answer_s, error);
}

static bool read_limits(const struct sg_yaml *document, const struct sg_yaml_node *value,
                        void *into, struct sg_error *error)
{
    static const struct sg_yaml_field FIELDS[] = {
        {"connections", SG_YAML_OPTIONAL, read_connections},
        {"queue", SG_YAML_OPTIONAL, read_queue},
        {"refusals", SG_YAML_OPTIONAL, read_refusals},
        {"request", SG_YAML_OPTIONAL, read_request_time},
        {"idle", SG_YAML_OPTIONAL, read_idle_time},
        {"reply", SG_YAML_OPTIONAL, read_reply_time},
        {"answer", SG_YAML_OPTIONAL, read_answer_time},
        {0},
    };

    return sg_yaml_mapping(document, value, FIELDS, into, error);
}

/* ---- the rest, and the whole ---- */

static bool read_socket(const struct sg_yaml *document, const struct sg_yaml_node *value,
                        void *into, struct sg_error *error)
{
    return read_file(document, value, &((struct sg_service_config *)into)->socket, error);
}

static bool read_front_user(const struct sg_yaml *document, const struct sg_yaml_node *value,
                            void *into, struct sg_error *error)
{
    return sg_yaml_text(document, value, &((struct sg_service_config *)into)->front_user, error);
}

static bool read_issuer_user(const struct sg_yaml *document, const struct sg_yaml_node *value,
                             void *into, struct sg_error *error)
{
    return sg_yaml_text(document, value, &((struct sg_service_config *)into)->issuer_user, error);
}

static bool read_users(const struct sg_yaml *document, const struct sg_yaml_node *value, void *into,
                       struct sg_error *error)
{
    static const struct sg_yaml_field FIELDS[] = {
        {"front", SG_YAML_REQUIRED, read_front_user},
        {"issuer", SG_YAML_REQUIRED, read_issuer_user},
        {0},
    };

    return sg_yaml_mapping(document, value, FIELDS, into, error);
}

static bool read_health(const struct sg_yaml *document, const struct sg_yaml_node *value,
                        void *into, struct sg_error *error)
{
    return sg_config_read_key_place(document, value, &((struct sg_service_config *)into)->health,
                                    error);
}

static bool read_log(const struct sg_yaml *document, const struct sg_yaml_node *value, void *into,
                     struct sg_error *error)
{
    static const struct sg_yaml_choice FORMATS[] = {
        {"plain", SG_LOG_PLAIN}, {"json", SG_LOG_JSON}, {0}};
    int format = SG_LOG_PLAIN;

    if (!sg_yaml_word(document, value, FORMATS, &format, error))
        return false;
    ((struct sg_service_config *)into)->log = (enum sg_log_format)format;
    return true;
}

bool sg_service_config_read(const struct sg_yaml *document, const struct sg_yaml_node *value,
                            void *into, struct sg_error *error)
{
    static const struct sg_yaml_field FIELDS[] = {
        {"socket", SG_YAML_OPTIONAL, read_socket},
        {"users", SG_YAML_OPTIONAL, read_users},
        {"https", SG_YAML_OPTIONAL, read_https},
        {"http", SG_YAML_OPTIONAL, read_http},
        {"metrics", SG_YAML_OPTIONAL, read_metrics},
        {"est", SG_YAML_OPTIONAL, read_est},
        {"limits", SG_YAML_OPTIONAL, read_limits},
        {"log", SG_YAML_OPTIONAL, read_log},
        {"health", SG_YAML_OPTIONAL, read_health},
        {"proxy", SG_YAML_OPTIONAL, sg_config_read_proxy},
        {"operators", SG_YAML_OPTIONAL, sg_config_read_operators},
        {0},
    };
    struct sg_service_config *config = into;

    config->is_set = true;
    config->socket = "signetd.sock";
    config->https.allow_tls_1_2 = true;
    config->https.policy = "tls-server";
    config->limits.connections = 1000;
    config->limits.queue = 256;
    config->limits.refusals = 30;
    config->limits.request_s = 15;
    config->limits.idle_s = 60;
    config->limits.reply_s = 30;
    config->limits.answer_s = 30;
    if (!sg_yaml_mapping(document, value, FIELDS, config, error))
        return false;
    if (config->https.listen.num > 0 || config->proxy.listen != NULL)
        return true;
    if (config->num_operators > 0)
        return sg_yaml_fail(document, value, error,
                            "operators need https, as their certificates say who is asking");
    return config->est.num_labels == 0 ||
           sg_yaml_fail(document, value, error,
                        "est needs https, as its requests say who is asking (RFC 7030 3.3)");
}

bool sg_service_config_check(const struct sg_service_config *config, const char *path,
                             struct sg_error *error)
{
    if (!config->is_set)
        return sg_fail(error, SG_INVALID, NULL,
                       "%s has no section `service`, which says where to listen and what for",
                       path);
    if (config->https.listen.num == 0 && config->http.num == 0 && config->proxy.listen == NULL)
        return sg_fail(error, SG_INVALID, NULL,
                       "%s: service has neither https nor http, so nobody could reach it", path);
    return true;
}

const struct sg_est_label *sg_service_find_label(const struct sg_service_config *config,
                                                 const char *label)
{
    for (size_t i = 0; i < config->est.num_labels; i++)
        if (strcmp(config->est.labels[i].label, label != NULL ? label : "") == 0)
            return &config->est.labels[i];
    return NULL;
}

void sg_service_config_done(struct sg_service_config *config)
{
    free(config->https.listen.items);
    free(config->http.items);
    free(config->metrics.items);
    free(config->est.labels);
    free(config->operators);
    *config = (struct sg_service_config){0};
}
