/* CRLs that were published after a backup. */
#include <string.h>

#include "backup_parts.h"
#include "base/limits.h"
#include "cert/cert.h"
#include "cert/crl.h"
#include "model/key.h"

void sg_known_crl_done(struct sg_known_crl *crl)
{
    X509_CRL_free(crl->crl);
    sg_buf_free(&crl->der);
    sg_buf_free(&crl->to_be_signed);
    *crl = (struct sg_known_crl){0};
}

static bool read_moment(const ASN1_TIME *time, int64_t *moment)
{
    struct tm tm;

    if (time == NULL || ASN1_TIME_to_tm(time, &tm) != 1)
        return false;
    *moment = timegm(&tm);
    return true;
}

/* ---- whose it is ---- */

/* Only its issuer's key says what it revokes: the name alone could be anybody's. */
static bool is_issued_by(X509_CRL *crl, X509 *certificate)
{
    EVP_PKEY *key = X509_get0_pubkey(certificate);

    return X509_NAME_cmp(X509_CRL_get_issuer(crl), X509_get_subject_name(certificate)) == 0 &&
           key != NULL && X509_CRL_verify(crl, key) == 1;
}

static bool try_issuer(const char *folder, const struct sg_issuer_entry *entry,
                       struct sg_known_crl *known, bool *found, struct sg_error *error)
{
    sg_auto(malloc) char *path = NULL;
    sg_auto(sg_buf) struct sg_buf bytes = {0};
    sg_auto(X509) X509 *certificate = NULL;
    sg_auto(sg_public_key) struct sg_public_key key = {0};

    *found = false;
    if (!sg_path_join(folder, entry->certificate, &path, error))
        return false;
    if (!sg_file_read(path, SG_LIMIT_CERTIFICATE, &bytes, NULL) ||
        !sg_cert_read(sg_buf_slice(&bytes), path, &certificate, NULL) ||
        !is_issued_by(known->crl, certificate))
        return true;
    if (!sg_public_key_of_certificate(certificate, &key, error))
        return false;
    memcpy(known->spki_sha256, key.sha256, sizeof known->spki_sha256);
    known->issuer = entry->name;
    *found = true;
    return true;
}

static bool find_issuer(const char *path, const char *folder, const struct sg_config *config,
                        struct sg_known_crl *known, struct sg_error *error)
{
    bool found = false;

    for (size_t i = 0; i < config->num_issuers; i++) {
        if (!try_issuer(folder, &config->issuers[i], known, &found, error))
            return false;
        if (found)
            return true;
    }
    return sg_fail(error, SG_REFUSED, "CRL issuer",
                   "%s: none of the home's issuers has signed this CRL: %s", path,
                   config->num_issuers == 1 ? config->issuers[0].name : "see signet.yaml");
}

/* ---- what it says ---- */

static bool read_number(struct sg_known_crl *known, const char *path, struct sg_error *error)
{
    sg_auto(ASN1_INTEGER) ASN1_INTEGER *number =
        X509_CRL_get_ext_d2i(known->crl, NID_crl_number, NULL, NULL);

    if (X509_CRL_get_ext_by_NID(known->crl, NID_delta_crl, -1) >= 0 ||
        X509_CRL_get_ext_by_NID(known->crl, NID_issuing_distribution_point, -1) >= 0)
        return sg_fail(error, SG_REFUSED, "RFC 5280 5.2",
                       "%s: it tells only a part of what is revoked: name a whole CRL", path);
    if (number == NULL || !ASN1_INTEGER_get_uint64(&known->number, number) ||
        known->number > INT64_MAX / 2)
        return sg_fail(error, SG_REFUSED, "RFC 5280 5.2.3",
                       "%s: its cRLNumber is missing or is none of Signet's", path);
    return (read_moment(X509_CRL_get0_lastUpdate(known->crl), &known->this_update) &&
            read_moment(X509_CRL_get0_nextUpdate(known->crl), &known->next_update)) ||
           sg_fail(error, SG_REFUSED, "RFC 5280 5.1.2", "%s: it has no times", path);
}

