/* What came of the keys: themselves, what they signed, and what is on the tokens. */
#include <string.h>

#include "cert/cert.h"
#include "cert/crl.h"
#include "prove_parts.h"

/* ---- keys ---- */

static bool is_attribute(const json_t *attributes, const char *name, bool wanted)
{
    const json_t *value = json_object_get(attributes, name);

    return json_is_boolean(value) && json_is_true(value) == wanted;
}

/* What the plan claims of a key that is made. One that an act wraps can leave its token. */
static bool check_attributes(const json_t *entry, bool is_wrapped, struct sg_error *error)
{
    static const struct {
        const char *name;
        bool wanted, turns;
    } CLAIMS[] = {
        {"LOCAL", true, false},       {"SENSITIVE", true, false},
        {"SIGN", true, false},        {"ALWAYS_SENSITIVE", true, false},
        {"EXTRACTABLE", false, true}, {"NEVER_EXTRACTABLE", true, true},
        {"MODIFIABLE", false, false}, {"DECRYPT", false, false},
        {"UNWRAP", false, false},     {"DERIVE", false, false},
    };
    const json_t *attributes = json_object_get(entry, "attributes");

    for (size_t i = 0; i < sizeof CLAIMS / sizeof CLAIMS[0]; i++)
        if (!is_attribute(attributes, CLAIMS[i].name,
                          CLAIMS[i].wanted != (CLAIMS[i].turns && is_wrapped)))
            return sg_fail(error, SG_REFUSED, NULL, "the token said otherwise of %s",
                           CLAIMS[i].name);
    return true;
}

/* A key that is new on its token has the id that was drawn for it. */
static bool has_drawn_id(const struct sg_proof *proof, size_t act, const json_t *entry)
{
    char drawn[2 * SG_CEREMONY_DRAWN_LEN + 1];

    sg_hex(sg_slice_of(proof->ceremony.drawn[act], SG_CEREMONY_DRAWN_LEN), drawn, sizeof drawn);
    return strcmp(sg_proof_text(entry, "id"), drawn) == 0;
}

static bool check_made(const struct sg_proof *proof, size_t act, const json_t *entry,
                       const struct sg_public_key *key, struct sg_error *error)
{
    const struct sg_ceremony_key *planned =
        &proof->ceremony.file.keys[proof->ceremony.file.acts[act].key];

    if (!has_drawn_id(proof, act, entry) || !sg_key_kind_equal(key->kind, planned->kind))
        return sg_fail(error, SG_REFUSED, NULL, "it is not the one planned");
    return check_attributes(entry, planned->is_wrapped, error);
}

static bool check_used(struct sg_proof *proof, size_t act, const struct sg_public_key *key,
                       struct sg_error *error)
{
    const struct sg_ceremony_act *of_file = &proof->ceremony.file.acts[act];

    return sg_world_use_certificate(&proof->world, of_file, error) &&
           (proof->proving->rehearsal ||
            sg_public_key_equal(key, &proof->world.keys[of_file->key].public) ||
            sg_fail(error, SG_REFUSED, NULL, "it is not the one of %s", of_file->file));
}

/* The copy has signed as the key itself would. Nothing is claimed of where it has been. */
static bool check_copy(const struct sg_proof *proof, size_t act, const json_t *entry,
                       const struct sg_public_key *key, struct sg_error *error)
{
    const struct sg_ceremony_act *of_file = &proof->ceremony.file.acts[act];
    const json_t *tried = sg_transcript_of_act(&proof->transcript, "tried", act, NULL);
    uint8_t signature[SG_LIMIT_SIGNATURE];
    char trial[SG_CEREMONY_TRIAL_SIZE];
    enum sg_scheme scheme;
    size_t len = 0;

    if (!has_drawn_id(proof, act, entry) ||
        !sg_public_key_equal(key, &proof->world.keys[of_file->key].public) ||
        !is_attribute(json_object_get(entry, "attributes"), "SENSITIVE", true))
        return sg_fail(error, SG_REFUSED, NULL, "it is no copy, or not SENSITIVE");
    return sg_world_scheme(&proof->world, of_file->key, &scheme, error) &&
           sg_hex_parse(sg_proof_text(tried, "signature"), signature, sizeof signature, &len,
                        error) &&
           (sg_scheme_verify(scheme, key,
                             sg_slice_text(sg_ceremony_trial(&proof->ceremony, act, trial)),
                             sg_slice_of(signature, len), NULL) ||
            sg_fail(error, SG_REFUSED, NULL, "it did not sign as the key does"));
}

