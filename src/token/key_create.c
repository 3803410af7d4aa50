#include <openssl/obj_mac.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/text.h"
#include "key_read.h"
#include "rv.h"

static const CK_BBOOL YES = CK_TRUE, NO = CK_FALSE;

enum {
    ID_LEN = 20,      /* of one that is drawn: as long as an RFC 5280 key identifier */
    MAX_ID_LEN = 100, /* libp11 reads no longer one from a URI */
    MAX_ATTRIBUTES = 16,
    /* the attributes at the end of each template that not every token knows */
    NUM_OPTIONAL = 1,
};

struct template
{
    CK_ATTRIBUTE attributes[MAX_ATTRIBUTES];
    size_t num;
};

/* What both halves of a pair are made from. The templates point into it. */
struct plan {
    struct sg_key_kind kind;
    const char *label;
    struct sg_slice id;
    bool has_fixed_id; /* the token has places for keys, and labels of its own */
    bool is_wrappable; /* it may leave the token, wrapped by another key */
    bool decrypts;     /* it opens what is encrypted to it: by RSA, or by agreeing on a secret */
    uint8_t drawn_id[ID_LEN];
    CK_MECHANISM mechanism;
    CK_KEY_TYPE type;
    CK_ULONG modulus_bits;
    uint8_t *curve; /* DER of its OID */
    size_t curve_len;
};

static void plan_done(struct plan *plan)
{
    OPENSSL_free(plan->curve);
}
SG_DEFINE_CLEANUP_IN_PLACE(plan, plan_done)

static void add(struct template *template, CK_ATTRIBUTE_TYPE type, const void *value, size_t len)
{
    template->attributes[template->num++] = sg_attribute(type, value, len);
}

static void add_flag(struct template *template, CK_ATTRIBUTE_TYPE type, bool flag)
{
    add(template, type, flag ? &YES : &NO, sizeof YES);
}

static void add_common(struct template *template, const struct plan *plan)
{
    add(template, CKA_KEY_TYPE, &plan->type, sizeof plan->type);
    if (!plan->has_fixed_id)
        add(template, CKA_LABEL, plan->label, strlen(plan->label));
    add(template, CKA_ID, plan->id.data, plan->id.len);
    add_flag(template, CKA_TOKEN, true);
    add_flag(template, CKA_MODIFIABLE, false);
}

static bool is_to_decrypt(const struct plan *plan)
{
    return plan->decrypts && plan->kind.family == SG_KEY_RSA;
}

static bool is_to_derive(const struct plan *plan)
{
    return plan->decrypts && plan->kind.family == SG_KEY_EC;
}

/* A key that signs and does nothing else unless it is to, and that never leaves the token unless it
 * is to. */
static void fill_private(const struct plan *plan, struct template *template)
{
    add_common(template, plan);
    add_flag(template, CKA_PRIVATE, true);
    add_flag(template, CKA_SENSITIVE, true);
    add_flag(template, CKA_EXTRACTABLE, plan->is_wrappable);
    add_flag(template, CKA_SIGN, true);
    add_flag(template, CKA_DECRYPT, is_to_decrypt(plan));
    add_flag(template, CKA_DERIVE, is_to_derive(plan));
    add_flag(template, CKA_UNWRAP, false);
    add_flag(template, CKA_SIGN_RECOVER, false);
}

static void fill_public(const struct plan *plan, struct template *template)
{
    static const uint8_t F4[] = {1, 0, 1}; /* 65537 */

    add_common(template, plan);
    add_flag(template, CKA_PRIVATE, false);
    add_flag(template, CKA_VERIFY, true);
    add_flag(template, CKA_ENCRYPT, false);
    add_flag(template, CKA_DERIVE, false);
    add_flag(template, CKA_WRAP, false);
    if (plan->kind.family == SG_KEY_RSA) {
        add(template, CKA_MODULUS_BITS, &plan->modulus_bits, sizeof plan->modulus_bits);
        add(template, CKA_PUBLIC_EXPONENT, F4, sizeof F4);
    } else {
        add(template, CKA_EC_PARAMS, plan->curve, plan->curve_len);
    }
    add_flag(template, CKA_VERIFY_RECOVER, false);
}

