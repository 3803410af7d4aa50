#include "ssh.h"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <string.h>

#include "base/limits.h"
#include "params.h"

/* ---- the wire ---- */

/* What is left to be read. Numbers are four bytes, big end first; a string has its length before it
 * (RFC 4251 5). */
struct wire {
    const uint8_t *at, *end;
};

static struct wire wire_of(struct sg_slice bytes)
{
    return (struct wire){bytes.data, bytes.data + bytes.len};
}

static bool take_number(struct wire *wire, uint32_t *number)
{
    if (wire->end - wire->at < 4)
        return false;
    *number = (uint32_t)wire->at[0] << 24 | (uint32_t)wire->at[1] << 16 |
              (uint32_t)wire->at[2] << 8 | wire->at[3];
    wire->at += 4;
    return true;
}

static bool take_string(struct wire *wire, struct sg_slice *string)
{
    uint32_t len;

    if (!take_number(wire, &len) || len > (size_t)(wire->end - wire->at))
        return false;
    *string = sg_slice_of(wire->at, len);
    wire->at += len;
    return true;
}

/* A positive number in as few bytes as it takes. NULL: it is none; the caller owns it. */
static BIGNUM *take_integer(struct wire *wire)
{
    struct sg_slice bytes;

    if (!take_string(wire, &bytes) || bytes.len == 0 || bytes.data[0] >= 0x80 ||
        bytes.len > SG_LIMIT_RSA_BITS / 8 + 1 ||
        (bytes.data[0] == 0 && (bytes.len == 1 || bytes.data[1] < 0x80)))
        return NULL;
    return BN_bin2bn(bytes.data, (int)bytes.len, NULL);
}

static bool is_at_end(const struct wire *wire)
{
    return wire->at == wire->end;
}

static bool is_text(struct sg_slice bytes, const char *text)
{
    return sg_slice_equal(bytes, sg_slice_text(text));
}

/* There is one base64 of some bytes, so what is read can't say it in another way. */
static bool decode_base64(struct sg_slice base64, struct sg_buf *bytes)
{
    sg_auto(malloc) uint8_t *decoded = malloc(base64.len + 1), *again = malloc(base64.len + 1);
    size_t num_fill = 0;
    int len = -1;

    while (num_fill < base64.len && base64.data[base64.len - 1 - num_fill] == '=')
        num_fill++;
    if (decoded != NULL && again != NULL && base64.len > 0 && base64.len % 4 == 0 &&
        base64.len <= 2 * SG_LIMIT_SPKI && num_fill <= 2)
        len = EVP_DecodeBlock(decoded, base64.data, (int)base64.len) - (int)num_fill;
    ERR_clear_error();
    return len > 0 && EVP_EncodeBlock(again, decoded, len) == (int)base64.len &&
           memcmp(again, base64.data, base64.len) == 0 &&
           sg_buf_set(bytes, sg_slice_of(decoded, (size_t)len), NULL);
}

/* ---- keys ---- */

/* A kind of key by its name, and for elliptic curves theirs, as OpenSSL calls it too. */
struct ssh_kind {
    const char *word;
    EVP_PKEY *(*read)(const struct ssh_kind *kind, struct wire *wire);
    const char *curve, *group;
};

static EVP_PKEY *read_ed25519(const struct ssh_kind *kind, struct wire *wire)
{
    struct sg_slice point;

    (void)kind;
    return take_string(wire, &point)
               ? EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, point.data, point.len)
               : NULL;
}

static EVP_PKEY *read_ecdsa(const struct ssh_kind *kind, struct wire *wire)
{
    sg_auto(OSSL_PARAM_BLD) OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    struct sg_slice name, point;

    if (builder == NULL || !take_string(wire, &name) || !is_text(name, kind->curve) ||
        !take_string(wire, &point) || point.len == 0 ||
        point.data[0] != POINT_CONVERSION_UNCOMPRESSED ||
        OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, kind->group, 0) != 1 ||
        OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point.data, point.len) !=
            1)
        return NULL;
    return sg_params_key("EC", builder);
}

