/* Rows as lines of text, and back. */
#include "dump.h"

#include <jansson.h>
#include <openssl/evp.h>
#include <string.h>

#include "base/base64.h"
#include "base/limits.h"
#include "engine.h"
#include "schema.h"

enum { MAX_COLUMNS = 18 };

/* A table and its columns: i a number, t text, b bytes. */
struct table {
    const char *name, *kinds, *select, *insert;
};

#define TABLE(name, kinds, columns, marks, order)                                                  \
    {                                                                                              \
        name, kinds, "SELECT " columns " FROM " name " ORDER BY " order,                           \
            "INSERT INTO " name " (" columns ") VALUES (" marks ")"                                \
    }

/* What a row refers to comes before it. The counters come last: adding revocations counts. What a
 * table of PostgreSQL's alone holds means nothing in another store. */
static const struct table TABLES[] = {
    TABLE("issuer", "itb", "id, name, spki_sha256", "?, ?, ?", "id"),
    TABLE("registry", "itti", "kind, id, attributes, disabled", "?, ?, ?, ?", "kind, id"),
    TABLE("claim", "iibtbtttbbiiit",
          "id, issuer, serial, policy, policy_sha256, subject, device, \"user\", spki_sha256, "
          "content_sha256, claimed, not_before, not_after, token",
          "?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?", "id"),
    TABLE("pending", "iib", "claim, owner, tbs", "?, ?, ?", "claim"),
    {"certificate", "iiiib",
     "SELECT claim, recorded, tbs_offset, tbs_len, der FROM certificate ORDER BY claim",
     SG_INSERT_CERTIFICATE},
    TABLE("supersedes", "iii", "claim, previous, reason", "?, ?, ?", "claim, previous"),
    TABLE("revocation", "iiiii", "claim, issuer, reason, revoked, listed", "?, ?, ?, ?, ?",
          "claim"),
    TABLE("crl", "iiiibbbib",
          "issuer, number, this_update, next_update, sha256, sha384, sha512, recorded, der",
          "?, ?, ?, ?, ?, ?, ?, ?, ?", "issuer, number"),
    TABLE("crl_expired", "iii", "issuer, number, claim", "?, ?, ?", "issuer, number, claim"),
    TABLE("request_intent", "iiib", "id, issuer, noted, to_be_signed", "?, ?, ?, ?", "id"),
    TABLE("blocked_key", "bi", "spki_sha256, blocked", "?, ?", "spki_sha256"),
    TABLE("approval", "ittttttbbbitiiitti",
          "id, policy, role, device, \"user\", token, subject, spki_sha256, content_sha256, "
          "request, asked, asked_by, not_after, state, decided, decided_by, reason, claim",
          "?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?", "id"),
    TABLE("ticket", "ibttttitiiiii",
          "id, sha256, policy, device, \"user\", token, made, made_by, not_after, tries, dropped, "
          "claim, approval",
          "?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?", "id"),
    TABLE("pin", "ttibbb", "\"user\", device, chosen, salt, verifier, key_check",
          "?, ?, ?, ?, ?, ?", "\"user\""),
    TABLE("event", "iit", "id, moment, what", "?, ?, ?", "id"),
    TABLE("quota", "tiii", "policy, period, began, used", "?, ?, ?, ?", "policy, period"),
    TABLE("counter", "ti", "name, last", "?, ?", "name"),
};

enum {
    NUM_TABLES = sizeof TABLES / sizeof TABLES[0],
    CLAIMED = 10, /* the column of the table claim */
};

/* ---- out ---- */

static json_t *bytes_json(struct sg_slice bytes)
{
    sg_auto(sg_buf) struct sg_buf text = {0};
    if (!sg_base64_encode(bytes, false, SG_LIMIT_BACKUP_ENTRY, &text, NULL))
        return NULL;
    return json_stringn(text.data != NULL ? (const char *)text.data : "", text.len);
}

static json_t *column_json(const struct sg_query *query, int column, char kind)
{
    if (sg_column_is_null(query, column))
        return json_null();
    if (kind == 'i')
        return json_integer(sg_column_int(query, column));
    return kind == 't' ? json_string(sg_column_text(query, column))
                       : bytes_json(sg_column_bytes(query, column));
}

static bool write_row(const struct table *table, const struct sg_query *query, sg_dump_sink *sink,
                      void *context, struct sg_error *error)
{
    json_t *row = json_array();
    bool is_whole = row != NULL;
    for (int i = 0; table->kinds[i] != '\0' && is_whole; i++)
        is_whole = json_array_append_new(row, column_json(query, i, table->kinds[i])) == 0;
    sg_auto(malloc) char *line = is_whole ? json_dumps(row, JSON_COMPACT) : NULL;
    json_decref(row);
    if (line == NULL)
        return sg_fail(error, SG_STORE, NULL,
                       "store %s: a row of the table %s can't be written down: memory ran out, or "
                       "a text in it is not UTF-8",
                       query->store->path, table->name);
    return sink(table->name, sg_slice_text(line), context, error);
}