static bool take_key(struct sg_proof *proof, size_t act, struct sg_error *error)
{
    enum sg_ceremony_kind kind = proof->ceremony.file.acts[act].kind;
    size_t place = sg_ceremony_new_key(&proof->ceremony.file.acts[act]);
    const json_t *entry = sg_transcript_of_act(&proof->transcript, "key", act, NULL);
    sg_auto(sg_public_key) struct sg_public_key key = {0};
    uint8_t spki[SG_LIMIT_SPKI];
    size_t len = 0;

    if (!sg_hex_parse(sg_proof_text(entry, "spki"), spki, sizeof spki, &len, error) ||
        !sg_public_key_decode(sg_slice_of(spki, len), &key, error) ||
        (kind == SG_ACT_MAKE_KEY  ? !check_made(proof, act, entry, &key, error)
         : kind == SG_ACT_USE_KEY ? !check_used(proof, act, &key, error)
                                  : !check_copy(proof, act, entry, &key, error)))
        return sg_error_prefix(error, "the key of act %zu", act + 1);
    return sg_world_set_key(&proof->world, place, &key, error);
}

static bool say_keys(struct sg_proof *proof)
{
    const struct sg_ceremony_file *file = &proof->ceremony.file;
    size_t num_staying = 0, num_wrapped = 0, num_copied = 0, num_used = 0;
    char wrapped[128] = "";

    for (size_t i = 0; i < file->num_keys; i++) {
        const struct sg_ceremony_key *key = &file->keys[i];

        num_copied += key->copy_of != SG_CEREMONY_NONE;
        if (file->acts[key->act].kind == SG_ACT_USE_KEY)
            num_used++;
        else if (file->acts[key->act].kind == SG_ACT_MAKE_KEY)
            *(key->is_wrapped ? &num_wrapped : &num_staying) += 1;
    }
    if (num_copied > 0)
        snprintf(wrapped, sizeof wrapped, "; %zu made that can leave theirs; %zu copied",
                 num_wrapped, num_copied);
    return sg_proof_say(proof, "%zu made on tokens that say they never left; %zu used%s",
                        num_staying, num_used, wrapped);
}

bool sg_proof_check_keys(struct sg_proof *proof, struct sg_error *error)
{
    const struct sg_ceremony_file *file = &proof->ceremony.file;

    if (!sg_world_init(&proof->world, file, &proof->ceremony.materials,
                       (const uint8_t(*)[SG_CEREMONY_DRAWN_LEN])proof->ceremony.drawn, error))
        return false;
    for (size_t act = 0; act < file->num_acts; act++)
        if (sg_ceremony_new_key(&file->acts[act]) != SG_CEREMONY_NONE &&
            !take_key(proof, act, error))
            return false;
    return say_keys(proof);
}

/* ---- outputs ---- */

static bool read_der(const struct sg_ceremony_act *act, struct sg_slice bytes, const char *name,
                     struct sg_buf *der, struct sg_error *error)
{
    sg_auto(X509) X509 *certificate = NULL;
    sg_auto(X509_CRL) X509_CRL *crl = NULL;
    sg_auto(sg_request) struct sg_request request = {0};
    sg_auto(openssl_bytes) uint8_t *encoded = NULL;
    int len;

    if (act->kind == SG_ACT_REQUEST)
        return sg_request_parse(bytes, &request, error) &&
               sg_buf_set(der, sg_buf_slice(&request.der), error);
    if (act->kind == SG_ACT_CRL) {
        if (!sg_crl_read(bytes, name, &crl, error))
            return false;
        len = i2d_X509_CRL(crl, &encoded);
    } else {
        if (!sg_cert_read(bytes, name, &certificate, error))
            return false;
        len = i2d_X509(certificate, &encoded);
    }
    return len > 0 ? sg_buf_set(der, sg_slice_of(encoded, (size_t)len), error)
                   : sg_fail_openssl(error, SG_INTERNAL, NULL, "%s can't be encoded", name);
}

static bool check_recorded(const struct sg_proof *proof, size_t act, const char *name,
                           struct sg_slice der, struct sg_error *error)
{
    const json_t *entry = sg_transcript_of_act(&proof->transcript, "signed", act, name);
    char hex[SG_SHA256_HEX_SIZE];
    uint8_t digest[SG_SHA256_LEN];

    sg_sha256(der, digest);
    return strcmp(sg_proof_text(entry, "sha256"),
                  sg_hex(sg_slice_of(digest, sizeof digest), hex, sizeof hex)) == 0 ||
           sg_fail(error, SG_REFUSED, NULL, "%s is not what the record says was signed", name);
}

