#include "crl.h"

#include <openssl/asn1t.h>

#include "attach.h"
#include "extensions.h"

/* TBSCertList (RFC 5280 5.1), written by OpenSSL from this template: OpenSSL 3.0 has no way to the
 * inner algorithm of an X509_CRL. */
struct list {
    ASN1_INTEGER *version;
    X509_ALGOR *algorithm;
    X509_NAME *issuer;
    ASN1_TIME *this_update;
    ASN1_TIME *next_update;
    STACK_OF(X509_REVOKED) * revoked; /* NULL while there are none: RFC 5280 5.1.2.6 */
    X509_EXTENSIONS *extensions;
};

// clang-format off
ASN1_SEQUENCE(LIST) = {
    ASN1_SIMPLE(struct list, version, ASN1_INTEGER),
    ASN1_SIMPLE(struct list, algorithm, X509_ALGOR),
    ASN1_SIMPLE(struct list, issuer, X509_NAME),
    ASN1_SIMPLE(struct list, this_update, ASN1_TIME),
    ASN1_SIMPLE(struct list, next_update, ASN1_TIME),
    ASN1_SEQUENCE_OF_OPT(struct list, revoked, X509_REVOKED),
    ASN1_EXP_SEQUENCE_OF(struct list, extensions, X509_EXTENSION, 0),
} static_ASN1_SEQUENCE_END_name(struct list, LIST);
// clang-format on

enum { CRL_VERSION_2 = 1 };

struct sg_crl_draft {
    const struct sg_issuer_facts *issuer;
    struct list *list;
    uint8_t *tbs; /* OpenSSL's; NULL until finished */
    size_t tbs_len;
};

void sg_crl_draft_free(struct sg_crl_draft *draft)
{
    if (draft == NULL)
        return;
    ASN1_item_free((ASN1_VALUE *)draft->list, ASN1_ITEM_rptr(LIST));
    OPENSSL_free(draft->tbs);
    free(draft);
}

/* Fills what a list says before its entries. */
static bool fill_list(struct list *list, const struct sg_issuer_facts *issuer, int64_t this_update,
                      int64_t next_update, struct sg_error *error)
{
    X509_ALGOR *algorithm = NULL;

    if (!sg_scheme_algorithm(issuer->scheme, &algorithm, error))
        return false;
    X509_ALGOR_free(list->algorithm);
    list->algorithm = algorithm;
    if (!ASN1_INTEGER_set(list->version, CRL_VERSION_2) ||
        !X509_NAME_set(&list->issuer, X509_get_subject_name(issuer->certificate)))
        return sg_fail_memory(error);
    return sg_signed_time(list->this_update, this_update, "thisUpdate", error) &&
           sg_signed_time(list->next_update, next_update, "nextUpdate", error);
}

bool sg_crl_draft_new(const struct sg_issuer_facts *issuer, int64_t this_update,
                      int64_t next_update, struct sg_crl_draft **draft, struct sg_error *error)
{
    sg_auto(sg_crl_draft) struct sg_crl_draft *fresh = calloc(1, sizeof *fresh);

    if (issuer->certificate == NULL)
        return sg_fail(error, SG_INTERNAL, NULL,
                       "issuer %s has no certificate yet, so it can't make a CRL",
                       issuer->name != NULL ? issuer->name : "?");
    if (next_update <= this_update)
        return sg_fail(error, SG_INTERNAL, "RFC 5280 5.1.2.5",
                       "the next CRL would be due before this one");
    if (fresh == NULL)
        return sg_fail_memory(error);
    fresh->issuer = issuer;
    fresh->list = (struct list *)ASN1_item_new(ASN1_ITEM_rptr(LIST));
    if (fresh->list == NULL)
        return sg_fail_memory(error);
    if (!fill_list(fresh->list, issuer, this_update, next_update, error))
        return false;
    *draft = SG_TAKE(fresh);
    return true;
}

/* RFC 5280 5.3.1: left out for unspecified. */
static bool set_reason(X509_REVOKED *entry, enum sg_reason reason, struct sg_error *error)
{
    sg_auto(ASN1_STRING) ASN1_STRING *code = NULL;

    if (reason == SG_REASON_UNSPECIFIED)
        return true;
    code = ASN1_ENUMERATED_new();
    if (code == NULL || !ASN1_ENUMERATED_set(code, reason) ||
        X509_REVOKED_add1_ext_i2d(entry, NID_crl_reason, code, 0, X509V3_ADD_APPEND) <= 0)
        return sg_fail_memory(error);
    return true;
}