bool sg_key_curve(struct sg_key_kind kind, uint8_t **der, size_t *der_len, struct sg_error *error)
{
    int nid = kind.family == SG_KEY_ED25519 ? NID_ED25519
              : kind.bits == 256            ? NID_X9_62_prime256v1
              : kind.bits == 384            ? NID_secp384r1
                                            : NID_secp521r1;
    int len = i2d_ASN1_OBJECT(OBJ_nid2obj(nid), der);

    if (len <= 0)
        return sg_fail_openssl(error, SG_INTERNAL, NULL, "cannot encode the name of a curve");
    *der_len = (size_t)len;
    return true;
}

static bool check_kind(const struct sg_token *token, struct sg_key_kind kind,
                       struct sg_error *error)
{
    char text[SG_KEY_KIND_TEXT_SIZE];

    sg_key_kind_text(kind, text);
    if (kind.family == SG_KEY_ED25519 && token->signer == SG_SIGNER_ENGINE)
        return sg_fail(error, SG_USAGE, NULL,
                       "no Ed25519 key is made on a token that the engine signs on: OpenSSL's "
                       "pkcs11 engine can't sign with it, and libp11 0.4.12 can't find any other "
                       "key beside one; the direct signer can (signer: direct, --signer direct)");
    if (!(kind.family == SG_KEY_RSA && kind.bits >= 2048 && kind.bits <= SG_LIMIT_RSA_BITS) &&
        !(kind.family == SG_KEY_EC && kind.bits != 0) && kind.family != SG_KEY_ED25519)
        return sg_fail(error, SG_USAGE, NULL, "no %s is made on a token", text);
    if (!sg_profile_has_key(&token->profile, kind))
        return sg_fail(error, SG_USAGE, NULL,
                       "the token profile %s does not list %s among the keys that this model makes",
                       token->profile.name, text);
    if (token->is_read_only)
        return sg_fail_rv(error, SG_TOKEN, CKR_TOKEN_WRITE_PROTECTED, "token %s takes no new key",
                          token->info.label);
    return true;
}

/* The places of a model, as a URI says them: "id=%9A, id=%9C". */
static bool fail_as_no_place(const struct sg_profile *profile, struct sg_error *error)
{
    char list[8 * SG_PROFILE_IDS + 1] = "";
    size_t len = 0;

    for (size_t i = 0; i < profile->num_ids; i++)
        len += (size_t)snprintf(list + len, sizeof list - len, "%sid=%%%02X", i > 0 ? ", " : "",
                                profile->ids[i]);
    return sg_fail(error, SG_USAGE, NULL, "tokens of the profile %s have fixed places for keys: %s",
                   profile->name, list);
}

static bool check_names(const struct sg_profile *profile, const char *label, struct sg_slice id,
                        struct sg_error *error)
{
    size_t label_len = strlen(label);

    if (!sg_profile_has_id(profile, id))
        return fail_as_no_place(profile, error);
    if (profile->num_ids > 0)
        return true;
    if (label_len == 0 || label_len > SG_LIMIT_VALUE)
        return sg_fail(error, SG_USAGE, NULL, "a key's label has 1 to %d bytes; add object=LABEL",
                       SG_LIMIT_VALUE);
    if (id.len > MAX_ID_LEN)
        return sg_fail(error, SG_USAGE, NULL, "a key's id has at most %d bytes", MAX_ID_LEN);
    return sg_text_check(sg_slice_text(label), "key label", error);
}

