#include "key.h"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <string.h>
#include <strings.h>

#include "oid.h"

static const struct {
    const char *text;
    struct sg_key_kind kind;
} KINDS[] = {
    {"RSA-2048", {SG_KEY_RSA, 2048}},   {"RSA-3072", {SG_KEY_RSA, 3072}},
    {"RSA-4096", {SG_KEY_RSA, 4096}},   {"P-256", {SG_KEY_EC, 256}},
    {"P-384", {SG_KEY_EC, 384}},        {"P-521", {SG_KEY_EC, 521}},
    {"Ed25519", {SG_KEY_ED25519, 0}},   {"ML-DSA-44", {SG_KEY_ML_DSA, 44}},
    {"ML-DSA-65", {SG_KEY_ML_DSA, 65}}, {"ML-DSA-87", {SG_KEY_ML_DSA, 87}},
};

static const struct {
    const char *oid;
    uint8_t octets[9]; /* of the same */
    unsigned bits;
} ML_DSA[] = {
    {"2.16.840.1.101.3.4.3.17", {0x60, 0x86, 0x48, 1, 101, 3, 4, 3, 17}, 44},
    {"2.16.840.1.101.3.4.3.18", {0x60, 0x86, 0x48, 1, 101, 3, 4, 3, 18}, 65},
    {"2.16.840.1.101.3.4.3.19", {0x60, 0x86, 0x48, 1, 101, 3, 4, 3, 19}, 87},
};

bool sg_key_kind_parse(const char *text, struct sg_key_kind *kind, struct sg_error *error)
{
    for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++) {
        if (strcasecmp(KINDS[i].text, text) == 0) {
            *kind = KINDS[i].kind;
            return true;
        }
    }
    return sg_fail(error, SG_USAGE, NULL,
                   "\"%.60s\" is no kind of key: use RSA-2048, RSA-3072, RSA-4096, P-256, P-384, "
                   "P-521, Ed25519, ML-DSA-44, ML-DSA-65 or ML-DSA-87",
                   text);
}

const char *sg_key_kind_text(struct sg_key_kind kind, char into[SG_KEY_KIND_TEXT_SIZE])
{
    const char *text = "no key";

    switch (kind.family) {
    case SG_KEY_RSA:
        snprintf(into, SG_KEY_KIND_TEXT_SIZE, "RSA-%u", kind.bits);
        return into;
    case SG_KEY_EC:
        if (kind.bits != 0) {
            snprintf(into, SG_KEY_KIND_TEXT_SIZE, "P-%u", kind.bits);
            return into;
        }
        text = "EC on another curve";
        break;
    case SG_KEY_ED25519:
        text = "Ed25519";
        break;
    case SG_KEY_ML_DSA:
        snprintf(into, SG_KEY_KIND_TEXT_SIZE, "ML-DSA-%u", kind.bits);
        return into;
    case SG_KEY_OTHER:
        text = "another kind of key";
        break;
    case SG_KEY_NONE:
        break;
    }
    snprintf(into, SG_KEY_KIND_TEXT_SIZE, "%s", text);
    return into;
}

bool sg_key_kind_equal(struct sg_key_kind a, struct sg_key_kind b)
{
    return a.family == b.family && a.bits == b.bits;
}

bool sg_key_kind_check_openssl(struct sg_key_kind kind, struct sg_error *error)
{
    char text[SG_KEY_KIND_TEXT_SIZE];
    EVP_KEYMGMT *known = NULL;

    if (kind.family != SG_KEY_ML_DSA)
        return true;
    sg_key_kind_text(kind, text);
    known = EVP_KEYMGMT_fetch(NULL, text, NULL);
    EVP_KEYMGMT_free(known);
    ERR_clear_error();
    return known != NULL ||
           sg_fail(error, SG_USAGE, NULL, "%s needs OpenSSL 3.5 or newer, and this is OpenSSL %s",
                   text, OpenSSL_version(OPENSSL_VERSION_STRING));
}

const char *sg_key_ml_dsa_oid(struct sg_key_kind kind)
{
    for (size_t i = 0; i < sizeof ML_DSA / sizeof *ML_DSA; i++) {
        if (kind.family == SG_KEY_ML_DSA && kind.bits == ML_DSA[i].bits)
            return ML_DSA[i].oid;
    }
    return NULL;
}

struct sg_key_kind sg_key_ml_dsa_kind(const ASN1_OBJECT *algorithm)
{
    for (size_t i = 0; i < sizeof ML_DSA / sizeof *ML_DSA; i++) {
        if (sg_oid_is(algorithm, sg_slice_of(ML_DSA[i].octets, sizeof ML_DSA[i].octets)))
            return (struct sg_key_kind){SG_KEY_ML_DSA, ML_DSA[i].bits};
    }
    return (struct sg_key_kind){SG_KEY_NONE, 0};
}
