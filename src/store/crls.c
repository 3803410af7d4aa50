/* CRLs: their numbers, what they list, and when an expired certificate may leave them. */
#include <openssl/evp.h>

#include "crls.h"
#include "standing.h"

bool sg_crl_digest(struct sg_slice bytes, struct sg_crl_digests *digests, struct sg_error *error)
{
    return (EVP_Digest(bytes.data, bytes.len, digests->sha256, NULL, EVP_sha256(), NULL) == 1 &&
            EVP_Digest(bytes.data, bytes.len, digests->sha384, NULL, EVP_sha384(), NULL) == 1 &&
            EVP_Digest(bytes.data, bytes.len, digests->sha512, NULL, EVP_sha512(), NULL) == 1) ||
           sg_fail_openssl(error, SG_INTERNAL, NULL, "the CRL can't be digested");
}

/* ---- reserving ---- */

static bool add_revoked(struct sg_store *store, int64_t issuer,
                        const struct sg_crl_builder *builder, struct sg_error *error)
{
    sg_auto(sg_query) struct sg_query query = {0};
    if (!sg_query_start_many(
            store,
            "SELECT c.serial, r.revoked, r.reason"
            " FROM revocation r CROSS JOIN claim c"
            " WHERE c.id = r.claim AND r.issuer = ? AND r.listed IS NULL ORDER BY r.claim",
            SG_VALUES(sg_int(issuer)), &query, error))
        return false;
    for (bool row = false;;) {
        struct sg_revoked revoked = {0};
        if (!sg_query_next(&query, &row, error))
            return false;
        if (!row)
            return true;
        revoked.revoked = sg_column_int(&query, 1);
        revoked.reason = (enum sg_reason)sg_column_int(&query, 2);
        if (!sg_column_copy_serial(&query, 0, &revoked.serial, error) ||
            !builder->add(builder->context, &revoked, error))
            return false;
    }
}

static bool next_number(struct sg_store *store, int64_t issuer, int64_t *number,
                        struct sg_error *error)
{
    bool found = false;
    int64_t last = 0;
    if (!sg_sql_number(store, "SELECT max(number) FROM crl WHERE issuer = ?",
                       SG_VALUES(sg_int(issuer)), &found, &last, error))
        return false;
    *number = last + 1;
    return true;
}

static bool insert_crl(struct sg_store *store, int64_t issuer, int64_t number, int64_t this_update,
                       int64_t next_update, struct sg_slice to_be_signed, struct sg_error *error)
{
    struct sg_crl_digests digests;
    return sg_crl_digest(to_be_signed, &digests, error) &&
           sg_sql_run(store,
                      "INSERT INTO crl (issuer, number, this_update, next_update, sha256, sha384,"
                      " sha512) VALUES (?, ?, ?, ?, ?, ?, ?)",
                      SG_VALUES(sg_int(issuer), sg_int(number), sg_int(this_update),
                                sg_int(next_update),
                                sg_bytes(sg_slice_of(digests.sha256, sizeof digests.sha256)),
                                sg_bytes(sg_slice_of(digests.sha384, sizeof digests.sha384)),
                                sg_bytes(sg_slice_of(digests.sha512, sizeof digests.sha512))),
                      error) &&
           sg_sql_run(
               store,
               "INSERT INTO crl_expired (issuer, number, claim)"
               " SELECT r.issuer, ?2, r.claim"
               " FROM revocation r CROSS JOIN claim c"
               " WHERE c.id = r.claim AND r.issuer = ?1 AND r.listed IS NULL AND c.not_after < ?3",
               SG_VALUES(sg_int(issuer), sg_int(number), sg_int(this_update)), error);
}

bool sg_store_reserve_crl(struct sg_store *store, int64_t issuer, int64_t this_update,
                          int64_t next_update, const struct sg_crl_builder *builder,
                          uint64_t *number, struct sg_error *error)
{
    sg_auto(sg_transaction) struct sg_transaction write = {0};
    struct sg_slice to_be_signed = {0};
    int64_t next = 0;
    if (!sg_transaction_write(store, &write, error) || !sg_standing_settle_all(store, error) ||
        !next_number(store, issuer, &next, error) || !add_revoked(store, issuer, builder, error) ||
        !builder->finish(builder->context, (uint64_t)next, &to_be_signed, error) ||
        !insert_crl(store, issuer, next, this_update, next_update, to_be_signed, error) ||
        !sg_transaction_commit(&write, error))
        return false;
    *number = (uint64_t)next;
    return true;
}

