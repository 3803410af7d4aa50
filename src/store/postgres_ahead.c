/* Questions that go to PostgreSQL before their turn, so that many have one way. */
#include <string.h>

#include "postgres.h"

static size_t count_values(const struct sg_value *values)
{
    size_t num = 0;
    while (values != NULL && values[num].kind != SG_VALUE_END)
        num++;
    return num;
}

static bool make_room(struct sg_postgres *postgres, struct sg_error *error)
{
    if (postgres->num_ahead < postgres->max_ahead)
        return true;
    const size_t max = postgres->max_ahead * 2 + 64;
    struct sg_ahead *grown = reallocarray(postgres->ahead, max, sizeof *grown);
    if (grown == NULL)
        return sg_fail_memory(error);
    postgres->ahead = grown;
    postgres->max_ahead = max;
    return true;
}

bool sg_postgres_ahead(struct sg_store *store, const char *text, const struct sg_value *values,
                       struct sg_error *error)
{
    struct sg_postgres *postgres = store->postgres;
    const size_t num = count_values(values);
    if (postgres->transaction != SG_WRITES || num == 0 || num > SG_POSTGRES_AHEAD)
        return true;
    if (!make_room(postgres, error) || !sg_postgres_send(store, SG_QUERY_KEPT, text, values, error))
        return false;
    struct sg_ahead *ahead = &postgres->ahead[postgres->num_ahead++];
    *ahead = (struct sg_ahead){.text = text};
    memcpy(ahead->values, values, (num + 1) * sizeof values[0]);
    postgres->sent[postgres->num_sent - 1] = postgres->num_ahead;
    return true;
}

static bool is_same(const struct sg_value *a, const struct sg_value *b)
{
    return a->kind == b->kind && a->is_null == b->is_null && a->number == b->number &&
           sg_slice_equal(a->bytes, b->bytes);
}

static bool are_same(const struct sg_value *a, const struct sg_value *b)
{
    for (; a->kind != SG_VALUE_END && b->kind != SG_VALUE_END; a++, b++)
        if (!is_same(a, b))
            return false;
    return a->kind == b->kind;
}

/* They are taken in about the order in which they were asked. */
static struct sg_ahead *find(struct sg_postgres *postgres, const char *text,
                             const struct sg_value *values)
{
    for (size_t i = 0; values != NULL && i < postgres->num_ahead; i++) {
        const size_t at = (postgres->next_ahead + i) % postgres->num_ahead;
        struct sg_ahead *ahead = &postgres->ahead[at];
        if (ahead->text == text && are_same(ahead->values, values)) {
            postgres->next_ahead = at + 1;
            return ahead;
        }
    }
    return NULL;
}

bool sg_postgres_take(struct sg_store *store, const char *text, const struct sg_value *values,
                      PGresult **result, struct sg_error *error)
{
    struct sg_ahead *ahead = find(store->postgres, text, values);
    if (ahead == NULL)
        return true;
    if (ahead->result == NULL && !sg_postgres_answer(store, NULL, error))
        return false;
    *result = SG_TAKE(ahead->result);
    ahead->text = NULL;
    return true;
}

void sg_postgres_forget(struct sg_postgres *postgres)
{
    for (size_t i = 0; i < postgres->num_ahead; i++)
        postgres->pq.PQclear(postgres->ahead[i].result);
    postgres->num_ahead = postgres->next_ahead = 0;
    memset(postgres->sent, 0, sizeof postgres->sent);
}