static bool set_entry(X509_REVOKED *entry, const struct sg_serial *serial, int64_t revoked,
                      struct sg_error *error)
{
    sg_auto(BIGNUM) BIGNUM *number = BN_bin2bn(serial->bytes, (int)serial->len, NULL);
    sg_auto(ASN1_INTEGER) ASN1_INTEGER *encoded =
        number != NULL ? BN_to_ASN1_INTEGER(number, NULL) : NULL;
    sg_auto(ASN1_TIME) ASN1_TIME *moment = ASN1_TIME_new();

    if (moment == NULL)
        return sg_fail_memory(error);
    if (!sg_signed_time(moment, revoked, "revocationDate", error))
        return false;
    return (encoded != NULL && X509_REVOKED_set_serialNumber(entry, encoded) &&
            X509_REVOKED_set_revocationDate(entry, moment)) ||
           sg_fail_memory(error);
}

bool sg_crl_draft_add(struct sg_crl_draft *draft, const struct sg_serial *serial, int64_t revoked,
                      enum sg_reason reason, struct sg_error *error)
{
    sg_auto(X509_REVOKED) X509_REVOKED *entry = X509_REVOKED_new();

    if (draft->tbs != NULL)
        return sg_fail(error, SG_INTERNAL, NULL, "the CRL is finished; nothing can be added");
    if (entry == NULL)
        return sg_fail_memory(error);
    if (!set_entry(entry, serial, revoked, error) || !set_reason(entry, reason, error))
        return false;
    if (draft->list->revoked == NULL)
        draft->list->revoked = sk_X509_REVOKED_new_null();
    if (sk_X509_REVOKED_push(draft->list->revoked, entry) <= 0)
        return sg_fail_memory(error);
    entry = NULL; /* the list's own now */
    return true;
}

static bool add_extension(struct sg_crl_draft *draft, int nid, void *value, struct sg_error *error)
{
    return X509V3_add1_i2d(&draft->list->extensions, nid, value, 0, X509V3_ADD_APPEND) == 1 ||
           sg_fail_openssl(error, SG_INTERNAL, NULL, "can't encode an extension");
}

/* RFC 5280 5.2.1 and 5.2.3. */
static bool set_extensions(struct sg_crl_draft *draft, uint64_t number, struct sg_error *error)
{
    sg_auto(ASN1_INTEGER) ASN1_INTEGER *encoded = ASN1_INTEGER_new();
    sg_auto(AUTHORITY_KEYID) AUTHORITY_KEYID *authority = NULL;

    if (encoded == NULL || !ASN1_INTEGER_set_uint64(encoded, number))
        return sg_fail_memory(error);
    return sg_issuer_authority(draft->issuer, &authority, error) &&
           add_extension(draft, NID_authority_key_identifier, authority, error) &&
           add_extension(draft, NID_crl_number, encoded, error);
}

bool sg_crl_draft_finish(struct sg_crl_draft *draft, uint64_t number, struct sg_slice *tbs,
                         struct sg_error *error)
{
    sg_auto(openssl_bytes) uint8_t *bytes = NULL;
    int len;

    if (draft->tbs != NULL)
        return sg_fail(error, SG_INTERNAL, NULL, "the CRL is finished already");
    if (!set_extensions(draft, number, error))
        return false;
    len = ASN1_item_i2d((const ASN1_VALUE *)draft->list, &bytes, ASN1_ITEM_rptr(LIST));
    if (len <= 0 || len > SG_LIMIT_CRL)
        return sg_fail_openssl(error, SG_INTERNAL, "RFC 5280 5.1", "can't encode the CRL");
    draft->tbs = SG_TAKE(bytes);
    draft->tbs_len = (size_t)len;
    *tbs = sg_slice_of(draft->tbs, draft->tbs_len);
    return true;
}

bool sg_crl_draft_attach(struct sg_crl_draft *draft, struct sg_slice signature, struct sg_buf *der,
                         struct sg_error *error)
{
    if (draft->tbs == NULL)
        return sg_fail(error, SG_INTERNAL, NULL, "the CRL is not finished; nothing was signed");
    if (signature.len == 0 || signature.len > SG_LIMIT_SIGNATURE)
        return sg_fail(error, SG_INTERNAL, NULL, "a signature of %zu bytes is no signature",
                       signature.len);
    return sg_signed_encode(sg_slice_of(draft->tbs, draft->tbs_len), draft->list->algorithm,
                            signature, SG_LIMIT_CRL, der, error);
}
