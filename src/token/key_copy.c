/* A key's way from one token to another. The other token opens a gate: an RSA key pair for this
 * once. This one wraps the key by an AES key, and that for the gate. All three are session objects:
 * they are gone when it is over, or when the process is. */
#include <openssl/core_names.h>
#include <string.h>

#include "base/limits.h"
#include "key_read.h"
#include "rv.h"

static const CK_BBOOL YES = CK_TRUE, NO = CK_FALSE;
static const CK_OBJECT_CLASS PRIVATE = CKO_PRIVATE_KEY, PUBLIC = CKO_PUBLIC_KEY,
                             SECRET = CKO_SECRET_KEY;
static const CK_KEY_TYPE OF_RSA = CKK_RSA, OF_EC = CKK_EC, OF_AES = CKK_AES;

enum { GATE_BITS = 3072, AES_LEN = 32 };

struct passage {
    CK_OBJECT_HANDLE gate_public, gate_private; /* on the other token; 0: there is none */
    struct sg_buf modulus, exponent;            /* of the gate */
    struct sg_buf wrapped_aes, wrapped_key;
};

static void passage_done(struct passage *passage)
{
    sg_buf_free(&passage->modulus);
    sg_buf_free(&passage->exponent);
    sg_buf_free(&passage->wrapped_aes);
    sg_buf_free(&passage->wrapped_key);
}
SG_DEFINE_CLEANUP_IN_PLACE(passage, passage_done)

#define FLAG(type, flag)   sg_attribute(type, &(flag), sizeof(flag))
#define BYTES(type, bytes) sg_attribute(type, (bytes).data, (bytes).len)
#define COUNT(array)       (sizeof(array) / sizeof(array)[0])

/* OAEP with SHA-1, the only one that SoftHSM has; what OAEP asks of its digest SHA-1 still does. */
static CK_MECHANISM oaep(CK_RSA_PKCS_OAEP_PARAMS *parameters)
{
    *parameters = (CK_RSA_PKCS_OAEP_PARAMS){
        .hashAlg = CKM_SHA_1, .mgf = CKG_MGF1_SHA1, .source = CKZ_DATA_SPECIFIED};
    return (CK_MECHANISM){CKM_RSA_PKCS_OAEP, parameters, sizeof *parameters};
}

static void destroy(struct sg_token *token, CK_OBJECT_HANDLE object)
{
    if (object != CK_INVALID_HANDLE)
        token->module.functions->C_DestroyObject(token->session, object);
}

/* ---- the gate ---- */

static bool open_gate(struct sg_token *to, struct passage *passage, struct sg_error *error)
{
    static const CK_ULONG BITS = GATE_BITS;
    static const uint8_t F4[] = {1, 0, 1};
    CK_ATTRIBUTE public[] = {FLAG(CKA_TOKEN, NO), FLAG(CKA_WRAP, YES), FLAG(CKA_VERIFY, NO),
                             FLAG(CKA_MODULUS_BITS, BITS),
                             sg_attribute(CKA_PUBLIC_EXPONENT, F4, sizeof F4)};
    CK_ATTRIBUTE private[] = {FLAG(CKA_TOKEN, NO),      FLAG(CKA_PRIVATE, YES),
                              FLAG(CKA_SENSITIVE, YES), FLAG(CKA_EXTRACTABLE, NO),
                              FLAG(CKA_UNWRAP, YES),    FLAG(CKA_SIGN, NO)};
    CK_MECHANISM mechanism = {CKM_RSA_PKCS_KEY_PAIR_GEN, NULL, 0};
    CK_RV rv;
    SG_TOKEN_LOCK(to);

    if (!sg_token_login_locked(to, error))
        return false;
    rv = to->module.functions->C_GenerateKeyPair(to->session, &mechanism, public, COUNT(public),
                                                 private, COUNT(private), &passage->gate_public,
                                                 &passage->gate_private);
    if (rv != CKR_OK)
        return sg_fail_token(error, SG_TOKEN, to, rv, "token %s makes no RSA key to unwrap with",
                             to->info.label);
    return sg_object_bytes(to, passage->gate_public, CKA_MODULUS, SG_LIMIT_SPKI, &passage->modulus,
                           error) &&
           sg_object_bytes(to, passage->gate_public, CKA_PUBLIC_EXPONENT, SG_LIMIT_SPKI,
                           &passage->exponent, error);
}

