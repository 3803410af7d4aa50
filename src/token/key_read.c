#include "key_read.h"

#include <string.h>

#include "base/limits.h"
#include "base/text.h"

void sg_key_done(struct sg_key *key)
{
    free(key->label);
    sg_buf_free(&key->id);
    sg_public_key_done(&key->public);
    *key = (struct sg_key){0};
}

const char *sg_key_name(const struct sg_key *key, char into[SG_KEY_NAME_SIZE])
{
    char digits[41];
    size_t len = key->id.len < 20 ? key->id.len : 20;

    sg_hex(sg_slice_of(key->id.data, len), digits, sizeof digits);
    if (key->id.len == 0)
        snprintf(into, SG_KEY_NAME_SIZE, "'%.80s' (no id)", key->label);
    else
        snprintf(into, SG_KEY_NAME_SIZE, "'%.80s' (id %s%s)", key->label, digits,
                 key->id.len > len ? "..." : "");
    return sg_text_make_printable(into);
}

static bool read_names(struct sg_token *token, CK_OBJECT_HANDLE object, struct sg_key *key,
                       struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf label = {0};

    if (!sg_object_bytes(token, object, CKA_LABEL, SG_LIMIT_VALUE, &label, error) ||
        !sg_object_bytes(token, object, CKA_ID, SG_LIMIT_VALUE, &key->id, error))
        return false;
    key->label = strndup(label.len > 0 ? (const char *)label.data : "", label.len);
    return key->label != NULL ? true : sg_fail_memory(error);
}

/* The flags of a private key, and what an absent one counts as: the weaker of the two. */
static const struct {
    CK_ATTRIBUTE_TYPE type;
    size_t offset;
    bool absent;
} FLAGS[] = {
    {CKA_LOCAL, offsetof(struct sg_key, local), false},
    {CKA_SENSITIVE, offsetof(struct sg_key, sensitive), false},
    {CKA_ALWAYS_SENSITIVE, offsetof(struct sg_key, always_sensitive), false},
    {CKA_EXTRACTABLE, offsetof(struct sg_key, extractable), true},
    {CKA_NEVER_EXTRACTABLE, offsetof(struct sg_key, never_extractable), false},
    {CKA_SIGN, offsetof(struct sg_key, sign), false},
    {CKA_DECRYPT, offsetof(struct sg_key, decrypt), false},
    {CKA_UNWRAP, offsetof(struct sg_key, unwrap), false},
    {CKA_DERIVE, offsetof(struct sg_key, derive), false},
    {CKA_MODIFIABLE, offsetof(struct sg_key, modifiable), true},
    {CKA_ALWAYS_AUTHENTICATE, offsetof(struct sg_key, always_authenticate), false},
};

static bool read_flags(struct sg_token *token, CK_OBJECT_HANDLE object, struct sg_key *key,
                       struct sg_error *error)
{
    for (size_t i = 0; i < sizeof FLAGS / sizeof *FLAGS; i++) {
        bool *flag = (bool *)((char *)key + FLAGS[i].offset);

        if (!sg_object_flag(token, object, FLAGS[i].type, FLAGS[i].absent, flag, error))
            return false;
    }
    return true;
}

/* Does a public key object have this type, and the key's label? */
static bool look_at_public(struct sg_token *token, CK_OBJECT_HANDLE object, CK_ULONG type,
                           const struct sg_key *key, bool *has_type, bool *has_label,
                           struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf label = {0};
    CK_ULONG its_type;

    if (!sg_object_number(token, object, CKA_KEY_TYPE, CK_UNAVAILABLE_INFORMATION, &its_type,
                          error) ||
        !sg_object_bytes(token, object, CKA_LABEL, SG_LIMIT_VALUE, &label, error))
        return false;
    *has_type = its_type == type;
    *has_label = sg_slice_equal(sg_buf_slice(&label), sg_slice_text(key->label));
    return true;
}

/* The public key object beside a private key: the only one of that type, or among several the only
 * one of that label. */
static bool read_public_beside(struct sg_token *token, CK_ULONG type, struct sg_key *key,
                               struct sg_error *error)
{
    sg_auto(sg_objects) struct sg_objects objects = {0};
    CK_OBJECT_HANDLE of_type = CK_INVALID_HANDLE, of_label = CK_INVALID_HANDLE;
    size_t num_of_type = 0, num_of_label = 0;

    if (!sg_objects_find_named(token, CKO_PUBLIC_KEY, sg_buf_slice(&key->id), key->label, &objects,
                               error))
        return false;
    for (size_t i = 0; i < objects.num; i++) {
        bool has_type, has_label;

        if (!look_at_public(token, objects.handles[i], type, key, &has_type, &has_label, error))
            return false;
        if (!has_type)
            continue;
        of_type = objects.handles[i];
        num_of_type++;
        if (has_label) {
            of_label = objects.handles[i];
            num_of_label++;
        }
    }
    key->has_public = num_of_type > 0;
    if (num_of_type == 1)
        return sg_public_key_of_object(token, of_type, &key->public, error);
    return num_of_label == 1 ? sg_public_key_of_object(token, of_label, &key->public, error) : true;
}

static bool read_public_of_certificate(struct sg_token *token, CK_OBJECT_HANDLE object,
                                       struct sg_key *key, struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf der = {0};
    sg_auto(X509) X509 *certificate = NULL;
    const uint8_t *at;

    if (!sg_object_bytes(token, object, CKA_VALUE, SG_LIMIT_CERTIFICATE, &der, error))
        return false;
    at = der.data;
    certificate = d2i_X509(NULL, &at, (long)der.len);
    if (certificate == NULL)
        return sg_fail_openssl(error, SG_TOKEN, NULL,
                               "the certificate beside key '%s' on token %s can't be read",
                               key->label, token->info.label);
    return sg_public_key_of_certificate(certificate, &key->public, error);
}

static bool read_certificate_beside(struct sg_token *token, struct sg_key *key,
                                    struct sg_error *error)
{
    sg_auto(sg_objects) struct sg_objects objects = {0};

    if (!sg_objects_find_named(token, CKO_CERTIFICATE, sg_buf_slice(&key->id), key->label, &objects,
                               error))
        return false;
    key->has_certificate = objects.num > 0;
    if (objects.num == 1 && key->public.pkey == NULL)
        return read_public_of_certificate(token, objects.handles[0], key, error);
    return true;
}

bool sg_key_read_private(struct sg_token *token, CK_OBJECT_HANDLE object, struct sg_key *key,
                         struct sg_error *error)
{
    CK_ULONG type;

    if (!read_names(token, object, key, error) || !read_flags(token, object, key, error) ||
        !sg_object_number(token, object, CKA_KEY_TYPE, CK_UNAVAILABLE_INFORMATION, &type, error))
        return false;
    key->has_private = true;
    if (!read_public_beside(token, type, key, error))
        return false;
    if (key->public.pkey == NULL && !sg_public_key_of_object(token, object, &key->public, error))
        return false;
    return read_certificate_beside(token, key, error);
}

bool sg_key_read_public(struct sg_token *token, CK_OBJECT_HANDLE object, struct sg_key *key,
                        struct sg_error *error)
{
    key->has_public = true;
    return read_names(token, object, key, error) &&
           sg_public_key_of_object(token, object, &key->public, error) &&
           read_certificate_beside(token, key, error);
}
