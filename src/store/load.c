/* A new store that is filled before anybody sees it, and what happened after its lines were
 * written.
 */
#include <inttypes.h>

#include "base/clock.h"
#include "crls.h"
#include "dump.h"
#include "engine.h"
#include "schema.h"
#include "standing.h"

/* ---- the store ---- */

static bool fill(struct sg_store *store, const struct sg_loader *loader, struct sg_error *error)
{
    sg_auto(sg_transaction) struct sg_transaction write = {0};
    return sg_transaction_write(store, &write, error) && store->engine->create(store, error) &&
           sg_sql_run(store, "DELETE FROM counter", SG_NO_VALUES, error) &&
           loader->fill(store, loader->context, error) &&
           store->engine->place(store, &write, loader, error);
}

bool sg_store_load(const char *location, const char *folder, const struct sg_loader *loader,
                   struct sg_error *error)
{
    sg_auto(sg_store) struct sg_store *store = NULL;
    return sg_store_open(location, folder, SG_STORE_LOAD, &store, error) &&
           fill(store, loader, error);
}

bool sg_load_note(struct sg_store *store, int64_t now, const char *what, struct sg_error *error)
{
    return sg_schema_note(store, now, what, error);
}

/* ---- issuers and claims ---- */

static bool find_issuer(struct sg_store *store, const uint8_t spki_sha256[SG_SHA256_LEN],
                        bool *found, int64_t *issuer, struct sg_error *error)
{
    return sg_sql_number(store, "SELECT id FROM issuer WHERE spki_sha256 = ?",
                         SG_VALUES(sg_digest(spki_sha256)), found, issuer, error);
}

/* The id is said, as PostgreSQL counts from one beside the rows that are loaded. */
static bool find_or_add_issuer(struct sg_store *store, const char *name,
                               const uint8_t spki_sha256[SG_SHA256_LEN], int64_t *issuer,
                               struct sg_error *error)
{
    bool found = false;
    return find_issuer(store, spki_sha256, &found, issuer, error) &&
           (found ||
            sg_sql_insert(store,
                          "INSERT INTO issuer (id, name, spki_sha256)"
                          " SELECT coalesce(max(id), 0) + 1, ?, ? FROM issuer"
                          " RETURNING id",
                          SG_VALUES(sg_text(name), sg_digest(spki_sha256)), issuer, error));
}

static bool find_claim(struct sg_store *store, int64_t issuer, const struct sg_serial *serial,
                       bool *found, int64_t *claim, struct sg_error *error)
{
    return sg_sql_number(store, "SELECT id FROM claim WHERE serial = ? AND issuer = ?",
                         SG_VALUES(sg_serial_value(serial), sg_int(issuer)), found, claim, error);
}

static bool next_claim(struct sg_store *store, int64_t *claim, struct sg_error *error)
{
    bool found = false;
    return sg_sql_number(store, "SELECT coalesce(max(id), 0) + 1 FROM claim", SG_NO_VALUES, &found,
                         claim, error);
}

/* A serial number of which nothing else is known: an orphan, that counts as revoked. As nobody can
 * say when its certificate ends, it stays in the CRLs. */
static bool add_unknown_claim(struct sg_store *store, int64_t issuer,
                              const struct sg_revoked *revoked, int64_t *claim,
                              struct sg_error *error)
{
    static const uint8_t NOTHING[SG_SHA256_LEN];
    return next_claim(store, claim, error) &&
           sg_sql_run(store,
                      "INSERT INTO claim (id, issuer, serial, policy, policy_sha256, subject,"
                      " spki_sha256, content_sha256, claimed, not_before, not_after)"
                      " VALUES (?, ?, ?, 'unknown', ?, '', ?, ?, ?, ?, ?)",
                      SG_VALUES(sg_int(*claim), sg_int(issuer), sg_serial_value(&revoked->serial),
                                sg_digest(NOTHING), sg_digest(NOTHING), sg_digest(NOTHING),
                                sg_int(revoked->revoked), sg_int(revoked->revoked),
                                sg_int(SG_TIME_NEVER)),
                      error) &&
           sg_sql_run(store, "INSERT INTO pending (claim, owner, tbs) VALUES (?, 0, ?)",
                      SG_VALUES(sg_int(*claim), sg_bytes((struct sg_slice){0})), error);
}

/* ---- revocations ---- */

