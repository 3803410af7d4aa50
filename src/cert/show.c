#include "show.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <string.h>

#include "base/clock.h"
#include "cert.h"
#include "show_parts.h"

enum { MINUTE = 60, HOUR = 60 * MINUTE, DAY = 24 * HOUR };
enum { DURATION_SIZE = 48 };

/* "364 days", "5 hours", "1 minute". Returns into. */
static const char *duration_text(int64_t seconds, char into[DURATION_SIZE])
{
    static const struct {
        int64_t seconds;
        const char *word;
    } UNITS[] = {{DAY, "day"}, {HOUR, "hour"}, {MINUTE, "minute"}, {1, "second"}};
    size_t unit = 0;
    long long count;

    while (seconds < UNITS[unit].seconds && UNITS[unit].seconds > 1)
        unit++;
    count = seconds / UNITS[unit].seconds;
    snprintf(into, DURATION_SIZE, "%lld %s%s", count, UNITS[unit].word, count == 1 ? "" : "s");
    return into;
}

static const char *validity_text(int64_t not_before, int64_t not_after, int64_t now,
                                 char into[SG_SHOW_VALIDITY])
{
    char duration[DURATION_SIZE];

    if (now < not_before)
        snprintf(into, SG_SHOW_VALIDITY, "not yet valid, begins in %s",
                 duration_text(not_before - now, duration));
    else if (now > not_after)
        snprintf(into, SG_SHOW_VALIDITY, "expired %s ago",
                 duration_text(now - not_after, duration));
    else if (not_after == SG_TIME_NEVER)
        snprintf(into, SG_SHOW_VALIDITY, "valid, never expires");
    else
        snprintf(into, SG_SHOW_VALIDITY, "valid, expires in %s",
                 duration_text(not_after - now, duration));
    return into;
}

const char *sg_show_validity(const X509 *certificate, int64_t now, char into[SG_SHOW_VALIDITY])
{
    int64_t not_before, not_after;

    if (!sg_cert_validity(certificate, &not_before, &not_after, NULL))
        return "(unreadable)";
    return validity_text(not_before, not_after, now, into);
}

static bool moment_of(const ASN1_TIME *time, int64_t *moment)
{
    struct tm tm;

    if (time == NULL || !ASN1_TIME_to_tm(time, &tm))
        return false;
    *moment = timegm(&tm);
    return true;
}

bool sg_show_moment(json_t *object, const char *key, const ASN1_TIME *time)
{
    char text[SG_TIME_TEXT_SIZE];
    int64_t moment;

    return sg_show_put(object, key, "%s",
                       moment_of(time, &moment) ? sg_time_text(moment, text) : "(unreadable)");
}

static bool put_serial(json_t *object, const ASN1_INTEGER *serial)
{
    struct sg_slice bytes =
        sg_slice_of(ASN1_STRING_get0_data(serial), (size_t)ASN1_STRING_length(serial));
    char hex[2 * SG_SHOW_HEX_BYTES + 1];
    size_t shown = bytes.len < SG_SHOW_HEX_BYTES ? bytes.len : SG_SHOW_HEX_BYTES;

    return sg_show_put(
        object, "serial", "%s%s%s", ASN1_STRING_type(serial) == V_ASN1_NEG_INTEGER ? "-" : "",
        sg_hex(sg_slice_of(bytes.data, shown), hex, sizeof hex), shown < bytes.len ? "…" : "");
}

static bool put_extensions(json_t *object, const STACK_OF(X509_EXTENSION) * extensions)
{
    json_t *list = json_array();

    if (json_object_set_new(object, "extensions", list) != 0)
        return false;
    for (int i = 0; i < sk_X509_EXTENSION_num(extensions); i++) {
        json_t *described = NULL;

        if (!sg_show_extension(sk_X509_EXTENSION_value(extensions, i), &described) ||
            json_array_append_new(list, described) != 0)
            return false;
    }
    return true;
}