static bool copy_bytes(struct sg_known_crl *known, struct sg_error *error)
{
    sg_auto(openssl_bytes) unsigned char *der = NULL;
    sg_auto(openssl_bytes) unsigned char *tbs = NULL;
    const int len = i2d_X509_CRL(known->crl, &der);
    const int tbs_len = i2d_re_X509_CRL_tbs(known->crl, &tbs);

    return len > 0 && tbs_len > 0
               ? sg_buf_set(&known->der, sg_slice_of(der, (size_t)len), error) &&
                     sg_buf_set(&known->to_be_signed, sg_slice_of(tbs, (size_t)tbs_len), error)
               : sg_fail_openssl(error, SG_INTERNAL, NULL, "a CRL could not be encoded");
}

bool sg_known_crl_read(const char *path, const char *folder, const struct sg_config *config,
                       struct sg_known_crl *crl, struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf bytes = {0};
    sg_auto(sg_known_crl) struct sg_known_crl known = {0};

    if (!sg_file_read(path, SG_LIMIT_CRL, &bytes, error) ||
        !sg_crl_read(sg_buf_slice(&bytes), path, &known.crl, error) || !copy_bytes(&known, error) ||
        !find_issuer(path, folder, config, &known, error) || !read_number(&known, path, error))
        return false;
    *crl = known;
    known = (struct sg_known_crl){0};
    return true;
}

/* ---- keeping it ---- */

static bool read_reason(const X509_REVOKED *entry, enum sg_reason *reason)
{
    int critical = -1;
    ASN1_ENUMERATED *coded = X509_REVOKED_get_ext_d2i(entry, NID_crl_reason, &critical, NULL);
    const long value = coded != NULL ? ASN1_ENUMERATED_get(coded) : SG_REASON_UNSPECIFIED;

    ASN1_ENUMERATED_free(coded);
    *reason = (enum sg_reason)value;
    return (critical == -1 || critical == 0) && value >= 0 && value <= SG_REASON_AA_COMPROMISE &&
           value != 7 && value != SG_REASON_REMOVE_FROM_CRL;
}

static bool read_serial(const X509_REVOKED *entry, struct sg_serial *serial, struct sg_error *error)
{
    sg_auto(BIGNUM) BIGNUM *number =
        ASN1_INTEGER_to_BN(X509_REVOKED_get0_serialNumber(entry), NULL);
    sg_auto(openssl_bytes) char *hex = number != NULL ? BN_bn2hex(number) : NULL;

    return hex != NULL ? sg_serial_parse(hex, serial, error) : sg_fail_memory(error);
}

static bool keep_entry(const struct sg_known_crl *crl, const X509_REVOKED *entry,
                       struct sg_store *store, struct sg_load_kept *kept, struct sg_error *error)
{
    struct sg_revoked revoked = {0};

    if (!read_reason(entry, &revoked.reason))
        revoked.reason = SG_REASON_UNSPECIFIED;
    if (!read_moment(X509_REVOKED_get0_revocationDate(entry), &revoked.revoked))
        return sg_fail(error, SG_MALFORMED, "RFC 5280 5.1.2.6",
                       "an entry of the CRL of %s has no date", crl->issuer);
    return read_serial(entry, &revoked.serial, error) &&
           sg_load_keep_revoked(store, crl->spki_sha256, &revoked, kept, error);
}

bool sg_known_crl_keep(const struct sg_known_crl *crl, struct sg_store *store,
                       struct sg_load_kept *kept, struct sg_error *error)
{
    const struct sg_stored_crl stored = {
        .number = crl->number,
        .this_update = crl->this_update,
        .next_update = crl->next_update,
        .der = sg_buf_slice(&crl->der),
    };
    STACK_OF(X509_REVOKED) *entries = X509_CRL_get_REVOKED(crl->crl);

    if (!sg_load_keep_crl(store, crl->issuer, crl->spki_sha256, &stored,
                          sg_buf_slice(&crl->to_be_signed), error))
        return false;
    for (int i = 0; i < sk_X509_REVOKED_num(entries); i++)
        if (!keep_entry(crl, sk_X509_REVOKED_value(entries, i), store, kept, error))
            return false;
    return true;
}
