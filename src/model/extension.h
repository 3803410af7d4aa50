/* extension: X.509 extensions as OID, criticality and DER value; and lists of OIDs. */
#ifndef SG_MODEL_EXTENSION_H
#define SG_MODEL_EXTENSION_H

#include "oid.h"

struct sg_extension {
    char oid[SG_LIMIT_OID];
    bool critical;
    struct sg_buf value; /* the DER inside extnValue */
};

struct sg_extensions {
    struct sg_extension *items;
    size_t num;
};

/* sg_extensions_add appends a copy. Fails: SG_MALFORMED when the OID is there already (RFC 5280
 * 4.2) or past SG_LIMIT_EXTENSIONS. */
SG_MUST_USE bool sg_extensions_add(struct sg_extensions *list, const char *oid, bool critical,
                                   struct sg_slice value, struct sg_error *error);
const struct sg_extension *sg_extensions_find(const struct sg_extensions *list, const char *oid);
void sg_extensions_done(struct sg_extensions *list);
SG_DEFINE_CLEANUP_IN_PLACE(sg_extensions, sg_extensions_done)

struct sg_oids {
    char (*items)[SG_LIMIT_OID];
    size_t num;
};

/* sg_oids_add appends a copy. Fails: SG_MALFORMED when it is there already. */
SG_MUST_USE bool sg_oids_add(struct sg_oids *list, const char *oid, struct sg_error *error);
bool sg_oids_contain(const struct sg_oids *list, const char *oid);
bool sg_oids_equal(const struct sg_oids *a, const struct sg_oids *b); /* in any order */
/* sg_oids_purposes_text: "clientAuth, 1.2.3.4". Returns into. */
const char *sg_oids_purposes_text(const struct sg_oids *list, char *into, size_t size);
void sg_oids_done(struct sg_oids *list);
SG_DEFINE_CLEANUP_IN_PLACE(sg_oids, sg_oids_done)

#endif
