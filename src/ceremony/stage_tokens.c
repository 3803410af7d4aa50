/* A ceremony's tokens: opened, logged in to, listed; and the throwaway ones of a rehearsal. */
#include <errno.h>
#include <openssl/crypto.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "stage.h"

enum { MAX_PIN_TRIES = 3 };

/* ---- opening ---- */

static void rehearsal_label(const struct sg_ceremony_token *token, char label[33])
{
    snprintf(label, 33, "rehearsal-%.22s", token->name);
}

/* What a token's objects are recorded under. */
static json_t *token_json(const struct sg_ceremony_token *entry, const struct sg_token *token)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:s}", "token", entry->name, "label",
                     sg_token_label(token), "serial", sg_token_serial_number(token), "model",
                     sg_token_model(token), "module", sg_token_module_path(token));
}

static bool check_serial(const struct sg_stage *stage, const struct sg_ceremony_token *entry,
                         const struct sg_token *token, struct sg_error *error)
{
    const char *serial = sg_token_serial_number(token);

    if (stage->options->rehearsal || strcmp(serial, entry->serial) == 0)
        return true;
    return sg_fail(error, SG_TOKEN, NULL,
                   "token %s has the serial number %s, and the plan wants %s; this is another "
                   "token, or the plan is wrong",
                   entry->name, serial, entry->serial);
}

static bool open_token(struct sg_stage *stage, size_t place, struct sg_error *error)
{
    const struct sg_ceremony_token *entry = &stage->ceremony->file.tokens[place];
    sg_auto(malloc) char *refusals = NULL;
    char label[33], uri[64];
    struct sg_token_config config = {.profile = entry->profile,
                                     .module = entry->module,
                                     .uri = entry->uri,
                                     .signer = entry->signer};

    if (stage->options->refusals != NULL)
        config.refusals = stage->options->refusals;
    else if (!sg_pin_refusals_default(&refusals, error))
        return false;
    else
        config.refusals = refusals;
    if (stage->options->rehearsal) {
        rehearsal_label(entry, label);
        snprintf(uri, sizeof uri, "pkcs11:token=%s", label);
        config.profile = "softhsm";
        config.module = NULL;
        config.uri = uri;
    }
    return sg_token_open(&config, &stage->tokens[place], error) &&
           check_serial(stage, entry, stage->tokens[place], error);
}

/* ---- PINs ---- */

static bool join(struct sg_secret **parts, size_t num, struct sg_secret **whole,
                 struct sg_error *error)
{
    sg_auto(sg_secret) struct sg_secret *fresh = NULL;
    size_t len = 0, at = 0;

    for (size_t i = 0; i < num; i++)
        len += sg_secret_len(parts[i]);
    if (len > SG_LIMIT_PIN)
        return sg_fail(error, SG_PIN, NULL, "the parts make a PIN of more than %d bytes",
                       SG_LIMIT_PIN);
    if (!sg_secret_new(len, &fresh, error))
        return false;
    for (size_t i = 0; i < num; i++) {
        memcpy(sg_secret_data(fresh) + at, sg_secret_data(parts[i]), sg_secret_len(parts[i]));
        at += sg_secret_len(parts[i]);
    }
    *whole = SG_TAKE(fresh);
    return true;
}

/* Those who type a PIN, one part each. what is "PIN", or "New PIN". */
struct asking {
    const char *what, *token;
    const size_t *holders;
    size_t num;
};

static bool ask_parts(const struct sg_stage *stage, const struct asking *asking,
                      struct sg_secret **parts, struct sg_error *error)
{
    char text[SG_ANSWER_SIZE];

    for (size_t i = 0; i < asking->num; i++) {
        const char *name = stage->ceremony->file.persons[asking->holders[i]].name;

        if (asking->num == 1)
            snprintf(text, sizeof text, "%s of the token %s (%s): ", asking->what, asking->token,
                     name);
        else
            snprintf(text, sizeof text, "%s of the token %s, part %zu of %zu (%s): ", asking->what,
                     asking->token, i + 1, asking->num, name);
        if (!stage->people->pin(stage->people->context, text, &parts[i], error))
            return false;
    }
    return true;
}

