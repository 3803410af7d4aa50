/* Certificates: recorded, given up, and read again. */
#include "certificates.h"

#include <string.h>

#include "base/der.h"
#include "schema.h"
#include "standing.h"

/* ---- recording ---- */

/* What must be true of a claim before its certificate may leave. It is asked in the transaction
 * that records, so an orphan that somebody has put on a CRL can't come back to life. */
static bool check_claim(struct sg_store *store, int64_t id, int64_t now, struct sg_error *error)
{
    char serial[SG_SERIAL_TEXT_SIZE];
    struct sg_standing standing;
    struct sg_serial number;
    if (!sg_standing_find(store, id, now, &standing, &number, error))
        return false;
    sg_serial_text(&number, serial);
    if (standing.status == SG_STATUS_REVOKED || standing.status == SG_STATUS_HELD)
        return sg_fail(error, SG_REFUSED, NULL,
                       "certificate %s was revoked while it was being signed", serial);
    if (standing.status == SG_STATUS_ORPHANED)
        return sg_fail(error, SG_REFUSED, NULL,
                       "certificate %s was given up while it was being signed, and counts as "
                       "revoked: make the request again",
                       serial);
    if (standing.status != SG_STATUS_IN_FLIGHT)
        return sg_fail(error, SG_INTERNAL, NULL, "certificate %s is recorded already", serial);
    return true;
}

static const char TBS_AND_OWNER[] = "SELECT tbs, owner FROM pending WHERE claim = ?";

/* Where the claimed bytes are in der: first of all where a certificate has them, as looking for
 * them everywhere takes longer than all else that is done about a record. */
static const uint8_t *find_bytes(struct sg_slice der, struct sg_slice tbs)
{
    struct sg_slice inside;
    if (sg_der_enter(der, SG_DER_SEQUENCE, &inside) && inside.len >= tbs.len &&
        sg_slice_equal(sg_slice_of(inside.data, tbs.len), tbs))
        return inside.data;
    return memmem(der.data, der.len, tbs.data, tbs.len);
}

/* Reads the claimed bytes; they must stand in the certificate as they were claimed. */
static bool find_claimed(struct sg_store *store, int64_t id, struct sg_slice der, int64_t *offset,
                         int64_t *len, struct sg_error *error)
{
    sg_auto(sg_query) struct sg_query query = {0};
    bool row = false;
    if (!sg_query_start(store, TBS_AND_OWNER, SG_VALUES(sg_int(id)), &query, error) ||
        !sg_query_next(&query, &row, error))
        return false;
    if (!row || sg_column_int(&query, 1) != store->own)
        return sg_fail(error, SG_INTERNAL, NULL,
                       "claim %lld belongs to another process, which alone may record it",
                       (long long)id);
    const struct sg_slice tbs = sg_column_bytes(&query, 0);
    const uint8_t *at = find_bytes(der, tbs);
    if (at == NULL)
        return sg_fail(error, SG_INTERNAL, NULL,
                       "the certificate of claim %lld does not hold the bytes that were claimed",
                       (long long)id);
    *offset = at - der.data;
    *len = (int64_t)tbs.len;
    return true;
}

static bool record_one(struct sg_store *store, int64_t id, struct sg_slice der, int64_t now,
                       struct sg_error *error)
{
    int64_t offset = 0, len = 0;
    return check_claim(store, id, now, error) &&
           find_claimed(store, id, der, &offset, &len, error) &&
           sg_sql_run(
               store, SG_INSERT_CERTIFICATE,
               SG_VALUES(sg_int(id), sg_int(now), sg_int(offset), sg_int(len), sg_bytes(der)),
               error) &&
           sg_sql_run(store, "DELETE FROM pending WHERE claim = ?", SG_VALUES(sg_int(id)), error) &&
           sg_sql_run(store,
                      "INSERT INTO revocation (claim, issuer, reason, revoked)"
                      " SELECT c.id, c.issuer, s.reason, ?2"
                      " FROM supersedes s JOIN claim c ON c.id = s.previous WHERE s.claim = ?1"
                      " ON CONFLICT (claim) DO UPDATE SET reason = excluded.reason"
                      " WHERE revocation.reason = 6",
                      SG_VALUES(sg_int(id), sg_int(now)), error);
}

