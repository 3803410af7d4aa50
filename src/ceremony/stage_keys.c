/* Acts that make a key or take one into use. */
#include <string.h>

#include "stage.h"

enum { URI_SIZE = 1024 };

/* "pkcs11:object=…;id=…", every byte of both percent-encoded. id may be empty. */
static bool key_uri(const char *label, struct sg_slice id, char uri[URI_SIZE],
                    struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf text = {0};

    if (!sg_buf_printf(&text, URI_SIZE, error, "pkcs11:object="))
        return false;
    for (size_t i = 0; i < strlen(label); i++)
        if (!sg_buf_printf(&text, URI_SIZE, error, "%%%02x", (unsigned char)label[i]))
            return false;
    for (size_t i = 0; i < id.len; i++)
        if (!sg_buf_printf(&text, URI_SIZE, error, "%s%%%02x", i == 0 ? ";id=" : "", id.data[i]))
            return false;
    if (text.len >= URI_SIZE)
        return sg_fail(error, SG_USAGE, NULL, "the label '%s' is too long", label);
    memcpy(uri, text.data, text.len + 1);
    return true;
}

/* ---- what a key has to be ---- */

static const struct {
    const char *name;
    size_t offset;
    bool wanted;
    bool turns; /* the other way round for a key that is to leave its token, wrapped */
} ATTRIBUTES[] = {
    {"LOCAL", offsetof(struct sg_key, local), true, false},
    {"SENSITIVE", offsetof(struct sg_key, sensitive), true, false},
    {"ALWAYS_SENSITIVE", offsetof(struct sg_key, always_sensitive), true, false},
    {"EXTRACTABLE", offsetof(struct sg_key, extractable), false, true},
    {"NEVER_EXTRACTABLE", offsetof(struct sg_key, never_extractable), true, true},
    {"MODIFIABLE", offsetof(struct sg_key, modifiable), false, false},
    {"SIGN", offsetof(struct sg_key, sign), true, false},
    {"DECRYPT", offsetof(struct sg_key, decrypt), false, false},
    {"UNWRAP", offsetof(struct sg_key, unwrap), false, false},
    {"DERIVE", offsetof(struct sg_key, derive), false, false},
};
enum { NUM_ATTRIBUTES = sizeof ATTRIBUTES / sizeof ATTRIBUTES[0] };

static bool attribute(const struct sg_key *key, size_t i)
{
    return *(const bool *)((const char *)key + ATTRIBUTES[i].offset);
}

/* What was stated when the key was made is what the token tells of it, each by itself. */
static bool check_attributes(const struct sg_key *key, bool is_wrapped, struct sg_error *error)
{
    for (size_t i = 0; i < NUM_ATTRIBUTES; i++) {
        bool is_set = attribute(key, i);

        if (is_set != (ATTRIBUTES[i].wanted != (ATTRIBUTES[i].turns && is_wrapped)))
            return sg_fail(error, SG_TOKEN, NULL, "the token says of the key '%s' that it is %s%s",
                           key->label, is_set ? "" : "not ", ATTRIBUTES[i].name);
    }
    return (key->has_private && key->has_public) ||
           sg_fail(error, SG_TOKEN, NULL, "the token has only one half of the key '%s'",
                   key->label);
}

static json_t *attributes_json(const struct sg_key *key)
{
    json_t *list = json_object();

    for (size_t i = 0; i < NUM_ATTRIBUTES; i++)
        json_object_set_new(list, ATTRIBUTES[i].name, json_boolean(attribute(key, i)));
    return list;
}

/* ---- the record ---- */

/* The key that an act brings. */
static const struct sg_ceremony_key *new_key(const struct sg_stage *stage, size_t act)
{
    return &stage->ceremony->file.keys[sg_ceremony_new_key(&stage->ceremony->file.acts[act])];
}

