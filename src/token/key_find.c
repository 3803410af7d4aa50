#include <string.h>

#include "base/limits.h"
#include "key_read.h"
#include "uri.h"

static bool find_class(struct sg_token *token, CK_OBJECT_CLASS class, struct sg_objects *objects,
                       struct sg_error *error)
{
    CK_ATTRIBUTE wanted = sg_attribute(CKA_CLASS, &class, sizeof class);

    return sg_objects_find(token, &wanted, 1, objects, error);
}

/* "'a' (id 01), 'b' (no id)" of every private key, or as many as fit into a message. */
static bool list_names(struct sg_token *token, struct sg_buf *names, struct sg_error *error)
{
    sg_auto(sg_objects) struct sg_objects objects = {0};

    if (!find_class(token, CKO_PRIVATE_KEY, &objects, error))
        return false;
    if (objects.num == 0)
        return sg_buf_printf(names, SG_LIMIT_VALUE, error,
                             "no private key; `signet key create` makes one");
    for (size_t i = 0; i < objects.num && names->len < SG_ERROR_TEXT_SIZE; i++) {
        sg_auto(sg_key) struct sg_key key = {0};
        char name[SG_KEY_NAME_SIZE];

        if (!sg_key_read_private(token, objects.handles[i], &key, NULL))
            snprintf(name, sizeof name, "one that can't be read");
        else
            sg_key_name(&key, name);
        if (!sg_buf_printf(names, SG_LIMIT_VALUE, error, "%s%s", i == 0 ? "" : ", ", name))
            return false;
    }
    return true;
}

static bool fail_to_choose(struct sg_token *token, const char *uri, size_t num_matching,
                           struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf names = {0};

    if (!list_names(token, &names, error))
        return false;
    if (num_matching == 0)
        return sg_fail(error, SG_TOKEN, NULL, "no private key matches %s; token %s has %s", uri,
                       token->info.label, (const char *)names.data);
    return sg_fail(
        error, SG_TOKEN, NULL,
        "%zu private keys match %s, and it must be one: name it by id= or object=; token "
        "%s has %s",
        num_matching, uri, token->info.label, (const char *)names.data);
}

bool sg_key_check_token(struct sg_token *token, P11KitUri *uri, const char *text,
                        struct sg_error *error)
{
    struct sg_token_info info;
    CK_TOKEN_INFO raw;

    if (!sg_token_info_read(&token->module, token->info.slot, &raw, &info, error))
        return false;
    if (!p11_kit_uri_match_token_info(uri, &raw))
        return sg_fail(error, SG_TOKEN, NULL, "%s is about another token than %s (serial %s)", text,
                       token->info.label, token->info.serial_number);
    return true;
}

static bool find_private(struct sg_token *token, P11KitUri *uri, struct sg_objects *objects,
                         struct sg_error *error)
{
    static const CK_ATTRIBUTE_TYPE NAMES[] = {CKA_LABEL, CKA_ID};
    CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
    CK_ATTRIBUTE wanted[3] = {sg_attribute(CKA_CLASS, &class, sizeof class)};
    size_t num = 1;

    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        const CK_ATTRIBUTE *name = p11_kit_uri_get_attribute(uri, NAMES[i]);

        if (name != NULL)
            wanted[num++] = *name;
    }
    return sg_objects_find(token, wanted, num, objects, error);
}

/* is_there NULL: it has to be. */
static bool look(struct sg_token *token, const char *uri, bool *is_there, struct sg_key *key,
                 struct sg_error *error)
{
    sg_auto(P11KitUri) P11KitUri *parsed = NULL;
    sg_auto(sg_objects) struct sg_objects objects = {0};
    sg_auto(sg_key) struct sg_key found = {0};
    SG_TOKEN_LOCK(token);

    if (!sg_uri_parse(uri, SG_URI_KEY, &parsed, error) ||
        !sg_key_check_token(token, parsed, uri, error) || !sg_token_login_locked(token, error) ||
        !find_private(token, parsed, &objects, error))
        return false;
    if (is_there != NULL)
        *is_there = objects.num > 0;
    if (is_there != NULL && objects.num == 0)
        return true;
    if (objects.num != 1)
        return fail_to_choose(token, uri, objects.num, error);
    if (!sg_key_read_private(token, objects.handles[0], &found, error))
        return false;
    sg_key_done(key);
    *key = found;
    found = (struct sg_key){0};
    return true;
}

