/* An act in words, and its place in the plan. */
#include <string.h>

#include "cert/cert.h"
#include "cert/show.h"
#include "plan.h"

enum { TITLE_SIZE = 256 };

static bool append(json_t *lines, struct sg_error *error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Lines are shown behind four blanks on a screen of 80. */
enum { WIDTH = 76, CONTINUATION = 8 };

/* How much of text goes on a line of width columns: up to a blank, if there is one in the second
 * half, and never a part of a character. */
static size_t first_part(const char *text, size_t width)
{
    size_t len = strlen(text), at = width;

    if (len <= width)
        return len;
    while (at > width / 2 && text[at] != ' ')
        at--;
    if (text[at] == ' ')
        return at;
    for (at = width; at > 1 && (text[at] & 0xC0) == 0x80;)
        at--;
    return at;
}

static bool append_folded(json_t *lines, const char *text, struct sg_error *error)
{
    char line[WIDTH + 1];
    size_t indentation = 0;

    do {
        size_t len = first_part(text, WIDTH - indentation);

        snprintf(line, sizeof line, "%*s%.*s", (int)indentation, "", (int)len, text);
        if (json_array_append_new(lines, json_string(line)) != 0)
            return sg_fail_memory(error);
        text += len + (text[len] == ' ');
        indentation = CONTINUATION;
    } while (*text != '\0');
    return true;
}

static bool append(json_t *lines, struct sg_error *error, const char *format, ...)
{
    sg_auto(malloc) char *text = NULL;
    va_list arguments;

    va_start(arguments, format);
    int len = vasprintf(&text, format, arguments);
    va_end(arguments);
    if (len < 0) {
        text = NULL;
        return sg_fail_memory(error);
    }
    return append_folded(lines, text, error);
}

/* ---- titles ---- */

static void title_of_crl(const struct sg_world *world, const struct sg_ceremony_act *act,
                         char into[TITLE_SIZE])
{
    const char *issuer = world->file->certificates[act->issuer].name;

    if (act->count == 1)
        snprintf(into, TITLE_SIZE, "Sign CRL number %ld of %s", act->number, issuer);
    else
        snprintf(into, TITLE_SIZE, "Sign %ld CRLs of %s, numbers %ld to %ld", act->count, issuer,
                 act->number, act->number + (act->count - 1) * act->step);
}

static void title_of_backup(const struct sg_world *world, const struct sg_ceremony_act *act,
                            char into[TITLE_SIZE])
{
    const char *key = world->file->keys[act->key].name;

    if (act->backup == SG_BACKUP_WRAP)
        snprintf(into, TITLE_SIZE, "Copy the key %s to the token %s, wrapped", key,
                 world->file->tokens[act->token].name);
    else if (act->backup == SG_BACKUP_VENDOR_CLONE)
        snprintf(into, TITLE_SIZE, "Copy the key %s with the tool of the token's maker", key);
    else
        snprintf(into, TITLE_SIZE, "Keep no copy of the key %s", key);
}

static void title_of(const struct sg_world *world, const struct sg_ceremony_act *act,
                     char into[TITLE_SIZE])
{
    const struct sg_ceremony_file *file = world->file;
    const char *key = act->key != SG_CEREMONY_NONE ? file->keys[act->key].name : "";
    const char *certificate =
        act->certificate != SG_CEREMONY_NONE ? file->certificates[act->certificate].name : "";

    switch (act->kind) {
    case SG_ACT_MAKE_KEY:
        snprintf(into, TITLE_SIZE, "Make the key %s on the token %s", key,
                 file->tokens[act->token].name);
        break;
    case SG_ACT_USE_KEY:
        snprintf(into, TITLE_SIZE, "Find the key %s on the token %s", key,
                 file->tokens[act->token].name);
        break;
    case SG_ACT_SELF_SIGNED:
        snprintf(into, TITLE_SIZE, "Sign the certificate %s by its own key %s", certificate, key);
        break;
    case SG_ACT_CERTIFICATE:
        snprintf(into, TITLE_SIZE, "Sign the %scertificate %s by %s",
                 act->file != NULL ? "cross-" : "", certificate,
                 file->certificates[act->issuer].name);
        break;
    case SG_ACT_CRL:
        title_of_crl(world, act, into);
        break;
    case SG_ACT_REQUEST:
        snprintf(into, TITLE_SIZE, "Sign a request for the key %s, to an outside root", key);
        break;
    case SG_ACT_BACKUP:
        title_of_backup(world, act, into);
        break;
    case SG_ACT_HAND_OVER:
        snprintf(into, TITLE_SIZE, "Hand over: %s", act->what);
        break;
    case SG_ACT_CHANGE_PIN:
        snprintf(into, TITLE_SIZE, "Change the PIN of the token %s", file->tokens[act->token].name);
        break;
    case SG_ACT_DESTROY:
        snprintf(into, TITLE_SIZE, "Destroy the key %s", key);
        break;
    case SG_NUM_ACT_KINDS:
        break;
    }
}

/* ---- lines ---- */

/* What will only be known when a key is made is dotted, in every form that text has of it. */
static void hide_ids(const struct sg_world *world, char *text)
{
    char hex[2 * SG_KEY_ID_LEN + 1];

    for (size_t i = 0; i < world->file->num_keys; i++) {
        const struct sg_world_key *key = &world->keys[i];
        char *at = text;

        if (!key->is_stand_in)
            continue;
        sg_hex(sg_slice_of(key->public.id, SG_KEY_ID_LEN), hex, sizeof hex);
        while ((at = strstr(at, hex)) != NULL)
            memset(at, '.', strlen(hex));
    }
}

/* Lines of `signet show` that tell of the signed whole, of a key, or of today. */
static bool is_passing(const char *line)
{
    static const char *const WORDS[] = {"sha256 ", "sha1 ", "key sha256 ", "validity "};

    for (size_t i = 0; i < sizeof WORDS / sizeof WORDS[0]; i++)
        if (strncmp(line, WORDS[i], strlen(WORDS[i])) == 0)
            return true;
    return false;
}

/* The lines of `signet show` without those, and without its heading. */
static bool append_shown(const struct sg_world *world, struct sg_buf *text, json_t *lines,
                         struct sg_error *error)
{
    char *rest = (char *)text->data, *line;

    hide_ids(world, rest);
    while ((line = strsep(&rest, "\n")) != NULL) {
        if (line[0] != ' ' || is_passing(line + 2))
            continue;
        if (!append(lines, error, "%s", line + 2))
            return false;
    }
    return true;
}

/* What comes in from outside is known by its key, which people compare with what they were told. */
static bool lines_of_origin(const struct sg_ceremony_act *act, const X509 *certificate,
                            json_t *lines, struct sg_error *error)
{
    sg_auto(sg_public_key) struct sg_public_key key = {0};
    char hex[SG_SHA256_HEX_SIZE];

    if (act->kind != SG_ACT_CERTIFICATE || act->key != SG_CEREMONY_NONE)
        return true;
    return sg_public_key_of_certificate(certificate, &key, error) &&
           append(lines, error, "for          the key of %s, with the SHA-256",
                  act->request != NULL ? act->request : act->file) &&
           append(lines, error, "  %s",
                  sg_hex(sg_slice_of(key.sha256, sizeof key.sha256), hex, sizeof hex));
}

static bool lines_of_certificate(const struct sg_world *world, const struct sg_ceremony_act *act,
                                 struct sg_slice der, json_t *lines, struct sg_error *error)
{
    sg_auto(X509) X509 *certificate = NULL;
    sg_auto(sg_buf) struct sg_buf text = {0};

    return sg_cert_read(der, act->output, &certificate, error) &&
           lines_of_origin(act, certificate, lines, error) &&
           sg_show_certificate(certificate, act->from, &text, error) &&
           append_shown(world, &text, lines, error);
}

static bool lines_of_revoked(const struct sg_world *world, const struct sg_ceremony_act *act,
                             json_t *lines, struct sg_error *error)
{
    for (size_t i = 0; i < act->num_revoked; i++) {
        const struct sg_ceremony_revocation *entry = &act->revoked[i];
        sg_auto(X509) X509 *certificate = NULL;
        struct sg_serial serial;
        char number[SG_SERIAL_TEXT_SIZE], moment[SG_TIME_TEXT_SIZE];

        if (!sg_ceremony_x509(world->materials, entry->certificate, &certificate, error) ||
            !sg_cert_serial(certificate, &serial, error) ||
            !append(lines, error, "revoked    %s, since %s, %s", entry->certificate,
                    sg_time_text(entry->moment, moment), sg_reason_word(entry->reason)) ||
            !append(lines, error, "           serial number %s", sg_serial_text(&serial, number)))
            return false;
    }
    return act->num_revoked > 0 || append(lines, error, "revoked    nothing");
}

/* One line for each; what they have in common comes before the first. */
static bool lines_of_crl(const struct sg_world *world, const struct sg_ceremony_act *act,
                         size_t nth, json_t *lines, struct sg_error *error)
{
    int64_t from = act->from + (int64_t)nth * act->every_s;
    char name[SG_CEREMONY_NAME_SIZE], this[SG_TIME_TEXT_SIZE], next[SG_TIME_TEXT_SIZE];

    if (nth == 0 && (!lines_of_revoked(world, act, lines, error) ||
                     !append(lines, error, "%-20s number  this update and next update", "file")))
        return false;
    return append(lines, error, "%-20s %6ld  %s  %s", sg_ceremony_output_name(act, nth, name),
                  act->number + (long)nth * act->step, sg_time_text(from, this),
                  sg_time_text(from + act->lifetime_s, next));
}

static bool lines_of_key(const struct sg_world *world, const struct sg_ceremony_act *act,
                         json_t *lines, struct sg_error *error)
{
    const struct sg_ceremony_key *key = &world->file->keys[act->key];
    const struct sg_ceremony_token *token = &world->file->tokens[key->token];
    char kind[SG_KEY_KIND_TEXT_SIZE], id[2 * SG_CEREMONY_DRAWN_LEN + 1];
    const uint8_t *drawn = world->drawn[act - world->file->acts];

    return append(lines, error, "token      %s, serial number %s", token->uri, token->serial) &&
           append(lines, error, "label      %s", key->label) &&
           append(lines, error, "id         %s",
                  sg_hex(sg_slice_of(drawn, SG_CEREMONY_DRAWN_LEN), id, sizeof id)) &&
           append(lines, error, "type       %s", sg_key_kind_text(key->kind, kind)) &&
           append(lines, error, "may        sign; not decrypt, unwrap or derive") &&
           append(lines, error, "read back  LOCAL, SENSITIVE, ALWAYS_SENSITIVE, %sEXTRACTABLE,",
                  key->is_wrapped ? "" : "not ") &&
           append(lines, error, "           %sNEVER_EXTRACTABLE, not MODIFIABLE",
                  key->is_wrapped ? "not " : "") &&
           (!key->is_wrapped ||
            append(lines, error,
                   "Whoever knows the PIN can have this key wrapped out of the token."));
}

static bool append_fingerprint(const X509 *certificate, json_t *lines, struct sg_error *error)
{
    char hex[SG_SHA256_HEX_SIZE];
    uint8_t digest[SG_SHA256_LEN];
    unsigned len = sizeof digest;

    if (X509_digest(certificate, EVP_sha256(), digest, &len) != 1)
        return sg_fail_openssl(error, SG_INTERNAL, NULL, "a certificate can't be digested");
    return append(lines, error, "Its fingerprint (SHA-256):") &&
           append(lines, error, "  %s", sg_hex(sg_slice_of(digest, len), hex, sizeof hex));
}

static bool lines_of_used_key(const struct sg_world *world, const struct sg_ceremony_act *act,
                              json_t *lines, struct sg_error *error)
{
    const struct sg_ceremony_key *key = &world->file->keys[act->key];
    const struct sg_ceremony_token *token = &world->file->tokens[key->token];
    sg_auto(sg_buf) struct sg_buf text = {0};

    return append(lines, error, "token      %s, serial number %s", token->uri, token->serial) &&
           append(lines, error, "label      %s", key->label) &&
           append(lines, error, "It has to be the key of %s, which says:", act->file) &&
           sg_show_certificate(world->certificates[act->certificate], world->file->begins, &text,
                               error) &&
           append_shown(world, &text, lines, error) &&
           append_fingerprint(world->certificates[act->certificate], lines, error);
}

static bool lines_of_change_pin(const struct sg_world *world, const struct sg_ceremony_act *act,
                                json_t *lines, struct sg_error *error)
{
    const struct sg_ceremony_file *file = world->file;
    const size_t *holders = NULL;
    size_t num = sg_ceremony_holders(file, act->token, (size_t)(act - file->acts), &holders);

    for (size_t i = 0; i < num; i++)
        if (!append(lines, error, "old, part %zu of %zu, is typed by %s", i + 1, num,
                    file->persons[holders[i]].name))
            return false;
    for (size_t i = 0; i < act->num_holders; i++)
        if (!append(lines, error, "new, part %zu of %zu, is typed twice by %s", i + 1,
                    act->num_holders, file->persons[act->holders[i]].name))
            return false;
    return true;
}

static bool lines_of_destroy(const struct sg_world *world, const struct sg_ceremony_act *act,
                             json_t *lines, struct sg_error *error)
{
    const struct sg_ceremony_key *key = &world->file->keys[act->key];

    return append(lines, error, "token      %s", world->file->tokens[key->token].uri) &&
           append(lines, error, "label      %s", key->label) &&
           append(lines, error, "Nothing brings it back but a copy, if there is one.");
}

static bool lines_of_copy(const struct sg_world *world, const struct sg_ceremony_act *act,
                          json_t *lines, struct sg_error *error)
{
    const struct sg_ceremony_file *file = world->file;
    const struct sg_ceremony_token *from = &file->tokens[file->keys[act->key].token];
    const struct sg_ceremony_token *to = &file->tokens[act->token];
    char id[2 * SG_CEREMONY_DRAWN_LEN + 1];
    const uint8_t *drawn = world->drawn[act - file->acts];

    return append(lines, error, "from       %s, serial number %s", from->uri, from->serial) &&
           append(lines, error, "to         %s, serial number %s", to->uri, to->serial) &&
           append(lines, error, "label      %s", file->keys[act->copy].label) &&
           append(lines, error, "id         %s",
                  sg_hex(sg_slice_of(drawn, SG_CEREMONY_DRAWN_LEN), id, sizeof id)) &&
           append(lines, error, "wrapped    by AES, and that by RSA for the token %s alone",
                  to->name) &&
           append(lines, error, "The copy is called %s here. It has to sign as the key does, once,",
                  file->keys[act->copy].name) &&
           append(lines, error, "over a text that says so. Its attributes are shown as they are.");
}

static bool lines_of_manual(const struct sg_world *world, const struct sg_ceremony_act *act,
                            json_t *lines, struct sg_error *error)
{
    const struct sg_ceremony_file *file = world->file;

    if (act->kind == SG_ACT_HAND_OVER)
        return append(lines, error, "from       %s", file->persons[act->giver].name) &&
               append(lines, error, "to         %s", file->persons[act->taker].name) &&
               append(lines, error, "Signet does nothing here; it records who saw it.");
    if (act->backup == SG_BACKUP_WRAP)
        return lines_of_copy(world, act, lines, error);
    if (act->backup == SG_BACKUP_VENDOR_CLONE)
        return append(lines, error, "The custodians copy the token with its maker's tool.") &&
               append(lines, error, "Signet does nothing here; it records who saw it.");
    return append(lines, error, "When the token is lost, so is the key. Nothing is done.");
}

static bool lines_of_request(const struct sg_world *world, struct sg_slice der, json_t *lines,
                             struct sg_error *error)
{
    const struct sg_error accepted = {0};
    sg_auto(sg_request) struct sg_request request = {0};
    sg_auto(sg_buf) struct sg_buf text = {0};

    return sg_request_parse(der, &request, error) &&
           sg_show_request(&request, &accepted, &text, error) &&
           append_shown(world, &text, lines, error);
}

static bool lines_of_output(const struct sg_world *world, const struct sg_ceremony_act *act,
                            size_t nth, struct sg_slice der, json_t *lines, struct sg_error *error)
{
    switch (act->kind) {
    case SG_ACT_CRL:
        return lines_of_crl(world, act, nth, lines, error);
    case SG_ACT_REQUEST:
        return lines_of_request(world, der, lines, error);
    default:
        return lines_of_certificate(world, act, der, lines, error);
    }
}

/* ---- the whole ---- */

/* An output stood in for: the bytes are right as far as they are known, the signature is not. */
static bool output_json(struct sg_world *world, const struct sg_ceremony_act *act, size_t nth,
                        json_t *lines, json_t *outputs, struct sg_error *error)
{
    static const uint8_t NO_SIGNATURE[8] = {0};
    sg_auto(sg_buf) struct sg_buf tbs = {0};
    sg_auto(sg_buf) struct sg_buf der = {0};
    sg_auto(sg_buf) struct sg_buf known = {0};
    char name[SG_CEREMONY_NAME_SIZE];

    if (!sg_world_build(world, act, nth, &tbs, error) ||
        !sg_world_known(world, sg_buf_slice(&tbs), &known, error) ||
        !sg_world_attach(world, act, sg_buf_slice(&tbs),
                         sg_slice_of(NO_SIGNATURE, sizeof NO_SIGNATURE), &der, error))
        return false;
    if (!lines_of_output(world, act, nth, sg_buf_slice(&der), lines, error))
        return false;
    json_t *output =
        json_pack("{s:s, s:s, s:s}", "file", sg_ceremony_output_name(act, nth, name), "signed_by",
                  world->file->keys[sg_world_signer(world, act)].name, "known", known.data);
    if (json_array_append_new(outputs, output) != 0)
        return sg_fail_memory(error);
    return sg_world_adopt(world, act, sg_buf_slice(&der), error);
}

static bool describe(struct sg_world *world, const struct sg_ceremony_act *act, json_t *lines,
                     json_t *outputs, struct sg_error *error)
{
    switch (act->kind) {
    case SG_ACT_MAKE_KEY:
        return sg_world_stand_in(world, act->key, error) && lines_of_key(world, act, lines, error);
    case SG_ACT_USE_KEY:
        return sg_world_use_certificate(world, act, error) &&
               lines_of_used_key(world, act, lines, error);
    case SG_ACT_BACKUP:
    case SG_ACT_HAND_OVER:
        return sg_world_copy_key(world, act, error) && lines_of_manual(world, act, lines, error);
    case SG_ACT_CHANGE_PIN:
        return lines_of_change_pin(world, act, lines, error);
    case SG_ACT_DESTROY:
        return lines_of_destroy(world, act, lines, error);
    default:
        for (size_t nth = 0; nth < sg_ceremony_num_outputs(act); nth++)
            if (!output_json(world, act, nth, lines, outputs, error))
                return false;
        return true;
    }
}

bool sg_ceremony_act_json(struct sg_world *world, const struct sg_ceremony_act *act, json_t **json,
                          struct sg_error *error)
{
    json_t *lines = json_array(), *outputs = json_array();
    char title[TITLE_SIZE] = "";
    bool is_described = describe(world, act, lines, outputs, error);

    title_of(world, act, title);
    /* The pack takes both lists over, also when it fails. */
    *json = json_pack("{s:i, s:s, s:s, s:o, s:o}", "act", (int)(act - world->file->acts) + 1,
                      "kind", sg_ceremony_kind_word(act->kind), "title", title, "lines", lines,
                      "outputs", outputs);
    if (!is_described || *json == NULL) {
        json_decref(*json);
        *json = NULL;
        return is_described ? sg_fail_memory(error) : false;
    }
    return true;
}