static void close_gate(struct sg_token *to, const struct passage *passage)
{
    SG_TOKEN_LOCK(to);

    destroy(to, passage->gate_private);
    destroy(to, passage->gate_public);
}

/* ---- out of a token ---- */

static bool wrap(struct sg_token *from, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE by,
                 CK_OBJECT_HANDLE key, struct sg_buf *wrapped, struct sg_error *error)
{
    uint8_t bytes[SG_LIMIT_SPKI];
    CK_ULONG len = sizeof bytes;
    CK_RV rv = from->module.functions->C_WrapKey(from->session, mechanism, by, key, bytes, &len);

    if (rv == CKR_KEY_UNEXTRACTABLE)
        return sg_fail_token(error, SG_TOKEN, from, rv,
                             "the key on token %s was made so that it can't leave it",
                             from->info.label);
    if (rv != CKR_OK)
        return sg_fail_token(error, SG_TOKEN, from, rv, "token %s does not wrap the key",
                             from->info.label);
    return sg_buf_set(wrapped, sg_slice_of(bytes, len), error);
}

static bool make_aes(struct sg_token *from, CK_OBJECT_HANDLE *aes, struct sg_error *error)
{
    static const CK_ULONG LEN = AES_LEN;
    CK_ATTRIBUTE attributes[] = {FLAG(CKA_TOKEN, NO),      FLAG(CKA_PRIVATE, YES),
                                 FLAG(CKA_SENSITIVE, YES), FLAG(CKA_EXTRACTABLE, YES),
                                 FLAG(CKA_WRAP, YES),      FLAG(CKA_ENCRYPT, NO),
                                 FLAG(CKA_DECRYPT, NO),    FLAG(CKA_VALUE_LEN, LEN)};
    CK_MECHANISM mechanism = {CKM_AES_KEY_GEN, NULL, 0};
    CK_RV rv = from->module.functions->C_GenerateKey(from->session, &mechanism, attributes,
                                                     COUNT(attributes), aes);

    return rv == CKR_OK ||
           sg_fail_token(error, SG_TOKEN, from, rv, "token %s makes no AES key to wrap with",
                         from->info.label);
}

static bool put_gate(struct sg_token *from, const struct passage *passage, CK_OBJECT_HANDLE *gate,
                     struct sg_error *error)
{
    CK_ATTRIBUTE attributes[] = {FLAG(CKA_CLASS, PUBLIC),
                                 FLAG(CKA_KEY_TYPE, OF_RSA),
                                 FLAG(CKA_TOKEN, NO),
                                 FLAG(CKA_WRAP, YES),
                                 BYTES(CKA_MODULUS, passage->modulus),
                                 BYTES(CKA_PUBLIC_EXPONENT, passage->exponent)};
    CK_RV rv =
        from->module.functions->C_CreateObject(from->session, attributes, COUNT(attributes), gate);

    return rv == CKR_OK ||
           sg_fail_token(error, SG_TOKEN, from, rv, "token %s does not take the other token's key",
                         from->info.label);
}

static bool find_private(struct sg_token *from, const struct sg_key *key, CK_OBJECT_HANDLE *object,
                         struct sg_error *error)
{
    sg_auto(sg_objects) struct sg_objects found = {0};
    char name[SG_KEY_NAME_SIZE];

    if (!sg_objects_find_named(from, CKO_PRIVATE_KEY, sg_buf_slice(&key->id), key->label, &found,
                               error))
        return false;
    if (found.num != 1)
        return sg_fail(error, SG_TOKEN, NULL, "token %s has %zu keys %s, and it must be one",
                       from->info.label, found.num, sg_key_name(key, name));
    *object = found.handles[0];
    return true;
}