/* SHA-1 tells nobody that two things are the same, but other programs show it. */
static bool put_fingerprints(json_t *object, struct sg_slice der)
{
    uint8_t digest[SG_SHA256_LEN], sha1[SHA_DIGEST_LENGTH];
    size_t len = 0;

    sg_sha256(der, digest);
    return sg_show_put_hex(object, "sha256", sg_slice_of(digest, sizeof digest)) &&
           EVP_Q_digest(NULL, "SHA1", NULL, der.data, der.len, sha1, &len) == 1 &&
           sg_show_put_hex(object, "sha1", sg_slice_of(sha1, len));
}

/* Of the key alone, by which keys are blocked and pinned. */
static bool put_key_digest(json_t *object, X509_PUBKEY *key)
{
    sg_auto(openssl_bytes) uint8_t *spki = NULL;
    int len = i2d_X509_PUBKEY(key, &spki);
    uint8_t digest[SG_SHA256_LEN];

    if (len <= 0)
        return false;
    sg_sha256(sg_slice_of(spki, (size_t)len), digest);
    return sg_show_put_hex(object, "key_sha256", sg_slice_of(digest, sizeof digest));
}

static bool fill_certificate(X509 *certificate, int64_t now, json_t *object)
{
    char text[SG_SHOW_TEXT], words[SG_SHOW_VALIDITY];
    sg_auto(openssl_bytes) uint8_t *der = NULL;
    int len = i2d_X509(certificate, &der);

    return len > 0 && sg_show_put(object, "kind", "certificate") &&
           sg_show_put(object, "subject", "%s",
                       sg_show_name(X509_get_subject_name(certificate), text)) &&
           sg_show_put(object, "issuer", "%s",
                       sg_show_name(X509_get_issuer_name(certificate), text)) &&
           put_serial(object, X509_get0_serialNumber(certificate)) &&
           sg_show_moment(object, "not_before", X509_get0_notBefore(certificate)) &&
           sg_show_moment(object, "not_after", X509_get0_notAfter(certificate)) &&
           sg_show_put(object, "validity", "%s", sg_show_validity(certificate, now, words)) &&
           sg_show_key(object, X509_get_X509_PUBKEY(certificate)) &&
           sg_show_signature(object, X509_get0_tbs_sigalg(certificate)) &&
           put_extensions(object, X509_get0_extensions(certificate)) &&
           put_fingerprints(object, sg_slice_of(der, (size_t)len)) &&
           put_key_digest(object, X509_get_X509_PUBKEY(certificate));
}

bool sg_show_certificate_json(X509 *certificate, int64_t now, json_t **object,
                              struct sg_error *error)
{
    sg_auto(json_t) json_t *made = json_object();

    if (!fill_certificate(certificate, now, made))
        return sg_fail_memory(error);
    *object = SG_TAKE(made);
    return true;
}

/* The request's extensions in the form that sg_show_extension reads. */
static bool put_request_extensions(json_t *object, const struct sg_extensions *extensions)
{
    sg_auto(X509_EXTENSIONS) X509_EXTENSIONS *list = NULL;

    for (size_t i = 0; i < extensions->num; i++) {
        const struct sg_extension *item = &extensions->items[i];
        sg_auto(ASN1_OBJECT) ASN1_OBJECT *oid = OBJ_txt2obj(item->oid, 1);
        sg_auto(ASN1_OCTET_STRING) ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
        sg_auto(X509_EXTENSION) X509_EXTENSION *extension = NULL;

        if (oid == NULL || value == NULL ||
            !ASN1_OCTET_STRING_set(value, item->value.data, (int)item->value.len))
            return false;
        extension = X509_EXTENSION_create_by_OBJ(NULL, oid, item->critical, value);
        if (extension == NULL || X509v3_add_ext(&list, extension, -1) == NULL)
            return false;
    }
    return put_extensions(object, list);
}

