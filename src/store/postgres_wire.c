/* Statements to PostgreSQL's server and results from it, down one pipeline. */
#include <endian.h>
#include <stdio.h>
#include <string.h>

#include "postgres.h"
#include "schema.h"

enum {
    MAX_PARAMETERS = 20,
    MAX_TEXT = 8192,

    /* PostgreSQL's numbers of its own types, which never change */
    OID_BYTEA = 17,
    OID_INT8 = 20,
    OID_TEXT = 25,
};

/* ---- errors ---- */

/* What the operator can do, by SQLSTATE or its class. */
static const struct {
    const char *state;
    const char *remedy;
} REMEDIES[] = {
    {"08", "check the network and the server's log, then try again"},
    {"28", "check the user, pg_hba.conf and the passfile"},
    {"3D", "make the database (createdb), or check `store` in signet.yaml"},
    {"40", "try again"},
    {"42501", "grant this user the rights on the store's tables, or connect as their owner"},
    {"42P01", "it is not a store of Signet's, or not in the search_path: check `store` in "
              "signet.yaml"},
    {"25006", "the server only reads: it is a standby, or was made read-only; name the primary"},
    {"53100", "the server's disk is full: make room, then try again"},
    {"53300", "raise max_connections, or stop a client"},
    {"53", "the server is short of resources: see its log"},
    {"54", "a value is larger than PostgreSQL takes"},
    {"55P03", "another process has kept it locked: wait for it or stop it, then try again"},
    {"57", "the server was stopped: try again when it is back"},
    {"58", "the server's system failed: see its log"},
    {"XX", "the server or its data is damaged: see its log, and restore a backup if it is"},
};

static const char *remedy_of(const char *state)
{
    for (size_t i = 0; i < sizeof REMEDIES / sizeof REMEDIES[0]; i++)
        if (strncmp(state, REMEDIES[i].state, strlen(REMEDIES[i].state)) == 0)
            return REMEDIES[i].remedy;
    return NULL;
}

/* States after which the session is gone, or of no use: the server ends it, or was demoted. */
static bool is_loss(const char *state)
{
    static const char *const LOSSES[] = {"08", "57P", "25P03", "25006"};
    for (size_t i = 0; i < sizeof LOSSES / sizeof LOSSES[0]; i++)
        if (strncmp(state, LOSSES[i], strlen(LOSSES[i])) == 0)
            return true;
    return false;
}

static int first_line(const char *text)
{
    return (int)strcspn(text, "\n");
}

bool sg_postgres_fail_connection(struct sg_store *store, const char *doing, struct sg_error *error)
{
    struct sg_postgres *postgres = store->postgres;
    const char *said = postgres->pq.PQerrorMessage(postgres->connection);
    postgres->lost = true;
    return sg_fail(error, SG_STORE, NULL, "store %s: %s: %.*s", store->path, doing,
                   first_line(said), said);
}

static bool fail_result(struct sg_store *store, const PGresult *result, struct sg_error *error)
{
    struct sg_postgres *postgres = store->postgres;
    const char *said = postgres->pq.PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const char *state = postgres->pq.PQresultErrorField(result, PG_DIAG_SQLSTATE);
    if (state == NULL || said == NULL)
        return sg_postgres_fail_connection(store, "the connection was lost", error);
    const char *remedy = remedy_of(state);
    if (is_loss(state))
        postgres->lost = true;
    if (remedy == NULL)
        return sg_fail(error, SG_INTERNAL, NULL, "store %s: PostgreSQL's state %s: %s", store->path,
                       state, said);
    return sg_fail(error, SG_STORE, NULL, "store %s: %s: %s", store->path, said, remedy);
}

/* ---- texts and values ---- */

/* What is a comment to SQLite: its marks, or all of it as long as the tables are not by month. */
static const char *pass_mark(const struct sg_store *store, const char *at)
{
    static const char BEGIN[] = "/*+", END[] = "+*/";
    const size_t len = sizeof BEGIN - 1;
    if (strncmp(at, BEGIN, len) == 0 && store->version < SG_SCHEMA_MONTHS) {
        const char *end = strstr(at, END);
        return end != NULL ? end + len : at;
    }
    return strncmp(at, BEGIN, len) == 0 || strncmp(at, END, len) == 0 ? at + len : at;
}

/* ? and ?N become $N. */
static bool translate(const struct sg_store *store, const char *text, char into[MAX_TEXT],
                      struct sg_error *error)
{
    size_t len = 0;
    int number = 0;
    for (const char *at = pass_mark(store, text); *at != '\0' && len + 8 < MAX_TEXT;
         at = pass_mark(store, at + 1)) {
        if (*at != '?') {
            into[len++] = *at;
            continue;
        }
        into[len++] = '$';
        if (at[1] < '0' || at[1] > '9')
            len += (size_t)snprintf(into + len, 8, "%d", ++number);
    }
    into[len] = '\0';
    return len + 8 < MAX_TEXT ||
           sg_fail(error, SG_INTERNAL, NULL, "store: a statement is too long");
}