static bool make_plan(const struct sg_profile *profile, struct sg_key_kind kind, const char *label,
                      struct sg_slice id, struct plan *plan, struct sg_error *error)
{
    if (!check_names(profile, label, id, error))
        return false;
    plan->has_fixed_id = profile->num_ids > 0;
    plan->kind = kind;
    plan->label = label;
    plan->id = id;
    if (id.len == 0) {
        if (!sg_random_fill(plan->drawn_id, ID_LEN, error))
            return false;
        plan->id = sg_slice_of(plan->drawn_id, ID_LEN);
    }
    if (kind.family == SG_KEY_RSA) {
        plan->mechanism.mechanism = CKM_RSA_PKCS_KEY_PAIR_GEN;
        plan->type = CKK_RSA;
        plan->modulus_bits = kind.bits;
        return true;
    }
    plan->mechanism.mechanism =
        kind.family == SG_KEY_ED25519 ? CKM_EC_EDWARDS_KEY_PAIR_GEN : CKM_EC_KEY_PAIR_GEN;
    plan->type = kind.family == SG_KEY_ED25519 ? CKK_EC_EDWARDS : CKK_EC;
    return sg_key_curve(kind, &plan->curve, &plan->curve_len, error);
}

bool sg_key_check_free(struct sg_token *token, const char *label, struct sg_slice id,
                       struct sg_error *error)
{
    sg_auto(sg_objects) struct sg_objects of_label = {0}, of_id = {0};
    char digits[2 * MAX_ID_LEN + 1];

    if ((token->profile.num_ids == 0 &&
         !sg_objects_find_named(token, CKO_PRIVATE_KEY, (struct sg_slice){0}, label, &of_label,
                                error)) ||
        !sg_objects_find_named(token, CKO_PRIVATE_KEY, id, label, &of_id, error))
        return false;
    if (of_label.num > 0)
        return sg_fail(error, SG_TOKEN, NULL,
                       "token %s has a private key '%s' already; choose another label",
                       token->info.label, label);
    if (of_id.num > 0)
        return sg_fail(error, SG_TOKEN, NULL,
                       "token %s has a private key with the id %s already; choose another id",
                       token->info.label, sg_hex(id, digits, sizeof digits));
    return true;
}

static bool means_unknown_attribute(CK_RV rv)
{
    return rv == CKR_ATTRIBUTE_TYPE_INVALID || rv == CKR_ATTRIBUTE_VALUE_INVALID ||
           rv == CKR_TEMPLATE_INCONSISTENT;
}

struct pair {
    CK_OBJECT_HANDLE public, private;
};

static bool generate(struct sg_token *token, struct plan *plan, struct pair *pair,
                     struct sg_error *error)
{
    struct template public = {0}, private = {0};
    char text[SG_KEY_KIND_TEXT_SIZE];
    size_t num_left_out = 0;
    CK_RV rv;

    fill_public(plan, &public);
    fill_private(plan, &private);
    do {
        rv = token->module.functions->C_GenerateKeyPair(
            token->session, &plan->mechanism, public.attributes, public.num - num_left_out,
            private.attributes, private.num - num_left_out, &pair->public, &pair->private);
    } while (means_unknown_attribute(rv) && num_left_out++ < NUM_OPTIONAL);
    if (rv != CKR_OK)
        return sg_fail_token(error, SG_TOKEN, token, rv, "token %s makes no %s key",
                             token->info.label, sg_key_kind_text(plan->kind, text));
    return true;
}

/* What must read back from the private half, whatever the token did with its template. */
static const struct {
    const char *name;
    size_t offset;
    bool wanted;
    bool turns; /* the other way round for a key that may leave its token */
} STATED[] = {
    {"CKA_LOCAL", offsetof(struct sg_key, local), true, false},
    {"CKA_SENSITIVE", offsetof(struct sg_key, sensitive), true, false},
    {"CKA_ALWAYS_SENSITIVE", offsetof(struct sg_key, always_sensitive), true, false},
    {"CKA_EXTRACTABLE", offsetof(struct sg_key, extractable), false, true},
    {"CKA_NEVER_EXTRACTABLE", offsetof(struct sg_key, never_extractable), true, true},
    {"CKA_SIGN", offsetof(struct sg_key, sign), true, false},
    {"CKA_UNWRAP", offsetof(struct sg_key, unwrap), false, false},
    {"CKA_MODIFIABLE", offsetof(struct sg_key, modifiable), false, false},
};

