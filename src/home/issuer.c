#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "cert/cert.h"
#include "chain.h"
#include "config_parts.h"
#include "home_parts.h"

static bool fail_as_choice(const struct sg_home *home, const char *problem, struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf list = {0};

    for (size_t i = 0; i < home->config.num_issuers; i++)
        if (!sg_buf_printf(&list, SG_LIMIT_YAML, error, "%s%s", i > 0 ? ", " : "",
                           home->config.issuers[i].name))
            return false;
    return sg_fail(error, SG_USAGE, NULL, "%s; signet.yaml has: %s", problem,
                   (const char *)list.data);
}

static bool find_active(const struct sg_home *home, size_t *index, struct sg_error *error)
{
    size_t num = 0, found = 0;

    for (size_t i = 0; i < home->config.num_issuers; i++)
        if (home->config.issuers[i].state == SG_ISSUER_ACTIVE) {
            found = i;
            num++;
        }
    if (num != 1)
        return fail_as_choice(home,
                              num == 0 ? "no issuer is active; name one"
                                       : "several issuers are active; name one",
                              error);
    *index = found;
    return true;
}

bool sg_home_find_issuer(const struct sg_home *home, const char *name, size_t *index,
                         struct sg_error *error)
{
    char problem[160];

    if (name == NULL)
        return find_active(home, index, error);
    for (size_t i = 0; i < home->config.num_issuers; i++)
        if (strcmp(home->config.issuers[i].name, name) == 0) {
            *index = i;
            return true;
        }
    snprintf(problem, sizeof problem, "there is no issuer '%.100s'", name);
    return fail_as_choice(home, problem, error);
}

static bool check_state(const struct sg_issuer_entry *entry, enum sg_issuer_use use,
                        struct sg_error *error)
{
    if (use == SG_ISSUER_TO_READ || entry->state == SG_ISSUER_ACTIVE ||
        ((use == SG_ISSUER_TO_SIGN_CRLS || use == SG_ISSUER_TO_SIGN_RESPONDER) &&
         entry->state == SG_ISSUER_STATUS_ONLY))
        return true;
    return sg_fail(error, SG_REFUSED, "issuer state",
                   "issuer %s is %s in signet.yaml; it signs no %s", entry->name,
                   entry->state == SG_ISSUER_STATUS_ONLY ? "status-only" : "retired",
                   use == SG_ISSUER_TO_SIGN_CRLS ? "CRLs" : "certificates");
}

/* ---- certificate and chain ---- */

static bool fail_as_uncertified(const struct sg_home *home, const struct sg_issuer_entry *entry,
                                const char *path, struct sg_error *error)
{
    return sg_fail(error, SG_INVALID, NULL,
                   "issuer %s has no certificate yet (%s): `signet -C %s issuer self-sign %s "
                   "--subject NAME` makes it a root; `signet -C %s issuer csr %s --subject NAME`, "
                   "then `signet -C %s issuer import %s FILE`, puts it under another CA",
                   entry->name, path, home->dir, entry->name, home->dir, entry->name, home->dir,
                   entry->name);
}

/* The faults of a file that the operator put there are theirs to mend: SG_INVALID.
 * path     NULL when why names it. */
static bool fail_as_invalid(const struct sg_issuer_entry *entry, const char *path,
                            const struct sg_error *why, struct sg_error *error)
{
    return sg_fail(error, SG_INVALID, why->rule, "issuer %s%s%s: %s", entry->name,
                   path != NULL ? ", " : "", path != NULL ? path : "", why->text);
}

static bool read_certificate(const struct sg_home *home, const struct sg_issuer_entry *entry,
                             X509 **certificate, struct sg_error *error)
{
    sg_auto(malloc) char *path = NULL;
    sg_auto(sg_buf) struct sg_buf bytes = {0};
    sg_auto(X509) X509 *fresh = NULL;
    struct sg_error why = {0};

    if (!sg_path_join(home->dir, entry->certificate, &path, error))
        return false;
    if (!sg_file_read(path, SG_LIMIT_CERTIFICATE, &bytes, &why)) {
        if (why.code == SG_FAILED && why.detail == ENOENT)
            return fail_as_uncertified(home, entry, path, error);
        return fail_as_invalid(entry, NULL, &why, error);
    }
    if (!sg_cert_read(sg_buf_slice(&bytes), path, &fresh, &why))
        return fail_as_invalid(entry, NULL, &why, error);
    if (!sg_chain_check_ca(fresh, &why))
        return fail_as_invalid(entry, path, &why, error);
    *certificate = SG_TAKE(fresh);
    return true;
}

