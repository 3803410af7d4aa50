/* est: what RFC 7030, 8951 and 9908 ask of a CA; the HTTP of it is the front's. */
#include <openssl/objects.h>
#include <string.h>

#include "base/base64.h"
#include "base/limits.h"
#include "certs_only.h"
#include "desk.h"
#include "keygen.h"
#include "request/request.h"

SG_DEFINE_CLEANUP(X509_ATTRIBUTE, X509_ATTRIBUTE_free)

static const char CERTS_ONLY[] = "application/pkcs7-mime; smime-type=certs-only";
static const char BASE64[] = "base64";

/* how long who waits for an approval shall wait before asking again */
enum { WAIT_S = 60 };

/* ---- requests ---- */

static const struct sg_policy *find_policy(const struct sg_desk *desk, const char *label)
{
    const struct sg_est_label *entry = sg_service_find_label(desk->config, label);

    return entry != NULL ? desk->policies[entry - desk->config->est.labels] : NULL;
}

/* RFC 7030 4.2.1: a PKCS#10 in DER, in base64. What else the path would read is another protocol.
 */
static bool read_body(struct sg_errand *errand, struct sg_error *error)
{
    if (!sg_base64_decode(errand->message.bytes[SG_WIRE_BODY], &errand->der, error))
        return false;
    if (errand->der.data[0] != (V_ASN1_SEQUENCE | V_ASN1_CONSTRUCTED) ||
        sg_request_is_spkac(sg_buf_slice(&errand->der)))
        return sg_fail(error, SG_MALFORMED, "RFC 7030 4.2.1",
                       "the body is no PKCS#10 request in DER, in base64");
    return true;
}

bool sg_est_begin(struct sg_desk *desk, struct sg_errand *errand, struct sg_job *job,
                  struct sg_error *error)
{
    const char *label = sg_message_text(&errand->message, SG_WIRE_LABEL);
    const struct sg_policy *policy = find_policy(desk, label);

    if (policy == NULL)
        return sg_fail(error, SG_MALFORMED, "RFC 7030 3.2.2", "there is no label '%s'",
                       label != NULL ? label : "");
    if (!read_body(errand, error) || !sg_service_evidence(errand, &job->evidence, error))
        return false;
    job->bytes = sg_buf_slice(&errand->der);
    job->policy = policy;
    return errand->message.type != SG_WIRE_SERVERKEYGEN ||
           sg_keygen_begin(desk->keygen, job, error);
}

/* ---- certs-only: RFC 7030 4.1.3 and 4.2.3 ---- */

static bool encode_certs_only(const struct sg_desk *desk, struct sg_slice certificates,
                              struct sg_buf *body, struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf der = {0};

    return sg_certs_only(certificates, &der, error) &&
           sg_base64_encode(sg_buf_slice(&der), desk->config->est.wrap_base64, SG_LIMIT_BODY, body,
                            error);
}

void sg_est_answer(struct sg_desk *desk, struct sg_errand *errand, const struct sg_job *job)
{
    sg_auto(sg_buf) struct sg_buf body = {0};
    char serial[SG_SERIAL_TEXT_SIZE];
    struct sg_error error = {0};

    if (job->waits_for != 0)
        sg_answer_wait(errand, &job->error, WAIT_S);
    else if (job->outcome == SG_JOB_REFUSED)
        sg_answer_refusal(errand, &job->error);
    else if (!encode_certs_only(desk, sg_buf_slice(&job->certificate), &body, &error))
        sg_answer_refusal(errand, &error);
    else if (job->key_maker != NULL)
        sg_keygen_answer(errand, job, desk->config->est.wrap_base64, sg_buf_slice(&body));
    else
        sg_answer_bytes(errand, CERTS_ONLY, BASE64, sg_buf_slice(&body),
                        sg_serial_text(&job->serial, serial));
}

/* ---- csrattrs: RFC 7030 4.5.2, RFC 9908 3 ---- */

/* What a client is told of a kind of key: an attribute with a curve or a size in it, or the bare
 * algorithm; and the digest that goes with it. */
static const struct hint {
    struct sg_key_kind kind;
    int key, curve, signature;
} HINTS[] = {
    {{SG_KEY_EC, 256}, NID_X9_62_id_ecPublicKey, NID_X9_62_prime256v1, NID_ecdsa_with_SHA256},
    {{SG_KEY_EC, 384}, NID_X9_62_id_ecPublicKey, NID_secp384r1, NID_ecdsa_with_SHA384},
    {{SG_KEY_EC, 521}, NID_X9_62_id_ecPublicKey, NID_secp521r1, NID_ecdsa_with_SHA512},
    {{SG_KEY_RSA, 0}, NID_rsaEncryption, NID_undef, NID_sha256WithRSAEncryption},
    {{SG_KEY_ED25519, 0}, NID_ED25519, NID_undef, NID_undef},
};

static const struct hint *find_hint(struct sg_key_kind kind)
{
    for (size_t i = 0; i < sizeof HINTS / sizeof HINTS[0]; i++)
        if (HINTS[i].kind.family == kind.family &&
            (kind.family == SG_KEY_RSA || HINTS[i].kind.bits == kind.bits))
            return &HINTS[i];
    return NULL;
}

static bool add_der(const uint8_t *der, int len, struct sg_buf *list, struct sg_error *error)
{
    if (len <= 0)
        return sg_fail_openssl(error, SG_INTERNAL, NULL,
                               "an attribute or certificate can't be encoded");
    return sg_buf_append(list, der, (size_t)len, SG_LIMIT_BODY, error);
}

static bool add_oid(const ASN1_OBJECT *oid, struct sg_buf *list, struct sg_error *error)
{
    sg_auto(openssl_bytes) uint8_t *der = NULL;
    const int len = i2d_ASN1_OBJECT(oid, &der);

    return add_der(der, len, list, error);
}

