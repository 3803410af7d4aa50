#include <openssl/err.h>

#include "base/der.h"
#include "model/undecoded.h"
#include "parts.h"

static bool decode(struct sg_slice der, X509_REQ **pkcs10, struct sg_error *error)
{
    const unsigned char *at = der.data;
    sg_auto(X509_REQ) X509_REQ *fresh = NULL;
    size_t num_left;

    ERR_clear_error(); /* sg_request_explain looks at what comes now */
    fresh = sg_undecoded_request(&at, (long)der.len);
    if (fresh == NULL)
        return sg_request_explain(der, error);
    num_left = (size_t)(der.data + der.len - at);
    if (num_left > 0)
        return sg_fail(error, SG_MALFORMED, "RFC 2986 4",
                       "%zu byte%s behind the end of the request; a request must be alone",
                       num_left, num_left == 1 ? "" : "s");
    *pkcs10 = SG_TAKE(fresh);
    return true;
}

static bool fail_not_der(size_t where, struct sg_error *error)
{
    return sg_fail(error, SG_MALFORMED, "RFC 2986 4.2: DER",
                   "the request is not DER: written again it differs at byte %zu (a length, a "
                   "number or the order of a set); make it with a program that writes DER",
                   where + 1);
}

static bool check_bytes(struct sg_slice again, struct sg_slice der, struct sg_error *error)
{
    size_t same = 0;

    if (sg_slice_equal(again, der))
        return true;
    while (same < again.len && same < der.len && again.data[same] == der.data[same])
        same++;
    return fail_not_der(same, error);
}

/* X509_NAME keeps the bytes that it was decoded from, so only a new one shows its DER. */
static bool check_name_encoding(const X509_NAME *name, struct sg_error *error)
{
    sg_auto(X509_NAME) X509_NAME *fresh = X509_NAME_new();
    const unsigned char *der = NULL, *again = NULL;
    size_t der_len = 0, again_len = 0;
    int set = -1;

    if (fresh == NULL)
        return sg_fail_memory(error);
    for (int i = 0; i < X509_NAME_entry_count(name); i++) {
        const X509_NAME_ENTRY *entry = X509_NAME_get_entry(name, i);
        bool same_rdn = X509_NAME_ENTRY_set(entry) == set;

        set = X509_NAME_ENTRY_set(entry);
        if (X509_NAME_add_entry(fresh, entry, -1, same_rdn ? -1 : 0) != 1)
            return sg_fail_openssl(error, SG_FAILED, NULL, "the subject can't be copied");
    }
    if (X509_NAME_get0_der(name, &der, &der_len) != 1 ||
        X509_NAME_get0_der(fresh, &again, &again_len) != 1)
        return sg_fail_openssl(error, SG_FAILED, NULL, "the subject can't be encoded");
    if (!sg_slice_equal(sg_slice_of(der, der_len), sg_slice_of(again, again_len)))
        return sg_fail(error, SG_MALFORMED, "RFC 2986 4.2: DER",
                       "the subject is not DER: written again it differs; make the request with "
                       "a program that writes DER");
    return true;
}

static bool encode_again(X509_REQ *pkcs10, struct sg_slice der, struct sg_error *error)
{
    sg_auto(openssl_bytes) unsigned char *again = NULL;
    int len;

    if (!check_name_encoding(X509_REQ_get_subject_name(pkcs10), error))
        return false;
    /* drops the bytes that X509_REQ keeps from decoding; without it everything encodes to itself */
    if (i2d_re_X509_REQ_tbs(pkcs10, NULL) < 0 || (len = i2d_X509_REQ(pkcs10, &again)) < 0)
        return sg_fail_openssl(error, SG_MALFORMED, "RFC 2986 4.2: DER",
                               "the request can't be encoded again");
    return check_bytes(sg_slice_of(again, (size_t)len), der, error);
}

static bool check_encoding(X509_REQ *pkcs10, struct sg_slice der, struct sg_error *error)
{
    static const struct sg_der_tags ATTRIBUTES = {.sets = 1 << 0};

    return sg_der_is_strict(der, &ATTRIBUTES) || encode_again(pkcs10, der, error);
}

/* Some programs write the version of a certificate. It changes nothing about what the request says,
 * so the policy decides whether that is tolerated. */
static bool read_version(struct sg_request *request, struct sg_error *error)
{
    request->version = X509_REQ_get_version(request->pkcs10);
    if (request->version == X509_REQ_VERSION_1 || request->version == X509_VERSION_3)
        return true;
    return sg_fail(error, SG_MALFORMED, "RFC 2986 4.1: version",
                   "the request's version is %ld and must be 0 (v1), the only one there is",
                   request->version);
}

static bool read_algorithm(struct sg_request *request, struct sg_error *error)
{
    const X509_ALGOR *algorithm = NULL;

    X509_REQ_get0_signature(request->pkcs10, NULL, &algorithm);
    return sg_request_read_algorithm(algorithm, request, error);
}

static bool read_subject(struct sg_request *request, struct sg_error *error)
{
    return sg_name_decode(X509_REQ_get_subject_name(request->pkcs10), "subject", &request->subject,
                          error);
}

static bool compare_encoding(struct sg_request *request, struct sg_error *error)
{
    return check_encoding(request->pkcs10, sg_buf_slice(&request->der), error);
}

static bool read_key(struct sg_request *request, struct sg_error *error)
{
    return sg_request_read_key(X509_REQ_get_X509_PUBKEY(request->pkcs10), &request->key, error);
}

static bool read_attributes(struct sg_request *request, struct sg_error *error)
{
    return sg_request_read_attributes(request->pkcs10, request, error);
}

bool sg_pkcs10_read(struct sg_request *request, struct sg_error *refused, struct sg_error *error)
{
    static const sg_request_step STEPS[] = {
        read_version, read_subject, compare_encoding, read_algorithm, read_key, read_attributes,
    };

    return decode(sg_buf_slice(&request->der), &request->pkcs10, error) &&
           sg_request_take_steps(STEPS, sizeof STEPS / sizeof *STEPS, request, refused, error);
}
