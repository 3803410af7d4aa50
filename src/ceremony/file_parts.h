/* file_parts: reading ceremony.yaml, between the files that do it. */
#ifndef SG_CEREMONY_FILE_PARTS_H
#define SG_CEREMONY_FILE_PARTS_H

#include "file.h"

/* sg_ceremony_read_acts reads `acts`; persons and tokens are there already. */
SG_MUST_USE bool sg_ceremony_read_acts(struct sg_ceremony_file *file,
                                       const struct sg_yaml_node *node, struct sg_error *error);

/* An act being read: its names, before they are places in lists. */
struct sg_act_reading {
    struct sg_ceremony_file *file;
    struct sg_ceremony_act *act;
    const char *key, *token, *copy, *certificate, *issuer, *giver, *taker;
    struct sg_key_kind type;
    enum sg_scheme scheme;
};

/* SG_CEREMONY_FIELDS: by kind, the keys of an act; they are read into a struct sg_act_reading. */
extern const struct sg_yaml_field *const SG_CEREMONY_FIELDS[SG_NUM_ACT_KINDS];

/* sg_ceremony_find_person: the place of a name in persons. Fails: SG_INVALID at node. */
SG_MUST_USE bool sg_ceremony_find_person(const struct sg_ceremony_file *file,
                                         const struct sg_yaml_node *node, const char *name,
                                         size_t *place, struct sg_error *error);

/* sg_ceremony_read_holders reads a sequence of persons who type one part of a PIN each; holders
 * comes from malloc. */
SG_MUST_USE bool sg_ceremony_read_holders(const struct sg_ceremony_file *file,
                                          const struct sg_yaml_node *node, size_t **holders,
                                          size_t *num, struct sg_error *error);

/* sg_ceremony_read_name reads a scalar that becomes part of a file name or names a thing. */
SG_MUST_USE bool sg_ceremony_read_name(const struct sg_yaml *document,
                                       const struct sg_yaml_node *node, const char **name,
                                       struct sg_error *error);
SG_MUST_USE bool sg_ceremony_read_moment(const struct sg_yaml *document,
                                         const struct sg_yaml_node *node, int64_t *moment,
                                         struct sg_error *error);

#endif
