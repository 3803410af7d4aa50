/* What the store knows against a key, and the operator's list of blocked ones. */
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "deciding.h"
#include "model/undecoded.h"
#include "schema.h"

#define VALUES_OF(question)                                                                        \
    SG_VALUES(sg_digest((question)->spki_sha256), sg_text((question)->device),                     \
              sg_text((question)->user))

/* ?1 key, ?2 device, ?3 user. A key stands for one holder, also after its certificates have ended:
 * whoever has it could speak for both. Two have the same one when they name the same device or user
 * and no other, or nobody at all. And a key that is known to others is nobody's any more. */
#define OF_KEY     SG_CLAIM_OF_KEY("?1")
#define ANY_HOLDER " AND ?2 IS NOT DISTINCT FROM ?2 AND ?3 IS NOT DISTINCT FROM ?3 LIMIT 1"

static const struct {
    const char *query;
    bool ca_exempt; /* CA certificates are made of such keys */
    int since;      /* the version of stores that has the table */
    const char *rule, *text;
} QUESTIONS[] = {
    {"SELECT 1 FROM blocked_key WHERE spki_sha256 = ?1" ANY_HOLDER, false, 2, "blocked key",
     "this key is on the list of blocked keys (`signet key block list`): make a new key"},
    {"SELECT id FROM issuer WHERE spki_sha256 = ?1" ANY_HOLDER, true, 1, "the CA's own key",
     "this key signs for an issuer of this CA and may stand for nobody else: make a new key"},
    {"SELECT c.id FROM claim c JOIN revocation r ON r.claim = c.id"
     " WHERE " OF_KEY " AND r.reason IN (1, 2, 10)" ANY_HOLDER,
     false, 1, "compromised key",
     "a certificate of this key was revoked for a compromise: make a new key"},
    {"SELECT c.id FROM claim c WHERE " OF_KEY " AND (c.device <> ?2 OR c.user <> ?3 OR ("
     "NOT coalesce(c.device = ?2, FALSE) AND NOT coalesce(c.user = ?3, FALSE)"
     " AND coalesce(c.device, c.user, ?2, ?3) IS NOT NULL)) LIMIT 1",
     false, 1, SG_RULE_ONE_HOLDER,
     "this key was certified for another device or user: make a new key"},
};

static bool is_asked(const struct sg_store *store, const struct sg_key_question *question, size_t i)
{
    return store->version >= QUESTIONS[i].since && !(question->for_ca && QUESTIONS[i].ca_exempt);
}

/* Most keys are new: then nobody has to look where certificates are. */
static const char BY_KEY[] = "SELECT c.id FROM claim c WHERE " OF_KEY;
static const char ITS_CERTIFICATE[] = "SELECT d.der FROM claim c CROSS JOIN certificate d"
                                      " WHERE " SG_CERTIFICATE_OF_CLAIM " AND c.id = ?";

bool sg_deciding_ask_keys(struct sg_store *store, const struct sg_key_question *question,
                          struct sg_error *error)
{
    for (size_t i = 0; i < sizeof QUESTIONS / sizeof QUESTIONS[0]; i++)
        if (is_asked(store, question, i) &&
            !sg_query_ahead(store, QUESTIONS[i].query, VALUES_OF(question), error))
            return false;
    return sg_query_ahead(store, BY_KEY, SG_VALUES(sg_digest(question->spki_sha256)), error);
}

/* A CA, its OCSP responder and all others don't share a key: the first two speak for the CA. Bytes
 * that can't be decoded speak for nobody. */
static bool has_same_role(const struct sg_key_question *question, struct sg_slice der)
{
    const uint8_t *at = der.data;
    sg_auto(X509) X509 *certificate = sg_undecoded_certificate(&at, (long)der.len);

    if (certificate == NULL) {
        ERR_clear_error();
        return true;
    }
    const uint32_t purposes = X509_get_extended_key_usage(certificate);
    const bool is_ocsp = purposes != UINT32_MAX && (purposes & XKU_OCSP_SIGN) != 0;
    return (X509_check_ca(certificate) != 0) == question->for_ca && is_ocsp == question->for_ocsp;
}

