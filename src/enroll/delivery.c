#include "delivery.h"

#include <openssl/err.h>
#include <openssl/pkcs7.h>
#include <string.h>
#include <strings.h>

#include "base/base64.h"
#include "base/limits.h"
#include "base/secret.h"
#include "token/signer_pkey.h"

static const char RULE[] = "RFC 7030 4.4.2";

SG_DEFINE_CLEANUP(PKCS7, PKCS7_free)

void sg_delivery_done(struct sg_delivery *delivery)
{
    sg_buf_free(&delivery->enveloped);
    sk_X509_pop_free(delivery->certificates, X509_free);
    *delivery = (struct sg_delivery){0};
}

/* ---- multipart/mixed: RFC 2046 5.1.1 ---- */

bool sg_delivery_is(struct sg_slice bytes)
{
    return bytes.len > 4 && memcmp(bytes.data, "--", 2) == 0 && memcmp(bytes.data, "-----", 5) != 0;
}

static struct sg_slice take_line(struct sg_slice *left)
{
    const uint8_t *end = memchr(left->data, '\n', left->len);
    const size_t whole = end != NULL ? (size_t)(end - left->data) + 1 : left->len;
    size_t len = end != NULL ? whole - 1 : whole;
    const uint8_t *line = left->data;

    if (len > 0 && line[len - 1] == '\r')
        len--;
    *left = sg_slice_of(left->data + whole, left->len - whole);
    return sg_slice_of(line, len);
}

static bool begins_with(struct sg_slice line, const char *text)
{
    const size_t len = strlen(text);

    return line.len >= len && strncasecmp((const char *)line.data, text, len) == 0;
}

static bool has_text(struct sg_slice line, const char *text)
{
    return memmem(line.data, line.len, text, strlen(text)) != NULL;
}

enum kind { NO_KIND, ENCRYPTED_KEY, PLAIN_KEY, CERTIFICATES };

static enum kind kind_of(struct sg_slice header)
{
    if (has_text(header, "application/pkcs8"))
        return PLAIN_KEY;
    if (!has_text(header, "application/pkcs7-mime"))
        return NO_KIND;
    return has_text(header, "smime-type=server-generated-key") ? ENCRYPTED_KEY : CERTIFICATES;
}

/* The headers of a part, up to the empty line. */
static enum kind read_headers(struct sg_slice *left)
{
    enum kind kind = NO_KIND;

    while (left->len > 0) {
        const struct sg_slice line = take_line(left);

        if (line.len == 0)
            break;
        if (begins_with(line, "content-type:"))
            kind = kind_of(line);
    }
    return kind;
}

/* What stands before the next line that begins with the boundary. is_last: there is no part behind
 * it. */
static struct sg_slice take_part(struct sg_slice *left, struct sg_slice boundary, bool *is_last)
{
    const uint8_t *begin = left->data;
    struct sg_slice line = {0};
    size_t len = 0;

    *is_last = true;
    while (left->len > 0) {
        len = (size_t)(left->data - begin);
        line = take_line(left);
        if (line.len >= boundary.len && memcmp(line.data, boundary.data, boundary.len) == 0) {
            *is_last =
                line.len >= boundary.len + 2 && memcmp(line.data + boundary.len, "--", 2) == 0;
            return sg_slice_of(begin, len);
        }
    }
    return sg_slice_of(begin, (size_t)(left->data - begin));
}

static bool read_certificates(struct sg_slice der, struct sg_delivery *delivery,
                              struct sg_error *error)
{
    const uint8_t *at = der.data;
    sg_auto(PKCS7) PKCS7 *message = d2i_PKCS7(NULL, &at, (long)der.len);

    ERR_clear_error();
    if (message == NULL || !PKCS7_type_is_signed(message) || message->d.sign == NULL ||
        sk_X509_num(message->d.sign->cert) < 1)
        return sg_fail(error, SG_MALFORMED, RULE, "there are no certificates in the second part");
    sk_X509_pop_free(delivery->certificates, X509_free);
    delivery->certificates = X509_chain_up_ref(message->d.sign->cert);
    return delivery->certificates != NULL || sg_fail_memory(error);
}

static bool take(enum kind kind, struct sg_slice text, struct sg_delivery *delivery,
                 struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf der = {0};

    if (kind == NO_KIND)
        return true;
    if (kind == PLAIN_KEY)
        return sg_fail(error, SG_REFUSED, RULE,
                       "the key came as it is, and was to be encrypted to the card's");
    if (!sg_base64_decode(text, &der, error))
        return false;
    return kind == ENCRYPTED_KEY ? sg_buf_set(&delivery->enveloped, sg_buf_slice(&der), error)
                                 : read_certificates(sg_buf_slice(&der), delivery, error);
}

static bool read_parts(struct sg_slice left, struct sg_delivery *delivery, struct sg_error *error)
{
    const struct sg_slice boundary = take_line(&left);

    for (bool is_last = false; !is_last;) {
        const enum kind kind = read_headers(&left);
        const struct sg_slice text = take_part(&left, boundary, &is_last);

        if (!take(kind, text, delivery, error))
            return false;
    }
    return (delivery->enveloped.len > 0 && delivery->certificates != NULL) ||
           sg_fail(error, SG_MALFORMED, RULE, "it has no key and certificate, in two parts");
}

