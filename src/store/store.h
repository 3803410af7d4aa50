/* store: the durable record: registry, claims, certificates, revocations, CRL numbers; and, in
 * headers of their own, tickets, PINs and approvals.
 *
 * Behind it stands SQLite in WAL mode with synchronous=FULL, or PostgreSQL. What one function
 * writes is one transaction, durable when it returns true. Uniqueness is decided inside the claim,
 * where it can't race. Several processes may have the same store open; each holds a lock (on its
 * own byte of "STORE.owners", or of its session), which goes when the process dies, so a claim
 * without a certificate is either in flight (its owner lives) or an orphan. Thread rule: one
 * sg_store belongs to one thread at a time, and never crosses a fork. A visitor may ask the store,
 * and must not write to it.
 */
#ifndef SG_STORE_STORE_H
#define SG_STORE_STORE_H

#include "model/certificate.h"
#include "model/plan.h"
#include "model/requester.h"

struct sg_store;

enum sg_store_mode {
    SG_STORE_OPEN,
    SG_STORE_READ_ONLY, /* also one of an earlier version, as it is */
    SG_STORE_CREATE,
    SG_STORE_MIGRATE, /* also one of an earlier version, for migrate.h alone */
    SG_STORE_LOAD,    /* one in the making, for dump.h alone */
};

/* sg_store_open opens (or, with SG_STORE_CREATE, makes) the store.
 * location     "sqlite:PATH", relative to folder, or "postgresql://…", as libpq reads it, without a
 *              password.
 * Fails: SG_STORE: missing, not a store of Signet's, of another version, read-only, full disk, each
 * with what to do; SG_USAGE on an unknown kind of store. */
SG_MUST_USE bool sg_store_open(const char *location, const char *folder, enum sg_store_mode mode,
                               struct sg_store **store, struct sg_error *error);
void sg_store_close(struct sg_store *store);

/* sg_store_check_location: is this a location that sg_store_open knows what to do with?
 * Fails: SG_USAGE. */
SG_MUST_USE bool sg_store_check_location(const char *location, struct sg_error *error);

/* sg_store_warning is what the operator should know of a store that was opened, for the program to
 * say once; NULL: nothing. Borrowed. */
const char *sg_store_warning(const struct sg_store *store);

typedef struct sg_store sg_store;
SG_DEFINE_CLEANUP(sg_store, sg_store_close)

/* ---- issuers: an issuer is its key; a name in signet.yaml points at it ---- */

/* sg_store_is_file: is it in a file, whose disk can be looked at from here? */
bool sg_store_is_file(const struct sg_store *store);

/* sg_store_issuer finds or adds the issuer of that key and tells its number. */
SG_MUST_USE bool sg_store_issuer(struct sg_store *store, const char *name,
                                 const uint8_t spki_sha256[SG_SHA256_LEN], int64_t *issuer,
                                 struct sg_error *error);

/* sg_store_issuer_name is the name of the issuer of that key, malloc'd; NULL when it is no issuer's
 * key. An issuer that was never opened is not known yet. */
SG_MUST_USE bool sg_store_issuer_name(struct sg_store *store,
                                      const uint8_t spki_sha256[SG_SHA256_LEN], char **name,
                                      struct sg_error *error);

/* sg_store_latest_issued is the latest certificate of another key than its own that the issuer has
 * issued. found is false, and der untouched, when there is none. */
SG_MUST_USE bool sg_store_latest_issued(struct sg_store *store, int64_t issuer, bool *found,
                                        struct sg_buf *der, struct sg_error *error);

/* ---- claims and certificates ---- */

/* One certificate that is about to be signed. Everything is borrowed for the call. */
struct sg_claim {
    int64_t issuer;
    const struct sg_plan *plan;
    const struct sg_requester *requester;
    const struct sg_serial *serial;
    const char *subject;                     /* as text */
    const uint8_t *spki_sha256;              /* SG_SHA256_LEN bytes */
    const uint8_t *content_sha256;           /* of all but serial and validity: what makes a
                                                retry a retry */
    struct sg_slice tbs;                     /* the whole to-be-signed bytes */
    const struct sg_record *register_device; /* to be registered with the claim, or NULL */
    bool replace;                  /* what `unique` would refuse for is revoked instead, */
    enum sg_reason replace_reason; /* for this reason, when the new one is recorded */
    int64_t ticket;                /* the id of the ticket that is to be spent; 0: none */
    int64_t renews;          /* the claim of the certificate that vouches for this one; 0: none */
    const char *asked_by;    /* who asks, should somebody have to approve; NULL: nobody is told */
    struct sg_slice request; /* for whoever approves; may be empty */
    bool made_key; /* the key was made for this request, is another each time, and nobody has it
                      but who got the answer: content_sha256 is of the request, and the same one
                      again repeats an answer that was lost */
    int64_t now;

