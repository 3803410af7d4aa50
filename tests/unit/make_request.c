#include "make_request.h"

#include <ctype.h>
#include <openssl/pem.h>
#include <string.h>

#include "expect.h"

enum { LIMIT = 1024 * 1024 };

static void append(struct sg_buf *der, const void *data, size_t len)
{
    if (!sg_buf_append(der, data, len, LIMIT, NULL))
        fail_msg("no memory for a test's request");
}

static void append_byte(struct sg_buf *der, unsigned byte)
{
    uint8_t octet = (uint8_t)byte;

    append(der, &octet, 1);
}

static void append_length(struct sg_buf *der, size_t len)
{
    if (len >= 0x100)
        append_byte(der, 0x82);
    else if (len >= 0x80)
        append_byte(der, 0x81);
    if (len >= 0x100)
        append_byte(der, (unsigned)(len >> 8));
    append_byte(der, len & 0xff);
}

static unsigned digit(char character)
{
    if (!isxdigit((unsigned char)character))
        fail_msg("'%c' is no hex digit", character);
    return (unsigned)(isdigit((unsigned char)character) ? character - '0'
                                                        : tolower(character) - 'a' + 10);
}

/* Reads up to the end of text or to the '}' of this depth; returns where it stopped. */
static const char *compile(const char *text, struct sg_buf *der)
{
    while (*text != '\0' && *text != '}') {
        if (*text == ' ') {
            text++;
        } else if (*text == '\'') {
            size_t len = strcspn(++text, "'");

            append(der, text, len);
            text += len + 1;
        } else if (*text == '{') {
            sg_auto(sg_buf) struct sg_buf inner = {0};

            text = compile(text + 1, &inner);
            if (*text++ != '}')
                fail_msg("a '}' is missing");
            append_length(der, inner.len);
            append(der, inner.data, inner.len);
        } else {
            append_byte(der, digit(text[0]) << 4 | digit(text[1]));
            text += 2;
        }
    }
    return text;
}

void make_der(const char *text, struct sg_buf *der)
{
    const char *end = compile(text, der);

    if (*end != '\0')
        fail_msg("too many '}' at %s", end);
}

EVP_PKEY *make_key(const char *kind)
{
    EVP_PKEY *key = NULL;
    unsigned bits = 0;

    if (sscanf(kind, "RSA-%u", &bits) == 1)
        key = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)bits);
    else if (strcmp(kind, "Ed25519") == 0 || strcmp(kind, "X25519") == 0)
        key = EVP_PKEY_Q_keygen(NULL, NULL, kind);
    else
        key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", kind);
    if (key == NULL)
        fail_msg("no key of the kind %s", kind);
    return key;
}

static void append_spki(EVP_PKEY *key, struct sg_buf *der)
{
    sg_auto(openssl_bytes) unsigned char *spki = NULL;
    int len = i2d_PUBKEY(key, &spki);

    if (len <= 0)
        fail_msg("a key can't be encoded");
    append(der, spki, (size_t)len);
}

static void append_attributes(const struct make_request *parts, struct sg_buf *der)
{
    sg_auto(sg_buf) struct sg_buf text = {0};

    if (parts->attributes != NULL || parts->extensions == NULL) {
        make_der(parts->attributes != NULL ? parts->attributes : "A0{}", der);
        return;
    }
    if (!sg_buf_printf(&text, LIMIT, NULL, "A0{30{06{2A864886F70D01090E}31{30{%s}}}}",
                       parts->extensions))
        fail_msg("no memory for a test's request");
    make_der((const char *)text.data, der);
}

static const char *algorithm_of(const struct make_request *parts)
{
    if (parts->algorithm != NULL)
        return parts->algorithm;
    if (parts->pss)
        return "30{06{2A864886F70D01010A}30{A0{30{06{608648016503040201}0500}}"
               "A1{30{06{2A864886F70D010108}30{06{608648016503040201}0500}}}A2{020120}}}";
    switch (EVP_PKEY_get_base_id(parts->key)) {
    case EVP_PKEY_RSA:
        return "30{06{2A864886F70D01010B}0500}";
    case EVP_PKEY_ED25519:
        return "30{06{2B6570}}";
    default:
        return "30{06{2A8648CE3D040302}}";
    }
}

static void append_signature(const struct make_request *parts, struct sg_slice info,
                             struct sg_buf *der)
{
    sg_auto(EVP_MD_CTX) EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY_CTX *key = NULL; /* context owns it */
    const EVP_MD *digest = parts->digest;
    unsigned char signature[1024 + 1] = {0};
    size_t len = sizeof signature - 1;

    if (digest == NULL && EVP_PKEY_get_base_id(parts->key) != EVP_PKEY_ED25519)
        digest = EVP_sha256();
    if (EVP_DigestSignInit(context, &key, digest, NULL, parts->key) != 1 ||
        (parts->pss && (EVP_PKEY_CTX_set_rsa_padding(key, RSA_PKCS1_PSS_PADDING) != 1 ||
                        EVP_PKEY_CTX_set_rsa_pss_saltlen(key, RSA_PSS_SALTLEN_DIGEST) != 1)) ||
        EVP_DigestSign(context, signature + 1, &len, info.data, info.len) != 1)
        fail_msg("a test's request can't be signed");
    append_byte(der, 0x03);
    append_length(der, len + 1);
    append(der, signature, len + 1);
}

static void append_sequence(struct sg_slice content, enum make_length form, struct sg_buf *der)
{
    append_byte(der, 0x30);
    if (form == MAKE_INDEFINITE)
        append_byte(der, 0x80);
    else if (form == MAKE_LONG)
        append(der, (uint8_t[]){0x83, 0, (uint8_t)(content.len >> 8), (uint8_t)content.len}, 4);
    else
        append_length(der, content.len);
    append(der, content.data, content.len);
    if (form == MAKE_INDEFINITE)
        append(der, (uint8_t[]){0, 0}, 2);
}

void make_request(const struct make_request *parts, struct sg_buf *der)
{
    sg_auto(sg_buf) struct sg_buf content = {0}, request = {0};

    make_der(parts->version != NULL ? parts->version : "020100", &content);
    make_der(parts->subject != NULL ? parts->subject : "30{31{30{06{550403}0C{'device-AB12'}}}}",
             &content);
    if (parts->spki != NULL)
        make_der(parts->spki, &content);
    else
        append_spki(parts->key, &content);
    append_attributes(parts, &content);
    append_sequence(sg_buf_slice(&content), parts->info_length, &request);
    if (parts->signature != NULL) {
        make_der(algorithm_of(parts), &request);
        make_der(parts->signature, &request);
    } else {
        sg_auto(sg_buf) struct sg_buf info = {0};

        append(&info, request.data, request.len);
        make_der(algorithm_of(parts), &request);
        append_signature(parts, sg_buf_slice(&info), &request);
    }
    if (parts->rest != NULL)
        make_der(parts->rest, &request);
    append_sequence(sg_buf_slice(&request), parts->outer_length, der);
}

void make_pem(const char *label, struct sg_slice der, struct sg_buf *pem)
{
    sg_auto(BIO) BIO *bio = BIO_new(BIO_s_mem());
    char *text = NULL;
    long len;

    if (bio == NULL || PEM_write_bio(bio, label, "", der.data, (long)der.len) <= 0)
        fail_msg("a PEM block can't be written");
    len = BIO_get_mem_data(bio, &text);
    append(pem, text, (size_t)len);
}
