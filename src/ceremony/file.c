#include "file_parts.h"

#include <ctype.h>
#include <string.h>

#include "home/config.h"
#include "token/signer.h"

static const struct sg_yaml_choice ROLES[] = {
    {"administrator", SG_ROLE_ADMINISTRATOR},
    {"custodian", SG_ROLE_CUSTODIAN},
    {"witness", SG_ROLE_WITNESS},
    {0},
};

const char *sg_ceremony_role_word(enum sg_ceremony_role role)
{
    return ROLES[role].word;
}

bool sg_ceremony_read_name(const struct sg_yaml *document, const struct sg_yaml_node *node,
                           const char **name, struct sg_error *error)
{
    if (!sg_yaml_text(document, node, name, error))
        return false;
    if (!sg_config_name_is_valid(*name))
        return sg_yaml_fail(document, node, error,
                            "'%.80s' has to be made of letters, digits, '.', '_', '-', begin with "
                            "a letter or digit, and have 64 characters at most",
                            *name);
    return true;
}

bool sg_ceremony_read_moment(const struct sg_yaml *document, const struct sg_yaml_node *node,
                             int64_t *moment, struct sg_error *error)
{
    struct sg_error why = {0};
    const char *text;

    if (!sg_yaml_text(document, node, &text, error))
        return false;
    return sg_time_parse(text, moment, &why) || sg_yaml_fail(document, node, error, "%s", why.text);
}

const char *sg_ceremony_slug(const char *name, char into[SG_CEREMONY_NAME_SIZE])
{
    size_t len = 0;

    for (; *name != '\0' && len < SG_CEREMONY_NAME_SIZE - 1; name++) {
        unsigned char c = (unsigned char)*name;

        if (isalnum(c) && c < 128)
            into[len++] = (char)tolower(c);
        else if (len > 0 && into[len - 1] != '-')
            into[len++] = '-';
    }
    while (len > 0 && into[len - 1] == '-')
        len--;
    into[len] = '\0';
    return into;
}

bool sg_ceremony_find_person(const struct sg_ceremony_file *file, const struct sg_yaml_node *node,
                             const char *name, size_t *place, struct sg_error *error)
{
    for (size_t i = 0; i < file->num_persons; i++)
        if (strcmp(file->persons[i].name, name) == 0) {
            *place = i;
            return true;
        }
    return sg_yaml_fail(file->document, node, error, "there is no '%.80s' under persons", name);
}

/* ---- persons ---- */

static bool read_person_name(const struct sg_yaml *document, const struct sg_yaml_node *value,
                             void *into, struct sg_error *error)
{
    struct sg_ceremony_person *person = into;
    char slug[SG_CEREMONY_NAME_SIZE];

    if (!sg_yaml_text(document, value, &person->name, error))
        return false;
    if (strlen(person->name) > 64 || sg_ceremony_slug(person->name, slug)[0] == '\0')
        return sg_yaml_fail(document, value, error,
                            "a person's name has 64 bytes at most, and a letter or digit of ASCII "
                            "among them, as files are called by it");
    return true;
}

static bool read_role(const struct sg_yaml *document, const struct sg_yaml_node *value, void *into,
                      struct sg_error *error)
{
    struct sg_ceremony_person *person = into;
    int role = 0;

    if (!sg_yaml_word(document, value, ROLES, &role, error))
        return false;
    person->role = (enum sg_ceremony_role)role;
    return true;
}

static bool read_person_key(const struct sg_yaml *document, const struct sg_yaml_node *value,
                            void *into, struct sg_error *error)
{
    struct sg_ceremony_person *person = into;

    return sg_yaml_text(document, value, &person->key, error);
}

static const struct sg_yaml_field PERSON[] = {
    {"name", SG_YAML_REQUIRED, read_person_name},
    {"role", SG_YAML_REQUIRED, read_role},
    {"key", SG_YAML_OPTIONAL, read_person_key},
    {0},
};