    /* out */
    enum {
        SG_CLAIM_REFUSED, /* see error */
        SG_CLAIM_NEW,     /* id is its claim: sign it */
        SG_CLAIM_RETRY,   /* the same certificate was issued before: existing holds it */
        SG_CLAIM_WAITS,   /* id is the request for approval that it waits with */
    } outcome;
    int64_t id;
    struct sg_certificate existing;
    struct sg_error error;
};

/* sg_store_claim decides a group of claims, in order, in one transaction, each on its own merits:
 *  - a certificate of the same key, policy, device, user and content_sha256 that is valid, and not
 *    renewed by this claim (sg_plan_renews), or is what the claim's ticket was spent on, answers as
 *    SG_CLAIM_RETRY;
 *  - the device or user must exist and not be disabled (SG_UNAUTHENTICATED), read inside this
 *    transaction, unless it is registered with the claim;
 *  - a key that sg_store_judge_key knows something against refuses (SG_KEY_QUALITY);
 *  - `unique`: another valid or in-flight certificate under the policy for the same device or
 *    user refuses (SG_REFUSED, rule "policy NAME: unique", naming it; detail EAGAIN when that is in
 *    flight, and may turn out to be the answer), unless the plan renews it
 *    (and same_key allows it);
 *    previous: revoke then revokes it (superseded) when the new certificate is recorded.
 *    With replace a valid one is no reason to refuse: it is revoked for replace_reason when the new
 *    certificate is recorded, in the same transaction.
 *    The renewal window is that of the plan, so of the policy as it is today. A certificate on hold
 *    refuses too, its retry as well: a new one beside it would undo the hold.
 *  - a ticket that was dropped, has expired, is for something else or was spent refuses
 *    (SG_UNAUTHENTICATED), and is spent with the claim. One that was spent on a certificate is good
 *    for that certificate, so that a retry gets it; one that was spent on an orphan, for the same
 *    key again;
 *  - a certificate that vouches for its own renewal has to be valid, read inside this transaction,
 *    and in its renewal window when nothing else vouches;
 *  - with made_key, the same request by the same ticket, which has not ended, or by the same
 *    holder's certificate under the policy, repeats one that was answered: the certificate of then
 *    is revoked (superseded) when the new one is recorded, and stands in the way of nothing. It
 *    costs the ticket a try, where it has tries; none left refuses (SG_UNAUTHENTICATED);
 *  - where the plan has an approver, the same certificate of the same key has to be approved:
 *    otherwise the request is kept for approvals.h, and the claim waits;
 *  - the policy's quota for the period, of claims whatever became of them, refuses when it is used
 *    up (SG_REFUSED, rule "policy NAME: quota");
 *  - a serial that the issuer has used refuses (SG_INTERNAL; 128 random bits never do).
 * Fails only when the transaction as a whole does (SG_STORE): then nothing was claimed. */
SG_MUST_USE bool sg_store_claim(struct sg_store *store, struct sg_claim *claims, size_t num,
                                struct sg_error *error);

/* sg_store_record makes certificates of claims, in one transaction: all or none. ids and ders have
 * num items. now: for the revocation of superseded ones.
 * Fails: SG_REFUSED when a claim was revoked or given up meanwhile, naming its serial; SG_INTERNAL
 * when it isn't this handle's, is recorded already, or der does not hold the claimed bytes. */
SG_MUST_USE bool sg_store_record(struct sg_store *store, const int64_t *ids,
                                 const struct sg_slice *ders, size_t num, int64_t now,
                                 struct sg_error *error);

/* sg_store_abandon turns claims of this handle that come to no certificate into orphans at once, in
 * one transaction. */
SG_MUST_USE bool sg_store_abandon(struct sg_store *store, const int64_t *ids, size_t num,
                                  struct sg_error *error);

/* sg_store_quota_left: how many more certificates the policy is good for now.
 * why      what refuses when that is none, as the claim would say; may be NULL. */
SG_MUST_USE bool sg_store_quota_left(struct sg_store *store, const char *policy,
                                     struct sg_quota quota, int64_t now, int64_t *left,
                                     struct sg_error *why, struct sg_error *error);

