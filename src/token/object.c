#include "object.h"

#include <string.h>

#include "base/limits.h"
#include "rv.h"

CK_ATTRIBUTE sg_attribute(CK_ATTRIBUTE_TYPE type, const void *value, size_t len)
{
    union {
        const void *given;
        void *wanted;
    } pointer = {value};

    return (CK_ATTRIBUTE){type, pointer.wanted, len};
}

static bool fail_to_search(const struct sg_token *token, CK_RV rv, struct sg_error *error)
{
    return sg_fail_token(error, SG_TOKEN, token, rv, "cannot search token %s", token->info.label);
}

static bool append(struct sg_objects *objects, size_t *capacity, const CK_OBJECT_HANDLE *more,
                   size_t num, struct sg_error *error)
{
    if (objects->num + num > *capacity) {
        size_t wanted = 2 * (objects->num + num);
        CK_OBJECT_HANDLE *grown = reallocarray(objects->handles, wanted, sizeof *grown);

        if (grown == NULL)
            return sg_fail_memory(error);
        objects->handles = grown;
        *capacity = wanted;
    }
    memcpy(objects->handles + objects->num, more, num * sizeof *more);
    objects->num += num;
    return true;
}

static bool collect(struct sg_token *token, struct sg_objects *objects, struct sg_error *error)
{
    size_t capacity = 0;

    for (;;) {
        CK_OBJECT_HANDLE some[64];
        CK_ULONG num = 0;
        CK_RV rv = token->module.functions->C_FindObjects(token->session, some, 64, &num);

        if (rv != CKR_OK)
            return fail_to_search(token, rv, error);
        if (num == 0)
            return true;
        if (objects->num + num > SG_LIMIT_OBJECTS)
            return sg_fail(error, SG_TOKEN, NULL, "token %s has more than %d objects of one kind",
                           token->info.label, SG_LIMIT_OBJECTS);
        if (!append(objects, &capacity, some, num, error))
            return false;
    }
}

bool sg_objects_find(struct sg_token *token, CK_ATTRIBUTE *attributes, size_t num,
                     struct sg_objects *objects, struct sg_error *error)
{
    CK_FUNCTION_LIST *functions = token->module.functions;
    CK_RV rv = functions->C_FindObjectsInit(token->session, attributes, num);
    bool is_collected;

    if (rv != CKR_OK)
        return fail_to_search(token, rv, error);
    is_collected = collect(token, objects, error);
    functions->C_FindObjectsFinal(token->session);
    return is_collected;
}

bool sg_objects_find_named(struct sg_token *token, CK_OBJECT_CLASS class, struct sg_slice id,
                           const char *label, struct sg_objects *objects, struct sg_error *error)
{
    CK_ATTRIBUTE wanted[] = {
        sg_attribute(CKA_CLASS, &class, sizeof class),
        id.len > 0 ? sg_attribute(CKA_ID, id.data, id.len)
                   : sg_attribute(CKA_LABEL, label, strlen(label)),
    };

    return sg_objects_find(token, wanted, 2, objects, error);
}

void sg_objects_done(struct sg_objects *objects)
{
    free(objects->handles);
    *objects = (struct sg_objects){0};
}

/* Reads one attribute into memory of at most size bytes. *is_there says whether the object has it;
 * a NULL value only asks for its length. */
static bool read_attribute(struct sg_token *token, CK_OBJECT_HANDLE object, CK_ATTRIBUTE *attribute,
                           bool *is_there, struct sg_error *error)
{
    CK_RV rv = token->module.functions->C_GetAttributeValue(token->session, object, attribute, 1);

    if (rv == CKR_ATTRIBUTE_TYPE_INVALID || rv == CKR_ATTRIBUTE_SENSITIVE) {
        *is_there = false;
        return true;
    }
    if (rv != CKR_OK)
        return sg_fail_token(error, SG_TOKEN, token, rv,
                             "cannot read attribute 0x%lX of an object on token %s",
                             attribute->type, token->info.label);
    *is_there = attribute->ulValueLen != CK_UNAVAILABLE_INFORMATION;
    return true;
}

bool sg_object_bytes(struct sg_token *token, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type,
                     size_t limit, struct sg_buf *value, struct sg_error *error)
{
    sg_auto(malloc) uint8_t *bytes = NULL;
    CK_ATTRIBUTE attribute = {type, NULL, 0};
    bool is_there = false;

    if (!read_attribute(token, object, &attribute, &is_there, error))
        return false;
    if (!is_there || attribute.ulValueLen == 0)
        return sg_buf_set(value, (struct sg_slice){0}, error);
    if (attribute.ulValueLen > limit)
        return sg_fail(
            error, SG_TOKEN, NULL,
            "attribute 0x%lX of an object on token %s has %lu bytes, at most %zu are read", type,
            token->info.label, attribute.ulValueLen, limit);
    bytes = malloc(attribute.ulValueLen);
    if (bytes == NULL)
        return sg_fail_memory(error);
    attribute.pValue = bytes;
    if (!read_attribute(token, object, &attribute, &is_there, error))
        return false;
    return sg_buf_set(value, sg_slice_of(bytes, is_there ? attribute.ulValueLen : 0), error);
}

bool sg_object_number(struct sg_token *token, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type,
                      CK_ULONG absent, CK_ULONG *value, struct sg_error *error)
{
    CK_ULONG number = absent;
    CK_ATTRIBUTE attribute = {type, &number, sizeof number};
    bool is_there = false;

    if (!read_attribute(token, object, &attribute, &is_there, error))
        return false;
    *value = is_there && attribute.ulValueLen == sizeof number ? number : absent;
    return true;
}

bool sg_object_flag(struct sg_token *token, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type,
                    bool absent, bool *value, struct sg_error *error)
{
    CK_BBOOL flag = CK_FALSE;
    CK_ATTRIBUTE attribute = {type, &flag, sizeof flag};
    bool is_there = false;

    if (!read_attribute(token, object, &attribute, &is_there, error))
        return false;
    *value = is_there && attribute.ulValueLen == sizeof flag ? flag != CK_FALSE : absent;
    return true;
}