/* What is recorded of one claim changes nothing of another one that is in flight. */
static bool ask_ahead(struct sg_store *store, const int64_t *ids, size_t num,
                      struct sg_error *error)
{
    for (size_t i = 0; i < num; i++)
        if (!sg_standing_ahead(store, ids[i], error) ||
            !sg_query_ahead(store, TBS_AND_OWNER, SG_VALUES(sg_int(ids[i])), error))
            return false;
    return true;
}

static bool record_group(struct sg_store *store, const int64_t *ids, const struct sg_slice *ders,
                         size_t num, int64_t now, struct sg_error *error)
{
    sg_auto(sg_transaction) struct sg_transaction write = {0};
    if (!sg_transaction_write(store, &write, error) || !ask_ahead(store, ids, num, error))
        return false;
    for (size_t i = 0; i < num; i++)
        if (!record_one(store, ids[i], ders[i], now, error))
            return false;
    return sg_transaction_commit(&write, error);
}

bool sg_store_record(struct sg_store *store, const int64_t *ids, const struct sg_slice *ders,
                     size_t num, int64_t now, struct sg_error *error)
{
    for (int tries = 0;;) {
        struct sg_error why = {0};
        if (record_group(store, ids, ders, num, now, &why))
            return true;
        if (!sg_sql_may_try_again(store, &tries, &why))
            return sg_error_pass(error, &why);
    }
}

static bool abandon_one(struct sg_store *store, int64_t id, struct sg_error *error)
{
    bool found = false;
    int64_t owner = 0;
    if (!sg_sql_number(store, "SELECT owner FROM pending WHERE claim = ?", SG_VALUES(sg_int(id)),
                       &found, &owner, error))
        return false;
    if (!found || (owner != 0 && owner != store->own))
        return sg_fail(error, SG_INTERNAL, NULL,
                       "claim %lld is not in flight in this process, and can't be abandoned",
                       (long long)id);
    return sg_standing_settle(store, id, error);
}

bool sg_store_abandon(struct sg_store *store, const int64_t *ids, size_t num,
                      struct sg_error *error)
{
    sg_auto(sg_transaction) struct sg_transaction write = {0};
    if (!sg_transaction_write(store, &write, error))
        return false;
    for (size_t i = 0; i < num; i++)
        if (!abandon_one(store, ids[i], error))
            return false;
    return sg_transaction_commit(&write, error);
}

/* ---- reading ---- */

#define SELECT_CERTIFICATE_WITH(token)                                                             \
    "SELECT c.id, i.name, c.serial, c.policy, c.policy_sha256, c.subject, c.device, c.user,"       \
    " c.spki_sha256, c.not_before, d.der, " token ", " SG_STANDING_COLUMNS                         \
    " FROM " SG_STANDING_TABLES " LEFT JOIN certificate d ON " SG_CERTIFICATE_OF_CLAIM             \
    " CROSS JOIN issuer i WHERE i.id = c.issuer"

#define SELECT_CERTIFICATE SELECT_CERTIFICATE_WITH("c.token")
/* Before SG_SCHEMA_EVIDENCE nobody noted the card. */
#define SELECT_OLD_CERTIFICATE SELECT_CERTIFICATE_WITH("NULL")

enum {
    ID,
    ISSUER,
    SERIAL,
    POLICY,
    POLICY_SHA256,
    SUBJECT,
    DEVICE,
    USER,
    SPKI_SHA256,
    NOT_BEFORE,
    DER,
    TOKEN,
    STANDING,
    OWNER = STANDING, /* of SG_STANDING_COLUMNS */
    CLAIMED = STANDING + 3,
};