static bool add_attribute(X509_ATTRIBUTE *attribute, struct sg_buf *list, struct sg_error *error)
{
    sg_auto(openssl_bytes) uint8_t *der = NULL;
    const int len = i2d_X509_ATTRIBUTE(attribute, &der);

    return add_der(der, len, list, error);
}

/* RFC 9908 3.2: the curve as an OID, or the size of the modulus as an INTEGER. */
static bool add_key(const struct hint *hint, unsigned bits, struct sg_buf *list,
                    struct sg_error *error)
{
    sg_auto(X509_ATTRIBUTE) X509_ATTRIBUTE *attribute = X509_ATTRIBUTE_new();
    sg_auto(ASN1_INTEGER) ASN1_INTEGER *size = ASN1_INTEGER_new();
    int set;

    if (hint->kind.family != SG_KEY_EC && hint->kind.family != SG_KEY_RSA)
        return add_oid(OBJ_nid2obj(hint->key), list, error);
    if (attribute == NULL || size == NULL)
        return sg_fail_memory(error);
    set = X509_ATTRIBUTE_set1_object(attribute, OBJ_nid2obj(hint->key));
    if (hint->kind.family == SG_KEY_EC)
        set = set == 1 &&
              X509_ATTRIBUTE_set1_data(attribute, V_ASN1_OBJECT, OBJ_nid2obj(hint->curve), -1) == 1;
    else
        set = set == 1 && ASN1_INTEGER_set(size, (long)bits) == 1 &&
              X509_ATTRIBUTE_set1_data(attribute, V_ASN1_INTEGER, size, -1) == 1;
    if (!set)
        return sg_fail_openssl(error, SG_INTERNAL, NULL, "an attribute can't be made");
    return add_attribute(attribute, list, error);
}

/* The elements of a SEQUENCE get its header. */
static bool wrap_sequence(struct sg_slice elements, struct sg_buf *der, struct sg_error *error)
{
    uint8_t header[8], *at = header;

    ASN1_put_object(&at, 1, (int)elements.len, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL);
    return sg_buf_append(der, header, (size_t)(at - header), SG_LIMIT_BODY, error) &&
           sg_buf_append(der, elements.data, elements.len, SG_LIMIT_BODY, error);
}

static bool make_csrattrs(const struct sg_policy *policy, struct sg_buf *der,
                          struct sg_error *error)
{
    const struct sg_key_kind kind = sg_policy_suggests_key(policy);
    const struct hint *hint = find_hint(kind);
    const char *ml_dsa = sg_key_ml_dsa_oid(kind);
    sg_auto(sg_buf) struct sg_buf list = {0};
    sg_auto(ASN1_OBJECT) ASN1_OBJECT *oid = ml_dsa != NULL ? OBJ_txt2obj(ml_dsa, 1) : NULL;

    if (hint != NULL && !add_key(hint, kind.bits, &list, error))
        return false;
    if (hint != NULL && hint->signature != NID_undef &&
        !add_oid(OBJ_nid2obj(hint->signature), &list, error))
        return false;
    if (oid != NULL && !add_oid(oid, &list, error))
        return false;
    return wrap_sequence(sg_buf_slice(&list), der, error);
}

/* ---- the documents ---- */

enum { MAX_AGE_S = 300 };

static bool put(struct sg_desk *desk, const char *label, const char *operation,
                const char *media_type, struct sg_buf *body, struct sg_error *error)
{
    char path[256];
    const struct sg_document document = {
        .path = path,
        .media_type = media_type,
        .encoding = BASE64,
        .modified = sg_clock_now(&desk->issuing.clock),
        .max_age_s = MAX_AGE_S,
    };

    (void)snprintf(path, sizeof path, "/.well-known/est/%s%s%s", label, label[0] != '\0' ? "/" : "",
                   operation);
    return sg_shelf_put(desk->shelf, &document, body, error);
}

static bool add_certificate(const X509 *certificate, struct sg_buf *list, struct sg_error *error)
{
    sg_auto(openssl_bytes) uint8_t *der = NULL;
    const int len = i2d_X509(certificate, &der);

    return add_der(der, len, list, error);
}

static bool publish_cacerts(struct sg_desk *desk, const char *label, struct sg_error *error)
{
    const struct sg_issuer *issuer = desk->issuing.issuer;
    sg_auto(sg_buf) struct sg_buf list = {0}, body = {0};

    if (!add_certificate(issuer->facts.certificate, &list, error))
        return false;
    for (int i = 0; i < sk_X509_num(issuer->chain); i++)
        if (!add_certificate(sk_X509_value(issuer->chain, i), &list, error))
            return false;
    return encode_certs_only(desk, sg_buf_slice(&list), &body, error) &&
           put(desk, label, "cacerts", "application/pkcs7-mime", &body, error);
}

static bool publish_csrattrs(struct sg_desk *desk, const char *label,
                             const struct sg_policy *policy, struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf der = {0}, body = {0};

    return make_csrattrs(policy, &der, error) &&
           sg_base64_encode(sg_buf_slice(&der), desk->config->est.wrap_base64, SG_LIMIT_BODY, &body,
                            error) &&
           put(desk, label, "csrattrs", "application/csrattrs", &body, error);
}

bool sg_est_publish(struct sg_desk *desk, struct sg_error *error)
{
    for (size_t i = 0; i < desk->config->est.num_labels; i++) {
        const char *label = desk->config->est.labels[i].label;

        if (!publish_cacerts(desk, label, error) ||
            !publish_csrattrs(desk, label, desk->policies[i], error))
            return false;
    }
    return true;
}