/* The challenge is a secret between the request's maker and the CA: only that there is one. */
static bool put_form(json_t *object, const struct sg_request *request)
{
    bool shown = request->format == SG_REQUEST_SPKAC
                     ? sg_show_put(object, "format", "SPKAC")
                     : sg_show_put(object, "format", "PKCS#10, version %ld", request->version + 1);

    return shown && (!request->has_challenge ||
                     sg_show_put(object, "challenge", "there is one (not shown)"));
}

static bool put_refusal(json_t *object, const struct sg_error *refused)
{
    json_t *why = NULL;

    if (refused->code == SG_OK)
        return true;
    why = json_object();
    return json_object_set_new(object, "refused", why) == 0 &&
           sg_show_put(why, "rule", "%s", refused->rule) &&
           sg_show_put(why, "message", "%s", refused->text);
}

/* An SPKAC has no name. */
static bool put_request_subject(json_t *object, const struct sg_request *request)
{
    char text[SG_SHOW_TEXT];

    return sg_show_put(object, "subject", "%s",
                       request->pkcs10 != NULL
                           ? sg_show_name(X509_REQ_get_subject_name(request->pkcs10), text)
                           : sg_show_decoded_name(&request->subject, text));
}

static X509_PUBKEY *request_key(const struct sg_request *request)
{
    return request->pkcs10 != NULL ? X509_REQ_get_X509_PUBKEY(request->pkcs10)
                                   : request->spkac->spkac->pubkey;
}

static bool put_request_key(json_t *object, const struct sg_request *request)
{
    const X509_ALGOR *algorithm = NULL;

    if (request->pkcs10 != NULL)
        X509_REQ_get0_signature(request->pkcs10, NULL, &algorithm);
    else
        algorithm = &request->spkac->sig_algor;
    return sg_show_key(object, request_key(request)) && sg_show_signature(object, algorithm);
}

bool sg_show_request_json(const struct sg_request *request, const struct sg_error *refused,
                          json_t **object, struct sg_error *error)
{
    sg_auto(json_t) json_t *made = json_object();

    if (!sg_show_put(made, "kind", "request") || !put_form(made, request) ||
        !put_refusal(made, refused) || !put_request_subject(made, request) ||
        !put_request_key(made, request) || !put_request_extensions(made, &request->extensions) ||
        !put_fingerprints(made, sg_buf_slice(&request->der)) ||
        !put_key_digest(made, request_key(request)))
        return sg_fail_memory(error);
    *object = SG_TAKE(made);
    return true;
}

static const char *crl_validity_text(X509_CRL *crl, int64_t now, char into[SG_SHOW_VALIDITY])
{
    char duration[DURATION_SIZE];
    int64_t this_update, next_update;

    if (!moment_of(X509_CRL_get0_lastUpdate(crl), &this_update))
        return "(unreadable)";
    if (now < this_update)
        snprintf(into, SG_SHOW_VALIDITY, "not yet valid, begins in %s",
                 duration_text(this_update - now, duration));
    else if (!moment_of(X509_CRL_get0_nextUpdate(crl), &next_update))
        snprintf(into, SG_SHOW_VALIDITY, "valid, says no end");
    else if (now > next_update)
        snprintf(into, SG_SHOW_VALIDITY, "overdue for %s",
                 duration_text(now - next_update, duration));
    else
        snprintf(into, SG_SHOW_VALIDITY, "valid, the next is due in %s",
                 duration_text(next_update - now, duration));
    return into;
}

static const char *entry_reason(const X509_REVOKED *entry)
{
    sg_auto(ASN1_STRING) ASN1_STRING *reason =
        X509_REVOKED_get_ext_d2i(entry, NID_crl_reason, NULL, NULL);

    return sg_reason_word(reason != NULL ? (enum sg_reason)ASN1_ENUMERATED_get(reason)
                                         : SG_REASON_UNSPECIFIED);
}