static bool check_slug_is_new(const struct sg_ceremony_file *file, const struct sg_yaml_node *node,
                              size_t place, struct sg_error *error)
{
    char slug[SG_CEREMONY_NAME_SIZE], other[SG_CEREMONY_NAME_SIZE];

    sg_ceremony_slug(file->persons[place].name, slug);
    for (size_t i = 0; i < place; i++)
        if (strcmp(slug, sg_ceremony_slug(file->persons[i].name, other)) == 0)
            return sg_yaml_fail(file->document, node, error,
                                "'%s' and '%s' would have files of the same name",
                                file->persons[i].name, file->persons[place].name);
    return true;
}

static bool read_person(const struct sg_yaml *document, const struct sg_yaml_node *value,
                        void *into, struct sg_error *error)
{
    struct sg_ceremony_file *file = into;
    size_t place = file->num_persons++;

    return sg_yaml_mapping(document, value, PERSON, &file->persons[place], error) &&
           check_slug_is_new(file, value, place, error);
}

static bool read_persons(const struct sg_yaml *document, const struct sg_yaml_node *value,
                         void *into, struct sg_error *error)
{
    struct sg_ceremony_file *file = into;
    size_t num_of[3] = {0};

    file->persons = calloc(value->num_children + 1, sizeof *file->persons);
    if (file->persons == NULL)
        return sg_fail_memory(error);
    if (!sg_yaml_each(document, value, read_person, file, error))
        return false;
    for (size_t i = 0; i < file->num_persons; i++)
        num_of[file->persons[i].role]++;
    if (num_of[SG_ROLE_ADMINISTRATOR] != 1)
        return sg_yaml_fail(document, value, error,
                            "persons has to have one administrator, who types at the keyboard");
    if (num_of[SG_ROLE_WITNESS] == 0)
        return sg_yaml_fail(document, value, error,
                            "persons has no witness, whose initials every act needs");
    return true;
}

/* ---- tokens ---- */

struct token_reading {
    struct sg_ceremony_file *file;
    struct sg_ceremony_token *token;
};

#define TOKEN_TEXT(field)                                                                          \
    static bool read_token_##field(const struct sg_yaml *document,                                 \
                                   const struct sg_yaml_node *value, void *into,                   \
                                   struct sg_error *error)                                         \
    {                                                                                              \
        return sg_yaml_text(document, value, &((struct token_reading *)into)->token->field,        \
                            error);                                                                \
    }
TOKEN_TEXT(profile)
TOKEN_TEXT(module)
TOKEN_TEXT(serial)
#undef TOKEN_TEXT

static bool read_token_signer(const struct sg_yaml *document, const struct sg_yaml_node *value,
                              void *into, struct sg_error *error)
{
    struct token_reading *reading = into;
    struct sg_error why = {0};
    const char *text;

    if (!sg_yaml_text(document, value, &text, error))
        return false;
    return sg_signer_kind_parse(text, &reading->token->signer, &why) ||
           sg_yaml_fail(document, value, error, "%s", why.text);
}

static bool read_token_uri(const struct sg_yaml *document, const struct sg_yaml_node *value,
                           void *into, struct sg_error *error)
{
    struct token_reading *reading = into;

    if (!sg_yaml_text(document, value, &reading->token->uri, error))
        return false;
    if (strstr(reading->token->uri, "pin-") != NULL)
        return sg_yaml_fail(document, value, error,
                            "a PIN does not belong into this file; it is asked for");
    return strncmp(reading->token->uri, "pkcs11:", strlen("pkcs11:")) == 0 ||
           sg_yaml_fail(document, value, error, "uri has to be pkcs11:token=LABEL");
}

struct holders_reading {
    const struct sg_ceremony_file *file;
    size_t *holders, num;
};

static bool read_holder(const struct sg_yaml *document, const struct sg_yaml_node *value,
                        void *into, struct sg_error *error)
{
    struct holders_reading *reading = into;
    const char *name;

    if (!sg_yaml_text(document, value, &name, error) ||
        !sg_ceremony_find_person(reading->file, value, name, &reading->holders[reading->num],
                                 error))
        return false;
    reading->num++;
    return true;
}

