#include <string.h>

#include "token.h"
#include "uri.h"

bool sg_key_uri_parts(const char *uri, char **label, struct sg_buf *id, struct sg_error *error)
{
    sg_auto(P11KitUri) P11KitUri *parsed = NULL;

    if (!sg_uri_parse(uri, SG_URI_KEY, &parsed, error))
        return false;
    const CK_ATTRIBUTE *object = p11_kit_uri_get_attribute(parsed, CKA_LABEL);
    const CK_ATTRIBUTE *given = p11_kit_uri_get_attribute(parsed, CKA_ID);
    if (given != NULL && !sg_buf_set(id, sg_slice_of(given->pValue, given->ulValueLen), error))
        return false;
    *label = object != NULL ? strndup(object->pValue, object->ulValueLen) : strdup("");
    return *label != NULL || sg_fail_memory(error);
}