/* The bytes are the planned ones, follow from the plan and the keys once more, are signed by the
 * key that the plan says, and pass lint. */
static bool check_output(struct sg_proof *proof, size_t act, size_t nth, struct sg_error *error)
{
    const struct sg_ceremony_act *of_file = &proof->ceremony.file.acts[act];
    char name[SG_CEREMONY_NAME_SIZE], path[SG_CEREMONY_NAME_SIZE + 4];
    sg_auto(sg_buf) struct sg_buf der = {0};
    sg_auto(sg_buf) struct sg_buf tbs = {0};
    sg_auto(sg_buf) struct sg_buf again = {0};
    sg_auto(sg_buf) struct sg_buf signature = {0};
    struct sg_issuer_facts facts;
    struct sg_slice bytes = {0};

    sg_ceremony_output_name(of_file, nth, name);
    snprintf(path, sizeof path, "out/%s", name);
    if (!sg_ceremony_bundle_find(proof->bundle, path, &bytes, error) ||
        !read_der(of_file, bytes, path, &der, error) ||
        !check_recorded(proof, act, name, sg_buf_slice(&der), error) ||
        !sg_world_signed_part(sg_buf_slice(&der), &tbs, &signature, error) ||
        !sg_world_build(&proof->world, of_file, nth, &again, error) ||
        !sg_world_facts(&proof->world, of_file, &facts, error))
        return sg_error_prefix(error, "%s", path);
    if (!sg_world_fits(sg_ceremony_known(&proof->ceremony, act, nth), sg_buf_slice(&tbs)) ||
        !sg_slice_equal(sg_buf_slice(&tbs), sg_buf_slice(&again)))
        return sg_fail(error, SG_REFUSED, NULL, "%s says something else than was planned", path);
    if (!sg_scheme_verify(facts.scheme, &facts.key, sg_buf_slice(&tbs), sg_buf_slice(&signature),
                          NULL))
        return sg_fail(error, SG_REFUSED, NULL, "%s is not signed by the key %s", path, facts.name);
    return sg_world_attach(&proof->world, of_file, sg_buf_slice(&tbs), sg_buf_slice(&signature),
                           &again, error) &&
           sg_world_adopt(&proof->world, of_file, sg_buf_slice(&der), error);
}

bool sg_proof_check_outputs(struct sg_proof *proof, struct sg_error *error)
{
    const struct sg_ceremony_file *file = &proof->ceremony.file;
    size_t num = 0, num_there = 0;

    for (size_t act = 0; act < file->num_acts; act++)
        for (size_t nth = 0; nth < sg_ceremony_num_outputs(&file->acts[act]); nth++, num++)
            if (!check_output(proof, act, nth, error))
                return false;
    for (size_t i = 0; i < proof->bundle->files.num; i++)
        num_there += strncmp(proof->bundle->files.items[i].name, "out/", 4) == 0;
    if (num_there != num)
        return sg_fail(error, SG_REFUSED, NULL, "out/ holds %zu files, and %zu were planned",
                       num_there, num);
    return sg_proof_say(proof, "%zu: as planned byte for byte, linted, signed by the keys above",
                        num);
}

/* ---- tokens ---- */

static const json_t *objects_of(const struct sg_proof *proof, const char *when, const char *token)
{
    const json_t *entry, *found = NULL;
    size_t place = 0;

    while ((entry = sg_transcript_next(&proof->transcript, "objects", &place)) != NULL) {
        const json_t *tokens = json_object_get(entry, "tokens");

        for (size_t i = 0;
             strcmp(sg_proof_text(entry, "when"), when) == 0 && i < json_array_size(tokens); i++)
            if (strcmp(sg_proof_text(json_array_get(tokens, i), "token"), token) == 0)
                found = json_array_get(tokens, i);
    }
    return found;
}

static bool has_key(const json_t *token, const json_t *key)
{
    const json_t *keys = json_object_get(token, "keys");

    for (size_t i = 0; i < json_array_size(keys); i++)
        if (json_equal(json_array_get(keys, i), key))
            return true;
    return false;
}

/* How many keys the token holds more in the end than in the beginning, by the plan. */
static long num_more_on(const struct sg_ceremony_file *file, size_t token)
{
    long num = 0;

    for (size_t act = 0; act < file->num_acts; act++) {
        if (file->acts[act].token != token)
            continue;
        num += file->acts[act].kind == SG_ACT_MAKE_KEY || file->acts[act].kind == SG_ACT_BACKUP;
        num -= file->acts[act].kind == SG_ACT_DESTROY;
    }
    return num;
}