bool sg_ceremony_read_holders(const struct sg_ceremony_file *file, const struct sg_yaml_node *node,
                              size_t **holders, size_t *num, struct sg_error *error)
{
    struct holders_reading reading = {file, calloc(node->num_children + 1, sizeof(size_t)), 0};

    if (reading.holders == NULL)
        return sg_fail_memory(error);
    *holders = reading.holders; /* the caller's from here on, whatever comes of it */
    if (!sg_yaml_each(file->document, node, read_holder, &reading, error))
        return false;
    *num = reading.num;
    return reading.num > 0 || sg_yaml_fail(file->document, node, error,
                                           "pin has to name those who type it, one part each");
}

static bool read_holders(const struct sg_yaml *document, const struct sg_yaml_node *value,
                         void *into, struct sg_error *error)
{
    struct token_reading *reading = into;

    (void)document;
    return sg_ceremony_read_holders(reading->file, value, &reading->token->holders,
                                    &reading->token->num_holders, error);
}

static const struct sg_yaml_field TOKEN[] = {
    {"profile", SG_YAML_OPTIONAL, read_token_profile},
    {"module", SG_YAML_OPTIONAL, read_token_module},
    {"uri", SG_YAML_REQUIRED, read_token_uri},
    {"serial", SG_YAML_REQUIRED, read_token_serial},
    {"signer", SG_YAML_OPTIONAL, read_token_signer},
    {"pin", SG_YAML_REQUIRED, read_holders},
    {0},
};

static bool read_tokens(const struct sg_yaml *document, const struct sg_yaml_node *value,
                        void *into, struct sg_error *error)
{
    struct sg_ceremony_file *file = into;

    if (value->kind != SG_YAML_MAPPING || value->num_children == 0)
        return sg_yaml_fail(document, value, error,
                            "tokens has to be a mapping of one or more tokens: NAME: {profile: …, "
                            "uri: …, serial: …, pin: [NAME]}");
    file->tokens = calloc(value->num_children, sizeof *file->tokens);
    if (file->tokens == NULL)
        return sg_fail_memory(error);
    for (size_t i = 0; i < value->num_children; i++) {
        const struct sg_yaml_node *node = &value->children[i];
        struct token_reading reading = {file, &file->tokens[file->num_tokens++]};

        reading.token->name = node->key;
        if (!sg_yaml_mapping(document, node, TOKEN, &reading, error))
            return false;
        if ((reading.token->profile == NULL) == (reading.token->module == NULL))
            return sg_yaml_fail(document, node, error,
                                "token %s needs either profile (a folder of tokens/, as softhsm) "
                                "or module (the path of a PKCS#11 module)",
                                node->key);
    }
    return true;
}

/* ---- seals, approval, the whole ---- */

static bool read_seal_item(const struct sg_yaml *document, const struct sg_yaml_node *value,
                           void *into, struct sg_error *error)
{
    return sg_yaml_text(document, value, &((struct sg_ceremony_seal *)into)->item, error);
}

static bool read_seal_number(const struct sg_yaml *document, const struct sg_yaml_node *value,
                             void *into, struct sg_error *error)
{
    return sg_yaml_text(document, value, &((struct sg_ceremony_seal *)into)->number, error);
}

static const struct sg_yaml_field SEAL[] = {
    {"item", SG_YAML_REQUIRED, read_seal_item},
    {"number", SG_YAML_REQUIRED, read_seal_number},
    {0},
};

static bool read_seal(const struct sg_yaml *document, const struct sg_yaml_node *value, void *into,
                      struct sg_error *error)
{
    struct sg_ceremony_file *file = into;

    return sg_yaml_mapping(document, value, SEAL, &file->seals[file->num_seals++], error);
}

static bool read_seals(const struct sg_yaml *document, const struct sg_yaml_node *value, void *into,
                       struct sg_error *error)
{
    struct sg_ceremony_file *file = into;

    file->seals = calloc(value->num_children + 1, sizeof *file->seals);
    if (file->seals == NULL)
        return sg_fail_memory(error);
    return sg_yaml_each(document, value, read_seal, file, error);
}