static EVP_PKEY *read_rsa(const struct ssh_kind *kind, struct wire *wire)
{
    sg_auto(OSSL_PARAM_BLD) OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    sg_auto(BIGNUM) BIGNUM *exponent = take_integer(wire);
    sg_auto(BIGNUM) BIGNUM *modulus = exponent != NULL ? take_integer(wire) : NULL;

    (void)kind;
    if (builder == NULL || modulus == NULL || BN_num_bits(exponent) > SG_LIMIT_RSA_EXPONENT_BITS ||
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, modulus) != 1 ||
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, exponent) != 1)
        return NULL;
    return sg_params_key("RSA", builder);
}

static const struct ssh_kind KINDS[] = {
    {"ssh-ed25519", read_ed25519, NULL, NULL},
    {"ecdsa-sha2-nistp256", read_ecdsa, "nistp256", "P-256"},
    {"ecdsa-sha2-nistp384", read_ecdsa, "nistp384", "P-384"},
    {"ecdsa-sha2-nistp521", read_ecdsa, "nistp521", "P-521"},
    {"ssh-rsa", read_rsa, NULL, NULL},
};

static bool read_key(struct sg_slice blob, struct sg_public_key *key, struct sg_error *error)
{
    struct wire wire = wire_of(blob);
    struct sg_slice word = {0};
    sg_auto(EVP_PKEY) EVP_PKEY *pkey = NULL;
    bool is_named = take_string(&wire, &word);

    for (size_t i = 0; is_named && i < sizeof KINDS / sizeof KINDS[0]; i++)
        if (is_text(word, KINDS[i].word))
            pkey = KINDS[i].read(&KINDS[i], &wire);
    if (pkey == NULL || !is_at_end(&wire)) {
        ERR_clear_error();
        return sg_fail(error, SG_INVALID, NULL,
                       "an SSH key that is not whole, or of no kind that is read here: "
                       "ssh-ed25519, ecdsa-sha2-nistp256, -nistp384, -nistp521 and ssh-rsa");
    }
    return sg_params_public_key(pkey, key, error);
}

/* The first word of a line, and what comes behind it. */
static struct sg_slice take_word(struct sg_slice *line)
{
    struct sg_slice word = {line->data, 0};

    while (word.len < line->len && memchr(" \t\r\n", line->data[word.len], 4) == NULL)
        word.len++;
    *line = sg_slice_of(line->data + word.len, line->len - word.len);
    while (line->len > 0 && (line->data[0] == ' ' || line->data[0] == '\t'))
        *line = sg_slice_of(line->data + 1, line->len - 1);
    return word;
}