/* A hold gives way to a revocation for good, and another reason to a compromise. */
static bool is_worse(enum sg_reason reason, enum sg_reason than)
{
    if (than == SG_REASON_CERTIFICATE_HOLD)
        return reason != SG_REASON_CERTIFICATE_HOLD;
    return sg_reason_is_compromise(reason) && !sg_reason_is_compromise(than);
}

static bool write_revocation(struct sg_store *store, int64_t claim,
                             const struct sg_revoked *revoked, struct sg_error *error)
{
    return sg_sql_run(store,
                      "INSERT INTO revocation (claim, issuer, reason, revoked)"
                      " SELECT id, issuer, ?2, ?3 FROM claim WHERE id = ?1"
                      " ON CONFLICT (claim) DO UPDATE SET reason = ?2, listed = NULL",
                      SG_VALUES(sg_int(claim), sg_int(revoked->reason), sg_int(revoked->revoked)),
                      error) &&
           sg_sql_run(store, "DELETE FROM crl_expired WHERE claim = ?", SG_VALUES(sg_int(claim)),
                      error);
}

/* *added: the certificate was not revoked here, or not for that. */
static bool revoke_claim(struct sg_store *store, int64_t claim, const struct sg_revoked *revoked,
                         bool *added, struct sg_error *error)
{
    bool found = false;
    int64_t reason = 0;
    if (!sg_sql_number(store, "SELECT reason FROM revocation WHERE claim = ?",
                       SG_VALUES(sg_int(claim)), &found, &reason, error))
        return false;
    *added = !found || is_worse(revoked->reason, (enum sg_reason)reason);
    return !*added || write_revocation(store, claim, revoked, error);
}

bool sg_load_keep_revoked(struct sg_store *store, const uint8_t spki_sha256[SG_SHA256_LEN],
                          const struct sg_revoked *revoked, struct sg_load_kept *kept,
                          struct sg_error *error)
{
    int64_t issuer = 0, claim = 0;
    bool known = false, added = false;
    /* What nobody can release any more is revoked for good. */
    struct sg_revoked final = *revoked;
    if (!find_issuer(store, spki_sha256, &known, &issuer, error))
        return false;
    if (!known)
        return sg_fail(error, SG_INTERNAL, NULL, "store: a revocation by an unknown issuer");
    if (!find_claim(store, issuer, &revoked->serial, &known, &claim, error))
        return false;
    if (!known && final.reason == SG_REASON_CERTIFICATE_HOLD)
        final.reason = SG_REASON_UNSPECIFIED;
    if ((!known && !add_unknown_claim(store, issuer, &final, &claim, error)) ||
        !revoke_claim(store, claim, &final, &added, error))
        return false;
    kept->num_known += known && added;
    kept->num_unknown += !known;
    return true;
}

/* ---- CRLs ---- */

static bool knows_number(struct sg_store *store, int64_t issuer, int64_t number, bool *known,
                         struct sg_error *error)
{
    int64_t which = 0;
    return sg_sql_number(store, "SELECT number FROM crl WHERE issuer = ? AND number = ?",
                         SG_VALUES(sg_int(issuer), sg_int(number)), known, &which, error);
}

/* A number that may have been used: of a CRL whose bytes nobody has here. */
static bool use_number(struct sg_store *store, int64_t issuer, int64_t number, int64_t now,
                       struct sg_error *error)
{
    const struct sg_value nothing = sg_bytes((struct sg_slice){0});
    bool known = false;
    return knows_number(store, issuer, number, &known, error) &&
           (known || sg_sql_run(store,
                                "INSERT INTO crl (issuer, number, this_update, next_update,"
                                " sha256, sha384, sha512) VALUES (?, ?, ?, ?, ?, ?, ?)",
                                SG_VALUES(sg_int(issuer), sg_int(number), sg_int(now), sg_int(now),
                                          nothing, nothing, nothing),
                                error));
}

static bool insert_crl(struct sg_store *store, int64_t issuer, const struct sg_stored_crl *crl,
                       struct sg_slice to_be_signed, struct sg_error *error)
{
    struct sg_crl_digests digests;
    return sg_crl_digest(to_be_signed, &digests, error) &&
           sg_sql_run(store,
                      "INSERT INTO crl (issuer, number, this_update, next_update, sha256, sha384,"
                      " sha512, recorded) VALUES (?, ?, ?, ?, ?, ?, ?, 1)",
                      SG_VALUES(sg_int(issuer), sg_int((int64_t)crl->number),
                                sg_int(crl->this_update), sg_int(crl->next_update),
                                sg_bytes(sg_slice_of(digests.sha256, sizeof digests.sha256)),
                                sg_bytes(sg_slice_of(digests.sha384, sizeof digests.sha384)),
                                sg_bytes(sg_slice_of(digests.sha512, sizeof digests.sha512))),
                      error) &&
           sg_crl_keep_bytes(store, issuer, (int64_t)crl->number, crl->der, error);
}