/* A key, and whom it is to be certified for. */
struct sg_key_question {
    const uint8_t *spki_sha256; /* SG_SHA256_LEN bytes */
    const char *device, *user;  /* or NULL */
    bool for_ca;                /* the certificate is a CA's */
    bool for_ocsp;              /* it signs OCSP answers for its CA */
};

/* The rule of a key that was certified for somebody else. */
#define SG_RULE_ONE_HOLDER "one key, one holder"

/* sg_store_judge_key asks what the store knows against a key: that it is blocked; an issuer's of
 * this store (for any but a CA's certificate); of a certificate that was revoked for a compromise;
 * or certified for another holder: another device or user, a device or user when now there is none
 * (or the other way round), or, by a recorded certificate, a CA or its OCSP responder when now it
 * is something else. The claim asks the same, inside its transaction. why      SG_KEY_QUALITY with
 * its rule, when there is something; untouched otherwise. Fails only when the store does
 * (SG_STORE). */
SG_MUST_USE bool sg_store_judge_key(struct sg_store *store, const struct sg_key_question *question,
                                    struct sg_error *why, struct sg_error *error);

/* sg_store_block_keys puts keys on the list of those that are never certified, in one transaction.
 * spki_sha256  SHA-256 of each key's DER SubjectPublicKeyInfo; in ascending order it is fastest.
 * num_new      how many were not there before. */
SG_MUST_USE bool sg_store_block_keys(struct sg_store *store,
                                     const uint8_t (*spki_sha256)[SG_SHA256_LEN], size_t num,
                                     int64_t now, size_t *num_new, struct sg_error *error);
/* sg_store_each_blocked_key visits the list in ascending order; false from visit stops it. */
typedef bool sg_blocked_key_visitor(const uint8_t spki_sha256[SG_SHA256_LEN], int64_t blocked,
                                    void *context, struct sg_error *error);
SG_MUST_USE bool sg_store_each_blocked_key(struct sg_store *store, sg_blocked_key_visitor *visit,
                                           void *context, struct sg_error *error);

/* What to look for; NULL, 0 and empty fields match everything. */
struct sg_certificate_filter {
    const struct sg_serial *serial;
    const char *issuer, *policy, *device, *user, *token;
    const uint8_t *spki_sha256;
    struct sg_slice der;    /* this very certificate */
    int64_t expires_before; /* only certificates that are valid at now and end before this */
    bool only_status;
    enum sg_status status;
    int64_t now;
    int64_t before; /* only claims older than the one of that id */
    size_t last;    /* the newest so many, newest first; 0: all, oldest first */
};

/* Return false to stop early (fill error), true to go on. */
typedef bool sg_certificate_visitor(const struct sg_certificate *certificate, void *context,
                                    struct sg_error *error);

/* sg_store_each_certificate visits claims and certificates, oldest first unless only the
 * last are wanted, der included. */
SG_MUST_USE bool sg_store_each_certificate(struct sg_store *store,
                                           const struct sg_certificate_filter *filter,
                                           sg_certificate_visitor *visit, void *context,
                                           struct sg_error *error);

/* ---- intents that are not certificates ---- */

/* sg_store_intend_request notes durably that an issuer's key is about to sign a request for a
 * certificate of its own (for an outside or another home's CA). */
SG_MUST_USE bool sg_store_intend_request(struct sg_store *store, int64_t issuer,
                                         struct sg_slice to_be_signed, int64_t now,
                                         struct sg_error *error);

/* sg_store_has_intent: is a digest (SHA-256, 384 or 512 of the to-be-signed bytes) the digest of
 * some claim, CRL or request intent? For proving the invariant afterwards. */
SG_MUST_USE bool sg_store_has_intent(struct sg_store *store, struct sg_slice digest, bool *found,
                                     struct sg_error *error);

/* ---- revocation ---- */

/* sg_store_revoke revokes one certificate (or claim), by its claim's id.
 * Fails: SG_REFUSED when it is revoked already (a held one may be revoked for good, a hold never
 * follows a revocation), unless the reason is a compromise (sg_reason_is_compromise) and was none
 * before: then the reason changes, the date stays, and the next CRL lists it again, also when it
 * has expired and left the CRLs. SG_REFUSED for removeFromCRL. */
SG_MUST_USE bool sg_store_revoke(struct sg_store *store, int64_t id, enum sg_reason reason,
                                 int64_t now, struct sg_error *error);
/* sg_store_release takes a certificate off hold. Fails: SG_REFUSED when it isn't on hold. */
SG_MUST_USE bool sg_store_release(struct sg_store *store, int64_t id, struct sg_error *error);

