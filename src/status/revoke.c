#include <string.h>

#include "status.h"

/* The ids that a filter finds; collected first, because the store is not changed while it is read.
 */
struct found {
    int64_t *ids;
    size_t num;
    struct sg_error first_refusal;
};

static void found_done(struct found *found)
{
    free(found->ids);
}
SG_DEFINE_CLEANUP_IN_PLACE(found, found_done)

static bool collect(const struct sg_certificate *certificate, void *context, struct sg_error *error)
{
    struct found *found = context;
    int64_t *grown = realloc(found->ids, (found->num + 1) * sizeof *grown);

    if (grown == NULL)
        return sg_fail_memory(error);
    found->ids = grown;
    found->ids[found->num++] = certificate->id;
    return true;
}

static bool find(struct sg_store *store, const struct sg_certificate_filter *filter,
                 struct found *found, struct sg_error *error)
{
    if (!sg_store_each_certificate(store, filter, collect, found, error))
        return false;
    if (found->num == 0)
        return sg_fail(error, SG_USAGE, NULL,
                       "no certificate matches; `signet list` shows what there is");
    return true;
}

/* Refusals of single certificates do not keep the others from being served. */
static bool count(bool done, struct found *found, struct sg_error *why, size_t *num)
{
    if (done)
        ++*num;
    else if (sg_code_is_refusal(why->code) && found->first_refusal.code == SG_OK)
        found->first_refusal = *why;
    return done || sg_code_is_refusal(why->code);
}

static bool conclude(const struct found *found, size_t done, size_t *num, struct sg_error *error)
{
    if (done == 0) {
        *error = found->first_refusal;
        return false;
    }
    *num = done;
    return true;
}

bool sg_status_revoke(struct sg_store *store, const struct sg_certificate_filter *filter,
                      enum sg_reason reason, int64_t now, size_t *num, struct sg_error *error)
{
    sg_auto(found) struct found found = {0};
    size_t revoked = 0;

    if (!find(store, filter, &found, error))
        return false;
    for (size_t i = 0; i < found.num; i++) {
        struct sg_error why = {0};
        bool done = sg_store_revoke(store, found.ids[i], reason, now, &why);
        if (!count(done, &found, &why, &revoked)) {
            *error = why;
            return false;
        }
    }
    return conclude(&found, revoked, num, error);
}

bool sg_status_release(struct sg_store *store, const struct sg_certificate_filter *filter,
                       size_t *num, struct sg_error *error)
{
    sg_auto(found) struct found found = {0};
    size_t released = 0;

    if (!find(store, filter, &found, error))
        return false;
    for (size_t i = 0; i < found.num; i++) {
        struct sg_error why = {0};
        bool done = sg_store_release(store, found.ids[i], &why);
        if (!count(done, &found, &why, &released)) {
            *error = why;
            return false;
        }
    }
    return conclude(&found, released, num, error);
}
