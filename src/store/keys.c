/* What the store knows against a key, and the operator's list of blocked ones. */
#include "sql.h"

static bool find(struct sg_store *store, const char *text, const struct sg_key_question *question,
                 bool *found, struct sg_error *error)
{
    int64_t number = 0;
    return sg_sql_number(store, text,
                         SG_VALUES(sg_digest(question->spki_sha256), sg_text(question->device),
                                   sg_text(question->user)),
                         found, &number, error);
}

/* ?1 key, ?2 device, ?3 user. A key stands for one device or user, also after its certificates have
 * ended: whoever holds it could speak for both. And a key that is known to others is nobody's any
 * more. */
#define ANY_HOLDER " AND ?2 IS ?2 AND ?3 IS ?3 LIMIT 1"

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
     " WHERE c.spki_sha256 = ?1 AND r.reason IN (1, 2, 10)" ANY_HOLDER,
     false, 1, "compromised key",
     "a certificate of this key was revoked for a compromise: make a new key"},
    {"SELECT c.id FROM claim c WHERE c.spki_sha256 = ?1"
     " AND (c.device <> ?2 OR c.user <> ?3) LIMIT 1",
     false, 1, "one key, one holder",
     "this key was certified for another device or user: make a new key"},
};

bool sg_store_judge_key(struct sg_store *store, const struct sg_key_question *question,
                        struct sg_error *why, struct sg_error *error)
{
    for (size_t i = 0; i < sizeof QUESTIONS / sizeof QUESTIONS[0]; i++) {
        bool found = false;
        if (store->version < QUESTIONS[i].since || (question->for_ca && QUESTIONS[i].ca_exempt))
            continue;
        if (!find(store, QUESTIONS[i].query, question, &found, error))
            return false;
        if (found) {
            (void)sg_fail(why, SG_KEY_QUALITY, QUESTIONS[i].rule, "%s", QUESTIONS[i].text);
            return true;
        }
    }
    return true;
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
        if (!sg_sql_run(store,
                        "INSERT OR IGNORE INTO blocked_key (spki_sha256, blocked) VALUES (?, ?)",
                        SG_VALUES(sg_digest(spki_sha256[i]), sg_int(now)), error))
            return false;
        added += (size_t)sqlite3_changes(store->db);
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
    if (!sg_query_start(store, "SELECT spki_sha256, blocked FROM blocked_key ORDER BY spki_sha256",
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