/* The CKA_ID that was drawn for a key, or, for one that was there before, none. */
static struct sg_slice id_of(const struct sg_stage *stage, const struct sg_ceremony_key *entry)
{
    return stage->ceremony->file.acts[entry->act].kind == SG_ACT_USE_KEY
               ? (struct sg_slice){0}
               : sg_slice_of(stage->ceremony->drawn[entry->act], SG_CEREMONY_DRAWN_LEN);
}

static bool record_key(struct sg_stage *stage, size_t act, const struct sg_key *key,
                       const char *how, struct sg_error *error)
{
    const struct sg_ceremony_key *entry = new_key(stage, act);
    const struct sg_buf *spki = &key->public.spki;
    sg_auto(malloc) char *id = malloc(2 * key->id.len + 1);
    sg_auto(malloc) char *hex = malloc(2 * spki->len + 1);

    if (id == NULL || hex == NULL)
        return sg_fail_memory(error);
    sg_hex(sg_buf_slice(&key->id), id, 2 * key->id.len + 1);
    sg_hex(sg_buf_slice(spki), hex, 2 * spki->len + 1);
    return sg_stage_record(
        stage, "key",
        json_pack("{s:i, s:s, s:s, s:s, s:s, s:s, s:s, s:o}", "act", (int)act + 1, "how", how,
                  "key", entry->name, "token", stage->ceremony->file.tokens[entry->token].name,
                  "label", key->label, "id", id, "spki", hex, "attributes", attributes_json(key)),
        error);
}

static bool open_signer(struct sg_stage *stage, size_t key, const struct sg_key *on_token,
                        struct sg_error *error)
{
    size_t token = stage->ceremony->file.keys[key].token;

    return sg_signer_open(stage->tokens[token], on_token, &stage->signers[key], error);
}

/* "LOCAL, not SIGN, …" in lines that fit the screen. */
static bool put_attributes(const struct sg_key *key, struct sg_buf *text, struct sg_error *error)
{
    enum { WIDTH = 76 };
    size_t column = 0;

    for (size_t i = 0; i < NUM_ATTRIBUTES; i++) {
        const char *no = attribute(key, i) ? "" : "not ";
        size_t len = strlen(no) + strlen(ATTRIBUTES[i].name);
        bool is_new_line = column + 2 + len > WIDTH;

        if (!sg_buf_printf(text, SG_LIMIT_VALUE, error, "%s%s%s",
                           column == 0   ? ""
                           : is_new_line ? "\n    "
                                         : ", ",
                           no, ATTRIBUTES[i].name))
            return false;
        column = column == 0 || is_new_line ? len : column + 2 + len;
    }
    return true;
}

static bool show_key(const struct sg_stage *stage, const struct sg_key *key, const char *how,
                     struct sg_error *error)
{
    char kind[SG_KEY_KIND_TEXT_SIZE];
    sg_auto(sg_buf) struct sg_buf attributes = {0};

    if (!put_attributes(key, &attributes, error))
        return false;
    return sg_stage_show(stage, error,
                         "Done: the key '%s', %s, was %s. The token says:\n    %s\n"
                         "Fingerprint (SHA-256) of its public half:\n",
                         key->label, sg_key_kind_text(key->public.kind, kind), how,
                         (const char *)attributes.data) &&
           sg_stage_show_digest(stage, key->public.sha256, error);
}

/* ---- making ---- */

/* A key that the record knows is still that key. */
static bool check_is_recorded(const struct sg_stage *stage, size_t act, const struct sg_key *key,
                              struct sg_error *error)
{
    const json_t *entry = sg_transcript_of_act(&stage->transcript, "key", act, NULL);
    const char *recorded = json_string_value(json_object_get(entry, "spki"));
    const struct sg_buf *spki = &key->public.spki;
    sg_auto(malloc) char *hex = malloc(2 * spki->len + 1);

    if (hex == NULL)
        return sg_fail_memory(error);
    return (recorded != NULL &&
            strcmp(recorded, sg_hex(sg_buf_slice(spki), hex, 2 * spki->len + 1)) == 0) ||
           sg_fail(error, SG_TOKEN, NULL,
                   "the key '%s' on the token is another one than the record has", key->label);
}

