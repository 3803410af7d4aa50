/* The acts, and what they refer to. */
#include <string.h>

#include "file_parts.h"

/* ---- what acts refer to ---- */

static bool find_token(const struct sg_ceremony_file *file, const char *name, size_t *place)
{
    for (*place = 0; *place < file->num_tokens; (*place)++)
        if (strcmp(file->tokens[*place].name, name) == 0)
            return true;
    return false;
}

static bool find_key(const struct sg_ceremony_file *file, const char *name, size_t *place)
{
    for (*place = 0; *place < file->num_keys; (*place)++)
        if (strcmp(file->keys[*place].name, name) == 0)
            return true;
    return false;
}

static bool find_certificate(const struct sg_ceremony_file *file, const char *name, size_t *place)
{
    for (*place = 0; *place < file->num_certificates; (*place)++)
        if (strcmp(file->certificates[*place].name, name) == 0)
            return true;
    return false;
}

/* at       where the label is said, or what brings it. */
static bool check_label_is_new(const struct sg_ceremony_file *file, const char *label, size_t token,
                               const struct sg_yaml_node *at, struct sg_error *error)
{
    for (size_t i = 0; i < file->num_keys; i++)
        if (file->keys[i].token == token && strcmp(file->keys[i].label, label) == 0)
            return sg_yaml_fail(file->document, at, error,
                                "key '%s' has this label on the same token", file->keys[i].name);
    return true;
}

static bool refer_to_token(struct sg_act_reading *reading, const struct sg_yaml_node *node,
                           struct sg_error *error)
{
    return find_token(reading->file, reading->token, &reading->act->token) ||
           sg_yaml_fail(reading->file->document, sg_yaml_get(node, "token"), error,
                        "there is no token '%s' under tokens", reading->token);
}

/* A key comes into the ceremony: made, or found on its token. */
static bool add_key(struct sg_act_reading *reading, const struct sg_yaml_node *node,
                    struct sg_error *error)
{
    struct sg_ceremony_file *file = reading->file;
    struct sg_ceremony_act *act = reading->act;
    size_t place;

    if (!refer_to_token(reading, node, error))
        return false;
    if (find_key(file, reading->key, &place))
        return sg_yaml_fail(file->document, sg_yaml_get(node, "key"), error,
                            "an earlier act has a key '%s' already", reading->key);
    /* Whatever this build's default is, as a plan has to read the same in every build. */
    if (reading->type.family == SG_KEY_ED25519 &&
        file->tokens[act->token].signer != SG_SIGNER_DIRECT)
        return sg_yaml_fail(file->document, sg_yaml_get(node, "type"), error,
                            "OpenSSL's pkcs11 engine can't sign with an Ed25519 key; the token "
                            "%s needs `signer: direct` for it",
                            reading->token);
    if (!check_label_is_new(file, act->label, act->token, sg_yaml_get(node, "label"), error))
        return false;
    if (reading->scheme != SG_SCHEME_NONE && act->kind == SG_ACT_MAKE_KEY &&
        !sg_scheme_fits(reading->scheme, reading->type))
        return sg_yaml_fail(file->document, sg_yaml_get(node, "signature"), error,
                            "this signature does not go with a key of that type");
    act->key = file->num_keys;
    file->keys[file->num_keys++] = (struct sg_ceremony_key){
        .name = reading->key,
        .token = act->token,
        .label = act->label,
        .kind = reading->type,
        .scheme = reading->scheme,
        .act = (size_t)(act - file->acts),
        .copy_of = SG_CEREMONY_NONE,
        .end = SG_CEREMONY_NONE,
    };
    return true;
}

static bool add_certificate(struct sg_act_reading *reading, const struct sg_yaml_node *node,
                            const char *name, struct sg_error *error)
{
    struct sg_ceremony_file *file = reading->file;
    size_t place;

    if (find_certificate(file, name, &place))
        return sg_yaml_fail(file->document, node, error,
                            "an earlier act has a certificate '%s' already", name);
    reading->act->certificate = file->num_certificates;
    file->certificates[file->num_certificates++] =
        (struct sg_ceremony_certificate){name, reading->act->key};
    return true;
}

/* at       where the key is referred to. */
static bool check_is_left(const struct sg_ceremony_file *file, size_t key,
                          const struct sg_yaml_node *at, struct sg_error *error)
{
    return file->keys[key].end == SG_CEREMONY_NONE ||
           sg_yaml_fail(file->document, at, error, "the act on line %u destroys the key '%s'",
                        file->acts[file->keys[key].end].line, file->keys[key].name);
}

