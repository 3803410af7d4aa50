#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "cert/cert.h"
#include "chain.h"
#include "home_parts.h"

/* ---- what has to hold ---- */

static bool read_chain(const struct sg_slice *ders, size_t num, sg_chain *chain,
                       struct sg_error *error)
{
    for (size_t i = 0; i < num; i++) {
        sg_auto(X509) X509 *certificate = NULL;
        char what[40];

        snprintf(what, sizeof what, "chain certificate %zu", i + 1);
        if (!sg_cert_read(ders[i], what, &certificate, error))
            return false;
        if (sk_X509_push(chain, certificate) <= 0)
            return sg_fail_memory(error);
        certificate = NULL; /* the chain owns it now */
    }
    return true;
}

static bool check_key(const struct sg_issuer *issuer, const X509 *certificate,
                      struct sg_error *error)
{
    sg_auto(sg_public_key) struct sg_public_key key = {0};

    if (!sg_public_key_of_certificate(certificate, &key, error))
        return false;
    if (!sg_public_key_equal(&key, sg_signer_public_key(issuer->signer)))
        return sg_fail(error, SG_REFUSED, "issuer key",
                       "the certificate is for another key than %s on token %s, which is that of "
                       "issuer %s",
                       issuer->entry->key, issuer->entry->token, issuer->entry->name);
    return true;
}

static bool check_in_force(const X509 *certificate, int64_t now, struct sg_error *error)
{
    char begins[SG_TIME_TEXT_SIZE], ends[SG_TIME_TEXT_SIZE], clock[SG_TIME_TEXT_SIZE];
    int64_t not_before = 0, not_after = 0;

    if (!sg_cert_validity(certificate, &not_before, &not_after, error))
        return false;
    if (now >= not_before && now <= not_after)
        return true;
    return sg_fail(error, SG_REFUSED, "RFC 5280 4.1.2.5",
                   "the certificate is in force from %s to %s, and now it is %s",
                   sg_time_text(not_before, begins), sg_time_text(not_after, ends),
                   sg_time_text(now, clock));
}

static const char *name_text(const X509_NAME *encoded, char *into, size_t size)
{
    sg_auto(sg_name) struct sg_name name = {0};

    if (!sg_name_decode(encoded, "name", &name, NULL))
        snprintf(into, size, "(unreadable)");
    else
        sg_name_text(&name, into, size);
    return into;
}

static bool is_same_name(const X509_NAME *name, const X509_NAME *other)
{
    const uint8_t *der, *other_der;
    size_t len, other_len;

    return X509_NAME_get0_der(name, &der, &len) &&
           X509_NAME_get0_der(other, &other_der, &other_len) &&
           sg_slice_equal(sg_slice_of(der, len), sg_slice_of(other_der, other_len));
}

bool sg_home_check_issuer_name(struct sg_store *store, const struct sg_issuer *issuer,
                               const X509_NAME *subject, struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf der = {0};
    sg_auto(X509) X509 *latest = NULL;
    char old[160], new[160];
    bool found = false;

    if (!sg_store_latest_issued(store, issuer->id, &found, &der, error))
        return false;
    if (!found)
        return true;
    if (!sg_cert_read(sg_buf_slice(&der), "the store", &latest, error))
        return false;
    if (is_same_name(X509_get_issuer_name(latest), subject))
        return true;
    name_text(X509_get_issuer_name(latest), old, sizeof old);
    name_text(subject, new, sizeof new);
    return sg_fail(
        error, SG_REFUSED, "issuer name",
        "the key of issuer %s has issued under the name %s, and its CRLs must bear that; "
        "for %s%s add a new issuer with a key of its own to signet.yaml and set this "
        "one to status-only",
        issuer->entry->name, old, new, strcmp(old, new) == 0 ? " in another encoding" : "");
}

static bool check_certificate(struct sg_home *home, const struct sg_issuer *issuer,
                              struct sg_slice der, const struct sg_slice *chain_der,
                              size_t num_chain, int64_t now, struct sg_error *error)
{
    sg_auto(X509) X509 *certificate = NULL;
    sg_auto(sg_chain) sg_chain *chain = sk_X509_new_null();

    if (chain == NULL)
        return sg_fail_memory(error);
    return sg_cert_read(der, "the certificate", &certificate, error) &&
           check_key(issuer, certificate, error) &&
           sg_home_check_issuer_name(home->store, issuer, X509_get_subject_name(certificate),
                                     error) &&
           sg_chain_check_ca(certificate, error) && check_in_force(certificate, now, error) &&
           read_chain(chain_der, num_chain, chain, error) &&
           sg_chain_check_steps(certificate, chain, error) &&
           sg_chain_verify(certificate, chain, now, error);
}

/* ---- the files ---- */

/* A file to be put in place, and what was there before. */
struct placement {
    char *path;
    struct sg_buf pem, before;
    bool existed;
    bool stays; /* it holds these very certificates */
};

/* The chain's files and the certificate's, which comes last: with it the issuer is ready. */
struct placements {
    struct placement *items;
    size_t num;
};

static void placements_done(struct placements *placements)
{
    for (size_t i = 0; i < placements->num; i++) {
        free(placements->items[i].path);
        sg_buf_free(&placements->items[i].pem);
        sg_buf_free(&placements->items[i].before);
    }
    free(placements->items);
}
SG_DEFINE_CLEANUP_IN_PLACE(placements, placements_done)

static bool append_pem(struct placement *placement, struct sg_slice der, struct sg_error *error)
{
    return sg_cert_pem(der, "CERTIFICATE", &placement->pem, error);
}

