/* Issuers, and the proof that what their keys have signed was noted here first. */
#include <openssl/evp.h>
#include <string.h>

#include "schema.h"
#include "sql.h"

/* ---- issuers ---- */

static bool find_issuer(struct sg_store *store, const char *name,
                        const uint8_t spki_sha256[SG_SHA256_LEN], bool *same_name, int64_t *issuer,
                        struct sg_error *error)
{
    sg_auto(sg_query) struct sg_query query = {0};
    bool row = false;
    if (!sg_query_start(store, "SELECT id, name FROM issuer WHERE spki_sha256 = ?",
                        SG_VALUES(sg_digest(spki_sha256)), &query, error) ||
        !sg_query_next(&query, &row, error))
        return false;
    if (row) {
        *issuer = sg_column_int(&query, 0);
        *same_name = strcmp(sg_column_text(&query, 1), name) == 0;
    }
    return true;
}

bool sg_store_issuer(struct sg_store *store, const char *name,
                     const uint8_t spki_sha256[SG_SHA256_LEN], int64_t *issuer,
                     struct sg_error *error)
{
    sg_auto(sg_transaction) struct sg_transaction write = {0};
    bool same_name = false;
    int64_t id = 0;
    if (!find_issuer(store, name, spki_sha256, &same_name, &id, error))
        return false;
    if (id != 0 && (same_name || store->read_only)) {
        *issuer = id;
        return true;
    }
    /* New, or renamed in signet.yaml; another process may have been faster. */
    if (!sg_transaction_write(store, &write, error) ||
        !sg_sql_run(store,
                    "INSERT INTO issuer (name, spki_sha256) VALUES (?1, ?2)"
                    " ON CONFLICT (spki_sha256) DO UPDATE SET name = ?1",
                    SG_VALUES(sg_text(name), sg_digest(spki_sha256)), error) ||
        !find_issuer(store, name, spki_sha256, &same_name, &id, error) ||
        !sg_transaction_commit(&write, error))
        return false;
    *issuer = id;
    return true;
}

bool sg_store_issuer_name(struct sg_store *store, const uint8_t spki_sha256[SG_SHA256_LEN],
                          char **name, struct sg_error *error)
{
    sg_auto(sg_query) struct sg_query query = {0};
    sg_auto(malloc) char *found = NULL;
    bool row = false;
    if (!sg_query_start(store, "SELECT name FROM issuer WHERE spki_sha256 = ?",
                        SG_VALUES(sg_digest(spki_sha256)), &query, error) ||
        !sg_query_next(&query, &row, error) ||
        (row && !sg_column_copy_text(&query, 0, &found, error)))
        return false;
    *name = SG_TAKE(found);
    return true;
}

bool sg_store_latest_issued(struct sg_store *store, int64_t issuer, bool *found, struct sg_buf *der,
                            struct sg_error *error)
{
    sg_auto(sg_query) struct sg_query query = {0};
    bool row = false;
    if (!sg_query_start(store,
                        "SELECT d.der FROM claim c CROSS JOIN certificate d"
                        " WHERE " SG_CERTIFICATE_OF_CLAIM " AND c.issuer = ?1 AND c.spki_sha256 <>"
                        " (SELECT spki_sha256 FROM issuer WHERE id = ?1)"
                        " ORDER BY c.id DESC LIMIT 1",
                        SG_VALUES(sg_int(issuer)), &query, error) ||
        !sg_query_next(&query, &row, error) ||
        (row && !sg_buf_set(der, sg_column_bytes(&query, 0), error)))
        return false;
    *found = row;
    return true;
}

/* ---- intents ---- */

bool sg_store_intend_request(struct sg_store *store, int64_t issuer, struct sg_slice to_be_signed,
                             int64_t now, struct sg_error *error)
{
    sg_auto(sg_transaction) struct sg_transaction write = {0};
    return sg_transaction_write(store, &write, error) &&
           sg_sql_run(store,
                      "INSERT INTO request_intent (issuer, noted, to_be_signed) VALUES (?, ?, ?)",
                      SG_VALUES(sg_int(issuer), sg_int(now), sg_bytes(to_be_signed)), error) &&
           sg_transaction_commit(&write, error);
}

static bool is_digest_of(struct sg_slice digest, const EVP_MD *algorithm, struct sg_slice bytes)
{
    uint8_t made[EVP_MAX_MD_SIZE];
    return EVP_Digest(bytes.data, bytes.len, made, NULL, algorithm, NULL) == 1 &&
           memcmp(made, digest.data, digest.len) == 0;
}

/* Only digests are kept of CRLs, as only the latest is kept whole. */
static bool is_crl(struct sg_store *store, struct sg_slice digest, bool *found,
                   struct sg_error *error)
{
    sg_auto(sg_query) struct sg_query query = {0};
    return sg_query_start(store,
                          "SELECT 1 FROM crl WHERE sha256 = ?1 OR sha384 = ?1 OR sha512 = ?1",
                          SG_VALUES(sg_bytes(digest)), &query, error) &&
           sg_query_next(&query, found, error);
}

static bool is_among(struct sg_store *store, const char *select, struct sg_slice digest,
                     const EVP_MD *algorithm, bool *found, struct sg_error *error)
{
    sg_auto(sg_query) struct sg_query query = {0};
    if (!sg_query_start_many(store, select, SG_NO_VALUES, &query, error))
        return false;
    for (bool row = true; row && !*found;) {
        if (!sg_query_next(&query, &row, error))
            return false;
        *found = row && is_digest_of(digest, algorithm, sg_column_bytes(&query, 0));
    }
    return true;
}

bool sg_store_has_intent(struct sg_store *store, struct sg_slice digest, bool *found,
                         struct sg_error *error)
{
    static const char *const INTENTS[] = {
        "SELECT tbs FROM pending",
        "SELECT substr(der, tbs_offset + 1, tbs_len) FROM certificate",
        "SELECT to_be_signed FROM request_intent",
    };
    const EVP_MD *algorithm = digest.len == 32   ? EVP_sha256()
                              : digest.len == 48 ? EVP_sha384()
                              : digest.len == 64 ? EVP_sha512()
                                                 : NULL;
    if (algorithm == NULL)
        return sg_fail(error, SG_USAGE, NULL,
                       "a digest of %zu bytes is none of SHA-256, SHA-384 and SHA-512", digest.len);
    /* One moment of the store: a claim must not slip from pending to recorded between the two. */
    sg_auto(sg_transaction) struct sg_transaction read = {0};
    bool seen = false;
    if (!sg_transaction_read(store, &read, error) || !is_crl(store, digest, &seen, error))
        return false;
    for (size_t i = 0; i < sizeof INTENTS / sizeof INTENTS[0] && !seen; i++)
        if (!is_among(store, INTENTS[i], digest, algorithm, &seen, error))
            return false;
    if (!sg_transaction_commit(&read, error))
        return false;
    *found = seen;
    return true;
}