static bool ask_pin(const struct sg_stage *stage, const struct asking *asking,
                    struct sg_secret **pin, struct sg_error *error)
{
    struct sg_secret **parts = calloc(asking->num + 1, sizeof(struct sg_secret *));
    bool is_asked;

    if (parts == NULL)
        return sg_fail_memory(error);
    is_asked = ask_parts(stage, asking, parts, error) && join(parts, asking->num, pin, error);
    for (size_t i = 0; i < asking->num; i++)
        sg_secret_free(parts[i]);
    free(parts);
    return is_asked;
}

/* The same for a token that has a pad of its own: what is typed there is nobody else's business. */
static bool point_to_pad(struct sg_stage *stage, const struct asking *asking,
                         struct sg_error *error)
{
    for (size_t i = 0; i < asking->num; i++)
        if (!sg_stage_show(stage, error,
                           "%s of the token %s, on its own pad: %s types part %zu of "
                           "%zu.\n",
                           asking->what, asking->token,
                           stage->ceremony->file.persons[asking->holders[i]].name, i + 1,
                           asking->num))
            return false;
    return true;
}

/* The act that was begun to change a token's PIN, and may have, before the ceremony was
 * interrupted; SG_CEREMONY_NONE. *settled is the act up to which PINs are known to be changed. */
static size_t open_change(const struct sg_stage *stage, size_t token, size_t *settled)
{
    const struct sg_ceremony_file *file = &stage->ceremony->file;

    *settled = 0;
    for (size_t act = 0; act < file->num_acts; act++) {
        if (file->acts[act].kind != SG_ACT_CHANGE_PIN || file->acts[act].token != token)
            continue;
        if (sg_transcript_of_act(&stage->transcript, "pin-changed", act, NULL) != NULL)
            *settled = act + 1;
        else if (sg_transcript_of_act(&stage->transcript, "act", act, NULL) != NULL)
            return act;
    }
    return SG_CEREMONY_NONE;
}

/* Whom the nth try asks: those who know the PIN by the record, and every other time those who know
 * it if the change that was interrupted came about. *change is that act then. */
static struct asking whom_to_ask(const struct sg_stage *stage, size_t place, int tries,
                                 size_t *change)
{
    const struct sg_ceremony_file *file = &stage->ceremony->file;
    struct asking asking = {.what = "PIN", .token = file->tokens[place].name};
    size_t settled = 0, open = open_change(stage, place, &settled);

    *change = SG_CEREMONY_NONE;
    if (open != SG_CEREMONY_NONE && tries % 2 == 0) {
        asking.what = "New PIN, if it was changed already,";
        settled = open + 1;
        *change = open;
    }
    asking.num = sg_ceremony_holders(file, place, settled, &asking.holders);
    return asking;
}

static bool record_change(struct sg_stage *stage, size_t act, struct sg_error *error)
{
    size_t token = stage->ceremony->file.acts[act].token;

    return sg_stage_record(stage, "pin-changed",
                           json_pack("{s:i, s:s}", "act", (int)act + 1, "token",
                                     stage->ceremony->file.tokens[token].name),
                           error);
}

/* One try. *again: the PIN was refused, and another one may be tried. */
static bool try_to_log_in(struct sg_stage *stage, size_t place, int tries, bool *again,
                          struct sg_error *error)
{
    sg_auto(sg_secret) struct sg_secret *pin = NULL;
    size_t change;
    struct asking asking = whom_to_ask(stage, place, tries, &change);
    struct sg_error why = {0};
    bool has_pad;

