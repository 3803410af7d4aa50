/* The tables in SQLite. */
#include "schema.h"
#include "sqlite.h"

enum {
    APPLICATION_ID = 0x5349474e, /* "SIGN", in the database's header (file(1) shows it) */
};

/* Rows of claim are written once and never change or go: serial numbers, ids and what was claimed
 * stay known for ever. What does change stands in tables beside it. The to-be-signed bytes stand in
 * pending until the certificate is recorded, and from then on inside the certificate. */
static const char *const SCHEMA[] = {
    /* owner: the last owner id given out, of those that lock a byte of STORE.owners */
    "CREATE TABLE counter (name TEXT PRIMARY KEY, last INTEGER NOT NULL) STRICT, WITHOUT ROWID",
    "INSERT INTO counter (name, last) VALUES ('owner', 0)",

    "CREATE TABLE issuer (id INTEGER PRIMARY KEY, name TEXT NOT NULL,"
    " spki_sha256 BLOB NOT NULL UNIQUE) STRICT",

    "CREATE TABLE registry (kind INTEGER NOT NULL, id TEXT NOT NULL, attributes TEXT NOT NULL,"
    " disabled INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (kind, id)) STRICT, WITHOUT ROWID",

    "CREATE TABLE claim (id INTEGER PRIMARY KEY, issuer INTEGER NOT NULL REFERENCES issuer(id),"
    " serial BLOB NOT NULL, policy TEXT NOT NULL, policy_sha256 BLOB NOT NULL,"
    " subject TEXT NOT NULL, device TEXT, user TEXT, spki_sha256 BLOB NOT NULL,"
    " content_sha256 BLOB NOT NULL, claimed INTEGER NOT NULL, not_before INTEGER NOT NULL,"
    " not_after INTEGER NOT NULL) STRICT",
    /* the serial first: an operator looks one up without saying of which issuer */
    "CREATE UNIQUE INDEX claim_serial ON claim (serial, issuer)",
    "CREATE INDEX claim_key ON claim (spki_sha256, device)",
    "CREATE INDEX claim_device ON claim (device, policy, not_after) WHERE device IS NOT NULL",
    "CREATE INDEX claim_user ON claim (user, policy, not_after) WHERE user IS NOT NULL",

    /* claims without a certificate: in flight while owner lives, else orphans; owner 0 is dead */
    "CREATE TABLE pending (claim INTEGER PRIMARY KEY REFERENCES claim(id),"
    " owner INTEGER NOT NULL, tbs BLOB NOT NULL) STRICT",
    "CREATE INDEX pending_owner ON pending (owner) WHERE owner <> 0",

    /* tbs_offset and tbs_len: where in der the claimed bytes are */
    "CREATE TABLE certificate (claim INTEGER PRIMARY KEY REFERENCES claim(id),"
    " recorded INTEGER NOT NULL, tbs_offset INTEGER NOT NULL, tbs_len INTEGER NOT NULL,"
    " der BLOB NOT NULL) STRICT",

    /* recording claim revokes previous */
    "CREATE TABLE supersedes (claim INTEGER NOT NULL REFERENCES claim(id),"
    " previous INTEGER NOT NULL REFERENCES claim(id), PRIMARY KEY (claim, previous))"
    " STRICT, WITHOUT ROWID",

    /* listed: the recorded CRL that listed it after its expiry, which no later one needs to */
    "CREATE TABLE revocation (claim INTEGER PRIMARY KEY REFERENCES claim(id),"
    " issuer INTEGER NOT NULL REFERENCES issuer(id), reason INTEGER NOT NULL,"
    " revoked INTEGER NOT NULL, listed INTEGER) STRICT",
    "CREATE INDEX revocation_to_list ON revocation (issuer) WHERE listed IS NULL",

    "CREATE TABLE crl (issuer INTEGER NOT NULL REFERENCES issuer(id), number INTEGER NOT NULL,"
    " this_update INTEGER NOT NULL, next_update INTEGER NOT NULL, sha256 BLOB NOT NULL,"
    " sha384 BLOB NOT NULL, sha512 BLOB NOT NULL, recorded INTEGER NOT NULL DEFAULT 0, der BLOB,"
    " PRIMARY KEY (issuer, number)) STRICT",
    "CREATE INDEX crl_kept ON crl (issuer, number) WHERE der IS NOT NULL",
    /* the expired ones that a reserved CRL lists, until one is recorded */
    "CREATE TABLE crl_expired (issuer INTEGER NOT NULL, number INTEGER NOT NULL,"
    " claim INTEGER NOT NULL REFERENCES claim(id), PRIMARY KEY (issuer, number, claim))"
    " STRICT, WITHOUT ROWID",

    "CREATE TABLE request_intent (id INTEGER PRIMARY KEY,"
    " issuer INTEGER NOT NULL REFERENCES issuer(id), noted INTEGER NOT NULL,"
    " to_be_signed BLOB NOT NULL) STRICT",
};

/* What each version added to the one before it; the first to version 1. A new store goes through
 * all of them, so that it is the same as one that grew. */