static bool dump_table(struct sg_store *store, const struct table *table, sg_dump_sink *sink,
                       void *context, struct sg_error *error)
{
    sg_auto(sg_query) struct sg_query query = {0};
    bool row = true;
    if (!sg_query_start_many(store, table->select, SG_NO_VALUES, &query, error))
        return false;
    while (row)
        if (!sg_query_next(&query, &row, error) ||
            (row && !write_row(table, &query, sink, context, error)))
            return false;
    return true;
}

bool sg_store_dump(struct sg_store *store, sg_dump_sink *sink, void *context,
                   struct sg_error *error)
{
    sg_auto(sg_transaction) struct sg_transaction read = {0};
    if (!sg_schema_require(store, error) || !sg_transaction_read(store, &read, error))
        return false;
    for (size_t i = 0; i < NUM_TABLES; i++)
        if (!dump_table(store, &TABLES[i], sink, context, error))
            return false;
    return sg_transaction_commit(&read, error);
}

/* ---- in ---- */

/* A row that was read: its values borrow from it. */
struct row {
    json_t *array;
    uint8_t *bytes[MAX_COLUMNS];
    struct sg_value values[MAX_COLUMNS + 1];
};

static void row_done(struct row *row)
{
    for (size_t i = 0; i < MAX_COLUMNS; i++)
        free(row->bytes[i]);
    json_decref(row->array);
}
SG_DEFINE_CLEANUP_IN_PLACE(row, row_done)

/* As base64 was written here, without white space. */
static bool take_bytes(struct row *row, size_t i, const json_t *item, struct sg_error *error)
{
    const char *text = json_string_value(item);
    const size_t len = json_string_length(item);
    size_t fill = 0;
    if (len % 4 != 0 || len > SG_LIMIT_BACKUP_ENTRY)
        return sg_fail(error, SG_INVALID, NULL, "column %zu is not base64", i + 1);
    row->bytes[i] = malloc(len / 4 * 3 + 1);
    if (row->bytes[i] == NULL)
        return sg_fail_memory(error);
    const int decoded =
        len > 0 ? EVP_DecodeBlock(row->bytes[i], (const uint8_t *)text, (int)len) : 0;
    while (fill < 2 && fill < len && text[len - 1 - fill] == '=')
        fill++;
    if (decoded < 0 || (size_t)decoded != len / 4 * 3)
        return sg_fail(error, SG_INVALID, NULL, "column %zu is not base64", i + 1);
    row->values[i] = sg_bytes(sg_slice_of(row->bytes[i], (size_t)decoded - fill));
    return true;
}

static bool take_column(struct row *row, size_t i, char kind, struct sg_error *error)
{
    const json_t *item = json_array_get(row->array, i);
    if (json_is_null(item)) {
        row->values[i] = sg_unless(true, kind == 'i'   ? sg_int(0)
                                         : kind == 't' ? sg_text("")
                                                       : sg_bytes((struct sg_slice){0}));
        return true;
    }
    if (kind == 'i' ? !json_is_integer(item) : !json_is_string(item))
        return sg_fail(error, SG_INVALID, NULL, "column %zu is of another kind", i + 1);
    if (kind == 'b')
        return take_bytes(row, i, item, error);
    row->values[i] =
        kind == 'i' ? sg_int(json_integer_value(item)) : sg_text(json_string_value(item));
    return true;
}

static bool read_row(const struct table *table, struct sg_slice line, struct row *row,
                     struct sg_error *error)
{
    const size_t num = strlen(table->kinds);
    row->array = json_loadb((const char *)line.data, line.len, JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_array(row->array) || json_array_size(row->array) != num)
        return sg_fail(error, SG_INVALID, NULL, "it is no list of %zu columns", num);
    for (size_t i = 0; i < num; i++)
        if (!take_column(row, i, table->kinds[i], error))
            return false;
    row->values[num] = (struct sg_value){.kind = SG_VALUE_END};
    return true;
}

bool sg_load_row(struct sg_store *store, const char *table, struct sg_slice line,
                 struct sg_error *error)
{
    sg_auto(row) struct row row = {0};
    size_t i = 0;
    while (i < NUM_TABLES && strcmp(TABLES[i].name, table) != 0)
        i++;
    if (i == NUM_TABLES)
        return sg_fail(error, SG_INVALID, NULL, "a store has no table '%.40s'", table);
    struct sg_error why = {0};
    if (!read_row(&TABLES[i], line, &row, &why))
        return sg_fail(error, SG_INVALID, NULL, "a row of the table %s: %s", table, why.text);
    return (strcmp(table, "claim") != 0 ||
            sg_sql_expect(store, row.values[CLAIMED].number, error)) &&
           sg_sql_run(store, TABLES[i].insert, row.values, error);
}