/* Before a crash the key may have been made and not recorded. Its id was drawn for this plan. */
static bool find_made(struct sg_stage *stage, const struct sg_ceremony_key *entry,
                      struct sg_slice id, struct sg_key *key, bool *is_there,
                      struct sg_error *error)
{
    struct sg_key *keys = NULL;
    size_t num = 0;

    *is_there = false;
    if (!sg_key_list(stage->tokens[entry->token], &keys, &num, error))
        return false;
    for (size_t i = 0; i < num; i++) {
        if (!*is_there && keys[i].has_private && sg_slice_equal(sg_buf_slice(&keys[i].id), id) &&
            keys[i].label != NULL && strcmp(keys[i].label, entry->label) == 0) {
            *is_there = true;
            *key = keys[i];
            continue;
        }
        sg_key_done(&keys[i]);
    }
    free(keys);
    return true;
}

static bool make_or_find(struct sg_stage *stage, const struct sg_ceremony_key *entry,
                         struct sg_key *key, bool *is_there, struct sg_error *error)
{
    struct sg_slice id = id_of(stage, entry);

    *is_there = false;
    if (stage->resumed && !find_made(stage, entry, id, key, is_there, error))
        return false;
    return *is_there || (entry->is_wrapped ? sg_key_create_wrappable : sg_key_create)(
                            stage->tokens[entry->token], entry->kind, entry->label, id, key, error);
}

bool sg_stage_make_key(struct sg_stage *stage, size_t act, struct sg_error *error)
{
    const struct sg_ceremony_act *of_file = &stage->ceremony->file.acts[act];
    const struct sg_ceremony_key *entry = new_key(stage, act);
    sg_auto(sg_key) struct sg_key key = {0};
    bool is_there = false;

    if (!make_or_find(stage, entry, &key, &is_there, error))
        return false;
    const char *how = is_there ? "made before the interruption" : "made now";
    return (sg_transcript_of_act(&stage->transcript, "key", act, NULL) == NULL ||
            check_is_recorded(stage, act, &key, error)) &&
           check_attributes(&key, entry->is_wrapped, error) &&
           (sg_key_kind_equal(key.public.kind, entry->kind) ||
            sg_fail(error, SG_TOKEN, NULL, "the key '%s' is of another type than was planned",
                    entry->label)) &&
           record_key(stage, act, &key, how, error) &&
           sg_world_set_key(&stage->world, of_file->key, &key.public, error) &&
           open_signer(stage, of_file->key, &key, error) && show_key(stage, &key, how, error);
}

/* ---- using ---- */

/* In a rehearsal a key of the same kind stands in for the real one, which is elsewhere. */
static bool check_is_of_certificate(const struct sg_stage *stage, const struct sg_ceremony_act *act,
                                    const struct sg_key *key, struct sg_error *error)
{
    return stage->options->rehearsal ||
           sg_public_key_equal(&key->public, &stage->world.keys[act->key].public) ||
           sg_fail(error, SG_TOKEN, NULL, "the key '%s' on the token is not the key of %s",
                   act->label, act->file);
}

static bool find_used(struct sg_stage *stage, const struct sg_ceremony_act *act, struct sg_key *key,
                      struct sg_error *error)
{
    char uri[URI_SIZE];

    return key_uri(act->label, (struct sg_slice){0}, uri, error) &&
           sg_key_find(stage->tokens[act->token], uri, key, error) &&
           sg_world_use_certificate(&stage->world, act, error) &&
           check_is_of_certificate(stage, act, key, error);
}

