/* publish: CRLs and CA certificates, put on the shelf, and CRLs made anew in time. */
#include <string.h>

#include "base/limits.h"
#include "desk.h"
#include "status/status.h"
#include "store/status.h"
#include "tokens.h"

enum {
    CRL_MAX_AGE_S = 300,
    CA_MAX_AGE_S = 3600,
    /* a thousand revocations one by one shall not make a thousand CRLs */
    PAUSE_S = 2,
};

static bool put(struct sg_desk *desk, const struct sg_issuer *issuer, const char *folder,
                const char *suffix, const struct sg_document *like, struct sg_buf *bytes,
                struct sg_error *error)
{
    char path[256];
    struct sg_document document = *like;

    (void)snprintf(path, sizeof path, "/%s/%s.%s", folder, issuer->entry->name, suffix);
    document.path = path;
    return sg_shelf_put(desk->shelf, &document, bytes, error);
}

static bool publish_certificate(struct sg_desk *desk, const struct sg_issuer *issuer,
                                struct sg_error *error)
{
    const struct sg_document like = {
        .media_type = "application/pkix-cert",
        .modified = issuer->facts.not_before,
        .max_age_s = CA_MAX_AGE_S,
    };
    sg_auto(openssl_bytes) uint8_t *der = NULL;
    sg_auto(sg_buf) struct sg_buf bytes = {0};
    const int len = i2d_X509(issuer->facts.certificate, &der);

    if (len <= 0)
        return sg_fail_openssl(error, SG_INTERNAL, NULL,
                               "the issuer's certificate can't be encoded");
    return sg_buf_set(&bytes, sg_slice_of(der, (size_t)len), error) &&
           put(desk, issuer, "ca", "cer", &like, &bytes, error);
}

/* The generation is read before the CRL is made: what is revoked in between, or found to be an
 * orphan by it, is on the CRL, and costs one more that says the same. */
static bool publish_crl(struct sg_desk *desk, struct sg_desk_issuer *entry, struct sg_error *error)
{
    const int64_t now = sg_clock_now(&desk->issuing.clock);
    struct sg_document like = {
        .media_type = "application/pkix-crl", .modified = now, .max_age_s = CRL_MAX_AGE_S};
    sg_auto(sg_buf) struct sg_buf der = {0};
    struct sg_crl_summary summary = {0};
    int64_t generation = 0;

    if (!sg_store_status_generation(sg_home_store(desk->home), &generation, error) ||
        !sg_status_crl(desk->home, entry->issuer, 0, now, &der, &summary, error))
        return false;
    entry->generation = generation;
    entry->made_crl = now;
    entry->next_update = summary.next_update;
    entry->renew_crl = now + (summary.next_update - now) / 2;
    return put(desk, entry->issuer, "crl", "crl", &like, &der, error);
}

bool sg_publish_all(struct sg_desk *desk, struct sg_error *error)
{
    for (size_t i = 0; i < desk->num_issuers; i++) {
        struct sg_desk_issuer *entry = &desk->issuers[i];

        if (!publish_certificate(desk, entry->issuer, error) ||
            (entry->signs_crls && !publish_crl(desk, entry, error)))
            return false;
    }
    return sg_est_publish(desk, error);
}

static bool is_due(const struct sg_desk_issuer *entry, int64_t generation, int64_t now)
{
    return now >= entry->renew_crl ||
           (generation != entry->generation && now >= entry->made_crl + PAUSE_S);
}

/* Half way to its end, or when anything was revoked or released since, by whichever process. */
bool sg_publish_what_is_due(struct sg_desk *desk, struct sg_error *error)
{
    const int64_t now = sg_clock_now(&desk->issuing.clock);
    int64_t generation = 0;

    if (!sg_store_status_generation(sg_home_store(desk->home), &generation, error))
        return false;
    for (size_t i = 0; i < desk->num_issuers; i++) {
        struct sg_desk_issuer *entry = &desk->issuers[i];

        if (!entry->signs_crls || !is_due(entry, generation, now))
            continue;
        if (!publish_crl(desk, entry, error))
            return false;
        desk->wake_door(desk->wake_context);
    }
    return true;
}

static bool add_gauge(struct sg_buf *text, const char *name, const char *issuer, int64_t value,
                      struct sg_error *error)
{
    return sg_buf_printf(text, SG_LIMIT_BODY, error, "%s{issuer=\"%s\"} %lld\n", name, issuer,
                         (long long)value);
}

static int64_t crl_this_update(const struct sg_desk_issuer *entry)
{
    return entry->made_crl;
}

static int64_t crl_next_update(const struct sg_desk_issuer *entry)
{
    return entry->next_update;
}

static int64_t issuer_not_after(const struct sg_desk_issuer *entry)
{
    return entry->issuer->facts.not_after;
}

struct gauge {
    const char *name;
    bool of_crl;
    int64_t (*value)(const struct sg_desk_issuer *entry);
};

static const struct gauge GAUGES[] = {
    {"signet_crl_this_update_seconds", true, crl_this_update},
    {"signet_crl_next_update_seconds", true, crl_next_update},
    {"signet_issuer_not_after_seconds", false, issuer_not_after},
};

static bool add_gauges(struct sg_desk *desk, const struct gauge *gauge, struct sg_buf *text,
                       struct sg_error *error)
{
    const char *name = gauge->name;

    if (!sg_buf_printf(text, SG_LIMIT_BODY, error, "# TYPE %s gauge\n", name))
        return false;
    for (size_t i = 0; i < desk->num_issuers; i++) {
        const struct sg_desk_issuer *entry = &desk->issuers[i];

        if ((!gauge->of_crl || entry->signs_crls) &&
            !add_gauge(text, name, entry->issuer->entry->name, gauge->value(entry), error))
            return false;
    }
    return true;
}

bool sg_figures_of_desk(struct sg_desk *desk, struct sg_buf *text, struct sg_error *error)
{
    const struct sg_board_state state = sg_board_look(desk->board);

    if (!sg_figures_write(&desk->figures, text, error) ||
        !sg_buf_printf(text, SG_LIMIT_BODY, error,
                       "# TYPE signet_queue_waiting gauge\nsignet_queue_waiting %zu\n"
                       "# TYPE signet_queue_under_way gauge\nsignet_queue_under_way %zu\n",
                       state.num_waiting, state.num_under_way) ||
        !sg_teller_figures(desk->teller, text, error) ||
        !sg_tokens_figures(desk->home, text, error))
        return false;
    for (size_t i = 0; i < sizeof GAUGES / sizeof GAUGES[0]; i++)
        if (!add_gauges(desk, &GAUGES[i], text, error))
            return false;
    return true;
}