/* Is it, by its public half, one that the plan destroys on this token? */
static bool is_destroyed(const struct sg_proof *proof, size_t token, const json_t *key)
{
    const struct sg_ceremony_file *file = &proof->ceremony.file;
    char hex[SG_SHA256_HEX_SIZE];

    for (size_t i = 0; i < file->num_keys; i++)
        if (file->keys[i].end != SG_CEREMONY_NONE && file->keys[i].token == token &&
            strcmp(sg_proof_text(key, "sha256"),
                   sg_hex(sg_slice_of(proof->world.keys[i].public.sha256, SG_SHA256_LEN), hex,
                          sizeof hex)) == 0)
            return true;
    return false;
}

static bool has_destroyed_key(const struct sg_proof *proof, size_t token, const json_t *after)
{
    const json_t *keys = json_object_get(after, "keys");

    for (size_t i = 0; i < json_array_size(keys); i++)
        if (is_destroyed(proof, token, json_array_get(keys, i)))
            return true;
    return false;
}

static bool check_token(const struct sg_proof *proof, size_t place, struct sg_error *error)
{
    const struct sg_ceremony_token *token = &proof->ceremony.file.tokens[place];
    const json_t *before = objects_of(proof, "before", token->name);
    const json_t *after = objects_of(proof, "after", token->name);
    const json_t *keys = json_object_get(before, "keys");
    size_t num_before = json_array_size(keys);

    if (before == NULL || after == NULL)
        return sg_fail(error, SG_REFUSED, NULL, "what was on the token %s is not in the record",
                       token->name);
    if (strcmp(sg_proof_text(before, "serial"), sg_proof_text(after, "serial")) != 0 ||
        (!proof->proving->rehearsal && strcmp(sg_proof_text(before, "serial"), token->serial) != 0))
        return sg_fail(error, SG_REFUSED, NULL, "the token %s was another one", token->name);
    for (size_t i = 0; i < num_before; i++)
        if (!is_destroyed(proof, place, json_array_get(keys, i)) &&
            !has_key(after, json_array_get(keys, i)))
            return sg_fail(error, SG_REFUSED, NULL, "a key of the token %s is gone", token->name);
    if (has_destroyed_key(proof, place, after))
        return sg_fail(error, SG_REFUSED, NULL, "a key of the token %s was not destroyed",
                       token->name);
    if ((long)json_array_size(json_object_get(after, "keys")) !=
        (long)num_before + num_more_on(&proof->ceremony.file, place))
        return sg_fail(error, SG_REFUSED, NULL,
                       "the token %s holds other keys in the end than those that were planned",
                       token->name);
    return true;
}

bool sg_proof_check_tokens(struct sg_proof *proof, struct sg_error *error)
{
    for (size_t i = 0; i < proof->ceremony.file.num_tokens; i++)
        if (!check_token(proof, i, error))
            return false;
    return sg_proof_say(proof, "%zu: the keys after are those before and what the acts did",
                        proof->ceremony.file.num_tokens);
}

/* ---- signatures made ---- */

static int count_of(const struct sg_proof *proof, const char *key)
{
    const json_t *entry;
    size_t place = 0;
    int num = 0;

    while ((entry = sg_transcript_next(&proof->transcript, "signed", &place)) != NULL)
        num += strcmp(sg_proof_text(entry, "key"), key) == 0;
    return num;
}

static int planned_for(const struct sg_proof *proof, size_t key)
{
    const struct sg_ceremony_file *file = &proof->ceremony.file;
    int num = 0;

    for (size_t act = 0; act < file->num_acts; act++)
        if (sg_ceremony_num_outputs(&file->acts[act]) > 0 &&
            sg_world_signer(&proof->world, &file->acts[act]) == key)
            num += (int)sg_ceremony_num_outputs(&file->acts[act]);
    return num;
}

bool sg_proof_check_counts(struct sg_proof *proof, struct sg_error *error)
{
    const struct sg_ceremony_file *file = &proof->ceremony.file;
    const json_t *end = sg_transcript_first(&proof->transcript, "end");
    const json_t *told = json_object_get(end, "signatures");
    int num = 0;

    for (size_t key = 0; key < file->num_keys; key++) {
        const char *name = file->keys[key].name;
        int made = count_of(proof, name);

        num += made;
        if (made != planned_for(proof, key) ||
            json_integer_value(json_object_get(told, name)) != made)
            return sg_fail(error, SG_REFUSED, NULL,
                           "the key %s made another number of signatures than was planned", name);
    }
    return sg_proof_say(proof, "%d, as planned; at most %d more before an interruption", num,
                        (int)json_integer_value(json_object_get(end, "intents_without_signature")));
}