/* The nth of the chain's files has the nth certificate, the last one all that are left. */
static bool plan_chain(const struct sg_home *home, const struct sg_issuer_entry *entry,
                       const struct sg_slice *ders, size_t num, struct placements *placements,
                       struct sg_error *error)
{
    size_t num_files = entry->num_chain > 0 ? entry->num_chain : 1;

    if (entry->num_chain > num)
        return sg_fail(error, SG_REFUSED, "issuer chain",
                       "signet.yaml names %zu chain file(s) for issuer %s, but the chain has %zu "
                       "certificate(s)",
                       entry->num_chain, entry->name, num);
    for (size_t i = 0; i < num; i++) {
        size_t file = i < num_files ? i : num_files - 1;
        struct placement *placement = &placements->items[file];

        if (placement->path == NULL &&
            (entry->num_chain == 0
                 ? !sg_home_chain_file(home, entry, &placement->path, error)
                 : !sg_path_join(home->dir, entry->chain[file], &placement->path, error)))
            return false;
        placements->num = file + 1;
        if (!append_pem(placement, ders[i], error))
            return false;
    }
    return true;
}

static bool plan_certificate(const struct sg_home *home, const struct sg_issuer_entry *entry,
                             struct sg_slice der, struct placements *placements,
                             struct sg_error *error)
{
    struct placement *placement = &placements->items[placements->num++];

    return sg_path_join(home->dir, entry->certificate, &placement->path, error) &&
           append_pem(placement, der, error);
}

/* A chain file may be shared, such as the root's; then it is not one issuer's to change. */
static bool check_not_shared(const struct sg_home *home, const struct sg_issuer_entry *entry,
                             const struct placement *placement, struct sg_error *error)
{
    for (size_t i = 0; i < home->config.num_issuers; i++) {
        const struct sg_issuer_entry *other = &home->config.issuers[i];

        for (size_t file = 0; other != entry && file < other->num_chain; file++) {
            sg_auto(malloc) char *path = NULL;

            if (!sg_path_join(home->dir, other->chain[file], &path, error))
                return false;
            if (strcmp(path, placement->path) == 0)
                return sg_fail(error, SG_REFUSED, "issuer chain",
                               "%s holds another certificate, which issuer %s needs in its chain; "
                               "give this chain a file of its own in signet.yaml",
                               path, other->name);
        }
    }
    return true;
}

/* Before the first file is touched: may this one be placed? */
static bool check_placement(const struct sg_home *home, const struct sg_issuer_entry *entry,
                            bool is_chain, bool replace, struct placement *placement,
                            struct sg_error *error)
{
    struct stat status;

    placement->existed = lstat(placement->path, &status) == 0;
    if (!placement->existed)
        return sg_file_check_target(placement->path, SG_KEEP_EXISTING, error);
    if (!sg_file_read(placement->path, (SG_LIMIT_CHAIN + 1) * SG_LIMIT_CERTIFICATE,
                      &placement->before, error))
        return false;
    placement->stays =
        is_chain && sg_slice_equal(sg_buf_slice(&placement->before), sg_buf_slice(&placement->pem));
    if (placement->stays)
        return true;
    return (replace || sg_file_check_target(placement->path, SG_KEEP_EXISTING, error)) &&
           check_not_shared(home, entry, placement, error);
}

static bool check_placements(const struct sg_home *home, const struct sg_issuer_entry *entry,
                             struct placements *placements, bool replace, struct sg_error *error)
{
    for (size_t i = 0; i < placements->num; i++)
        if (!check_placement(home, entry, i + 1 < placements->num, replace, &placements->items[i],
                             error))
            return false;
    return true;
}

/* Puts back what was there. */
static void restore(const struct placement *placement, struct sg_error *error)
{
    bool is_restored =
        placement->stays ||
        (placement->existed ? sg_file_write(placement->path, sg_buf_slice(&placement->before), 0644,
                                            SG_REPLACE_EXISTING, NULL)
                            : unlink(placement->path) == 0);

    if (!is_restored)
        sg_error_prefix(error, "%s could not be put back", placement->path);
}

static bool place(const struct placements *placements, bool replace, struct sg_error *error)
{
    enum sg_overwrite overwrite = replace ? SG_REPLACE_EXISTING : SG_KEEP_EXISTING;

    for (size_t i = 0; i < placements->num; i++) {
        const struct placement *placement = &placements->items[i];

        if (placement->stays ||
            sg_file_write(placement->path, sg_buf_slice(&placement->pem), 0644, overwrite, error))
            continue;
        while (i-- > 0)
            restore(&placements->items[i], error);
        return false;
    }
    return true;
}

bool sg_home_set_certificate(struct sg_home *home, const char *name, struct sg_slice der,
                             const struct sg_slice *chain_der, size_t num_chain, bool replace,
                             int64_t now, struct sg_error *error)
{
    sg_auto(placements) struct placements placements = {0};
    struct sg_issuer *issuer = NULL;

    if (!sg_home_issuer(home, name, SG_ISSUER_TO_CERTIFY, &issuer, error) ||
        !check_certificate(home, issuer, der, chain_der, num_chain, now, error))
        return false;
    placements.items = calloc(num_chain + 1, sizeof *placements.items);
    if (placements.items == NULL)
        return sg_fail_memory(error);
    return plan_chain(home, issuer->entry, chain_der, num_chain, &placements, error) &&
           plan_certificate(home, issuer->entry, der, &placements, error) &&
           check_placements(home, issuer->entry, &placements, replace, error) &&
           place(&placements, replace, error);
}
