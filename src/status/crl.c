#include "cert/crl.h"
#include "status.h"

/* What the store's reading of the revocations fills. */
struct assembly {
    const struct sg_issuer_facts *issuer;
    struct sg_crl_draft *draft;
    size_t num_entries;
    struct sg_slice tbs;
};

static bool add_entry(void *context, const struct sg_revoked *revoked, struct sg_error *error)
{
    struct assembly *assembly = context;

    assembly->num_entries++;
    return sg_crl_draft_add(assembly->draft, &revoked->serial, revoked->revoked, revoked->reason,
                            error);
}

static bool finish(void *context, uint64_t number, struct sg_slice *to_be_signed,
                   struct sg_error *error)
{
    struct assembly *assembly = context;

    /* Linted inside the reservation: what fails here takes no number and never gets to the token.
     */
    if (!sg_crl_draft_finish(assembly->draft, number, &assembly->tbs, error) ||
        !sg_crl_lint(assembly->tbs, assembly->issuer, error))
        return false;
    *to_be_signed = assembly->tbs;
    return true;
}

static bool sign(struct sg_issuer *issuer, struct assembly *assembly, struct sg_buf *der,
                 struct sg_error *error)
{
    const struct sg_issuer_facts *facts = &issuer->facts;
    sg_auto(sg_buf) struct sg_buf signature = {0};

    return sg_signer_sign(issuer->signer, facts->scheme, assembly->tbs, &signature, error) &&
           sg_signer_check_signature(facts->scheme, &facts->key, assembly->tbs,
                                     sg_buf_slice(&signature), error) &&
           sg_crl_draft_attach(assembly->draft, sg_buf_slice(&signature), der, error);
}

/* After the issuer's end nobody believes its CRLs: what the setting says is cut there, and what was
 * asked for is refused. An issuer that has ended already makes what it is asked for. */
static bool choose_next_update(const struct sg_issuer *issuer, int64_t lifetime_s, int64_t now,
                               int64_t *next_update, struct sg_error *error)
{
    const int64_t end = issuer->facts.not_after > now ? issuer->facts.not_after : SG_TIME_NEVER;
    const int64_t wanted = lifetime_s > 0 ? lifetime_s : issuer->entry->crl_lifetime_s;
    char until[SG_TIME_TEXT_SIZE];

    if (wanted > end - now && lifetime_s > 0)
        return sg_fail(error, SG_USAGE, NULL,
                       "the CRL would be good for longer than its issuer: the certificate of %s "
                       "ends at %s; ask for a nextUpdate before that",
                       issuer->entry->name, sg_time_text(end, until));
    *next_update = wanted > end - now ? end : now + wanted;
    return true;
}

bool sg_status_crl(struct sg_home *home, struct sg_issuer *issuer, int64_t lifetime_s, int64_t now,
                   struct sg_buf *der, struct sg_crl_summary *summary, struct sg_error *error)
{
    struct sg_store *store = sg_home_store(home);
    sg_auto(sg_crl_draft) sg_crl_draft *draft = NULL;
    sg_auto(sg_buf) struct sg_buf crl = {0};
    int64_t next_update = 0;
    uint64_t number = 0;

    if (!choose_next_update(issuer, lifetime_s, now, &next_update, error) ||
        !sg_crl_draft_new(&issuer->facts, now, next_update, &draft, error))
        return false;
    struct assembly assembly = {.issuer = &issuer->facts, .draft = draft};
    const struct sg_crl_builder builder = {add_entry, finish, &assembly};
    if (!sg_store_reserve_crl(store, issuer->id, now, next_update, &builder, &number, error) ||
        !sign(issuer, &assembly, &crl, error) ||
        !sg_store_record_crl(store, issuer->id, number, sg_buf_slice(&crl), error))
        return false;
    sg_buf_free(der);
    *der = crl;
    crl = (struct sg_buf){0}; /* now the caller's */
    *summary = (struct sg_crl_summary){number, assembly.num_entries, now, next_update};
    return true;
}

/* ---- publishing ---- */

struct publication {
    sg_crl_writer *write;
    void *context;
    struct sg_crl_summary summary;
};

static bool publish(const struct sg_stored_crl *stored, void *context, struct sg_error *error)
{
    struct publication *publication = context;
    sg_auto(X509_CRL) X509_CRL *crl = NULL;

    if (!sg_crl_read(stored->der, "the store's CRL", &crl, error))
        return false;
    const STACK_OF(X509_REVOKED) *entries = X509_CRL_get_REVOKED(crl);
    publication->summary = (struct sg_crl_summary){
        .number = stored->number,
        .num_entries = entries != NULL ? (size_t)sk_X509_REVOKED_num(entries) : 0,
        .this_update = stored->this_update,
        .next_update = stored->next_update,
    };
    return publication->write(stored->der, publication->context, error);
}

bool sg_status_publish_crl(struct sg_home *home, const struct sg_issuer *issuer,
                           sg_crl_writer *write, void *context, struct sg_crl_summary *summary,
                           struct sg_error *error)
{
    struct publication publication = {.write = write, .context = context};

    if (!sg_store_publish_crl(sg_home_store(home), issuer->id, publish, &publication, error))
        return false;
    *summary = publication.summary;
    return true;
}