/* Nor does what is not recorded, or not in the store any more. */
static bool is_same_role(struct sg_store *store, const struct sg_key_question *question, int64_t id,
                         bool *same, struct sg_error *error)
{
    sg_auto(sg_query) struct sg_query query = {0};
    bool row = false;
    if (!sg_query_start(store, ITS_CERTIFICATE, SG_VALUES(sg_int(id)), &query, error) ||
        !sg_query_next(&query, &row, error))
        return false;
    *same = !row || has_same_role(question, sg_column_bytes(&query, 0));
    return true;
}

static bool judge_roles(struct sg_store *store, const struct sg_key_question *question,
                        struct sg_error *why, struct sg_error *error)
{
    sg_auto(sg_query) struct sg_query query = {0};
    if (!sg_query_start(store, BY_KEY, SG_VALUES(sg_digest(question->spki_sha256)), &query, error))
        return false;
    for (bool row = true; row;) {
        bool same = true;
        if (!sg_query_next(&query, &row, error) ||
            (row && !is_same_role(store, question, sg_column_int(&query, 0), &same, error)))
            return false;
        if (!same) {
            (void)sg_fail(
                why, SG_KEY_QUALITY, SG_RULE_ONE_HOLDER,
                "this key was certified for %s and may not be used for %s: make a new key",
                question->for_ca || question->for_ocsp ? "something else"
                                                       : "a CA or an OCSP responder",
                question->for_ca     ? "a CA"
                : question->for_ocsp ? "an OCSP responder"
                                     : "anything else");
            return true;
        }
    }
    return true;
}

bool sg_store_judge_key(struct sg_store *store, const struct sg_key_question *question,
                        struct sg_error *why, struct sg_error *error)
{
    for (size_t i = 0; i < sizeof QUESTIONS / sizeof QUESTIONS[0]; i++) {
        bool found = false;
        int64_t number = 0;
        if (!is_asked(store, question, i))
            continue;
        if (!sg_sql_number(store, QUESTIONS[i].query, VALUES_OF(question), &found, &number, error))
            return false;
        if (found) {
            (void)sg_fail(why, SG_KEY_QUALITY, QUESTIONS[i].rule, "%s", QUESTIONS[i].text);
            return true;
        }
    }
    return judge_roles(store, question, why, error);
}

/* ---- the list ---- */

bool sg_store_block_keys(struct sg_store *store, const uint8_t (*spki_sha256)[SG_SHA256_LEN],
                         size_t num, int64_t now, size_t *num_new, struct sg_error *error)
{
    sg_auto(sg_transaction) struct sg_transaction write = {0};
    size_t added = 0;
    if (!sg_transaction_write(store, &write, error))
        return false;
    for (size_t i = 0; i < num; i++) {
        size_t changed = 0;
        if (!sg_sql_change(store,
                           "INSERT INTO blocked_key (spki_sha256, blocked) VALUES (?, ?)"
                           " ON CONFLICT DO NOTHING",
                           SG_VALUES(sg_digest(spki_sha256[i]), sg_int(now)), &changed, error))
            return false;
        added += changed;
    }
    if (!sg_transaction_commit(&write, error))
        return false;
    *num_new = added;
    return true;
}

bool sg_store_each_blocked_key(struct sg_store *store, sg_blocked_key_visitor *visit, void *context,
                               struct sg_error *error)
{
    sg_auto(sg_query) struct sg_query query = {0};
    uint8_t key[SG_SHA256_LEN];
    bool row = false;
    if (store->version < 2)
        return true; /* a reader of a store that no writer has opened since */
    if (!sg_query_start_many(store,
                             "SELECT spki_sha256, blocked FROM blocked_key ORDER BY spki_sha256",
                             SG_NO_VALUES, &query, error))
        return false;
    for (;;) {
        if (!sg_query_next(&query, &row, error))
            return false;
        if (!row)
            return true;
        if (!sg_column_copy_digest(&query, 0, key, error) ||
            !visit(key, sg_column_int(&query, 1), context, error))
            return false;
    }
}