static bool refer_to_key(struct sg_act_reading *reading, const struct sg_yaml_node *node,
                         struct sg_error *error)
{
    const struct sg_yaml_node *at = sg_yaml_get(node, "key");

    if (!find_key(reading->file, reading->key, &reading->act->key))
        return sg_yaml_fail(reading->file->document, at, error,
                            "no earlier act makes or uses a key '%s'", reading->key);
    return check_is_left(reading->file, reading->act->key, at, error);
}

static bool refer_to_issuer(struct sg_act_reading *reading, const struct sg_yaml_node *node,
                            struct sg_error *error)
{
    const struct sg_ceremony_file *file = reading->file;
    size_t *issuer = &reading->act->issuer;

    if (!find_certificate(file, reading->issuer, issuer))
        return sg_yaml_fail(file->document, sg_yaml_get(node, "issuer"), error,
                            "no earlier act makes or brings a certificate '%s'", reading->issuer);
    if (file->certificates[*issuer].key == SG_CEREMONY_NONE)
        return sg_yaml_fail(file->document, sg_yaml_get(node, "issuer"), error,
                            "the key of '%s' is not on a token of this ceremony, so it signs "
                            "nothing",
                            reading->issuer);
    return check_is_left(file, file->certificates[*issuer].key, sg_yaml_get(node, "issuer"), error);
}

/* ---- the kinds ---- */

static bool finish_use_key(struct sg_act_reading *reading, const struct sg_yaml_node *node,
                           struct sg_error *error)
{
    return add_key(reading, node, error) &&
           add_certificate(reading, sg_yaml_get(node, "key"), reading->key, error);
}

static bool finish_self_signed(struct sg_act_reading *reading, const struct sg_yaml_node *node,
                               struct sg_error *error)
{
    return refer_to_key(reading, node, error) &&
           add_certificate(reading, sg_yaml_get(node, "name"), reading->certificate, error);
}

static bool finish_certificate(struct sg_act_reading *reading, const struct sg_yaml_node *node,
                               struct sg_error *error)
{
    const struct sg_yaml *document = reading->file->document;
    struct sg_ceremony_act *act = reading->act;

    if ((reading->key != NULL) + (act->request != NULL) + (act->file != NULL) != 1)
        return sg_yaml_fail(document, node, error,
                            "a certificate is for a `key` of this ceremony, for a `request` in a "
                            "file, or a cross-certificate for the CA whose certificate `cross` "
                            "names: one of them");
    if ((act->subject.num == 0) == (reading->key != NULL))
        return sg_yaml_fail(document, node, error,
                            "`subject` goes with `key`; a request or certificate brings its own");
    if (act->request_key_sha256 != NULL && act->request == NULL)
        return sg_yaml_fail(document, node, error, "request_key_sha256 goes with `request`");
    return (reading->key == NULL || refer_to_key(reading, node, error)) &&
           refer_to_issuer(reading, node, error) &&
           add_certificate(reading, sg_yaml_get(node, "name"), reading->certificate, error);
}

static bool finish_crl(struct sg_act_reading *reading, const struct sg_yaml_node *node,
                       struct sg_error *error)
{
    struct sg_ceremony_act *act = reading->act;

    if (act->count == 0)
        act->count = 1;
    if (act->count > 1 && act->every_s > act->lifetime_s)
        return sg_yaml_fail(reading->file->document, node, error,
                            "there would be days without a CRL: lifetime is shorter than every");
    return refer_to_issuer(reading, node, error);
}

/* The copy is a key like its original, on another token, by a name of its own. */
static bool add_copy(struct sg_act_reading *reading, const struct sg_yaml_node *node,
                     struct sg_error *error)
{
    struct sg_ceremony_file *file = reading->file;
    struct sg_ceremony_act *act = reading->act;
    struct sg_ceremony_key *original = &file->keys[act->key];
    size_t place;

    if (find_key(file, reading->copy, &place))
        return sg_yaml_fail(file->document, sg_yaml_get(node, "copy"), error,
                            "an earlier act has a key '%s' already", reading->copy);
    if (original->token == act->token)
        return sg_yaml_fail(file->document, sg_yaml_get(node, "token"), error,
                            "the key '%s' is on this token; its copy belongs on another one",
                            original->name);
    if (original->kind.family == SG_KEY_ED25519)
        return sg_yaml_fail(file->document, node, error,
                            "the key '%s' is one of Ed25519, and those can't be wrapped",
                            original->name);
    if (!check_label_is_new(file, original->label, act->token, sg_yaml_get(node, "token"), error))
        return false;
    original->is_wrapped = true;
    act->copy = file->num_keys;
    file->keys[act->copy] = *original;
    file->keys[act->copy].name = reading->copy;
    file->keys[act->copy].token = act->token;
    file->keys[act->copy].act = (size_t)(act - file->acts);
    file->keys[act->copy].copy_of = act->key;
    file->num_keys++;
    return true;
}