bool sg_key_find(struct sg_token *token, const char *uri, struct sg_key *key,
                 struct sg_error *error)
{
    return look(token, uri, NULL, key, error);
}

bool sg_key_look(struct sg_token *token, const char *uri, bool *is_there, struct sg_key *key,
                 struct sg_error *error)
{
    return look(token, uri, is_there, key, error);
}

/* The keys of a list that is still being made. */
struct keys {
    struct sg_key *items;
    size_t num;
};

static void keys_done(struct keys *keys)
{
    for (size_t i = 0; i < keys->num; i++)
        sg_key_done(&keys->items[i]);
    free(keys->items);
}
SG_DEFINE_CLEANUP_IN_PLACE(keys, keys_done)

typedef bool read_key(struct sg_token *token, CK_OBJECT_HANDLE object, struct sg_key *key,
                      struct sg_error *error);

/* Reads a key for the list. A public half that makes no key (explicit curve parameters, say) is
 * left out there instead of hiding every other key. */
static bool read_listed(struct sg_token *token, read_key *read, CK_OBJECT_HANDLE object,
                        struct sg_key *key, struct sg_error *error)
{
    struct sg_error cause = {0};

    if (read(token, object, key, &cause))
        return true;
    if (key->label != NULL && cause.detail == 0) {
        sg_public_key_done(&key->public);
        return true;
    }
    sg_fail(error, cause.code, cause.rule, "%s", cause.text);
    if (error != NULL)
        error->detail = cause.detail;
    return false;
}

static bool is_half_of(const struct sg_key *public, const struct sg_key *private)
{
    if (private->id.len > 0)
        return sg_slice_equal(sg_buf_slice(&public->id), sg_buf_slice(&private->id));
    return public->id.len == 0 && strcmp(public->label, private->label) == 0;
}

static bool add_privates(struct sg_token *token, const struct sg_objects *objects,
                         struct keys *keys, struct sg_error *error)
{
    for (size_t i = 0; i < objects->num; i++)
        if (!read_listed(token, sg_key_read_private, objects->handles[i], &keys->items[keys->num++],
                         error))
            return false;
    return true;
}

/* Adds the public keys that none of the private ones listed before has for its other half. */
static bool add_publics(struct sg_token *token, const struct sg_objects *objects, struct keys *keys,
                        struct sg_error *error)
{
    size_t num_privates = keys->num;

    for (size_t i = 0; i < objects->num; i++) {
        sg_auto(sg_key) struct sg_key key = {0};
        bool is_half = false;

        if (!read_listed(token, sg_key_read_public, objects->handles[i], &key, error))
            return false;
        for (size_t j = 0; j < num_privates && !is_half; j++)
            is_half = is_half_of(&key, &keys->items[j]);
        if (is_half)
            continue;
        keys->items[keys->num++] = key;
        key = (struct sg_key){0};
    }
    return true;
}

bool sg_key_list(struct sg_token *token, struct sg_key **keys, size_t *num, struct sg_error *error)
{
    sg_auto(sg_objects) struct sg_objects privates = {0}, publics = {0};
    sg_auto(keys) struct keys found = {0};
    SG_TOKEN_LOCK(token);

    if ((token->pin != NULL && !sg_token_login_locked(token, error)) ||
        !find_class(token, CKO_PRIVATE_KEY, &privates, error) ||
        !find_class(token, CKO_PUBLIC_KEY, &publics, error))
        return false;
    found.items = calloc(privates.num + publics.num + 1, sizeof *found.items);
    if (found.items == NULL)
        return sg_fail_memory(error);
    if (!add_privates(token, &privates, &found, error) ||
        !add_publics(token, &publics, &found, error))
        return false;
    *num = found.num;
    *keys = SG_TAKE(found.items);
    found.num = 0;
    return true;
}