bool sg_load_keep_crl(struct sg_store *store, const char *name,
                      const uint8_t spki_sha256[SG_SHA256_LEN], const struct sg_stored_crl *crl,
                      struct sg_slice to_be_signed, struct sg_error *error)
{
    bool known = false;
    int64_t issuer = 0;
    return find_or_add_issuer(store, name, spki_sha256, &issuer, error) &&
           knows_number(store, issuer, (int64_t)crl->number, &known, error) &&
           (known || insert_crl(store, issuer, crl, to_be_signed, error));
}

/* ---- CRL numbers ---- */

static bool raise_number(struct sg_store *store, int64_t issuer, int64_t step, int64_t least,
                         int64_t now, int64_t *next, struct sg_error *error)
{
    bool found = false;
    int64_t last = 0;
    if (!sg_sql_number(store, "SELECT max(number) FROM crl WHERE issuer = ?",
                       SG_VALUES(sg_int(issuer)), &found, &last, error))
        return false;
    if (step > INT64_MAX - 1 - last)
        return sg_fail(error, SG_FAILED, "RFC 5280 5.2.3",
                       "the CRL number %" PRId64 " can't be raised any more", last);
    const int64_t used = last + step > least - 1 ? last + step : least - 1;
    *next = used + 1;
    return use_number(store, issuer, used, now, error);
}

bool sg_load_raise_crl_numbers(struct sg_store *store, int64_t step, int64_t least, int64_t now,
                               sg_number_visitor *visit, void *context, struct sg_error *error)
{
    sg_auto(sg_query) struct sg_query query = {0};
    if (!sg_query_start(store, "SELECT id, name FROM issuer ORDER BY id", SG_NO_VALUES, &query,
                        error))
        return false;
    for (bool row = true;;) {
        int64_t next = 0;
        if (!sg_query_next(&query, &row, error))
            return false;
        if (!row)
            return true;
        if (!raise_number(store, sg_column_int(&query, 0), step, least, now, &next, error) ||
            (visit != NULL && !visit(sg_column_text(&query, 1), next, context, error)))
            return false;
    }
}

/* ---- another store ---- */

enum {
    KEY,
    ISSUER,
    SERIAL,
    REASON,
    REVOKED,
    POLICY,
    POLICY_SHA256,
    SUBJECT,
    DEVICE,
    USER,
    TOKEN,
    SPKI_SHA256,
    CONTENT_SHA256,
    CLAIMED,
    NOT_BEFORE,
    NOT_AFTER,
    RECORDED,
    TBS_OFFSET,
    TBS_LEN,
    DER,
    PENDING,
};

static const char REVOKED_THERE[] =
    "SELECT i.spki_sha256, i.name, c.serial, r.reason, r.revoked, c.policy, c.policy_sha256,"
    " c.subject, c.device, c.\"user\", c.token, c.spki_sha256, c.content_sha256, c.claimed,"
    " c.not_before, c.not_after, d.recorded, d.tbs_offset, d.tbs_len, d.der, p.claim"
    " FROM revocation r JOIN claim c ON c.id = r.claim JOIN issuer i ON i.id = c.issuer"
    " LEFT JOIN pending p ON p.claim = c.id"
    " LEFT JOIN certificate d ON " SG_CERTIFICATE_OF_CLAIM " ORDER BY r.claim";

static struct sg_value text_of(const struct sg_query *query, int column)
{
    return sg_text(sg_column_text(query, column));
}

static struct sg_value bytes_of(const struct sg_query *query, int column)
{
    return sg_bytes(sg_column_bytes(query, column));
}

static struct sg_value number_of(const struct sg_query *query, int column)
{
    return sg_int(sg_column_int(query, column));
}