bool sg_home_chain_file(const struct sg_home *home, const struct sg_issuer_entry *entry,
                        char **path, struct sg_error *error)
{
    char name[SG_LIMIT_PATH];

    snprintf(name, sizeof name, "%s-chain.pem", entry->name);
    return sg_path_join(home->dir, name, path, error);
}

/* A chain that nobody named was put there by sg_home_set_certificate, or is not there. A root has
 * none, but the file of a certificate that it had before may be left. */
static bool read_unnamed_chain(const struct sg_home *home, const struct sg_issuer *issuer,
                               struct sg_error *error)
{
    sg_auto(malloc) char *path = NULL;

    if (sg_chain_is_root(issuer->facts.certificate))
        return true;
    if (!sg_home_chain_file(home, issuer->entry, &path, error))
        return false;
    if (access(path, F_OK) != 0 && errno == ENOENT)
        return sg_fail(error, SG_INVALID, NULL,
                       "%s is not there, which holds the certificates above %s up to the root: "
                       "`signet -C %s issuer import %s FILE --chain FILE` puts both in place, or "
                       "name them with `chain` in signet.yaml",
                       path, issuer->entry->certificate, home->dir, issuer->entry->name);
    return sg_chain_read(path, issuer->chain, error);
}

static bool read_chain(const struct sg_home *home, const struct sg_issuer *issuer,
                       struct sg_error *error)
{
    const struct sg_issuer_entry *entry = issuer->entry;

    if (entry->num_chain == 0)
        return read_unnamed_chain(home, issuer, error);
    for (size_t i = 0; i < entry->num_chain; i++) {
        sg_auto(malloc) char *path = NULL;

        if (!sg_path_join(home->dir, entry->chain[i], &path, error) ||
            !sg_chain_read(path, issuer->chain, error))
            return false;
    }
    return true;
}

static bool load_chain(const struct sg_home *home, struct sg_issuer *issuer, struct sg_error *error)
{
    struct sg_error why = {0};

    if (read_chain(home, issuer, &why) &&
        sg_chain_check_steps(issuer->facts.certificate, issuer->chain, &why))
        return true;
    return fail_as_invalid(issuer->entry, NULL, &why, error);
}

static bool load_certificate(const struct sg_home *home, struct sg_issuer *issuer,
                             struct sg_error *error)
{
    struct sg_issuer_facts *facts = &issuer->facts;
    struct sg_error why = {0};

    if (!read_certificate(home, issuer->entry, &facts->certificate, error))
        return false;
    facts->path_length = sg_cert_path_length(facts->certificate);
    if (sg_name_decode(X509_get_subject_name(facts->certificate), "subject", &issuer->subject,
                       NULL))
        facts->subject = &issuer->subject;
    if (!sg_cert_validity(facts->certificate, &facts->not_before, &facts->not_after, &why) ||
        !sg_public_key_of_certificate(facts->certificate, &facts->key, &why))
        return fail_as_invalid(issuer->entry, issuer->entry->certificate, &why, error);
    return load_chain(home, issuer, error);
}

/* ---- key and signer ---- */

bool sg_home_borrow_token(struct sg_home *home, const char *name, struct sg_token **token,
                          struct sg_error *error)
{
    size_t i = 0;

    /* sg_config_load made sure that the name is there. */
    while (strcmp(home->config.tokens[i].name, name) != 0)
        i++;
    if (home->tokens[i] == NULL && !sg_home_token(home, name, &home->tokens[i], error))
        return false;
    *token = home->tokens[i];
    return true;
}

static bool open_signer(struct sg_home *home, const struct sg_issuer_entry *entry,
                        struct sg_signer **signer, struct sg_error *error)
{
    sg_auto(sg_key) struct sg_key key = {0};
    struct sg_token *token = NULL;

    if (!sg_home_borrow_token(home, entry->token, &token, error))
        return sg_error_prefix(error, "issuer %s", entry->name);
    if (!sg_key_find(token, entry->key, &key, error) || !sg_signer_open(token, &key, signer, error))
        return sg_error_prefix(error, "issuer %s, token %s", entry->name, entry->token);
    return true;
}

