#include "chain.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "cert/cert.h"
#include "model/name.h"

enum { SUBJECT_SIZE = 160 };

/* How messages call a certificate. */
static const char *subject_text(const X509 *certificate, char into[SUBJECT_SIZE])
{
    sg_auto(sg_name) struct sg_name name = {0};

    if (!sg_name_decode(X509_get_subject_name(certificate), "subject", &name, NULL))
        return "a certificate with a strange subject";
    return sg_name_text(&name, into, SUBJECT_SIZE);
}

static bool push(sg_chain *chain, X509 **certificate, struct sg_error *error)
{
    if (sk_X509_push(chain, *certificate) <= 0)
        return sg_fail_memory(error);
    *certificate = NULL; /* the chain owns it now */
    return true;
}

/* The next certificate of a PEM file; done at its end. */
static bool read_block(BIO *file, const char *path, sg_chain *chain, bool *done,
                       struct sg_error *error)
{
    sg_auto(openssl_bytes) char *label = NULL;
    sg_auto(openssl_bytes) char *header = NULL;
    sg_auto(openssl_bytes) uint8_t *data = NULL;
    sg_auto(X509) X509 *certificate = NULL;
    long len = 0;

    *done = false;
    if (!PEM_read_bio(file, &label, &header, &data, &len)) {
        *done = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
        if (!*done)
            return sg_fail_openssl(error, SG_INVALID, "RFC 7468 2", "%s: a PEM block can't be read",
                                   path);
        ERR_clear_error();
        return true;
    }
    return sg_cert_read(sg_slice_of(data, (size_t)len), path, &certificate, error) &&
           push(chain, &certificate, error);
}

static bool read_blocks(struct sg_slice text, const char *path, sg_chain *chain,
                        struct sg_error *error)
{
    sg_auto(BIO) BIO *file = BIO_new_mem_buf(text.data, (int)text.len);
    int before = sk_X509_num(chain);
    bool done = false;

    if (file == NULL)
        return sg_fail_memory(error);
    while (!done)
        if (!read_block(file, path, chain, &done, error))
            return false;
    if (sk_X509_num(chain) == before)
        return sg_fail(error, SG_INVALID, "RFC 7468 5", "%s has no certificate in PEM", path);
    return true;
}

bool sg_chain_read(const char *path, sg_chain *chain, struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf text = {0};
    struct sg_error why = {0};

    if (sg_file_read(path, SG_LIMIT_CHAIN * SG_LIMIT_CERTIFICATE, &text, &why) &&
        read_blocks(sg_buf_slice(&text), path, chain, &why))
        return true;
    if (why.code == SG_MALFORMED)
        why.code = SG_INVALID; /* the operator's file, not somebody's request */
    if (error != NULL && error->code == SG_OK)
        *error = why;
    return false;
}

bool sg_chain_check_ca(X509 *certificate, struct sg_error *error)
{
    static const uint32_t NEEDED = KU_KEY_CERT_SIGN | KU_CRL_SIGN;
    char subject[SUBJECT_SIZE];
    const char *who = subject_text(certificate, subject);
    uint32_t flags = X509_get_extension_flags(certificate);

    if (flags & EXFLAG_INVALID)
        return sg_fail_openssl(error, SG_REFUSED, "RFC 5280 4.2",
                               "%s: an extension can't be read, or is there twice", who);
    if (!(flags & EXFLAG_CA))
        return sg_fail(error, SG_REFUSED, "RFC 5280 4.2.1.9",
                       "%s is no CA certificate: basicConstraints does not say CA:TRUE", who);
    /* All bits are set when there is no keyUsage, but RFC 5280 wants one in a CA certificate. */
    if (!(flags & EXFLAG_KUSAGE))
        return sg_fail(error, SG_REFUSED, "RFC 5280 4.2.1.3", "%s has no keyUsage", who);
    if ((X509_get_key_usage(certificate) & NEEDED) != NEEDED)
        return sg_fail(error, SG_REFUSED, "RFC 5280 4.2.1.3",
                       "%s may not sign certificates and CRLs: keyUsage needs both keyCertSign and "
                       "cRLSign",
                       who);
    return true;
}