struct parameters {
    int num;
    Oid types[MAX_PARAMETERS];
    const char *values[MAX_PARAMETERS];
    int lengths[MAX_PARAMETERS];
    int formats[MAX_PARAMETERS];
    uint64_t numbers[MAX_PARAMETERS];
};

static void set_parameter(struct parameters *parameters, const struct sg_value *value)
{
    const int i = parameters->num++;
    parameters->formats[i] = 1;
    if (value->kind == SG_VALUE_INT) {
        parameters->types[i] = OID_INT8;
        parameters->numbers[i] = htobe64((uint64_t)value->number);
        parameters->values[i] = (const char *)&parameters->numbers[i];
        parameters->lengths[i] = sizeof parameters->numbers[i];
    } else {
        parameters->types[i] = value->kind == SG_VALUE_TEXT ? OID_TEXT : OID_BYTEA;
        parameters->values[i] = value->bytes.data != NULL ? (const char *)value->bytes.data : "";
        parameters->lengths[i] = (int)value->bytes.len;
    }
    if (value->is_null)
        parameters->values[i] = NULL;
}

static bool set_parameters(struct parameters *parameters, const struct sg_value *values,
                           struct sg_error *error)
{
    parameters->num = 0;
    for (; values != NULL && values->kind != SG_VALUE_END; values++) {
        if (parameters->num == MAX_PARAMETERS || values->bytes.len > INT32_MAX)
            return sg_fail(error, SG_INTERNAL, NULL, "store: too many or too long values");
        set_parameter(parameters, values);
    }
    return true;
}

/* ---- sending ---- */

static bool prepare(struct sg_store *store, const char *text, const struct parameters *parameters,
                    struct sg_kept *place, struct sg_error *error)
{
    struct sg_postgres *postgres = store->postgres;
    char translated[MAX_TEXT], name[16];
    place->text = text;
    place->number = postgres->num_prepared++;
    (void)snprintf(name, sizeof name, "s%u", place->number);
    if (!translate(store, text, translated, error))
        return false;
    if (postgres->pq.PQsendPrepare(postgres->connection, name, translated, parameters->num,
                                   parameters->types) != 1)
        return sg_postgres_fail_connection(store, "the connection was lost", error);
    postgres->num_kept++;
    postgres->sent[postgres->num_sent++] = 0;
    return true;
}

static bool send_kept(struct sg_store *store, const char *text, const struct parameters *parameters,
                      struct sg_error *error)
{
    struct sg_postgres *postgres = store->postgres;
    struct sg_kept *place = postgres->kept;
    struct sg_kept *const end = postgres->kept + postgres->num_kept;
    char name[16];
    while (place < end && place->text != text)
        place++;
    if (place == end && !prepare(store, text, parameters, place, error))
        return false;
    (void)snprintf(name, sizeof name, "s%u", place->number);
    return postgres->pq.PQsendQueryPrepared(postgres->connection, name, parameters->num,
                                            parameters->values, parameters->lengths,
                                            parameters->formats, 1) == 1 ||
           sg_postgres_fail_connection(store, "the connection was lost", error);
}

static bool send_once(struct sg_store *store, const char *text, const struct parameters *parameters,
                      struct sg_error *error)
{
    struct sg_postgres *postgres = store->postgres;
    char translated[MAX_TEXT];
    return translate(store, text, translated, error) &&
           (postgres->pq.PQsendQueryParams(postgres->connection, translated, parameters->num,
                                           parameters->types, parameters->values,
                                           parameters->lengths, parameters->formats, 1) == 1 ||
            sg_postgres_fail_connection(store, "the connection was lost", error));
}

static bool is_kept(const struct sg_postgres *postgres, const char *text)
{
    for (size_t i = 0; i < postgres->num_kept; i++)
        if (postgres->kept[i].text == text)
            return true;
    return postgres->num_kept < SG_POSTGRES_KEPT;
}

bool sg_postgres_send(struct sg_store *store, enum sg_query_kind kind, const char *text,
                      const struct sg_value *values, struct sg_error *error)
{
    struct sg_postgres *postgres = store->postgres;
    struct parameters parameters;
    if (!set_parameters(&parameters, values, error) ||
        (postgres->num_sent >= SG_POSTGRES_SENT && !sg_postgres_answer(store, NULL, error)))
        return false;
    const bool kept = kind == SG_QUERY_KEPT && is_kept(postgres, text);
    if (!(kept ? send_kept(store, text, &parameters, error)
               : send_once(store, text, &parameters, error)))
        return false;
    postgres->sent[postgres->num_sent++] = 0;
    return true;
}

/* ---- receiving ---- */

