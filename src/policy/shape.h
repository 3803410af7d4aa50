/* shape: what a policy holds once it is read. One struct for each group of keys; the file of the
 * group's name reads it and has its rules.
 */
#ifndef SG_POLICY_SHAPE_H
#define SG_POLICY_SHAPE_H

#include "content.h"
#include "fixed.h"

/* who.c */
struct sg_policy_who {
    const struct sg_yaml_node *node;
    unsigned evidence; /* SG_BY_* mask */
    bool all;          /* every one of them, or any */
    bool register_unknown_devices;
    const char *approver; /* the ROLE of {approval: ROLE}, or NULL */
};

/* keys.c */
struct sg_policy_key {
    const struct sg_yaml_node *node, *usage_node;
    enum sg_key_family family;
    unsigned min_bits, max_bits; /* RSA */
    unsigned sets;      /* EC, ML-DSA: a bit for each curve or parameter set that keys.c knows */
    unsigned key_usage; /* SG_KU_* mask */
};

struct sg_policy_keys {
    struct sg_policy_key *items;
    size_t num;
};

/* names.c */
struct sg_policy_rdn {
    const char *oid;
    struct sg_value value;
};

struct sg_policy_subject {
    const struct sg_yaml_node *node;
    struct sg_policy_rdn *items;
    size_t num;
};

/* san.c */
struct sg_policy_san {
    struct sg_policy_content content; /* of other; first, as content.h says */
    enum sg_san_kind kind;
    struct sg_value value; /* the text; a serial number; an identifier */
    const char *oid;       /* a module's type, an assigner, an otherName's type-id */
    struct sg_policy_subject dirname;
};

struct sg_policy_sans {
    struct sg_policy_san *items;
    size_t num;
};

/* extensions.c */
struct sg_policy_extension {
    struct sg_policy_content content; /* first, as content.h says */
    const struct sg_yaml_node *node, *sid_node;
    const char *oid;
    bool critical;
};

struct sg_policy_extensions {
    struct sg_policy_extension *items;
    size_t num;
};

/* ca.c */
struct sg_policy_ca {
    const struct sg_yaml_node *node; /* NULL: no CA */
    long path_length;                /* -1: none */
    bool self_signed;
};

enum sg_publish { SG_PUBLISH_NOT, SG_PUBLISH_OFFERED, SG_PUBLISH_REQUIRED };

struct sg_policy_publish {
    const struct sg_yaml_node *node; /* NULL: not there */
    enum sg_publish crl, ocsp, ca_issuers;
};

/* validity.c */
enum sg_past_issuer { SG_PAST_ISSUER_REFUSE, SG_PAST_ISSUER_CUT, SG_PAST_ISSUER_ALLOW };

struct sg_policy_validity {
    const struct sg_yaml_node *node;
    int64_t for_s; /* 0: until, or until_value */
    int64_t until;
    struct sg_value until_value; /* a moment out of the registry */
    int64_t backdate_s;
    int64_t align_s; /* seconds of a day or an hour; 1: not aligned */
    enum sg_past_issuer past_issuer;
};

struct sg_policy_renewal {
    bool allowed;
    const struct sg_yaml_node *window_node;
    int64_t window_s;
    enum sg_same_key same_key;
    enum sg_previous previous;
    const char **recheck; /* "user.enabled", "user.sid" */
    size_t num_recheck;
    const char **of; /* policies whose certificates vouch, besides its own */
    size_t num_of;
};

/* asked.c */
enum sg_asked { SG_ASKED_EQUAL_OR_ABSENT, SG_ASKED_EQUAL, SG_ASKED_IGNORE };

struct sg_policy_asked {
    enum sg_asked subject, san;
    bool ignore_extensions;
    bool any_version;
};

/* examples.c */
struct sg_policy_examples {
    struct sg_policy_example *items;
    struct sg_record *records; /* two for each example: device and user */
    struct sg_name *issuers;   /* one for each */
    size_t num;
};

/* policy.c */
struct sg_policy {
    struct sg_buf source;
    uint8_t sha256[SG_SHA256_LEN];
    struct sg_yaml *document; /* owns every const char * and node in here */
    const char *name, *description;
    struct sg_policy_who who;
    struct sg_policy_keys keys;
    struct sg_policy_subject subject;
    struct sg_policy_sans sans;
    const struct sg_yaml_node *purposes_node; /* the list; NULL: not there */
    struct sg_oids purposes;                  /* as the node's children */
    bool critical_purposes;
    struct sg_policy_extensions extensions;
    struct sg_policy_fixed fixed[SG_NUM_FIXED];
    struct sg_policy_ca ca;
    struct sg_policy_publish publish;
    struct sg_policy_validity validity;
    struct sg_policy_renewal renewal;
    enum sg_unique unique;
    struct sg_quota quota;
    const struct sg_yaml_node *server_keys_node; /* NULL: not there */
    enum sg_server_keys server_keys;
    struct sg_policy_asked asked;
    struct sg_policy_examples examples;
};

#endif