    *again = false;
    has_pad = sg_token_has_pad(stage->tokens[place]);
    if (has_pad ? !point_to_pad(stage, &asking, error) : !ask_pin(stage, &asking, &pin, error))
        return false;
    if (has_pad ? sg_token_login_on_pad(stage->tokens[place], &why)
                : sg_token_login_with(stage->tokens[place], pin, &why))
        return change == SG_CEREMONY_NONE || record_change(stage, change, error);
    *again = why.code == SG_PIN && tries < MAX_PIN_TRIES;
    if (*again)
        return sg_stage_record(stage, "wrong-pin", json_pack("{s:s}", "token", asking.token),
                               error) &&
               sg_stage_show(stage, error, "%s\n", why.text);
    *error = why;
    return false;
}

/* A mistyped PIN is not the end of a ceremony, but three of them are. */
static bool log_in(struct sg_stage *stage, size_t place, struct sg_error *error)
{
    bool again = true;

    for (int tries = 1; again; tries++)
        if (!try_to_log_in(stage, place, tries, &again, error))
            return false;
    return true;
}

/* ---- a new PIN ---- */

static bool is_same(const struct sg_secret *a, const struct sg_secret *b)
{
    return sg_secret_len(a) == sg_secret_len(b) &&
           CRYPTO_memcmp(sg_secret_slice(a).data, sg_secret_slice(b).data, sg_secret_len(a)) == 0;
}

/* What nobody sees while it is typed is typed twice. */
static bool ask_new_pin(const struct sg_stage *stage, struct asking asking, struct sg_secret **pin,
                        struct sg_error *error)
{
    for (;;) {
        sg_auto(sg_secret) struct sg_secret *first = NULL;
        sg_auto(sg_secret) struct sg_secret *second = NULL;

        asking.what = "New PIN";
        if (!ask_pin(stage, &asking, &first, error))
            return false;
        asking.what = "New PIN, again,";
        if (!ask_pin(stage, &asking, &second, error))
            return false;
        if (is_same(first, second)) {
            *pin = SG_TAKE(first);
            return true;
        }
        if (!sg_stage_show(stage, error, "They are not the same; once more.\n"))
            return false;
    }
}

/* On a pad, PINs are NULL. */
static bool ask_change(struct sg_stage *stage, size_t token, struct asking old, struct asking new,
                       struct sg_secret **old_pin, struct sg_secret **new_pin,
                       struct sg_error *error)
{
    if (!sg_token_has_pad(stage->tokens[token]))
        return ask_pin(stage, &old, old_pin, error) && ask_new_pin(stage, new, new_pin, error);
    new.what = "New PIN";
    return point_to_pad(stage, &old, error) && point_to_pad(stage, &new, error);
}

/* A change that came about before an interruption is not made again: who types the new PIN as the
 * old one has logged in with it. */
bool sg_stage_change_pin(struct sg_stage *stage, size_t act, struct sg_error *error)
{
    const struct sg_ceremony_act *of_file = &stage->ceremony->file.acts[act];
    const char *name = stage->ceremony->file.tokens[of_file->token].name;
    struct asking old = {.what = "Old PIN", .token = name};
    struct asking new = {.token = name, .holders = of_file->holders, .num = of_file->num_holders};
    sg_auto(sg_secret) struct sg_secret *old_pin = NULL;
    sg_auto(sg_secret) struct sg_secret *new_pin = NULL;

    /* Before an interruption, which the login has found out. */
    if (sg_transcript_of_act(&stage->transcript, "pin-changed", act, NULL) != NULL)
        return true;
    old.num = sg_ceremony_holders(&stage->ceremony->file, of_file->token, act, &old.holders);
    return ask_change(stage, of_file->token, old, new, &old_pin, &new_pin, error) &&
           sg_token_change_pin(stage->tokens[of_file->token], old_pin, new_pin, error) &&
           record_change(stage, act, error) &&
           sg_stage_show(stage, error, "Done: the token %s has its new PIN.\n", name);
}

bool sg_stage_open_tokens(struct sg_stage *stage, struct sg_error *error)
{
    for (size_t i = 0; i < stage->ceremony->file.num_tokens; i++)
        if (!open_token(stage, i, error) || !log_in(stage, i, error))
            return false;
    return true;
}

/* ---- objects ---- */