static bool read_signatures(const struct sg_yaml *document, const struct sg_yaml_node *value,
                            void *into, struct sg_error *error)
{
    struct sg_ceremony_file *file = into;

    return sg_yaml_integer(document, value, 1, 100, &file->signatures, error);
}

static const struct sg_yaml_field APPROVAL[] = {
    {"signatures", SG_YAML_REQUIRED, read_signatures},
    {0},
};

static bool read_approval(const struct sg_yaml *document, const struct sg_yaml_node *value,
                          void *into, struct sg_error *error)
{
    return sg_yaml_mapping(document, value, APPROVAL, into, error);
}

static bool read_title(const struct sg_yaml *document, const struct sg_yaml_node *value, void *into,
                       struct sg_error *error)
{
    return sg_yaml_text(document, value, &((struct sg_ceremony_file *)into)->title, error);
}

static bool read_place(const struct sg_yaml *document, const struct sg_yaml_node *value, void *into,
                       struct sg_error *error)
{
    return sg_yaml_text(document, value, &((struct sg_ceremony_file *)into)->place, error);
}

static bool read_begins(const struct sg_yaml *document, const struct sg_yaml_node *value,
                        void *into, struct sg_error *error)
{
    return sg_ceremony_read_moment(document, value, &((struct sg_ceremony_file *)into)->begins,
                                   error);
}

/* Tokens name persons and acts name both, so these are read in this order and not the file's. */
static const struct sg_yaml_field FIELDS[] = {
    {"ceremony", SG_YAML_REQUIRED, read_title},
    {"place", SG_YAML_REQUIRED, read_place},
    {"begins", SG_YAML_REQUIRED, read_begins},
    {"persons", SG_YAML_REQUIRED, NULL},
    {"approval", SG_YAML_OPTIONAL, read_approval},
    {"tokens", SG_YAML_REQUIRED, NULL},
    {"seals", SG_YAML_OPTIONAL, read_seals},
    {"acts", SG_YAML_REQUIRED, NULL},
    {0},
};

static bool check_signatures(const struct sg_ceremony_file *file, const struct sg_yaml_node *root,
                             struct sg_error *error)
{
    long num = 0;

    for (size_t i = 0; i < file->num_persons; i++)
        num += file->persons[i].key != NULL;
    return num >= file->signatures ||
           sg_yaml_fail(file->document, sg_yaml_get(root, "approval"), error,
                        "%ld signatures are wanted, and %ld persons have a key", file->signatures,
                        num);
}

bool sg_ceremony_file_parse(const char *name, struct sg_slice text, struct sg_ceremony_file *file,
                            struct sg_error *error)
{
    sg_auto(sg_ceremony_file) struct sg_ceremony_file fresh = {0};
    const struct sg_yaml_node *root;

    if (!sg_yaml_parse(name, text, &fresh.document, error))
        return false;
    root = sg_yaml_root(fresh.document);
    if (!sg_yaml_mapping(fresh.document, root, FIELDS, &fresh, error) ||
        !read_persons(fresh.document, sg_yaml_get(root, "persons"), &fresh, error) ||
        !check_signatures(&fresh, root, error) ||
        !read_tokens(fresh.document, sg_yaml_get(root, "tokens"), &fresh, error) ||
        !sg_ceremony_read_acts(&fresh, sg_yaml_get(root, "acts"), error))
        return false;
    *file = fresh;
    fresh = (struct sg_ceremony_file){0}; /* now the caller's */
    return true;
}

void sg_ceremony_file_done(struct sg_ceremony_file *file)
{
    for (size_t i = 0; i < file->num_acts; i++) {
        sg_name_done(&file->acts[i].subject);
        free(file->acts[i].revoked);
        free(file->acts[i].holders);
    }
    for (size_t i = 0; i < file->num_tokens; i++)
        free(file->tokens[i].holders);
    free(file->persons);
    free(file->tokens);
    free(file->seals);
    free(file->acts);
    free(file->keys);
    free(file->certificates);
    sg_yaml_free(file->document);
    *file = (struct sg_ceremony_file){0};
}