static bool read_certificate(const struct sg_query *query, int64_t now,
                             struct sg_certificate *certificate, struct sg_error *error)
{
    sg_auto(sg_certificate) struct sg_certificate read = {
        .id = sg_column_int(query, ID),
        .claimed = sg_column_int(query, CLAIMED),
        .not_before = sg_column_int(query, NOT_BEFORE),
        .is_elsewhere = sg_column_is_null(query, DER) && sg_column_is_null(query, OWNER),
    };
    struct sg_standing standing = {0};
    if (!sg_column_copy_text(query, ISSUER, &read.issuer, error) ||
        !sg_column_copy_serial(query, SERIAL, &read.serial, error) ||
        !sg_column_copy_text(query, POLICY, &read.policy, error) ||
        !sg_column_copy_digest(query, POLICY_SHA256, read.policy_sha256, error) ||
        !sg_column_copy_text(query, SUBJECT, &read.subject, error) ||
        !sg_column_copy_text(query, DEVICE, &read.device, error) ||
        !sg_column_copy_text(query, USER, &read.user, error) ||
        !sg_column_copy_text(query, TOKEN, &read.token, error) ||
        !sg_column_copy_digest(query, SPKI_SHA256, read.spki_sha256, error) ||
        !sg_buf_set(&read.der, sg_column_bytes(query, DER), error) ||
        !sg_standing_read(query, STANDING, now, &standing, error))
        return false;
    read.not_after = standing.not_after;
    read.status = standing.status;
    read.revoked = standing.revoked;
    read.reason = standing.reason;
    *certificate = read;
    read = (struct sg_certificate){0};
    return true;
}

bool sg_certificate_find(struct sg_store *store, int64_t id, int64_t now,
                         struct sg_certificate *certificate, struct sg_error *error)
{
    sg_auto(sg_query) struct sg_query query = {0};
    bool row = false;
    if (!sg_query_start(store, SELECT_CERTIFICATE " AND c.id = ?", SG_VALUES(sg_int(id)), &query,
                        error) ||
        !sg_query_next(&query, &row, error))
        return false;
    if (!row)
        return sg_fail(error, SG_INTERNAL, NULL, "the store knows no claim %lld", (long long)id);
    return read_certificate(&query, now, certificate, error);
}

/* ---- searching: the conditions that the filter has ---- */

enum { MAX_CONDITIONS = 12, SEARCH_LIMIT = 4096 };

struct search {
    struct sg_buf text;
    struct sg_value values[MAX_CONDITIONS + 1];
    size_t num_values;
};

static void search_done(struct search *search)
{
    sg_buf_free(&search->text);
}
SG_DEFINE_CLEANUP_IN_PLACE(search, search_done)

static bool add_condition(struct search *search, bool wanted, const char *condition,
                          struct sg_error *error)
{
    return !wanted || sg_buf_printf(&search->text, SEARCH_LIMIT, error, " AND %s", condition);
}

static bool add_match(struct search *search, bool wanted, const char *condition,
                      struct sg_value value, struct sg_error *error)
{
    if (!add_condition(search, wanted, condition, error))
        return false;
    if (wanted)
        search->values[search->num_values++] = value;
    return true;
}

static bool add_key(struct search *search, const uint8_t *spki_sha256, struct sg_error *error)
{
    if (spki_sha256 == NULL)
        return true;
    search->values[search->num_values++] = sg_digest(spki_sha256);
    return add_match(search, true, SG_CLAIM_OF_KEY("?"), sg_digest(spki_sha256), error);
}

/* Only narrows: whether a pending claim's owner lives is known when its row is read. The revoked
 * and the pending are few among the certificates, so the search starts from them. */
