/* object: finding objects on a token and reading their attributes. Private to the room; every
 * function expects that the caller holds the token's lock.
 */
#ifndef SG_TOKEN_OBJECT_H
#define SG_TOKEN_OBJECT_H

#include "handle.h"

/* The objects of a search, to be released with sg_objects_done. */
struct sg_objects {
    CK_OBJECT_HANDLE *handles;
    size_t num;
};

/* sg_objects_find fills objects, which is empty before, with everything that has the attributes. */
SG_MUST_USE bool sg_objects_find(struct sg_token *token, CK_ATTRIBUTE *attributes, size_t num,
                                 struct sg_objects *objects, struct sg_error *error);
/* sg_objects_find_named narrows a class to those of this CKA_ID, or of this label when id is empty.
 */
SG_MUST_USE bool sg_objects_find_named(struct sg_token *token, CK_OBJECT_CLASS class,
                                       struct sg_slice id, const char *label,
                                       struct sg_objects *objects, struct sg_error *error);
void sg_objects_done(struct sg_objects *objects);
SG_DEFINE_CLEANUP_IN_PLACE(sg_objects, sg_objects_done)

/* sg_object_bytes reads an attribute of variable length; value is empty when the object has none.
 * limit is one of base/limits.h. */
SG_MUST_USE bool sg_object_bytes(struct sg_token *token, CK_OBJECT_HANDLE object,
                                 CK_ATTRIBUTE_TYPE type, size_t limit, struct sg_buf *value,
                                 struct sg_error *error);
/* sg_object_number reads a CK_ULONG; absent when the object has none. */
SG_MUST_USE bool sg_object_number(struct sg_token *token, CK_OBJECT_HANDLE object,
                                  CK_ATTRIBUTE_TYPE type, CK_ULONG absent, CK_ULONG *value,
                                  struct sg_error *error);
/* sg_object_flag reads a CK_BBOOL; absent when the object has none. */
SG_MUST_USE bool sg_object_flag(struct sg_token *token, CK_OBJECT_HANDLE object,
                                CK_ATTRIBUTE_TYPE type, bool absent, bool *value,
                                struct sg_error *error);

/* CK_ATTRIBUTE has no const; PKCS#11 reads from these and does not write. */
CK_ATTRIBUTE sg_attribute(CK_ATTRIBUTE_TYPE type, const void *value, size_t len);

#endif
