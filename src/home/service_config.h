/* service_config: the section `service` of signet.yaml.
 *
 * Texts are owned by the configuration. docs/operations.md describes every key.
 */
#ifndef SG_HOME_SERVICE_CONFIG_H
#define SG_HOME_SERVICE_CONFIG_H

#include "base/hex.h"
#include "base/yaml.h"

/* Where a listener listens: "ADDRESS:PORT", "[ADDRESS]:PORT"; port 0 is one that is free. */
struct sg_addresses {
    const char **items;
    size_t num;
};

/* What requests under a label of EST are for. */
struct sg_est_label {
    const char *label; /* "": the URLs without one */
    const char *policy;
    unsigned line, column; /* in signet.yaml */
};

/* A key on a token of signet.yaml, for the service's own ends. */
struct sg_key_place {
    const char *token;     /* a sg_token_entry's name; NULL: there is no such key */
    const char *key;       /* PKCS#11 URI */
    unsigned line, column; /* in signet.yaml */
};

/* What an operator may do by the API; a mask where several may. */
enum sg_role {
    SG_ROLE_TOKEN_SERVICE = 1, /* asks for PINs' state, and registers tickets */
    SG_ROLE_AUDITOR = 2,       /* reads */
    SG_ROLE_OFFICER = 4,       /* reads, registers, approves, issues, revokes */
};
const char *sg_role_word(enum sg_role role);

/* Somebody whom the API knows by the certificate that they use in TLS. */
struct sg_operator_entry {
    const char *name;                   /* for what is written down */
    uint8_t certificate[SG_SHA256_LEN]; /* of its DER */
    enum sg_role role;
};

enum sg_log_format { SG_LOG_PLAIN, SG_LOG_JSON };

struct sg_service_config {
    bool is_set;                          /* there is such a section */
    const char *socket;                   /* where the two processes meet; relative to the home */
    const char *front_user, *issuer_user; /* whose processes they are; NULL: one's own */

    struct {
        struct sg_addresses listen;
        const char *certificate;   /* file, with the chain after it; relative to the home */
        const char *key;           /* file, the same; NULL: it is on a token */
        struct sg_key_place place; /* of the key on a token */
        /* certificate is NULL: the issuer certifies the key for this device, by this policy */
        const char *device, *policy;
        bool allow_tls_1_2;
    } https;
    struct sg_addresses http;    /* for CRLs and CA certificates alone, without TLS */
    struct sg_addresses metrics; /* for those who watch the service */

    /* A server in front, where TLS ends, and whose word for the client's certificate is taken. */
    struct {
        const char *listen;      /* path of a Unix socket; NULL: it comes by https */
        const char *user;        /* whose process may connect there */
        const char *certificate; /* file: what it shows by https; NULL: it does not come there */
        const char *header;      /* that has the client's certificate */
        const char *address;     /* header that has the client's address; NULL: none */
    } proxy;

    struct sg_operator_entry *operators; /* none: there is no API */
    size_t num_operators;

    struct {
        const char *issuer; /* NULL: the active one */
        bool wrap_base64;   /* lines of 64, as libest wants them; else one line */
        struct sg_est_label *labels;
        size_t num_labels;
        struct sg_key_place key_signer; /* signs for keys that the service makes, on its token */
        const char *key_certificate;    /* file; NULL: it makes none */
    } est;

    struct {
        long connections;  /* from clients, at once */
        long queue;        /* requests that wait for the issuer */
        long refusals;     /* of one address, as nobody's, before it is slowed */
        int64_t request_s; /* for a client to finish its handshake, or a request it has begun */
        int64_t idle_s;    /* for a client to begin the next one */
        int64_t reply_s;   /* for a client to take a short reply; a long one is given more */
        int64_t answer_s;  /* for the issuer to answer */
    } limits;
    enum sg_log_format log;
    struct sg_key_place health; /* signs when somebody asks whether the token answers */
};

/* sg_service_config_reader reads the section; into is the struct sg_service_config. */
sg_yaml_reader sg_service_config_read;

/* sg_service_config_check tells a service that can't be started: no section, nothing to listen on.
 * path     of signet.yaml, for the message. Fails: SG_INVALID. */
SG_MUST_USE bool sg_service_config_check(const struct sg_service_config *config, const char *path,
                                         struct sg_error *error);

/* sg_service_find_label: its policy's entry, or NULL. NULL asks for the URLs without one. */
const struct sg_est_label *sg_service_find_label(const struct sg_service_config *config,
                                                 const char *label);

/* sg_service_find_operator: by the SHA-256 of a certificate, or NULL. */
const struct sg_operator_entry *sg_service_find_operator(const struct sg_service_config *config,
                                                         const uint8_t certificate[SG_SHA256_LEN]);

void sg_service_config_done(struct sg_service_config *config);

#endif
