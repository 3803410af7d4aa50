/* plan: a certificate as a policy wants it, before it has a serial number. */
#ifndef SG_MODEL_PLAN_H
#define SG_MODEL_PLAN_H

#include "extension.h"
#include "key.h"
#include "name.h"
#include "san.h"

enum sg_unique { SG_UNIQUE_NONE, SG_UNIQUE_DEVICE, SG_UNIQUE_USER };

enum sg_same_key { SG_SAME_KEY_ALLOW, SG_SAME_KEY_REFUSE };
enum sg_previous { SG_PREVIOUS_KEEP, SG_PREVIOUS_REVOKE };

/* How many certificates a policy is good for in each period, which begins with UTC's hours or days.
 */
struct sg_quota {
    int64_t certificates; /* 0: there is no quota */
    int64_t period_s;     /* 0: all periods are one */
};

/* Where something in a certificate comes from: a mask. */
enum sg_source {
    SG_FROM_POLICY = 1 << 0, /* its own words */
    SG_FROM_DEVICE = 1 << 1, /* the device's record in the registry */
    SG_FROM_USER = 1 << 2,
    SG_FROM_REQUEST = 1 << 3,
    SG_FROM_ISSUER = 1 << 4, /* its settings or its certificate */
    SG_FROM_CLOCK = 1 << 5,  /* the moment of issuing */
};

/* What of a certificate a rule of a policy decides. */
enum sg_part {
    SG_PART_NONE, /* nothing: it follows from RFC 5280 */
    SG_PART_KEY,
    SG_PART_SUBJECT,
    SG_PART_SAN,
    SG_PART_KEY_USAGE,
    SG_PART_PURPOSE,
    SG_PART_CA,
    SG_PART_EXTENSION,
    SG_PART_CRL,
    SG_PART_ACCESS, /* OCSP responder and issuer's certificate */
    SG_PART_NOT_BEFORE,
    SG_PART_NOT_AFTER,
};

/* The rule that put something there. Texts are owned by the policy, as the plan's are. */
struct sg_origin {
    enum sg_part part;
    size_t index;        /* of several in a part: the how manieth, in the plan's order */
    const char *rule;    /* the policy's key: "subject", "validity.for" */
    unsigned line;       /* in the policy's file; 0: the key is not there, which decides it */
    const char *written; /* "${device.id}"; NULL when it is more than a text */
    unsigned sources;    /* SG_FROM_* mask */
};

struct sg_origins {
    struct sg_origin *items;
    size_t num;
};

struct sg_plan {
    const char *policy; /* owned by the policy, which outlives the plan */
    uint8_t policy_sha256[SG_SHA256_LEN];
    struct sg_name subject;
    struct sg_sans sans;
    unsigned key_usage;      /* SG_KU_* mask, never 0 */
    struct sg_oids purposes; /* empty: no extendedKeyUsage */
    bool critical_purposes;
    bool ca;
    long path_length;                /* -1: none; only with ca */
    struct sg_extensions extensions; /* by OID, ready-made values */
    bool publish_crl, publish_ocsp, publish_ca_issuers;
    int64_t not_before, not_after; /* not_after SG_TIME_NEVER: no well-defined expiration */
    enum sg_unique unique;
    struct sg_quota quota;
    bool renewable;
    int64_t renewal_window_s; /* before not_after; only when renewable */
    enum sg_same_key same_key;
    enum sg_previous previous;
    const char *approver; /* the role of who has to approve the request first; NULL: nobody */
    /* What of the registry is looked at again at a renewal: "user.enabled", "user.sid"; owned by
     * the policy. */
    const char *const *recheck;
    size_t num_recheck;
    struct sg_origins origins; /* of all of it that gets into the certificate */
};

/* sg_plan_note keeps where a part comes from. Fails for memory alone. */
SG_MUST_USE bool sg_plan_note(struct sg_plan *plan, const struct sg_origin *origin,
                              struct sg_error *error);
/* sg_plan_origin: of the part's thing at index, or NULL. */
const struct sg_origin *sg_plan_origin(const struct sg_plan *plan, enum sg_part part, size_t index);
void sg_plan_done(struct sg_plan *plan);
SG_DEFINE_CLEANUP_IN_PLACE(sg_plan, sg_plan_done)

/* The purpose of those who answer OCSP in their CA's name (RFC 6960 4.2.2.2). */
#define SG_OID_OCSP_SIGNING "1.3.6.1.5.5.7.3.9"

/* sg_plan_signs_ocsp: is it for an OCSP responder, whom its CA has the answers signed by? */
bool sg_plan_signs_ocsp(const struct sg_plan *plan);

/* sg_plan_renews: would the plan's certificate renew one of the same policy that ends at not_after?
 * Only inside the renewal window, and only when it ends later: a life that is cut short (by the
 * issuer's end, by a fixed date) can be all window, and asking again would make another
 * certificate each time. */
bool sg_plan_renews(const struct sg_plan *plan, int64_t not_after, int64_t now);

#endif