/* ---- recording ---- */

static bool check_reserved(struct sg_store *store, int64_t issuer, uint64_t number,
                           struct sg_error *error)
{
    bool found = false;
    int64_t recorded = 0;
    if (!sg_sql_number(store, "SELECT recorded FROM crl WHERE issuer = ? AND number = ?",
                       SG_VALUES(sg_int(issuer), sg_int((int64_t)number)), &found, &recorded,
                       error))
        return false;
    if (!found || recorded != 0)
        return sg_fail(error, SG_INTERNAL, NULL, "CRL number %llu %s", (unsigned long long)number,
                       found ? "is recorded already" : "was never reserved");
    return true;
}

/* Of two that were signed at the same time, the one with the higher number keeps its bytes. */
bool sg_crl_keep_bytes(struct sg_store *store, int64_t issuer, int64_t number, struct sg_slice der,
                       struct sg_error *error)
{
    bool later = false;
    int64_t which = 0;
    return sg_sql_number(store,
                         "SELECT number FROM crl WHERE issuer = ? AND number > ?"
                         " AND der IS NOT NULL",
                         SG_VALUES(sg_int(issuer), sg_int(number)), &later, &which, error) &&
           sg_sql_run(store, "UPDATE crl SET recorded = 1, der = ? WHERE issuer = ? AND number = ?",
                      SG_VALUES(sg_unless(later, sg_bytes(der)), sg_int(issuer), sg_int(number)),
                      error) &&
           sg_sql_run(store,
                      "UPDATE crl SET der = NULL WHERE issuer = ? AND number < ?"
                      " AND der IS NOT NULL",
                      SG_VALUES(sg_int(issuer), sg_int(number)), error);
}

/* The expired ones that it lists have been listed after their expiry: RFC 5280 3.3 is content. */
static bool let_expired_go(struct sg_store *store, int64_t issuer, int64_t number,
                           struct sg_error *error)
{
    return sg_sql_run(store,
                      "UPDATE revocation SET listed = ?2 WHERE claim IN"
                      " (SELECT claim FROM crl_expired WHERE issuer = ?1 AND number = ?2)",
                      SG_VALUES(sg_int(issuer), sg_int(number)), error) &&
           sg_sql_run(store, "DELETE FROM crl_expired WHERE issuer = ? AND number <= ?",
                      SG_VALUES(sg_int(issuer), sg_int(number)), error);
}

bool sg_store_record_crl(struct sg_store *store, int64_t issuer, uint64_t number,
                         struct sg_slice der, struct sg_error *error)
{
    sg_auto(sg_transaction) struct sg_transaction write = {0};
    return sg_transaction_write(store, &write, error) &&
           check_reserved(store, issuer, number, error) &&
           sg_crl_keep_bytes(store, issuer, (int64_t)number, der, error) &&
           let_expired_go(store, issuer, (int64_t)number, error) &&
           sg_transaction_commit(&write, error);
}

/* ---- publishing ---- */

bool sg_store_publish_crl(struct sg_store *store, int64_t issuer, sg_crl_publisher *publish,
                          void *context, struct sg_error *error)
{
    sg_auto(sg_transaction) struct sg_transaction write = {0};
    sg_auto(sg_query) struct sg_query query = {0};
    bool row = false;
    if (!sg_transaction_write(store, &write, error) ||
        !sg_query_start(store,
                        "SELECT number, this_update, next_update, der FROM crl"
                        " WHERE issuer = ? AND der IS NOT NULL ORDER BY number DESC LIMIT 1",
                        SG_VALUES(sg_int(issuer)), &query, error) ||
        !sg_query_next(&query, &row, error))
        return false;
    if (!row)
        return sg_fail(error, SG_INTERNAL, NULL, "no CRL of the issuer is recorded");
    const struct sg_stored_crl crl = {
        .number = (uint64_t)sg_column_int(&query, 0),
        .this_update = sg_column_int(&query, 1),
        .next_update = sg_column_int(&query, 2),
        .der = sg_column_bytes(&query, 3),
    };
    return publish(&crl, context, error);
}