static bool check_step(X509 *subject, X509 *issuer, struct sg_error *error)
{
    char below[SUBJECT_SIZE], above[SUBJECT_SIZE];
    int verdict = X509_check_issued(issuer, subject);

    if (verdict == X509_V_OK)
        return true;
    return sg_fail(error, SG_REFUSED, "RFC 5280 6.1",
                   "%s was not issued by %s (%s); the chain goes from the issuer's issuer up to "
                   "the root, one step after the other",
                   subject_text(subject, below), subject_text(issuer, above),
                   X509_verify_cert_error_string(verdict));
}

bool sg_chain_is_root(X509 *certificate)
{
    return X509_check_issued(certificate, certificate) == X509_V_OK;
}

bool sg_chain_check_steps(X509 *certificate, sg_chain *chain, struct sg_error *error)
{
    char subject[SUBJECT_SIZE];
    int num = sk_X509_num(chain);
    X509 *below = certificate;

    if (num > SG_LIMIT_CHAIN)
        return sg_fail(error, SG_REFUSED, NULL, "a chain of more than %d certificates",
                       SG_LIMIT_CHAIN);
    for (int i = 0; i < num; below = sk_X509_value(chain, i++)) {
        if (sg_chain_is_root(below))
            return sg_fail(error, SG_REFUSED, "RFC 5280 6.1",
                           "%s is self-signed: no chain goes on above it",
                           subject_text(below, subject));
        if (!check_step(below, sk_X509_value(chain, i), error))
            return false;
    }
    if (!sg_chain_is_root(below))
        return sg_fail(error, SG_REFUSED, "RFC 5280 6.1",
                       "the chain ends at %s, which is not self-signed: give it up to the root",
                       subject_text(below, subject));
    return true;
}

/* What is certified here will certify others, so each CA above has one more below it than the
 * certificates show. Certificates that are issued to oneself don't count (RFC 5280 4.2.1.9). */
static bool check_path_lengths(X509 *certificate, sg_chain *chain, struct sg_error *error)
{
    char subject[SUBJECT_SIZE];
    long below = sg_chain_is_root(certificate) ? 0 : 1;

    for (int i = 0; i < sk_X509_num(chain); i++) {
        X509 *above = sk_X509_value(chain, i);
        long allowed = X509_get_pathlen(above);

        if (allowed >= 0 && allowed < below)
            return sg_fail(
                error, SG_REFUSED, "RFC 5280 4.2.1.9",
                "%s has pathlen %ld, and %ld CA(s) below it would be in the way of every "
                "certificate",
                subject_text(above, subject), allowed, below);
        below += sg_chain_is_root(above) ? 0 : 1;
    }
    return true;
}

SG_DEFINE_CLEANUP(X509_STORE, X509_STORE_free)
SG_DEFINE_CLEANUP(X509_STORE_CTX, X509_STORE_CTX_free)

static bool fail_as_verified(X509_STORE_CTX *context, X509 *certificate, struct sg_error *error)
{
    X509 *at = X509_STORE_CTX_get_current_cert(context);
    char subject[SUBJECT_SIZE];

    return sg_fail(error, SG_REFUSED, "RFC 5280 6.1", "%s: %s",
                   subject_text(at != NULL ? at : certificate, subject),
                   X509_verify_cert_error_string(X509_STORE_CTX_get_error(context)));
}

bool sg_chain_verify(X509 *certificate, sg_chain *chain, int64_t now, struct sg_error *error)
{
    sg_auto(X509_STORE) X509_STORE *trusted = X509_STORE_new();
    sg_auto(X509_STORE_CTX) X509_STORE_CTX *context = X509_STORE_CTX_new();
    int num = sk_X509_num(chain);
    X509 *root = num > 0 ? sk_X509_value(chain, num - 1) : certificate;

    if (!check_path_lengths(certificate, chain, error))
        return false;
    if (trusted == NULL || context == NULL || !X509_STORE_add_cert(trusted, root) ||
        !X509_STORE_CTX_init(context, trusted, certificate, chain))
        return sg_fail_openssl(error, SG_FAILED, NULL, "the chain can't be looked at");
    X509_STORE_CTX_set_time(context, 0, now);
    X509_STORE_CTX_set_flags(context, X509_V_FLAG_CHECK_SS_SIGNATURE);
    if (X509_verify_cert(context) != 1) {
        ERR_clear_error();
        return fail_as_verified(context, certificate, error);
    }
    return true;
}
