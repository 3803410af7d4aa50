/* certificate: a claim or certificate as the store knows it. */
#ifndef SG_MODEL_CERTIFICATE_H
#define SG_MODEL_CERTIFICATE_H

#include "base/cleanup.h"
#include "base/hex.h"
#include "base/limits.h"

/* CRLReason, RFC 5280 5.3.1. */
enum sg_reason {
    SG_REASON_UNSPECIFIED = 0,
    SG_REASON_KEY_COMPROMISE = 1,
    SG_REASON_CA_COMPROMISE = 2,
    SG_REASON_AFFILIATION_CHANGED = 3,
    SG_REASON_SUPERSEDED = 4,
    SG_REASON_CESSATION_OF_OPERATION = 5,
    SG_REASON_CERTIFICATE_HOLD = 6,
    SG_REASON_REMOVE_FROM_CRL = 8, /* only delta CRLs say it; here it never occurs */
    SG_REASON_PRIVILEGE_WITHDRAWN = 9,
    SG_REASON_AA_COMPROMISE = 10,
};

/* sg_reason_parse reads RFC 5280's words in any case, but for removeFromCRL. Fails: SG_USAGE. */
SG_MUST_USE bool sg_reason_parse(const char *word, enum sg_reason *reason, struct sg_error *error);
const char *sg_reason_word(enum sg_reason reason);
/* sg_reason_is_compromise: does somebody else have the key, or may have? */
bool sg_reason_is_compromise(enum sg_reason reason);

/* Big-endian, positive, no leading zero octet but for the sign. */
struct sg_serial {
    uint8_t bytes[SG_LIMIT_SERIAL];
    size_t len;
};

enum { SG_SERIAL_TEXT_SIZE = 2 * SG_LIMIT_SERIAL + 1 };
/* sg_serial_text: lower-case hex without "0x" and without the sign's octet, as `openssl x509
 * -serial` shows the number. Returns into. */
const char *sg_serial_text(const struct sg_serial *serial, char into[SG_SERIAL_TEXT_SIZE]);
/* sg_serial_parse reads hex of either case, with or without 0x, colons or leading zeros, and puts
 * the sign's octet back where one is needed. Fails: SG_USAGE. */
SG_MUST_USE bool sg_serial_parse(const char *text, struct sg_serial *serial,
                                 struct sg_error *error);

enum sg_status {
    SG_STATUS_VALID,
    SG_STATUS_EXPIRED,
    SG_STATUS_REVOKED,
    SG_STATUS_HELD,      /* revoked with certificateHold */
    SG_STATUS_IN_FLIGHT, /* claimed by a process that is still working on it */
    SG_STATUS_ORPHANED,  /* claimed, and its process died: counts as revoked */
};
const char *sg_status_word(enum sg_status status);

struct sg_certificate {
    int64_t id;   /* of its claim, growing with time */
    char *issuer; /* name in signet.yaml */
    struct sg_serial serial;
    char *policy;
    uint8_t policy_sha256[SG_SHA256_LEN];
    char *subject;       /* as text */
    char *device, *user; /* NULL when none */
    char *token;         /* the id of the card that its key is on; NULL when none was told */
    uint8_t spki_sha256[SG_SHA256_LEN];
    int64_t claimed, not_before, not_after;
    enum sg_status status;
    int64_t revoked; /* moment, when revoked, held or orphaned */
    enum sg_reason reason;
    struct sg_buf der; /* empty while there is only a claim, and when it is elsewhere */
    bool is_elsewhere; /* it was issued, and its month was taken out of the store since */
};

/* sg_certificate_is_here fails (SG_STORE) for a certificate that is elsewhere, saying which month
 * it is of. */
SG_MUST_USE bool sg_certificate_is_here(const struct sg_certificate *certificate,
                                        struct sg_error *error);

void sg_certificate_done(struct sg_certificate *certificate);
SG_DEFINE_CLEANUP_IN_PLACE(sg_certificate, sg_certificate_done)

#endif