static bool add_status(struct search *search, const struct sg_certificate_filter *filter,
                       struct sg_error *error)
{
    switch (filter->status) {
    case SG_STATUS_REVOKED:
    case SG_STATUS_HELD:
        return add_condition(search, true, "c.id IN (SELECT claim FROM revocation)", error);
    case SG_STATUS_IN_FLIGHT:
    case SG_STATUS_ORPHANED:
        return add_condition(search, true, "c.id IN (SELECT claim FROM pending)", error);
    case SG_STATUS_VALID:
        return add_match(search, true, "p.claim IS NULL AND r.claim IS NULL AND c.not_after >= ?",
                         sg_int(filter->now), error);
    case SG_STATUS_EXPIRED:
        break;
    }
    return add_match(search, true, "p.claim IS NULL AND r.claim IS NULL AND c.not_after < ?",
                     sg_int(filter->now), error);
}

static bool build_search(struct search *search, const struct sg_store *store,
                         const struct sg_certificate_filter *filter, struct sg_error *error)
{
    const struct sg_serial *serial = filter->serial;
    return sg_buf_printf(&search->text, SEARCH_LIMIT, error, "%s",
                         store->version < SG_SCHEMA_EVIDENCE ? SELECT_OLD_CERTIFICATE
                                                             : SELECT_CERTIFICATE) &&
           add_match(search, serial != NULL, "c.serial = ?",
                     serial != NULL ? sg_serial_value(serial) : sg_int(0), error) &&
           add_match(search, filter->issuer != NULL, "i.name = ?", sg_text(filter->issuer),
                     error) &&
           add_match(search, filter->policy != NULL, "c.policy = ?", sg_text(filter->policy),
                     error) &&
           add_match(search, filter->device != NULL, "c.device = ?", sg_text(filter->device),
                     error) &&
           add_match(search, filter->user != NULL, "c.user = ?", sg_text(filter->user), error) &&
           (filter->token == NULL || store->version >= SG_SCHEMA_EVIDENCE
                ? add_match(search, filter->token != NULL, "c.token = ?", sg_text(filter->token),
                            error)
                : add_condition(search, true, "1 = 0", error)) &&
           add_key(search, filter->spki_sha256, error) &&
           add_match(search, filter->der.len > 0,
                     "(d.der = ? OR (d.claim IS NULL AND p.claim IS NULL))", sg_bytes(filter->der),
                     error) &&
           add_match(search, filter->before != 0, "c.id < ?", sg_int(filter->before), error) &&
           add_match(search, filter->expires_before != 0, "c.not_after < ?",
                     sg_int(filter->expires_before), error) &&
           (!filter->only_status || add_status(search, filter, error)) &&
           sg_buf_printf(&search->text, SEARCH_LIMIT, error, " ORDER BY c.id%s",
                         filter->last > 0 ? " DESC" : "") &&
           (filter->last == 0 || filter->only_status || filter->expires_before != 0 ||
            sg_buf_printf(&search->text, SEARCH_LIMIT, error, " LIMIT %zu", filter->last));
}

static bool is_wanted(const struct sg_certificate_filter *filter,
                      const struct sg_certificate *certificate)
{
    return (!filter->only_status || certificate->status == filter->status) &&
           (filter->expires_before == 0 || certificate->status == SG_STATUS_VALID);
}

bool sg_store_each_certificate(struct sg_store *store, const struct sg_certificate_filter *filter,
                               sg_certificate_visitor *visit, void *context, struct sg_error *error)
{
    sg_auto(search) struct search search = {0};
    sg_auto(sg_query) struct sg_query query = {0};
    if (!build_search(&search, store, filter, error) ||
        !sg_query_start_many(store, (const char *)search.text.data, search.values, &query, error))
        return false;
    for (size_t num = 0; filter->last == 0 || num < filter->last;) {
        sg_auto(sg_certificate) struct sg_certificate certificate = {0};
        bool row = false;
        if (!sg_query_next(&query, &row, error))
            return false;
        if (!row)
            return true;
        if (!read_certificate(&query, filter->now, &certificate, error))
            return false;
        if (filter->der.len > 0 && !sg_certificate_is_here(&certificate, error))
            return false; /* nobody can say whether it is this one */
        if (!is_wanted(filter, &certificate))
            continue;
        if (!visit(&certificate, context, error))
            return false;
        num++;
    }
    return true;
}