/* Gives an issuer that has its certificate the signer that belongs to it. */
static bool attach_signer(struct sg_home *home, struct sg_issuer *issuer, struct sg_error *error)
{
    const struct sg_issuer_entry *entry = issuer->entry;
    sg_auto(sg_signer) struct sg_signer *signer = NULL;

    if (issuer->signer != NULL)
        return true;
    if (!open_signer(home, entry, &signer, error))
        return false;
    if (!sg_public_key_equal(sg_signer_public_key(signer), &issuer->facts.key))
        return sg_fail(error, SG_TOKEN, "issuer key",
                       "issuer %s: %s on token %s is not the key of %s; put the certificate of "
                       "this key there, or name the right key in signet.yaml",
                       entry->name, entry->key, entry->token, entry->certificate);
    issuer->signer = SG_TAKE(signer);
    return true;
}

static bool take_token_key(struct sg_home *home, struct sg_issuer *issuer, struct sg_error *error)
{
    if (!open_signer(home, issuer->entry, &issuer->signer, error))
        return false;
    issuer->facts.not_after = SG_TIME_NEVER;
    issuer->facts.path_length = -1;
    return sg_public_key_decode(sg_buf_slice(&sg_signer_public_key(issuer->signer)->spki),
                                &issuer->facts.key, error);
}

static bool choose_scheme(const struct sg_home *home, size_t index, struct sg_issuer_facts *facts,
                          struct sg_error *error)
{
    enum sg_scheme wanted = home->config.issuers[index].scheme;
    char kind[SG_KEY_KIND_TEXT_SIZE];

    facts->scheme = wanted != SG_SCHEME_NONE ? wanted : sg_scheme_default(facts->key.kind);
    if (facts->scheme == SG_SCHEME_NONE)
        return sg_fail(error, SG_INVALID, "issuer key", "issuer %s: no signatures with a key of %s",
                       facts->name, sg_key_kind_text(facts->key.kind, kind));
    if (!sg_scheme_fits(facts->scheme, facts->key.kind))
        return sg_yaml_fail(home->config.document,
                            sg_config_issuer_node(&home->config, index, "signature"), error,
                            "signature: %s does not go with a key of %s; leave it out for %s",
                            sg_scheme_text(facts->scheme), sg_key_kind_text(facts->key.kind, kind),
                            sg_scheme_text(sg_scheme_default(facts->key.kind)));
    return true;
}

/* ---- the whole ---- */

static bool open_issuer(struct sg_home *home, size_t index, bool is_certified,
                        struct sg_issuer **issuer, struct sg_error *error)
{
    const struct sg_issuer_entry *entry = &home->config.issuers[index];
    sg_auto(sg_issuer) struct sg_issuer *fresh = calloc(1, sizeof *fresh);

    if (fresh == NULL || (fresh->chain = sk_X509_new_null()) == NULL)
        return sg_fail_memory(error);
    fresh->entry = entry;
    fresh->facts.name = entry->name;
    fresh->facts.crl_url = entry->crl_url;
    fresh->facts.ocsp_url = entry->ocsp_url;
    fresh->facts.ca_issuers_url = entry->ca_issuers_url;
    if (is_certified ? !load_certificate(home, fresh, error) : !take_token_key(home, fresh, error))
        return false;
    if (!choose_scheme(home, index, &fresh->facts, error) ||
        !sg_store_issuer(home->store, entry->name, fresh->facts.key.sha256, &fresh->id, error))
        return false;
    *issuer = SG_TAKE(fresh);
    return true;
}

bool sg_home_issuer(struct sg_home *home, const char *name, enum sg_issuer_use use,
                    struct sg_issuer **issuer, struct sg_error *error)
{
    bool is_certified = use != SG_ISSUER_TO_CERTIFY;
    struct sg_issuer **place;
    size_t index = 0;

    if (!sg_home_find_issuer(home, name, &index, error) ||
        !check_state(&home->config.issuers[index], use, error))
        return false;
    place = is_certified ? &home->issuers[index] : &home->certifying[index];
    if (*place == NULL && !open_issuer(home, index, is_certified, place, error))
        return false;
    if (use != SG_ISSUER_TO_READ && !attach_signer(home, *place, error))
        return false;
    *issuer = *place;
    return true;
}

void sg_issuer_free(struct sg_issuer *issuer)
{
    if (issuer == NULL)
        return;
    sg_signer_close(issuer->signer);
    sg_public_key_done(&issuer->facts.key);
    sg_name_done(&issuer->subject);
    X509_free(issuer->facts.certificate);
    sg_chain_free(issuer->chain);
    free(issuer);
}