/* The name of the first attribute that is not as stated, or NULL. */
static const char *find_difference(const struct plan *plan, const struct sg_key *key)
{
    for (size_t i = 0; i < sizeof STATED / sizeof *STATED; i++)
        if (*(const bool *)((const char *)key + STATED[i].offset) !=
            (STATED[i].wanted != (STATED[i].turns && plan->is_wrappable)))
            return STATED[i].name;
    if (key->decrypt != is_to_decrypt(plan))
        return "CKA_DECRYPT";
    if (key->derive != is_to_derive(plan))
        return "CKA_DERIVE";
    if (!sg_slice_equal(sg_buf_slice(&key->id), plan->id))
        return "CKA_ID";
    if (!plan->has_fixed_id && strcmp(key->label, plan->label) != 0)
        return "CKA_LABEL";
    if (!sg_key_kind_equal(key->public.kind, plan->kind))
        return plan->type == CKK_RSA ? "CKA_MODULUS" : "CKA_EC_POINT";
    return NULL;
}

static bool read_back(struct sg_token *token, const struct plan *plan, const struct pair *pair,
                      struct sg_key *key, struct sg_error *error)
{
    const char *difference;

    if (!sg_key_read_private(token, pair->private, key, error))
        return false;
    difference = find_difference(plan, key);
    if (difference != NULL)
        return sg_fail(error, SG_TOKEN, NULL,
                       "token %s made the key '%s' with another %s than was stated",
                       token->info.label, plan->label, difference);
    return true;
}

/* Takes a pair back that is not as it should be, and says what became of it. */
static bool destroy(struct sg_token *token, const struct pair *pair, struct sg_error *error)
{
    CK_FUNCTION_LIST *functions = token->module.functions;
    CK_RV of_private = functions->C_DestroyObject(token->session, pair->private);
    CK_RV of_public = functions->C_DestroyObject(token->session, pair->public);

    return sg_error_prefix(error, of_private == CKR_OK && of_public == CKR_OK
                                      ? "the new key was destroyed"
                                      : "the new key is unusable and could not be destroyed");
}

static bool make(struct sg_token *token, struct plan *plan, struct sg_key *key,
                 struct sg_error *error)
{
    struct pair pair;

    return generate(token, plan, &pair, error) &&
           (read_back(token, plan, &pair, key, error) || destroy(token, &pair, error));
}

static bool create(struct sg_token *token, struct sg_key_kind kind, const char *label,
                   struct sg_slice id, const struct plan *wish, struct sg_key *key,
                   struct sg_error *error)
{
    sg_auto(plan) struct plan plan = {.is_wrappable = wish->is_wrappable,
                                      .decrypts = wish->decrypts};
    sg_auto(sg_key) struct sg_key fresh = {0};
    bool is_made;
    SG_TOKEN_LOCK(token);

    if (!check_kind(token, kind, error) ||
        !make_plan(&token->profile, kind, label, id, &plan, error) ||
        !sg_token_login_locked(token, error) || !sg_key_check_free(token, label, plan.id, error) ||
        !sg_token_begin_writing_locked(token, error))
        return false;
    is_made = make(token, &plan, &fresh, error);
    sg_token_end_writing_locked(token);
    if (!is_made)
        return false;
    sg_key_done(key);
    *key = fresh;
    fresh = (struct sg_key){0};
    return true;
}

bool sg_key_create(struct sg_token *token, struct sg_key_kind kind, const char *label,
                   struct sg_slice id, struct sg_key *key, struct sg_error *error)
{
    return create(token, kind, label, id, &(struct plan){0}, key, error);
}

bool sg_key_create_wrappable(struct sg_token *token, struct sg_key_kind kind, const char *label,
                             struct sg_slice id, struct sg_key *key, struct sg_error *error)
{
    return create(token, kind, label, id, &(struct plan){.is_wrappable = true}, key, error);
}

bool sg_key_create_decrypting(struct sg_token *token, struct sg_key_kind kind, const char *label,
                              struct sg_slice id, struct sg_key *key, struct sg_error *error)
{
    if (kind.family != SG_KEY_RSA && kind.family != SG_KEY_EC)
        return sg_fail(error, SG_USAGE, NULL, "keys are encrypted to RSA and EC keys alone");
    return create(token, kind, label, id, &(struct plan){.decrypts = true}, key, error);
}