/* As it stands there, with its certificate; so that also its key stays known. */
static bool copy_claim(struct sg_store *store, const struct sg_query *there, int64_t issuer,
                       int64_t *claim, struct sg_error *error)
{
    if (!next_claim(store, claim, error) ||
        !sg_sql_run(store,
                    "INSERT INTO claim (id, issuer, serial, policy, policy_sha256, subject,"
                    " device, \"user\", token, spki_sha256, content_sha256, claimed, not_before,"
                    " not_after) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    SG_VALUES(sg_int(*claim), sg_int(issuer), bytes_of(there, SERIAL),
                              text_of(there, POLICY), bytes_of(there, POLICY_SHA256),
                              text_of(there, SUBJECT), text_of(there, DEVICE), text_of(there, USER),
                              text_of(there, TOKEN), bytes_of(there, SPKI_SHA256),
                              bytes_of(there, CONTENT_SHA256), number_of(there, CLAIMED),
                              number_of(there, NOT_BEFORE), number_of(there, NOT_AFTER)),
                    error))
        return false;
    if (sg_column_is_null(there, DER))
        return sg_column_is_null(there, PENDING) || /* its month was taken out there */
               sg_sql_run(store, "INSERT INTO pending (claim, owner, tbs) VALUES (?, 0, ?)",
                          SG_VALUES(sg_int(*claim), sg_bytes((struct sg_slice){0})), error);
    return sg_sql_expect(store, sg_column_int(there, CLAIMED), error) &&
           sg_sql_run(store, SG_INSERT_CERTIFICATE,
                      SG_VALUES(sg_int(*claim), number_of(there, RECORDED),
                                number_of(there, TBS_OFFSET), number_of(there, TBS_LEN),
                                bytes_of(there, DER)),
                      error);
}

static bool keep_one(struct sg_store *store, const struct sg_query *there,
                     struct sg_load_kept *kept, struct sg_error *error)
{
    struct sg_revoked revoked = {.revoked = sg_column_int(there, REVOKED),
                                 .reason = (enum sg_reason)sg_column_int(there, REASON)};
    uint8_t key[SG_SHA256_LEN];
    int64_t issuer = 0, claim = 0;
    bool known = false, added = false;
    if (!sg_column_copy_serial(there, SERIAL, &revoked.serial, error) ||
        !sg_column_copy_digest(there, KEY, key, error) ||
        !find_or_add_issuer(store, sg_column_text(there, ISSUER), key, &issuer, error) ||
        !find_claim(store, issuer, &revoked.serial, &known, &claim, error) ||
        (!known && !copy_claim(store, there, issuer, &claim, error)) ||
        !revoke_claim(store, claim, &revoked, &added, error))
        return false;
    kept->num_known += known && added;
    kept->num_unknown += !known;
    return true;
}

static bool keep_revocations(struct sg_store *store, struct sg_store *other,
                             struct sg_load_kept *kept, struct sg_error *error)
{
    sg_auto(sg_query) struct sg_query there = {0};
    bool row = true;
    if (!sg_query_start_many(other, REVOKED_THERE, SG_NO_VALUES, &there, error))
        return false;
    while (row)
        if (!sg_query_next(&there, &row, error) || (row && !keep_one(store, &there, kept, error)))
            return false;
    return true;
}

static bool keep_numbers(struct sg_store *store, struct sg_store *other, struct sg_error *error)
{
    sg_auto(sg_query) struct sg_query there = {0};
    if (!sg_query_start(other,
                        "SELECT i.spki_sha256, i.name, max(c.number), max(c.this_update)"
                        " FROM issuer i JOIN crl c ON c.issuer = i.id"
                        " GROUP BY i.spki_sha256, i.name",
                        SG_NO_VALUES, &there, error))
        return false;
    for (bool row = true;;) {
        uint8_t key[SG_SHA256_LEN];
        int64_t issuer = 0;
        if (!sg_query_next(&there, &row, error))
            return false;
        if (!row)
            return true;
        if (!sg_column_copy_digest(&there, 0, key, error) ||
            !find_or_add_issuer(store, sg_column_text(&there, 1), key, &issuer, error) ||
            !use_number(store, issuer, sg_column_int(&there, 2), sg_column_int(&there, 3), error))
            return false;
    }
}

bool sg_load_keep_from(struct sg_store *store, struct sg_store *other, struct sg_load_kept *kept,
                       struct sg_error *error)
{
    return sg_schema_require(other, error) && keep_numbers(store, other, error) &&
           keep_revocations(store, other, kept, error);
}