static bool wrap_out(struct sg_token *from, const struct sg_key *key, struct passage *passage,
                     struct sg_error *error)
{
    CK_OBJECT_HANDLE gate = CK_INVALID_HANDLE, aes = CK_INVALID_HANDLE, object = CK_INVALID_HANDLE;
    CK_RSA_PKCS_OAEP_PARAMS parameters;
    CK_MECHANISM by_gate = oaep(&parameters), by_aes = {CKM_AES_KEY_WRAP_PAD, NULL, 0};
    bool is_sent;
    SG_TOKEN_LOCK(from);

    is_sent = sg_token_login_locked(from, error) && find_private(from, key, &object, error) &&
              put_gate(from, passage, &gate, error) && make_aes(from, &aes, error) &&
              wrap(from, &by_gate, gate, aes, &passage->wrapped_aes, error) &&
              wrap(from, &by_aes, aes, object, &passage->wrapped_key, error);
    destroy(from, aes);
    destroy(from, gate);
    return is_sent;
}

/* ---- into the other one ---- */

static bool unwrap_aes(struct sg_token *to, const struct passage *passage, CK_OBJECT_HANDLE *aes,
                       struct sg_error *error)
{
    CK_ATTRIBUTE attributes[] = {FLAG(CKA_CLASS, SECRET),  FLAG(CKA_KEY_TYPE, OF_AES),
                                 FLAG(CKA_TOKEN, NO),      FLAG(CKA_PRIVATE, YES),
                                 FLAG(CKA_SENSITIVE, YES), FLAG(CKA_EXTRACTABLE, NO),
                                 FLAG(CKA_UNWRAP, YES)};
    CK_RSA_PKCS_OAEP_PARAMS parameters;
    CK_MECHANISM mechanism = oaep(&parameters);
    CK_RV rv = to->module.functions->C_UnwrapKey(
        to->session, &mechanism, passage->gate_private, passage->wrapped_aes.data,
        passage->wrapped_aes.len, attributes, COUNT(attributes), aes);

    return rv == CKR_OK || sg_fail_token(error, SG_TOKEN, to, rv,
                                         "token %s does not unwrap the AES key", to->info.label);
}

/* The copy can be wrapped out again: what a lost token is replaced from has to. */
static bool unwrap_private(struct sg_token *to, const struct passage *passage, CK_OBJECT_HANDLE aes,
                           const struct sg_key *key, struct sg_slice id, CK_OBJECT_HANDLE *object,
                           struct sg_error *error)
{
    bool is_rsa = key->public.kind.family == SG_KEY_RSA;
    CK_ATTRIBUTE attributes[] = {
        FLAG(CKA_CLASS, PRIVATE),
        is_rsa ? FLAG(CKA_KEY_TYPE, OF_RSA) : FLAG(CKA_KEY_TYPE, OF_EC),
        FLAG(CKA_TOKEN, YES),
        FLAG(CKA_PRIVATE, YES),
        FLAG(CKA_SENSITIVE, YES),
        FLAG(CKA_EXTRACTABLE, YES),
        FLAG(CKA_SIGN, YES),
        FLAG(CKA_DECRYPT, NO),
        FLAG(CKA_UNWRAP, NO),
        FLAG(CKA_DERIVE, NO),
        sg_attribute(CKA_LABEL, key->label, strlen(key->label)),
        BYTES(CKA_ID, id),
        /* Last: SoftHSM 2.6.1 sets no attribute that comes behind it (its issue 707). */
        FLAG(CKA_MODIFIABLE, NO),
    };
    CK_MECHANISM mechanism = {CKM_AES_KEY_WRAP_PAD, NULL, 0};
    CK_RV rv = to->module.functions->C_UnwrapKey(
        to->session, &mechanism, aes, passage->wrapped_key.data, passage->wrapped_key.len,
        attributes, COUNT(attributes), object);