/* One line of a CRL. */
struct sg_revoked {
    struct sg_serial serial;
    int64_t revoked;
    enum sg_reason reason;
};

/* add is called for each revoked certificate, then finish once, when number is known and the
 * builder must hand out the to-be-signed bytes (borrowed until sg_store_reserve_crl returns).
 * Neither may use the store. */
struct sg_crl_builder {
    bool (*add)(void *context, const struct sg_revoked *revoked, struct sg_error *error);
    bool (*finish)(void *context, uint64_t number, struct sg_slice *to_be_signed,
                   struct sg_error *error);
    void *context;
};

/* sg_store_reserve_crl takes the next CRL number of the issuer and notes the to-be-signed bytes'
 * digests, in one transaction with the reading of what is revoked, so that a higher number never
 * knows less. Listed: what is revoked, held or orphaned and not expired at this_update, or expired
 * but not yet listed by a recorded CRL after its expiry (RFC 5280 3.3). */
SG_MUST_USE bool sg_store_reserve_crl(struct sg_store *store, int64_t issuer, int64_t this_update,
                                      int64_t next_update, const struct sg_crl_builder *builder,
                                      uint64_t *number, struct sg_error *error);
/* sg_store_record_crl keeps the signed CRL; the issuer's earlier ones lose their bytes, not their
 * numbers. */
SG_MUST_USE bool sg_store_record_crl(struct sg_store *store, int64_t issuer, uint64_t number,
                                     struct sg_slice der, struct sg_error *error);

/* A recorded CRL; der is borrowed for the call. */
struct sg_stored_crl {
    uint64_t number;
    int64_t this_update, next_update;
    struct sg_slice der;
};
typedef bool sg_crl_publisher(const struct sg_stored_crl *crl, void *context,
                              struct sg_error *error);
/* sg_store_publish_crl hands the issuer's latest recorded CRL to publish, who puts it in place,
 * while nobody else records or publishes one: of two at once, none can put an older over a newer.
 * publish must not use the store, and not wait for anybody.
 * Fails: SG_INTERNAL when none is recorded; as publish does; SG_STORE. */
SG_MUST_USE bool sg_store_publish_crl(struct sg_store *store, int64_t issuer,
                                      sg_crl_publisher *publish, void *context,
                                      struct sg_error *error);

/* ---- registry ---- */

enum sg_registry_kind { SG_REGISTRY_DEVICE, SG_REGISTRY_USER };

/* sg_store_register adds records in one transaction: all or none.
 * Fails: SG_REFUSED when an id is there already, naming it. index tells which record. */
SG_MUST_USE bool sg_store_register(struct sg_store *store, enum sg_registry_kind kind,
                                   const struct sg_record *records, size_t num, size_t *index,
                                   struct sg_error *error);
/* Fails: SG_UNAUTHENTICATED when there is no such record. */
SG_MUST_USE bool sg_store_find_record(struct sg_store *store, enum sg_registry_kind kind,
                                      const char *id, struct sg_record *record,
                                      struct sg_error *error);
/* sg_store_amend_record has amend change the attributes of a record, in one transaction: what amend
 * sees is what is replaced. Whether it is disabled stays; certificates stay as they are.
 * Fails: SG_UNAUTHENTICATED when there is no such record; as amend does; SG_REFUSED, SG_MALFORMED
 * on what is no text; SG_STORE. The record is as it was then. */
typedef bool sg_record_amender(struct sg_record *record, void *context, struct sg_error *error);
SG_MUST_USE bool sg_store_amend_record(struct sg_store *store, enum sg_registry_kind kind,
                                       const char *id, sg_record_amender *amend, void *context,
                                       struct sg_error *error);
SG_MUST_USE bool sg_store_set_disabled(struct sg_store *store, enum sg_registry_kind kind,
                                       const char *id, bool disabled, struct sg_error *error);
typedef bool sg_record_visitor(const struct sg_record *record, void *context,
                               struct sg_error *error);
SG_MUST_USE bool sg_store_each_record(struct sg_store *store, enum sg_registry_kind kind,
                                      sg_record_visitor *visit, void *context,
                                      struct sg_error *error);
/* sg_store_list_records visits the first num records whose ids come behind after, in their order.
 */
SG_MUST_USE bool sg_store_list_records(struct sg_store *store, enum sg_registry_kind kind,
                                       const char *after, size_t num, sg_record_visitor *visit,
                                       void *context, struct sg_error *error);

#endif