static const char *const MIGRATIONS[SG_SCHEMA_VERSION - 1] = {
    /* keys that are never certified, and when they were put there */
    "CREATE TABLE blocked_key (spki_sha256 BLOB PRIMARY KEY, blocked INTEGER NOT NULL)"
    " STRICT, WITHOUT ROWID",
    /* status: how often revocations have changed, whoever changed them */
    "INSERT INTO counter (name, last) VALUES ('status', 0);"
    "CREATE TRIGGER revocation_added AFTER INSERT ON revocation BEGIN"
    " UPDATE counter SET last = last + 1 WHERE name = 'status'; END;"
    "CREATE TRIGGER revocation_changed AFTER UPDATE OF reason, revoked ON revocation BEGIN"
    " UPDATE counter SET last = last + 1 WHERE name = 'status'; END;"
    "CREATE TRIGGER revocation_gone AFTER DELETE ON revocation BEGIN"
    " UPDATE counter SET last = last + 1 WHERE name = 'status'; END",
    /* why recording claim revokes previous: superseded, or what who replaces it says */
    "ALTER TABLE supersedes ADD COLUMN reason INTEGER NOT NULL DEFAULT 4",
    /* What lets somebody ask over the network. A ticket is known by the hash of its text alone;
     * tries: of the PIN, that are left, NULL: it wants none; claim: what it was spent on; approval:
     * the request that it waits with. Of a PIN there is what the HMAC key on a token made of it;
     * key_check tells which key. approval: a request that waits, or waited, for a person; state:
     * enum sg_approval_state. token: the card's. */
    "ALTER TABLE claim ADD COLUMN token TEXT;"
    "CREATE INDEX claim_token ON claim (token) WHERE token IS NOT NULL;"
    "CREATE TABLE approval (id INTEGER PRIMARY KEY, policy TEXT NOT NULL, role TEXT NOT NULL,"
    " device TEXT, user TEXT, token TEXT, subject TEXT NOT NULL, spki_sha256 BLOB NOT NULL,"
    " content_sha256 BLOB NOT NULL, request BLOB NOT NULL, asked INTEGER NOT NULL,"
    " asked_by TEXT NOT NULL, not_after INTEGER NOT NULL, state INTEGER NOT NULL DEFAULT 0,"
    " decided INTEGER, decided_by TEXT, reason TEXT, claim INTEGER REFERENCES claim(id)) STRICT;"
    "CREATE INDEX approval_key ON approval (spki_sha256, policy);"
    "CREATE INDEX approval_waiting ON approval (policy, not_after) WHERE state = 0;"
    "CREATE TABLE ticket (id INTEGER PRIMARY KEY, sha256 BLOB NOT NULL UNIQUE,"
    " policy TEXT NOT NULL, device TEXT, user TEXT, token TEXT, made INTEGER NOT NULL,"
    " made_by TEXT NOT NULL, not_after INTEGER NOT NULL, tries INTEGER,"
    " dropped INTEGER NOT NULL DEFAULT 0, claim INTEGER REFERENCES claim(id),"
    " approval INTEGER REFERENCES approval(id)) STRICT;"
    "CREATE TABLE pin (user TEXT PRIMARY KEY, device TEXT, chosen INTEGER NOT NULL,"
    " salt BLOB NOT NULL, verifier BLOB NOT NULL, key_check BLOB NOT NULL)"
    " STRICT, WITHOUT ROWID",
    /* event: what happened to the store as a whole: migrated, restored; for people. quota: what was
     * claimed of a policy's quota in the period of that length which began then. */
    "CREATE TABLE event (id INTEGER PRIMARY KEY, moment INTEGER NOT NULL, what TEXT NOT NULL)"
    " STRICT;"
    "CREATE TABLE quota (policy TEXT NOT NULL, period INTEGER NOT NULL, began INTEGER NOT NULL,"
    " used INTEGER NOT NULL, PRIMARY KEY (policy, period)) STRICT, WITHOUT ROWID",
    /* Keys are random, so that each claim meets a page of their index that no other one has just
     * met. Four octets tell a key from nearly all others, and take a fifth of the pages. */
    "DROP INDEX claim_key; CREATE INDEX claim_key ON claim (substr(spki_sha256, 1, 4))",
};

static bool set_header(struct sg_store *store, const char *pragma, int value,
                       struct sg_error *error)
{
    char text[64];
    (void)snprintf(text, sizeof text, "PRAGMA %s=%d", pragma, value);
    return sg_sqlite_exec(store, text, error);
}

bool sg_sqlite_climb(struct sg_store *store, int version, struct sg_error *error)
{
    return sg_sqlite_exec(store, MIGRATIONS[version - 2], error) &&
           set_header(store, "user_version", version, error);
}

static bool climb_all(struct sg_store *store, struct sg_error *error)
{
    for (int version = 2; version <= SG_SCHEMA_VERSION; version++)
        if (!sg_sqlite_climb(store, version, error))
            return false;
    return true;
}

bool sg_sqlite_create(struct sg_store *store, struct sg_error *error)
{
    for (size_t i = 0; i < sizeof SCHEMA / sizeof SCHEMA[0]; i++)
        if (!sg_sqlite_exec(store, SCHEMA[i], error))
            return false;
    if (!set_header(store, "application_id", APPLICATION_ID, error) || !climb_all(store, error))
        return false;
    store->version = SG_SCHEMA_VERSION;
    return true;
}

bool sg_sqlite_check(struct sg_store *store, struct sg_error *error)
{
    bool found = false;
    int64_t application = 0, version = 0;
    if (!sg_sql_number(store, "PRAGMA application_id", SG_NO_VALUES, &found, &application, error) ||
        !sg_sql_number(store, "PRAGMA user_version", SG_NO_VALUES, &found, &version, error))
        return false;
    if (application != APPLICATION_ID || version < 1)
        return sg_fail(error, SG_STORE, NULL,
                       "store %s: it is a database, but not a store of Signet's: check `store` in "
                       "signet.yaml",
                       store->path);
    return sg_schema_take(store, version, error);
}