    return rv == CKR_OK || sg_fail_token(error, SG_TOKEN, to, rv,
                                         "token %s does not unwrap the key", to->info.label);
}

/* What CKA_MODULUS and CKA_PUBLIC_EXPONENT, or CKA_EC_PARAMS and CKA_EC_POINT, say of a key. */
struct numbers {
    uint8_t *first, *second; /* from OpenSSL */
    size_t first_len, second_len;
};

static void numbers_done(struct numbers *numbers)
{
    OPENSSL_free(numbers->first);
    OPENSSL_free(numbers->second);
}
SG_DEFINE_CLEANUP_IN_PLACE(numbers, numbers_done)

static bool take_number(const EVP_PKEY *pkey, const char *name, uint8_t **bytes, size_t *len)
{
    BIGNUM *number = NULL;

    if (EVP_PKEY_get_bn_param(pkey, name, &number) == 1) {
        *len = (size_t)BN_num_bytes(number);
        *bytes = OPENSSL_malloc(*len);
    }
    bool is_taken = *bytes != NULL && BN_bn2bin(number, *bytes) == (int)*len;
    BN_free(number);
    return is_taken;
}

/* The point inside an OCTET STRING (PKCS#11 3.0, 2.3.3). */
static bool take_point(const EVP_PKEY *pkey, uint8_t **bytes, size_t *len)
{
    sg_auto(ASN1_OCTET_STRING) ASN1_OCTET_STRING *string = ASN1_OCTET_STRING_new();
    uint8_t point[SG_LIMIT_VALUE];
    size_t point_len = 0;
    int whole;

    if (string == NULL ||
        EVP_PKEY_get_octet_string_param(pkey, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point,
                                        &point_len) != 1 ||
        ASN1_OCTET_STRING_set(string, point, (int)point_len) != 1 ||
        (whole = i2d_ASN1_OCTET_STRING(string, bytes)) <= 0)
        return false;
    *len = (size_t)whole;
    return true;
}

static bool take_numbers(const struct sg_public_key *key, struct numbers *numbers,
                         struct sg_error *error)
{
    if (key->kind.family != SG_KEY_RSA &&
        !sg_key_curve(key->kind, &numbers->first, &numbers->first_len, error))
        return false;
    if (key->kind.family == SG_KEY_RSA
            ? take_number(key->pkey, OSSL_PKEY_PARAM_RSA_N, &numbers->first, &numbers->first_len) &&
                  take_number(key->pkey, OSSL_PKEY_PARAM_RSA_E, &numbers->second,
                              &numbers->second_len)
            : take_point(key->pkey, &numbers->second, &numbers->second_len))
        return true;
    return sg_fail_openssl(error, SG_INTERNAL, NULL, "a public key can't be taken apart");
}

bool sg_key_put_public(struct sg_token *to, const struct sg_key *key, struct sg_slice id,
                       CK_OBJECT_HANDLE *object, struct sg_error *error)
{
    sg_auto(numbers) struct numbers numbers = {0};
    bool is_rsa = key->public.kind.family == SG_KEY_RSA;
    CK_RV rv;

    if (!take_numbers(&key->public, &numbers, error))
        return false;
    CK_ATTRIBUTE attributes[] = {
        FLAG(CKA_CLASS, PUBLIC),
        is_rsa ? FLAG(CKA_KEY_TYPE, OF_RSA) : FLAG(CKA_KEY_TYPE, OF_EC),
        FLAG(CKA_TOKEN, YES),
        FLAG(CKA_PRIVATE, NO),
        FLAG(CKA_MODIFIABLE, NO),
        FLAG(CKA_VERIFY, YES),
        FLAG(CKA_ENCRYPT, NO),
        FLAG(CKA_WRAP, NO),
        sg_attribute(CKA_LABEL, key->label, strlen(key->label)),
        BYTES(CKA_ID, id),
        sg_attribute(is_rsa ? CKA_MODULUS : CKA_EC_PARAMS, numbers.first, numbers.first_len),
        sg_attribute(is_rsa ? CKA_PUBLIC_EXPONENT : CKA_EC_POINT, numbers.second,
                     numbers.second_len),
    };
    rv = to->module.functions->C_CreateObject(to->session, attributes, COUNT(attributes), object);
    return rv == CKR_OK ||
           sg_fail_token(error, SG_TOKEN, to, rv,
                         "token %s does not take the public half of the key", to->info.label);
}