static bool finish_backup(struct sg_act_reading *reading, const struct sg_yaml_node *node,
                          struct sg_error *error)
{
    struct sg_ceremony_act *act = reading->act;
    bool is_wrap = act->backup == SG_BACKUP_WRAP;

    if (!refer_to_key(reading, node, error))
        return false;
    if (is_wrap != (reading->token != NULL) || is_wrap != (reading->copy != NULL))
        return sg_yaml_fail(reading->file->document, node, error,
                            "`token`, where the copy goes, and `copy`, its name, go with "
                            "`method: wrap`, and it with them");
    return !is_wrap || (refer_to_token(reading, node, error) && add_copy(reading, node, error));
}

static bool finish_hand_over(struct sg_act_reading *reading, const struct sg_yaml_node *node,
                             struct sg_error *error)
{
    struct sg_ceremony_act *act = reading->act;

    return sg_ceremony_find_person(reading->file, sg_yaml_get(node, "from"), reading->giver,
                                   &act->giver, error) &&
           sg_ceremony_find_person(reading->file, sg_yaml_get(node, "to"), reading->taker,
                                   &act->taker, error);
}

static bool finish_destroy(struct sg_act_reading *reading, const struct sg_yaml_node *node,
                           struct sg_error *error)
{
    struct sg_ceremony_act *act = reading->act;

    if (!refer_to_key(reading, node, error))
        return false;
    reading->file->keys[act->key].end = (size_t)(act - reading->file->acts);
    act->token = reading->file->keys[act->key].token;
    return true;
}

static const struct {
    const char *word;
    bool (*finish)(struct sg_act_reading *reading, const struct sg_yaml_node *node,
                   struct sg_error *error);
} KINDS[SG_NUM_ACT_KINDS] = {
    [SG_ACT_MAKE_KEY] = {"make-key", add_key},
    [SG_ACT_USE_KEY] = {"use-key", finish_use_key},
    [SG_ACT_SELF_SIGNED] = {"self-signed", finish_self_signed},
    [SG_ACT_CERTIFICATE] = {"certificate", finish_certificate},
    [SG_ACT_CRL] = {"crl", finish_crl},
    [SG_ACT_REQUEST] = {"request", refer_to_key},
    [SG_ACT_BACKUP] = {"backup", finish_backup},
    [SG_ACT_HAND_OVER] = {"hand-over", finish_hand_over},
    [SG_ACT_CHANGE_PIN] = {"change-pin", refer_to_token},
    [SG_ACT_DESTROY] = {"destroy", finish_destroy},
};

const char *sg_ceremony_kind_word(enum sg_ceremony_kind kind)
{
    return KINDS[kind].word;
}

static bool find_kind(const struct sg_yaml *document, const struct sg_yaml_node *node,
                      enum sg_ceremony_kind *kind, struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf words = {0};

    for (int i = 0; i < SG_NUM_ACT_KINDS; i++) {
        if (strcmp(node->key, KINDS[i].word) == 0) {
            *kind = (enum sg_ceremony_kind)i;
            return true;
        }
        if (!sg_buf_printf(&words, SG_LIMIT_VALUE, error, "%s%s", i > 0 ? ", " : "", KINDS[i].word))
            return false;
    }
    return sg_yaml_fail(document, node, error, "there is no act '%s'; there are: %s", node->key,
                        (const char *)words.data);
}

size_t sg_ceremony_new_key(const struct sg_ceremony_act *act)
{
    return act->kind == SG_ACT_MAKE_KEY || act->kind == SG_ACT_USE_KEY ? act->key : act->copy;
}

size_t sg_ceremony_holders(const struct sg_ceremony_file *file, size_t token, size_t act,
                           const size_t **holders)
{
    size_t num = file->tokens[token].num_holders;

    *holders = file->tokens[token].holders;
    for (size_t i = 0; i < act && i < file->num_acts; i++)
        if (file->acts[i].kind == SG_ACT_CHANGE_PIN && file->acts[i].token == token) {
            *holders = file->acts[i].holders;
            num = file->acts[i].num_holders;
        }
    return num;
}

/* ---- outputs ---- */