bool sg_delivery_read(struct sg_slice bytes, struct sg_delivery *delivery, struct sg_error *error)
{
    sg_auto(sg_delivery) struct sg_delivery fresh = {0};

    if (!sg_delivery_is(bytes))
        return sg_fail(error, SG_MALFORMED, RULE, "it is no answer of serverkeygen's");
    if (!read_parts(bytes, &fresh, error))
        return false;
    *delivery = fresh;
    fresh = (struct sg_delivery){0};
    return true;
}

/* ---- opening ---- */

static bool open_with(const struct sg_delivery *delivery, struct sg_signer *signer,
                      const struct sg_delivery_place *place, EVP_PKEY **pkey,
                      struct sg_error *error)
{
    sg_auto(sg_pkey_maker) struct sg_pkey_maker *maker = NULL;
    sg_auto(EVP_PKEY) EVP_PKEY *opening = NULL;
    sg_auto(sg_plain) struct sg_plain signed_data = {0};

    if (!sg_pkey_maker_new(&maker, error) || !sg_signer_pkey(maker, signer, &opening, error))
        return false;
    const struct sg_opener opener = {opening, sg_pkey_maker_context(maker)};

    return sg_parcel_open(sg_buf_slice(&delivery->enveloped), &opener, &signed_data, error) &&
           sg_parcel_unpack(sg_plain_slice(&signed_data), place->signers, pkey, error);
}

static bool open_delivery(const struct sg_delivery *delivery, const struct sg_delivery_place *place,
                          EVP_PKEY **pkey, struct sg_error *error)
{
    sg_auto(sg_key) struct sg_key key = {0};
    sg_auto(sg_signer) struct sg_signer *signer = NULL;

    if (!sg_key_find(place->token, place->decrypt_key, &key, error) ||
        !sg_signer_open(place->token, &key, &signer, error))
        return false;
    if (!key.decrypt && !key.derive)
        return sg_fail(error, SG_REFUSED, NULL,
                       "the key %s was made to sign alone; one that opens what is encrypted to it "
                       "is made by `signet key create --decrypt`",
                       place->decrypt_key);
    return open_with(delivery, signer, place, pkey, error);
}

static bool find_certificate(const struct sg_delivery *delivery, const EVP_PKEY *pkey,
                             struct sg_buf *der, struct sg_error *error)
{
    for (int i = 0; i < sk_X509_num(delivery->certificates); i++) {
        X509 *certificate = sk_X509_value(delivery->certificates, i);
        sg_auto(openssl_bytes) uint8_t *bytes = NULL;
        int len;

        if (EVP_PKEY_eq(X509_get0_pubkey(certificate), pkey) != 1)
            continue;
        len = i2d_X509(certificate, &bytes);
        return len > 0 ? sg_buf_set(der, sg_slice_of(bytes, (size_t)len), error)
                       : sg_fail_openssl(error, SG_INTERNAL, NULL, "a certificate is no DER");
    }
    ERR_clear_error();
    return sg_fail(error, SG_REFUSED, RULE, "no certificate that came with the key is the key's");
}

/* ---- onto the card ---- */

static bool try_key(struct sg_token *token, const struct sg_key *key, struct sg_error *error)
{
    const struct sg_slice bytes = sg_slice_text("a key from outside signs on this token");
    const enum sg_scheme scheme = sg_scheme_default(key->public.kind);
    sg_auto(sg_signer) struct sg_signer *signer = NULL;
    sg_auto(sg_buf) struct sg_buf signature = {0};

    return sg_signer_open(token, key, &signer, error) &&
           sg_signer_sign(signer, scheme, bytes, &signature, error) &&
           sg_signer_check_signature(scheme, &key->public, bytes, sg_buf_slice(&signature), error);
}

/* An import that was interrupted has left the key there, without its certificate. */
static bool find_earlier(const struct sg_delivery_place *place, const EVP_PKEY *pkey,
                         struct sg_key *key, bool *was_there, struct sg_error *error)
{
    struct sg_key *keys = NULL;
    size_t num = 0;

    if (!sg_key_list(place->token, &keys, &num, error))
        return false;
    for (size_t i = 0; i < num; i++) {
        if (!*was_there && keys[i].has_private && keys[i].public.pkey != NULL &&
            strcmp(keys[i].label, place->label) == 0 &&
            EVP_PKEY_eq(keys[i].public.pkey, pkey) == 1) {
            *was_there = true;
            *key = keys[i];
            keys[i] = (struct sg_key){0};
        }
        sg_key_done(&keys[i]);
    }
    free(keys);
    ERR_clear_error();
    return true;
}

static bool put(const struct sg_delivery *delivery, const struct sg_delivery_place *place,
                const EVP_PKEY *pkey, struct sg_key *key, bool *was_there, struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf certificate = {0};
    bool there = false;

    if (!find_certificate(delivery, pkey, &certificate, error) ||
        !find_earlier(place, pkey, key, &there, error))
        return false;
    *was_there = there;
    return (there || sg_key_put(place->token, pkey, place->label, place->id, key, error)) &&
           try_key(place->token, key, error) &&
           sg_token_put_certificate(place->token, key, sg_buf_slice(&certificate), true, error);
}

bool sg_delivery_import(const struct sg_delivery *delivery, const struct sg_delivery_place *place,
                        struct sg_key *key, bool *was_there, struct sg_error *error)
{
    EVP_PKEY *pkey = NULL;
    const bool is_there = open_delivery(delivery, place, &pkey, error) &&
                          put(delivery, place, pkey, key, was_there, error);

    EVP_PKEY_free(pkey); /* which wipes it */
    sg_wipe_stack();
    return is_there;
}