bool sg_ssh_is_key(struct sg_slice line)
{
    static const char *const BEGINNINGS[] = {"ssh-", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-"};
    struct sg_slice word = take_word(&line);

    if (word.len == 0 || line.len == 0)
        return false;
    for (size_t i = 0; i < sizeof BEGINNINGS / sizeof BEGINNINGS[0]; i++)
        if (word.len > strlen(BEGINNINGS[i]) &&
            memcmp(word.data, BEGINNINGS[i], strlen(BEGINNINGS[i])) == 0)
            return true;
    return false;
}

bool sg_ssh_read_key(struct sg_slice line, struct sg_public_key *key, struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf blob = {0};
    struct sg_slice word = take_word(&line), base64 = take_word(&line), inner;
    struct wire wire;

    if (line.len > 0 && memchr(line.data, '\n', line.len - 1) != NULL)
        return sg_fail(error, SG_INVALID, NULL, "an SSH key has one line");
    if (!decode_base64(base64, &blob))
        return sg_fail(error, SG_INVALID, NULL, "an SSH key that is not whole base64");
    wire = wire_of(sg_buf_slice(&blob));
    if (!take_string(&wire, &inner) || !sg_slice_equal(inner, word))
        return sg_fail(error, SG_INVALID, NULL, "an SSH key of another kind than it says");
    return read_key(sg_buf_slice(&blob), key, error);
}

/* ---- signatures ---- */

static const char BEGIN[] = "-----BEGIN SSH SIGNATURE-----\n",
                  END[] = "-----END SSH SIGNATURE-----\n";

/* The parts of a signature, borrowed from its bytes. */
struct ssh_signature {
    struct sg_slice key, namespace, reserved, hash, scheme, value;
};

bool sg_ssh_is_signature(struct sg_slice bytes)
{
    return bytes.len >= strlen(BEGIN) && memcmp(bytes.data, BEGIN, strlen(BEGIN)) == 0;
}

/* The base64 between the lines, in lines of 70 but for the last one. */
static bool join_lines(struct sg_slice text, struct sg_buf *base64)
{
    enum { LINE = 70 };

    while (text.len > 0) {
        size_t len = text.len > LINE ? LINE : text.len - 1;

        if (len == 0 || text.data[len] != '\n' ||
            !sg_buf_append(base64, text.data, len, 2 * SG_LIMIT_SIGNATURE, NULL))
            return false;
        text = sg_slice_of(text.data + len + 1, text.len - len - 1);
    }
    return true;
}

static bool dearmour(struct sg_slice armoured, struct sg_buf *blob, struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf base64 = {0};
    size_t begin = strlen(BEGIN), end = strlen(END);

    if (armoured.len <= begin + end || !sg_ssh_is_signature(armoured) ||
        memcmp(armoured.data + armoured.len - end, END, end) != 0 ||
        !join_lines(sg_slice_of(armoured.data + begin, armoured.len - begin - end), &base64) ||
        !decode_base64(sg_buf_slice(&base64), blob))
        return sg_fail(error, SG_MALFORMED, "PROTOCOL.sshsig",
                       "it is not as ssh-keygen writes a signature: cut short, or changed");
    return true;
}

static bool take_signature(struct sg_slice blob, struct ssh_signature *signature)
{
    struct wire wire = wire_of(blob), inner;
    struct sg_slice both;
    uint32_t version;

    if (blob.len < 6 || memcmp(wire.at, "SSHSIG", 6) != 0)
        return false;
    wire.at += 6;
    if (!take_number(&wire, &version) || version != 1 || !take_string(&wire, &signature->key) ||
        !take_string(&wire, &signature->namespace) || !take_string(&wire, &signature->reserved) ||
        !take_string(&wire, &signature->hash) || !take_string(&wire, &both) || !is_at_end(&wire))
        return false;
    inner = wire_of(both);
    return take_string(&inner, &signature->scheme) && take_string(&inner, &signature->value) &&
           is_at_end(&inner);
}

static bool read_signature(struct sg_slice armoured, const char *namespace, struct sg_buf *blob,
                           struct ssh_signature *signature, struct sg_error *error)
{
    if (!dearmour(armoured, blob, error))
        return false;
    if (!take_signature(sg_buf_slice(blob), signature))
        return sg_fail(error, SG_MALFORMED, "PROTOCOL.sshsig",
                       "it is no signature of version 1 by an SSH key");
    return is_text(signature->namespace, namespace) ||
           sg_fail(error, SG_POSSESSION, "PROTOCOL.sshsig",
                   "it was not made for the namespace %s: `ssh-keygen -Y sign -n %s -f KEY FILE` "
                   "does",
                   namespace, namespace);
}

bool sg_ssh_check_namespace(struct sg_slice armoured, const char *namespace, struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf blob = {0};
    struct ssh_signature signature = {0};

    return read_signature(armoured, namespace, &blob, &signature, error);
}

/* ---- verifying ---- */

static bool put_string(struct sg_buf *into, struct sg_slice string, struct sg_error *error)
{
    const uint8_t len[] = {(uint8_t)(string.len >> 24), (uint8_t)(string.len >> 16),
                           (uint8_t)(string.len >> 8), (uint8_t)string.len};

    return sg_buf_append(into, len, sizeof len, 2 * SG_LIMIT_SIGNATURE, error) &&
           sg_buf_append(into, string.data, string.len, 2 * SG_LIMIT_SIGNATURE, error);
}

/* What the key has signed: the parts, and the digest of the bytes in their place. */
static bool signed_bytes(const struct ssh_signature *signature, struct sg_slice bytes,
                         struct sg_buf *into, struct sg_error *error)
{
    const EVP_MD *hash = is_text(signature->hash, "sha512")   ? EVP_sha512()
                         : is_text(signature->hash, "sha256") ? EVP_sha256()
                                                              : NULL;
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;

    if (hash == NULL)
        return sg_fail(error, SG_POSSESSION, "PROTOCOL.sshsig",
                       "its digest is neither SHA-512 nor SHA-256");
    if (EVP_Digest(bytes.data, bytes.len, digest, &len, hash, NULL) != 1)
        return sg_fail_openssl(error, SG_INTERNAL, NULL, "a digest can't be made");
    return sg_buf_append(into, "SSHSIG", 6, 2 * SG_LIMIT_SIGNATURE, error) &&
           put_string(into, signature->namespace, error) &&
           put_string(into, signature->reserved, error) &&
           put_string(into, signature->hash, error) &&
           put_string(into, sg_slice_of(digest, len), error);
}

/* The scheme by its name, as far as it is one for the key. */
static enum sg_scheme scheme_of(const struct ssh_signature *signature, struct sg_key_kind kind)
{
    char ecdsa[32];

    if (kind.family == SG_KEY_RSA)
        return is_text(signature->scheme, "rsa-sha2-512")   ? SG_RSA_SHA512
               : is_text(signature->scheme, "rsa-sha2-256") ? SG_RSA_SHA256
                                                            : SG_SCHEME_NONE;
    snprintf(ecdsa, sizeof ecdsa, "ecdsa-sha2-nistp%u", kind.bits);
    return is_text(signature->scheme, kind.family == SG_KEY_ED25519 ? "ssh-ed25519" : ecdsa)
               ? sg_scheme_default(kind)
               : SG_SCHEME_NONE;
}

/* Two numbers of SSH (RFC 5656 3.1.2) as the SEQUENCE that they are elsewhere. */
static bool encode_ecdsa(struct sg_slice value, struct sg_buf *der, struct sg_error *error)
{
    struct wire wire = wire_of(value);
    ECDSA_SIG *pair = ECDSA_SIG_new();
    BIGNUM *r = take_integer(&wire), *s = r != NULL ? take_integer(&wire) : NULL;
    sg_auto(openssl_bytes) uint8_t *encoded = NULL;
    int len = -1;

    if (pair != NULL && s != NULL && is_at_end(&wire) && ECDSA_SIG_set0(pair, r, s) == 1) {
        r = s = NULL; /* now the pair's */
        len = i2d_ECDSA_SIG(pair, &encoded);
    }
    BN_free(r);
    BN_free(s);
    ECDSA_SIG_free(pair);
    return len > 0 ? sg_buf_set(der, sg_slice_of(encoded, (size_t)len), error)
                   : sg_fail(error, SG_POSSESSION, "RFC 5656 3.1.2", "not two numbers");
}

bool sg_ssh_verify(const struct sg_public_key *key, const char *namespace, struct sg_slice bytes,
                   struct sg_slice armoured, struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf blob = {0};
    sg_auto(sg_buf) struct sg_buf whole = {0};
    sg_auto(sg_buf) struct sg_buf value = {0};
    sg_auto(sg_public_key) struct sg_public_key by = {0};
    struct ssh_signature signature = {0};
    enum sg_scheme scheme;

    if (!read_signature(armoured, namespace, &blob, &signature, error) ||
        !read_key(signature.key, &by, error))
        return false;
    scheme = scheme_of(&signature, by.kind);
    if (!sg_public_key_equal(&by, key) || scheme == SG_SCHEME_NONE)
        return sg_fail(error, SG_POSSESSION, NULL, "it is by another key, or by no scheme of it");
    return signed_bytes(&signature, bytes, &whole, error) &&
           (key->kind.family == SG_KEY_EC ? encode_ecdsa(signature.value, &value, error)
                                          : sg_buf_set(&value, signature.value, error)) &&
           sg_scheme_verify(scheme, key, sg_buf_slice(&whole), sg_buf_slice(&value), error);
}