bool sg_stage_use_key(struct sg_stage *stage, size_t act, struct sg_error *error)
{
    const struct sg_ceremony_act *of_file = &stage->ceremony->file.acts[act];
    sg_auto(sg_key) struct sg_key key = {0};

    return find_used(stage, of_file, &key, error) && record_key(stage, act, &key, "found", error) &&
           sg_world_set_key(&stage->world, of_file->key, &key.public, error) &&
           open_signer(stage, of_file->key, &key, error) && show_key(stage, &key, "found", error);
}

static bool find_on_token(const struct sg_stage *stage, const struct sg_ceremony_key *entry,
                          struct sg_key *key, struct sg_error *error)
{
    char uri[URI_SIZE];

    return key_uri(entry->label, id_of(stage, entry), uri, error) &&
           sg_key_find(stage->tokens[entry->token], uri, key, error);
}

/* ---- copying ---- */

/* The copy signs as the key does, over a text that says so: what the token tells of it proves
 * nothing. */
static bool try_copy(struct sg_stage *stage, size_t act, struct sg_error *error)
{
    size_t place = sg_ceremony_new_key(&stage->ceremony->file.acts[act]);
    sg_auto(sg_buf) struct sg_buf signature = {0};
    sg_auto(malloc) char *hex = NULL;
    char trial[SG_CEREMONY_TRIAL_SIZE];
    struct sg_slice text = sg_slice_text(sg_ceremony_trial(stage->ceremony, act, trial));
    enum sg_scheme scheme;

    if (!sg_world_scheme(&stage->world, place, &scheme, error) ||
        !sg_signer_sign(stage->signers[place], scheme, text, &signature, error) ||
        !sg_signer_check_signature(scheme, &stage->world.keys[place].public, text,
                                   sg_buf_slice(&signature), error))
        return false;
    hex = malloc(2 * signature.len + 1);
    if (hex == NULL)
        return sg_fail_memory(error);
    return sg_stage_record(stage, "tried",
                           json_pack("{s:i, s:s, s:s}", "act", (int)act + 1, "key",
                                     stage->ceremony->file.keys[place].name, "signature",
                                     sg_hex(sg_buf_slice(&signature), hex, 2 * signature.len + 1)),
                           error);
}

static bool copy_or_find(struct sg_stage *stage, const struct sg_ceremony_key *entry,
                         struct sg_key *copy, bool *is_there, struct sg_error *error)
{
    const struct sg_ceremony_key *original = &stage->ceremony->file.keys[entry->copy_of];
    struct sg_slice id = id_of(stage, entry);
    sg_auto(sg_key) struct sg_key key = {0};

    *is_there = false;
    if (stage->resumed && !find_made(stage, entry, id, copy, is_there, error))
        return false;
    return *is_there || (find_on_token(stage, original, &key, error) &&
                         check_is_recorded(stage, original->act, &key, error) &&
                         sg_key_copy(stage->tokens[original->token], &key,
                                     stage->tokens[entry->token], id, copy, error));
}

bool sg_stage_copy_key(struct sg_stage *stage, size_t act, struct sg_error *error)
{
    const struct sg_ceremony_act *of_file = &stage->ceremony->file.acts[act];
    const struct sg_ceremony_key *entry = new_key(stage, act);
    sg_auto(sg_key) struct sg_key copy = {0};
    bool is_there = false;

    if (!copy_or_find(stage, entry, &copy, &is_there, error))
        return false;
    const char *how = is_there ? "copied before the interruption" : "copied now";
    if (!sg_public_key_equal(&copy.public, &stage->world.keys[of_file->key].public) ||
        !copy.sensitive)
        return sg_fail(error, SG_TOKEN, NULL, "the copy '%s' is another key, or not SENSITIVE",
                       entry->label);
    return sg_world_copy_key(&stage->world, of_file, error) &&
           open_signer(stage, of_file->copy, &copy, error) && try_copy(stage, act, error) &&
           record_key(stage, act, &copy, how, error) && show_key(stage, &copy, how, error);
}

/* ---- recalling ---- */