/* Between two statements' results libpq says NULL once. */
static PGresult *next_result(struct sg_postgres *postgres)
{
    PGresult *result = postgres->pq.PQgetResult(postgres->connection);
    return result != NULL ? result : postgres->pq.PQgetResult(postgres->connection);
}

static bool is_good(const struct sg_postgres *postgres, const PGresult *result)
{
    const ExecStatusType status = postgres->pq.PQresultStatus(result);
    return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
}

/* The first failure is told; what comes after it the server has not looked at. */
static bool read_result(struct sg_store *store, PGresult **read, struct sg_error *error)
{
    struct sg_postgres *postgres = store->postgres;
    PGresult *result = next_result(postgres);
    if (result == NULL)
        return sg_postgres_fail_connection(store, "the connection was lost", error);
    const bool good = is_good(postgres, result);
    if (!good && postgres->pq.PQresultStatus(result) != PGRES_PIPELINE_ABORTED)
        (void)fail_result(store, result, error);
    if (good && read != NULL)
        *read = result;
    else
        postgres->pq.PQclear(result);
    return good;
}

static bool read_results(struct sg_store *store, PGresult **last, struct sg_error *error)
{
    struct sg_postgres *postgres = store->postgres;
    bool good = true;
    for (size_t i = 0; postgres->num_sent > 0 && !postgres->lost; i++) {
        PGresult **read = --postgres->num_sent == 0 ? last : NULL;
        if (postgres->sent[i] != 0)
            read = &postgres->ahead[postgres->sent[i] - 1].result;
        if (!read_result(store, read, error))
            good = false;
    }
    good = good && !postgres->lost;
    if (good)
        postgres->num_certain = postgres->num_kept;
    else
        postgres->num_kept = postgres->num_certain;
    postgres->failed = postgres->failed || !good;
    return good;
}

bool sg_postgres_answer(struct sg_store *store, PGresult **last, struct sg_error *error)
{
    struct sg_postgres *postgres = store->postgres;
    if (postgres->transaction == SG_NO_TRANSACTION)
        return sg_postgres_sync(store, last, error);
    if (postgres->failed)
        return sg_fail(error, SG_INTERNAL, NULL,
                       "store %s: a transaction that has failed was used again", store->path);
    if (postgres->pq.PQsendFlushRequest(postgres->connection) != 1)
        return sg_postgres_fail_connection(store, "the connection was lost", error);
    return read_results(store, last, error);
}

static bool read_sync(struct sg_store *store, struct sg_error *error)
{
    struct sg_postgres *postgres = store->postgres;
    PGresult *result = postgres->lost ? NULL : next_result(postgres);
    const bool synced =
        result != NULL && postgres->pq.PQresultStatus(result) == PGRES_PIPELINE_SYNC;
    postgres->pq.PQclear(result);
    if (!synced)
        return sg_postgres_fail_connection(store, "the connection was lost", error);
    postgres->failed = false;
    return true;
}

bool sg_postgres_sync(struct sg_store *store, PGresult **last, struct sg_error *error)
{
    struct sg_postgres *postgres = store->postgres;
    PGresult *result = NULL;
    if (postgres->pq.PQpipelineSync(postgres->connection) != 1)
        return sg_postgres_fail_connection(store, "the connection was lost", error);
    const bool good = read_results(store, &result, error);
    if (!read_sync(store, error) || !good) {
        postgres->pq.PQclear(result);
        return false;
    }
    if (last != NULL)
        *last = result;
    else
        postgres->pq.PQclear(result);
    return true;
}

bool sg_postgres_simple(struct sg_store *store, const char *text, PGresult **result,
                        struct sg_error *error)
{
    struct sg_postgres *postgres = store->postgres;
    PGresult *answer = postgres->pq.PQexec(postgres->connection, text);
    const bool good = answer != NULL && is_good(postgres, answer);
    if (!good)
        (void)(answer != NULL
                   ? fail_result(store, answer, error)
                   : sg_postgres_fail_connection(store, "the connection was lost", error));
    if (good && result != NULL)
        *result = answer;
    else
        postgres->pq.PQclear(answer);
    return good;
}

/* ---- columns ---- */

int64_t sg_postgres_number(const struct sg_postgres *postgres, const PGresult *result, int row,
                           int column)
{
    const char *at = postgres->pq.PQgetvalue(result, row, column);
    uint64_t eight = 0;
    uint32_t four = 0;
    if (postgres->pq.PQgetisnull(result, row, column))
        return 0;
    switch (postgres->pq.PQgetlength(result, row, column)) {
    case sizeof eight:
        memcpy(&eight, at, sizeof eight);
        return (int64_t)be64toh(eight);
    case sizeof four:
        memcpy(&four, at, sizeof four);
        return (int32_t)be32toh(four);
    default:
        return at[0];
    }
}
