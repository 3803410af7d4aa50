#include "enroll.h"

#include <openssl/pkcs7.h>
#include <openssl/x509v3.h>

#include "request/request.h"

static bool fail(struct sg_error *error, const char *what)
{
    return sg_fail_openssl(error, SG_INTERNAL, "RFC 2986 4.1", "%s could not be encoded", what);
}

static bool set_subject(X509_REQ *csr, const struct sg_name *subject, struct sg_error *error)
{
    sg_auto(X509_NAME) X509_NAME *name = NULL;

    return sg_name_encode(subject, &name, error) &&
           (X509_REQ_set_subject_name(csr, name) == 1 || fail(error, "the subject"));
}

static bool set_key(X509_REQ *csr, const struct sg_public_key *key, struct sg_error *error)
{
    return X509_REQ_set_pubkey(csr, key->pkey) == 1 || fail(error, "the public key");
}

/* Adds value, an object of OpenSSL's, as the extension that nid names. */
static bool add_extension(X509_EXTENSIONS **extensions, int nid, bool critical, void *value,
                          struct sg_error *error)
{
    return X509V3_add1_i2d(extensions, nid, value, critical, X509V3_ADD_DEFAULT) == 1 ||
           fail(error, OBJ_nid2sn(nid));
}

static bool ask_for_sans(X509_EXTENSIONS **extensions, const struct sg_csr_spec *spec,
                         struct sg_error *error)
{
    sg_auto(GENERAL_NAMES) GENERAL_NAMES *names = NULL;

    if (spec->sans == NULL || spec->sans->num == 0)
        return true;
    return sg_sans_encode(spec->sans, &names, error) &&
           add_extension(extensions, NID_subject_alt_name, spec->subject->num == 0, names, error);
}

static bool ask_for_ca(X509_EXTENSIONS **extensions, const struct sg_csr_spec *spec,
                       struct sg_error *error)
{
    sg_auto(BASIC_CONSTRAINTS) BASIC_CONSTRAINTS *constraints = NULL;

    if (!spec->ca)
        return true;
    if ((constraints = BASIC_CONSTRAINTS_new()) == NULL)
        return sg_fail_memory(error);
    constraints->ca = 0xFF;
    return add_extension(extensions, NID_basic_constraints, true, constraints, error);
}

static bool ask_for_key_usage(X509_EXTENSIONS **extensions, const struct sg_csr_spec *spec,
                              struct sg_error *error)
{
    sg_auto(ASN1_STRING) ASN1_BIT_STRING *bits = NULL;

    if (spec->key_usage == 0)
        return true;
    if ((bits = ASN1_BIT_STRING_new()) == NULL)
        return sg_fail_memory(error);
    for (int bit = 0; bit < 9; bit++)
        if ((spec->key_usage & (1u << bit)) != 0 && ASN1_BIT_STRING_set_bit(bits, bit, 1) != 1)
            return sg_fail_memory(error);
    return add_extension(extensions, NID_key_usage, true, bits, error);
}

static bool ask_for_purposes(X509_EXTENSIONS **extensions, const struct sg_csr_spec *spec,
                             struct sg_error *error)
{
    sg_auto(EXTENDED_KEY_USAGE) EXTENDED_KEY_USAGE *purposes = NULL;

    if (spec->purposes == NULL || spec->purposes->num == 0)
        return true;
    if ((purposes = sk_ASN1_OBJECT_new_null()) == NULL)
        return sg_fail_memory(error);
    for (size_t i = 0; i < spec->purposes->num; i++) {
        sg_auto(ASN1_OBJECT) ASN1_OBJECT *purpose = OBJ_txt2obj(spec->purposes->items[i], 1);
        if (purpose == NULL || sk_ASN1_OBJECT_push(purposes, purpose) <= 0)
            return fail(error, "a key purpose");
        (void)SG_TAKE(purpose); /* purposes owns it now */
    }
    return add_extension(extensions, NID_ext_key_usage, false, purposes, error);
}

static bool ask_for_extensions(X509_REQ *csr, const struct sg_csr_spec *spec,
                               struct sg_error *error)
{
    sg_auto(X509_EXTENSIONS) X509_EXTENSIONS *extensions = NULL;

    if (!ask_for_ca(&extensions, spec, error) || !ask_for_key_usage(&extensions, spec, error) ||
        !ask_for_purposes(&extensions, spec, error) || !ask_for_sans(&extensions, spec, error))
        return false;
    return extensions == NULL || X509_REQ_add_extensions(csr, extensions) == 1 ||
           fail(error, "the extension request");
}

/* AES-256-CBC is what opens it; RFC 8551 2.5.2 has the list. */
static bool add_capabilities(X509_REQ *csr)
{
    STACK_OF(X509_ALGOR) *list = sk_X509_ALGOR_new_null();
    sg_auto(openssl_bytes) uint8_t *der = NULL;
    int len = -1;

    if (list != NULL && PKCS7_simple_smimecap(list, NID_aes_256_cbc, -1) == 1)
        len = i2d_X509_ALGORS(list, &der);
    sk_X509_ALGOR_pop_free(list, X509_ALGOR_free);
    return len > 0 &&
           X509_REQ_add1_attr_by_NID(csr, NID_SMIMECapabilities, V_ASN1_SEQUENCE, der, len) == 1;
}