size_t sg_ceremony_num_outputs(const struct sg_ceremony_act *act)
{
    if (act->output == NULL)
        return 0;
    return act->kind == SG_ACT_CRL ? (size_t)act->count : 1;
}

const char *sg_ceremony_output_name(const struct sg_ceremony_act *act, size_t nth,
                                    char into[SG_CEREMONY_NAME_SIZE])
{
    const char *dot = strrchr(act->output, '.');
    int stem = dot != NULL ? (int)(dot - act->output) : (int)strlen(act->output);

    if (sg_ceremony_num_outputs(act) < 2)
        snprintf(into, SG_CEREMONY_NAME_SIZE, "%s", act->output);
    else
        snprintf(into, SG_CEREMONY_NAME_SIZE, "%.*s-%ld%s", stem, act->output,
                 act->number + (long)nth * act->step, dot != NULL ? dot : "");
    return into;
}

static bool has_output(const struct sg_ceremony_act *act, const char *name)
{
    char of_act[SG_CEREMONY_NAME_SIZE];

    for (size_t nth = 0; nth < sg_ceremony_num_outputs(act); nth++)
        if (strcmp(sg_ceremony_output_name(act, nth, of_act), name) == 0)
            return true;
    return false;
}

static bool check_outputs_are_new(const struct sg_ceremony_file *file,
                                  const struct sg_ceremony_act *act,
                                  const struct sg_yaml_node *node, struct sg_error *error)
{
    char name[SG_CEREMONY_NAME_SIZE];

    for (size_t nth = 0; nth < sg_ceremony_num_outputs(act); nth++) {
        sg_ceremony_output_name(act, nth, name);
        for (const struct sg_ceremony_act *other = file->acts; other < act; other++)
            if (has_output(other, name))
                return sg_yaml_fail(file->document, sg_yaml_get(node, "output"), error,
                                    "the act on line %u writes %s already", other->line, name);
    }
    return true;
}

/* ---- the list ---- */

static bool read_act(const struct sg_yaml *document, const struct sg_yaml_node *item, void *into,
                     struct sg_error *error)
{
    struct sg_ceremony_file *file = into;
    struct sg_ceremony_act *act = &file->acts[file->num_acts++];
    struct sg_act_reading reading = {.file = file, .act = act};
    const struct sg_yaml_node *node = item->children;

    *act = (struct sg_ceremony_act){
        .key = SG_CEREMONY_NONE,
        .token = SG_CEREMONY_NONE,
        .certificate = SG_CEREMONY_NONE,
        .issuer = SG_CEREMONY_NONE,
        .copy = SG_CEREMONY_NONE,
        .from = file->begins,
        .line = item->line,
    };
    if (item->kind != SG_YAML_MAPPING || item->num_children != 1)
        return sg_yaml_fail(document, item, error,
                            "an act is one key, its kind, with a mapping: `- make-key: {…}`");
    return find_kind(document, node, &act->kind, error) &&
           sg_yaml_mapping(document, node, SG_CEREMONY_FIELDS[act->kind], &reading, error) &&
           KINDS[act->kind].finish(&reading, node, error) &&
           check_outputs_are_new(file, act, node, error);
}

bool sg_ceremony_read_acts(struct sg_ceremony_file *file, const struct sg_yaml_node *node,
                           struct sg_error *error)
{
    if (node->kind == SG_YAML_SEQUENCE && node->num_children == 0)
        return sg_yaml_fail(file->document, node, error, "a ceremony without acts does nothing");
    if (node->num_children > SG_LIMIT_CEREMONY_ACTS)
        return sg_yaml_fail(file->document, node, error, "a ceremony has at most %d acts",
                            SG_LIMIT_CEREMONY_ACTS);
    /* Each act brings at most one key and one certificate, and they are pointed at. */
    file->acts = calloc(node->num_children + 1, sizeof *file->acts);
    file->keys = calloc(node->num_children + 1, sizeof *file->keys);
    file->certificates = calloc(node->num_children + 1, sizeof *file->certificates);
    if (file->acts == NULL || file->keys == NULL || file->certificates == NULL)
        return sg_fail_memory(error);
    return sg_yaml_each(file->document, node, read_act, file, error);
}

bool sg_ceremony_fail_at(const struct sg_ceremony_file *file, const struct sg_ceremony_act *act,
                         const struct sg_error *why, struct sg_error *error)
{
    const struct sg_yaml_node *acts = sg_yaml_get(sg_yaml_root(file->document), "acts");

    return sg_yaml_fail(file->document, &acts->children[act - file->acts], error, "%s%s%s",
                        why->rule, why->rule[0] != '\0' ? ": " : "", why->text);
}