static json_t *key_json(const struct sg_key *key)
{
    char kind[SG_KEY_KIND_TEXT_SIZE], digest[SG_SHA256_HEX_SIZE];
    sg_auto(malloc) char *id = malloc(2 * key->id.len + 1);

    if (id == NULL)
        return NULL;
    sg_hex(sg_buf_slice(&key->id), id, 2 * key->id.len + 1);
    sg_hex(sg_slice_of(key->public.sha256, SG_SHA256_LEN), digest, sizeof digest);
    return json_pack("{s:s?, s:s, s:s, s:s, s:b, s:b, s:b}", "label", key->label, "id", id, "type",
                     sg_key_kind_text(key->public.kind, kind), "sha256", digest, "private",
                     key->has_private, "public", key->has_public, "certificate",
                     key->has_certificate);
}

static bool show_key(struct sg_stage *stage, const char *token, const struct sg_key *key,
                     struct sg_error *error)
{
    char kind[SG_KEY_KIND_TEXT_SIZE], digest[SG_SHA256_HEX_SIZE];

    sg_hex(sg_slice_of(key->public.sha256, SG_SHA256_LEN), digest, sizeof digest);
    return sg_stage_show(stage, error, "On the token %s: %s, %s%s, SHA-256 %.16s…\n", token,
                         key->label != NULL ? key->label : "a key without a label",
                         sg_key_kind_text(key->public.kind, kind),
                         key->has_private ? "" : ", without a private key", digest);
}

static bool add_keys(struct sg_token *token, json_t *list, struct sg_error *error)
{
    struct sg_key *keys = NULL;
    size_t num = 0;
    bool is_added = true;

    if (!sg_key_list(token, &keys, &num, error))
        return false;
    for (size_t i = 0; i < num; i++) {
        is_added = is_added && json_array_append_new(list, key_json(&keys[i])) == 0;
        sg_key_done(&keys[i]);
    }
    free(keys);
    return is_added || sg_fail_memory(error);
}

bool sg_stage_record_objects(struct sg_stage *stage, const char *when, struct sg_error *error)
{
    const struct sg_ceremony_file *file = &stage->ceremony->file;
    json_t *tokens = json_array();

    for (size_t i = 0; i < file->num_tokens; i++) {
        json_t *token = token_json(&file->tokens[i], stage->tokens[i]);
        json_t *keys = json_array();

        if (json_object_set_new(token, "keys", keys) != 0 ||
            json_array_append_new(tokens, token) != 0) {
            json_decref(tokens);
            return sg_fail_memory(error);
        }
        if (!add_keys(stage->tokens[i], keys, error)) {
            json_decref(tokens);
            return false;
        }
    }
    return sg_stage_record(stage, "objects",
                           json_pack("{s:s, s:o}", "when", when, "tokens", tokens), error);
}

bool sg_stage_show_objects(struct sg_stage *stage, struct sg_error *error)
{
    bool shown = true;

    for (size_t i = 0; shown && i < stage->ceremony->file.num_tokens; i++) {
        const char *name = stage->ceremony->file.tokens[i].name;
        struct sg_key *keys = NULL;
        size_t num = 0;

        if (!sg_key_list(stage->tokens[i], &keys, &num, error))
            return false;
        shown = num > 0 || sg_stage_show(stage, error, "On the token %s: no key.\n", name);
        for (size_t k = 0; k < num; k++) {
            shown = shown && show_key(stage, name, &keys[k], error);
            sg_key_done(&keys[k]);
        }
        free(keys);
    }
    return shown && sg_stage_show(stage, error, "\n");
}

/* ---- rehearsal ---- */

static bool make_secret(const char *part, size_t times, struct sg_secret **secret,
                        struct sg_error *error)
{
    if (!sg_secret_new(times * strlen(part), secret, error))
        return false;
    for (size_t i = 0; i < times; i++)
        memcpy(sg_secret_data(*secret) + i * strlen(part), part, strlen(part));
    return true;
}