static bool recall_on_token(struct sg_stage *stage, size_t act, struct sg_error *error)
{
    const struct sg_ceremony_act *of_file = &stage->ceremony->file.acts[act];
    const struct sg_ceremony_key *entry = new_key(stage, act);
    size_t place = sg_ceremony_new_key(of_file);
    sg_auto(sg_key) struct sg_key key = {0};

    if (of_file->kind == SG_ACT_USE_KEY ? !find_used(stage, of_file, &key, error)
                                        : !find_on_token(stage, entry, &key, error))
        return false;
    return check_is_recorded(stage, act, &key, error) &&
           sg_world_set_key(&stage->world, place, &key.public, error) &&
           open_signer(stage, place, &key, error);
}

/* Is it on its token no longer, because the act that destroys it was begun? */
static bool was_destroyed(struct sg_stage *stage, size_t key, bool *is_gone, struct sg_error *error)
{
    const struct sg_ceremony_key *entry = &stage->ceremony->file.keys[key];
    sg_auto(sg_key) struct sg_key found = {0};
    char uri[URI_SIZE];

    *is_gone = entry->end != SG_CEREMONY_NONE &&
               sg_transcript_of_act(&stage->transcript, "destroyed", entry->end, NULL) != NULL;
    if (*is_gone || entry->end == SG_CEREMONY_NONE ||
        sg_transcript_of_act(&stage->transcript, "act", entry->end, NULL) == NULL)
        return true;
    if (!key_uri(entry->label, id_of(stage, entry), uri, error))
        return false;
    *is_gone = !sg_key_find(stage->tokens[entry->token], uri, &found, NULL);
    return true;
}

static bool recall_from_record(struct sg_stage *stage, size_t act, struct sg_error *error)
{
    const struct sg_ceremony_act *of_file = &stage->ceremony->file.acts[act];
    const json_t *entry = sg_transcript_of_act(&stage->transcript, "key", act, NULL);
    const char *hex = json_string_value(json_object_get(entry, "spki"));
    sg_auto(sg_public_key) struct sg_public_key key = {0};
    uint8_t spki[SG_LIMIT_SPKI];
    size_t len = 0;

    if (of_file->kind == SG_ACT_USE_KEY && !sg_world_use_certificate(&stage->world, of_file, error))
        return false;
    return sg_hex_parse(hex != NULL ? hex : "", spki, sizeof spki, &len, error) &&
           sg_public_key_decode(sg_slice_of(spki, len), &key, error) &&
           sg_world_set_key(&stage->world, sg_ceremony_new_key(of_file), &key, error);
}

bool sg_stage_recall_key(struct sg_stage *stage, size_t act, struct sg_error *error)
{
    bool is_gone = false;

    if (!was_destroyed(stage, sg_ceremony_new_key(&stage->ceremony->file.acts[act]), &is_gone,
                       error))
        return false;
    return is_gone ? recall_from_record(stage, act, error) : recall_on_token(stage, act, error);
}

/* ---- destroying ---- */

bool sg_stage_destroy_key(struct sg_stage *stage, size_t act, struct sg_error *error)
{
    size_t place = stage->ceremony->file.acts[act].key;
    const struct sg_ceremony_key *entry = &stage->ceremony->file.keys[place];
    sg_auto(sg_key) struct sg_key key = {0};
    bool is_gone = false;

    if (stage->resumed && !was_destroyed(stage, place, &is_gone, error))
        return false;
    sg_signer_close(stage->signers[place]);
    stage->signers[place] = NULL;
    if (!is_gone && (!find_on_token(stage, entry, &key, error) ||
                     !check_is_recorded(stage, entry->act, &key, error) ||
                     !sg_key_destroy(stage->tokens[entry->token], &key, error)))
        return false;
    return sg_stage_record(stage, "destroyed",
                           json_pack("{s:i, s:s}", "act", (int)act + 1, "key", entry->name),
                           error) &&
           sg_stage_show(stage, error, "Done: the key '%s' is on its token no longer.\n",
                         entry->label);
}
