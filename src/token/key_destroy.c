#include "base/limits.h"
#include "key_read.h"
#include "rv.h"

static bool destroy_all(struct sg_token *token, CK_OBJECT_CLASS class, const struct sg_key *key,
                        struct sg_error *error)
{
    sg_auto(sg_objects) struct sg_objects objects = {0};
    char name[SG_KEY_NAME_SIZE];

    if (!sg_objects_find_named(token, class, sg_buf_slice(&key->id), key->label, &objects, error))
        return false;
    if (objects.num > 1)
        return sg_fail(error, SG_TOKEN, NULL,
                       "token %s has %zu objects with the id of the key %s; none was destroyed",
                       token->info.label, objects.num, sg_key_name(key, name));
    for (size_t i = 0; i < objects.num; i++) {
        CK_RV rv = token->module.functions->C_DestroyObject(token->session, objects.handles[i]);

        if (rv != CKR_OK)
            return sg_fail_token(error, SG_TOKEN, token, rv, "token %s does not destroy the key %s",
                                 token->info.label, sg_key_name(key, name));
    }
    return true;
}

static bool check_is_gone(struct sg_token *token, const struct sg_key *key, struct sg_error *error)
{
    sg_auto(sg_objects) struct sg_objects left = {0};
    char name[SG_KEY_NAME_SIZE];

    return sg_objects_find_named(token, CKO_PRIVATE_KEY, sg_buf_slice(&key->id), key->label, &left,
                                 error) &&
           (left.num == 0 || sg_fail(error, SG_TOKEN, NULL,
                                     "token %s says that it destroyed the key %s, and has it still",
                                     token->info.label, sg_key_name(key, name)));
}

bool sg_key_destroy(struct sg_token *token, const struct sg_key *key, struct sg_error *error)
{
    bool is_destroyed;
    SG_TOKEN_LOCK(token);

    if (!sg_token_login_locked(token, error) || !sg_token_begin_writing_locked(token, error))
        return false;
    /* The private half first: what is left when the token fails in between can't sign. */
    is_destroyed = destroy_all(token, CKO_PRIVATE_KEY, key, error) &&
                   destroy_all(token, CKO_PUBLIC_KEY, key, error) &&
                   check_is_gone(token, key, error);
    sg_token_end_writing_locked(token);
    return is_destroyed;
}