static bool ask_for_delivery(X509_REQ *csr, const struct sg_csr_spec *spec, struct sg_error *error)
{
    static const char ASYMMETRIC_DECRYPT_KEY_ID[] = "1.2.840.113549.1.9.16.2.54";
    const ASN1_OCTET_STRING *id;

    if (spec->deliver_to == NULL)
        return true;
    if ((id = X509_get0_subject_key_id(spec->deliver_to)) == NULL)
        return sg_fail(error, SG_REFUSED, "RFC 7030 4.4.1.2",
                       "the certificate that the key is to be encrypted to has no "
                       "subjectKeyIdentifier, by which it is named");
    return (X509_REQ_add1_attr_by_txt(csr, ASYMMETRIC_DECRYPT_KEY_ID, V_ASN1_OCTET_STRING,
                                      ASN1_STRING_get0_data(id), ASN1_STRING_length(id)) == 1 &&
            add_capabilities(csr)) ||
           fail(error, "where the key is to be delivered");
}

static bool encode_info(X509_REQ *csr, struct sg_buf *info, struct sg_error *error)
{
    sg_auto(openssl_bytes) unsigned char *bytes = NULL;
    int len = i2d_re_X509_REQ_tbs(csr, &bytes);

    if (len <= 0)
        return fail(error, "the request");
    return sg_buf_set(info, sg_slice_of(bytes, (size_t)len), error);
}

static bool attach(X509_REQ *csr, enum sg_scheme scheme, struct sg_slice signature,
                   struct sg_buf *der, struct sg_error *error)
{
    sg_auto(X509_ALGOR) X509_ALGOR *algorithm = NULL;
    sg_auto(ASN1_STRING) ASN1_BIT_STRING *bits = ASN1_BIT_STRING_new();
    sg_auto(openssl_bytes) unsigned char *bytes = NULL;

    if (bits == NULL || ASN1_BIT_STRING_set(bits, (unsigned char *)(uintptr_t)signature.data,
                                            (int)signature.len) != 1)
        return sg_fail_memory(error);
    bits->flags &= ~(ASN1_STRING_FLAG_BITS_LEFT | 0x07);
    bits->flags |=
        ASN1_STRING_FLAG_BITS_LEFT; /* no unused bits, also when the last octet is zero */
    if (!sg_scheme_algorithm(scheme, &algorithm, error))
        return false;
    if (X509_REQ_set1_signature_algo(csr, algorithm) != 1)
        return fail(error, "the signature algorithm");
    X509_REQ_set0_signature(csr, SG_TAKE(bits));
    int len = i2d_X509_REQ(csr, &bytes);
    if (len <= 0)
        return fail(error, "the request");
    return sg_buf_set(der, sg_slice_of(bytes, (size_t)len), error);
}

/* Asked before an intent is noted for a signature that can't be. */
static bool choose_scheme(const struct sg_public_key *key, const struct sg_csr_spec *spec,
                          enum sg_scheme *scheme, struct sg_error *error)
{
    enum sg_scheme wanted =
        spec->scheme == SG_SCHEME_NONE ? sg_scheme_default(key->kind) : spec->scheme;
    char kind[SG_KEY_KIND_TEXT_SIZE];

    if (!sg_scheme_fits(wanted, key->kind))
        return sg_fail(error, SG_USAGE, NULL, "a key of %s makes no %s signature",
                       sg_key_kind_text(key->kind, kind), sg_scheme_text(wanted));
    *scheme = wanted;
    return true;
}

static bool sign_by_token(void *context, enum sg_scheme scheme, struct sg_slice bytes,
                          struct sg_buf *signature, struct sg_error *error)
{
    struct sg_signer *signer = context;
    sg_auto(sg_buf) struct sg_buf made = {0};

    return sg_signer_sign(signer, scheme, bytes, &made, error) &&
           sg_signer_check_signature(scheme, sg_signer_public_key(signer), bytes,
                                     sg_buf_slice(&made), error) &&
           sg_buf_set(signature, sg_buf_slice(&made), error);
}

struct sg_csr_signer sg_csr_signer_of_token(struct sg_signer *signer)
{
    return (struct sg_csr_signer){sg_signer_public_key(signer), sign_by_token, signer};
}

bool sg_enroll_csr(const struct sg_csr_signer *signer, const struct sg_csr_spec *spec,
                   sg_intent *intent, void *context, struct sg_buf *der, struct sg_error *error)
{
    const struct sg_public_key *key = signer->key;
    enum sg_scheme scheme = SG_SCHEME_NONE;
    sg_auto(X509_REQ) X509_REQ *csr = X509_REQ_new();
    sg_auto(sg_buf) struct sg_buf info = {0};
    sg_auto(sg_buf) struct sg_buf signature = {0};

    if (csr == NULL || X509_REQ_set_version(csr, X509_REQ_VERSION_1) != 1)
        return sg_fail_memory(error);
    return sg_request_check_key_quality(key, error) && choose_scheme(key, spec, &scheme, error) &&
           set_subject(csr, spec->subject, error) && set_key(csr, key, error) &&
           ask_for_extensions(csr, spec, error) && ask_for_delivery(csr, spec, error) &&
           encode_info(csr, &info, error) &&
           (intent == NULL || intent(sg_buf_slice(&info), context, error)) &&
           signer->sign(signer->context, scheme, sg_buf_slice(&info), &signature, error) &&
           attach(csr, scheme, sg_buf_slice(&signature), der, error);
}