static bool put_revoked(json_t *object, X509_CRL *crl, size_t max_entries)
{
    STACK_OF(X509_REVOKED) *entries = X509_CRL_get_REVOKED(crl);
    int num = entries != NULL ? sk_X509_REVOKED_num(entries) : 0;
    json_t *list = json_array();

    if (json_object_set_new(object, "entries", json_integer(num)) != 0 ||
        json_object_set_new(object, "revoked", list) != 0)
        return false;
    for (int i = 0; i < num && (size_t)i < max_entries; i++) {
        const X509_REVOKED *entry = sk_X509_REVOKED_value(entries, i);
        sg_auto(json_t) json_t *described = json_object();

        if (!put_serial(described, X509_REVOKED_get0_serialNumber(entry)) ||
            !sg_show_moment(described, "revoked", X509_REVOKED_get0_revocationDate(entry)) ||
            !sg_show_put(described, "reason", "%s", entry_reason(entry)) ||
            json_array_append(list, described) != 0)
            return false;
    }
    return true;
}

/* The cRLNumber as decimal text; "none" when there is none. */
static bool put_number(json_t *object, X509_CRL *crl)
{
    sg_auto(ASN1_INTEGER) ASN1_INTEGER *number =
        X509_CRL_get_ext_d2i(crl, NID_crl_number, NULL, NULL);
    uint64_t value = 0;

    if (number == NULL)
        return sg_show_put(object, "number", "none");
    if (ASN1_INTEGER_get_uint64(&value, number))
        return sg_show_put(object, "number", "%llu", (unsigned long long)value);
    return sg_show_put_hex(
        object, "number",
        sg_slice_of(ASN1_STRING_get0_data(number), (size_t)ASN1_STRING_length(number)));
}

static bool fill_crl(X509_CRL *crl, int64_t now, size_t max_entries, json_t *object)
{
    char text[SG_SHOW_TEXT], words[SG_SHOW_VALIDITY];
    sg_auto(openssl_bytes) uint8_t *der = NULL;
    int len = i2d_X509_CRL(crl, &der);
    const X509_ALGOR *algorithm = NULL;

    X509_CRL_get0_signature(crl, NULL, &algorithm);
    return len > 0 && sg_show_put(object, "kind", "crl") &&
           sg_show_put(object, "issuer", "%s", sg_show_name(X509_CRL_get_issuer(crl), text)) &&
           put_number(object, crl) &&
           sg_show_moment(object, "this_update", X509_CRL_get0_lastUpdate(crl)) &&
           sg_show_moment(object, "next_update", X509_CRL_get0_nextUpdate(crl)) &&
           sg_show_put(object, "validity", "%s", crl_validity_text(crl, now, words)) &&
           sg_show_signature(object, algorithm) && put_revoked(object, crl, max_entries) &&
           put_extensions(object, X509_CRL_get0_extensions(crl)) &&
           put_fingerprints(object, sg_slice_of(der, (size_t)len));
}

bool sg_show_crl_json(X509_CRL *crl, int64_t now, size_t max_entries, json_t **object,
                      struct sg_error *error)
{
    sg_auto(json_t) json_t *made = json_object();

    if (!fill_crl(crl, now, max_entries, made))
        return sg_fail_memory(error);
    *object = SG_TAKE(made);
    return true;
}

bool sg_show_certificate(X509 *certificate, int64_t now, struct sg_buf *text,
                         struct sg_error *error)
{
    sg_auto(json_t) json_t *object = NULL;

    return sg_show_certificate_json(certificate, now, &object, error) &&
           sg_show_text(object, text, error);
}

bool sg_show_request(const struct sg_request *request, const struct sg_error *refused,
                     struct sg_buf *text, struct sg_error *error)
{
    sg_auto(json_t) json_t *object = NULL;

    return sg_show_request_json(request, refused, &object, error) &&
           sg_show_text(object, text, error);
}

bool sg_show_crl(X509_CRL *crl, int64_t now, size_t max_entries, struct sg_buf *text,
                 struct sg_error *error)
{
    sg_auto(json_t) json_t *object = NULL;

    return sg_show_crl_json(crl, now, max_entries, &object, error) &&
           sg_show_text(object, text, error);
}