static bool make_token(const struct sg_ceremony_token *entry, struct sg_error *error)
{
    sg_auto(sg_secret) struct sg_secret *so_pin = NULL;
    sg_auto(sg_secret) struct sg_secret *pin = NULL;
    struct sg_token_info info;
    char label[33];

    rehearsal_label(entry, label);
    return make_secret("12345678", 1, &so_pin, error) &&
           make_secret(SG_CEREMONY_REHEARSAL_PIN, entry->num_holders, &pin, error) &&
           sg_token_init("softhsm", NULL, label, so_pin, pin, &info, error);
}

/* A key that the real token has already: one of its kind stands in for it. */
static bool make_used_keys(struct sg_stage *stage, struct sg_error *error)
{
    const struct sg_ceremony_file *file = &stage->ceremony->file;

    for (size_t i = 0; i < file->num_acts; i++) {
        const struct sg_ceremony_act *act = &file->acts[i];
        sg_auto(sg_world) struct sg_world world = {0};
        sg_auto(sg_key) struct sg_key key = {0};

        if (act->kind != SG_ACT_USE_KEY)
            continue;
        if (!sg_world_init(&world, file, &stage->ceremony->materials, NULL, error) ||
            !sg_world_use_certificate(&world, act, error) ||
            !(file->keys[act->key].is_wrapped ? sg_key_create_wrappable : sg_key_create)(
                stage->tokens[act->token], world.keys[act->key].public.kind, act->label,
                (struct sg_slice){0}, &key, error))
            return false;
    }
    return true;
}

static bool point_softhsm_at(const char *folder, struct sg_error *error)
{
    sg_auto(malloc) char *tokens = NULL;
    sg_auto(malloc) char *conf = NULL;
    sg_auto(malloc) char *whole = realpath(folder, NULL);
    sg_auto(sg_buf) struct sg_buf text = {0};

    if (whole == NULL)
        return sg_fail_errno(error, "cannot find %s", folder);
    if (!sg_path_join(whole, "tokens", &tokens, error) ||
        !sg_path_join(whole, "softhsm2.conf", &conf, error) ||
        !sg_buf_printf(&text, SG_LIMIT_PATH + 128, error,
                       "directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\n",
                       tokens))
        return false;
    if (mkdir(tokens, 0700) != 0 && errno != EEXIST)
        return sg_fail_errno(error, "cannot make %s", tokens);
    return sg_file_write(conf, sg_buf_slice(&text), 0600, SG_REPLACE_EXISTING, error) &&
           (setenv("SOFTHSM2_CONF", conf, 1) == 0 || sg_fail_memory(error));
}

bool sg_stage_make_tokens(struct sg_stage *stage, struct sg_error *error)
{
    const struct sg_ceremony_file *file = &stage->ceremony->file;
    sg_auto(malloc) char *folder = NULL;

    if (!sg_stage_path(stage, "throwaway", &folder, error))
        return false;
    if (mkdir(folder, 0700) != 0)
        return sg_fail_errno(error, "cannot make %s", folder);
    if (!point_softhsm_at(folder, error))
        return false;
    for (size_t i = 0; i < file->num_tokens; i++)
        if (!make_token(&file->tokens[i], error) || !open_token(stage, i, error))
            return false;
    for (size_t i = 0; i < file->num_tokens; i++) {
        sg_auto(sg_secret) struct sg_secret *pin = NULL;

        if (!make_secret(SG_CEREMONY_REHEARSAL_PIN, file->tokens[i].num_holders, &pin, error) ||
            !sg_token_login_with(stage->tokens[i], pin, error))
            return false;
    }
    if (!make_used_keys(stage, error))
        return false;
    for (size_t i = 0; i < file->num_tokens; i++) {
        sg_token_close(stage->tokens[i]);
        stage->tokens[i] = NULL;
    }
    return sg_stage_show(stage, error,
                         "This is a rehearsal, on throwaway tokens. Every part of a PIN is %s.\n",
                         SG_CEREMONY_REHEARSAL_PIN);
}