/* The public half is written first; one without the other half is nobody's key. */
static bool take_leftovers_away(struct sg_token *to, const struct sg_key *key, struct sg_slice id,
                                struct sg_error *error)
{
    sg_auto(sg_objects) struct sg_objects left = {0};

    if (!sg_objects_find_named(to, CKO_PUBLIC_KEY, id, key->label, &left, error))
        return false;
    for (size_t i = 0; i < left.num; i++)
        destroy(to, left.handles[i]);
    return true;
}

static bool unwrap_locked(struct sg_token *to, const struct sg_key *key, struct sg_slice id,
                          const struct passage *passage, struct sg_key *copy,
                          struct sg_error *error)
{
    CK_OBJECT_HANDLE aes = CK_INVALID_HANDLE, public = CK_INVALID_HANDLE,
                     private = CK_INVALID_HANDLE;
    bool is_there = take_leftovers_away(to, key, id, error) &&
                    unwrap_aes(to, passage, &aes, error) &&
                    sg_key_put_public(to, key, id, &public, error) &&
                    unwrap_private(to, passage, aes, key, id, &private, error) &&
                    sg_key_read_private(to, private, copy, error);

    destroy(to, aes);
    if (!is_there) {
        destroy(to, private);
        destroy(to, public);
    }
    return is_there;
}

static bool unwrap_in(struct sg_token *to, const struct sg_key *key, struct sg_slice id,
                      const struct passage *passage, struct sg_key *copy, struct sg_error *error)
{
    SG_TOKEN_LOCK(to);

    return sg_token_login_locked(to, error) && sg_key_check_free(to, key->label, id, error) &&
           unwrap_locked(to, key, id, passage, copy, error);
}

/* ---- the whole ---- */

static bool check_way(const struct sg_token *from, const struct sg_key *key,
                      const struct sg_token *to, struct sg_error *error)
{
    char text[SG_KEY_KIND_TEXT_SIZE];

    if (strcmp(from->info.serial_number, to->info.serial_number) == 0)
        return sg_fail(error, SG_USAGE, NULL, "a copy on token %s itself is no copy",
                       from->info.label);
    if (to->profile.num_ids > 0 || to->profile.keygen_login != SG_KEYGEN_AS_USER)
        return sg_fail(error, SG_USAGE, NULL, "tokens of the profile %s take no key from outside",
                       to->profile.name);
    return key->public.kind.family == SG_KEY_RSA ||
           (key->public.kind.family == SG_KEY_EC && key->public.kind.bits != 0) ||
           sg_fail(error, SG_USAGE, NULL, "no key of %s is wrapped",
                   sg_key_kind_text(key->public.kind, text));
}

bool sg_key_copy(struct sg_token *from, const struct sg_key *key, struct sg_token *to,
                 struct sg_slice id, struct sg_key *copy, struct sg_error *error)
{
    sg_auto(passage) struct passage passage = {0};
    sg_auto(sg_key) struct sg_key fresh = {0};
    bool is_copied;

    if (!check_way(from, key, to, error))
        return false;
    is_copied = open_gate(to, &passage, error) && wrap_out(from, key, &passage, error) &&
                unwrap_in(to, key, id, &passage, &fresh, error);
    close_gate(to, &passage);
    if (!is_copied)
        return false;
    sg_key_done(copy);
    *copy = fresh;
    fresh = (struct sg_key){0};
    return true;
}
