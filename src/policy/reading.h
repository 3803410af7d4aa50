/* reading: from YAML to the shape. A reader of a group takes the whole struct sg_policy as into. */
#ifndef SG_POLICY_READING_H
#define SG_POLICY_READING_H

#include "shape.h"

/* One for each top-level key; the table is in policy.c. */
sg_yaml_reader sg_policy_read_who, sg_policy_read_keys, sg_policy_read_subject, sg_policy_read_san,
    sg_policy_read_extended_key_usage, sg_policy_read_extensions, sg_policy_read_ca,
    sg_policy_read_publish, sg_policy_read_validity, sg_policy_read_renewal, sg_policy_read_unique,
    sg_policy_read_request, sg_policy_read_examples, sg_policy_read_certificate_policies,
    sg_policy_read_name_constraints, sg_policy_read_policy_constraints,
    sg_policy_read_inhibit_any_policy, sg_policy_read_quota, sg_policy_read_server_keys;

/* What can only be judged once all is read: one function for each group that has something to say
 * about another. Fails: SG_INVALID at the place that contradicts. */
typedef bool sg_policy_check_function(const struct sg_policy *policy, struct sg_error *error);
sg_policy_check_function sg_policy_check_who, sg_policy_check_keys, sg_policy_check_subject,
    sg_policy_check_fixed, sg_policy_check_validity, sg_policy_check_renewal,
    sg_policy_check_server_keys;

void sg_policy_keys_done(struct sg_policy_keys *keys);
void sg_policy_subject_done(struct sg_policy_subject *subject);
void sg_policy_sans_done(struct sg_policy_sans *sans);
void sg_policy_extensions_done(struct sg_policy_extensions *extensions);
void sg_policy_fixed_done(struct sg_policy_fixed fixed[SG_NUM_FIXED]);
void sg_policy_validity_done(struct sg_policy_validity *validity);
void sg_policy_renewal_done(struct sg_policy_renewal *renewal);
void sg_policy_examples_done(struct sg_policy_examples *examples);

/* sg_policy_read_rdns reads a list of {TYPE: text}: a name inside something. what: see below. */
SG_MUST_USE bool sg_policy_read_rdns(const struct sg_yaml *document,
                                     const struct sg_yaml_node *node, const char *what,
                                     struct sg_policy_subject *name, struct sg_error *error);
/* sg_policy_san_needs: there is no such name without a device (or user). */
bool sg_policy_san_needs(const struct sg_policy_san *san, enum sg_value_source source);

/* sg_policy_new_list allocates zeroed room for the items of a sequence, at least one and at most
 * max. what names them ("keys"). Fails with NULL: SG_INVALID when node is no such sequence. */
void *sg_policy_new_list(const struct sg_yaml *document, const struct sg_yaml_node *node,
                         const char *what, size_t max, size_t item_size, struct sg_error *error);

/* sg_policy_check_list says the same of a sequence for which nothing is allocated. */
SG_MUST_USE bool sg_policy_check_list(const struct sg_yaml *document,
                                      const struct sg_yaml_node *node, const char *what, size_t max,
                                      struct sg_error *error);

/* sg_policy_read_plain reads a text that is the same in every certificate: a reference is an error.
 */
SG_MUST_USE bool sg_policy_read_plain(const struct sg_yaml *document,
                                      const struct sg_yaml_node *node, const char **text,
                                      struct sg_error *error);

/* sg_policy_read_pair takes a mapping of one key apart: the value knows its key. example shows in
 * the message how to write it. */
SG_MUST_USE bool sg_policy_read_pair(const struct sg_yaml *document,
                                     const struct sg_yaml_node *node, const char *example,
                                     const struct sg_yaml_node **value, struct sg_error *error);

/* sg_policy_fail_at records a cause that a lower room gave, at a place of the document; what is
 * the machine's fault stays so. */
bool sg_policy_fail_at(const struct sg_yaml *document, const struct sg_yaml_node *node,
                       const struct sg_error *cause, struct sg_error *error);
/* sg_policy_fail_at_key is the same at the key of a mapping's value. */
bool sg_policy_fail_at_key(const struct sg_yaml *document, const struct sg_yaml_node *value,
                           const struct sg_error *cause, struct sg_error *error);

/* sg_policy_is_word: [a-z0-9-]{1,64}: names of policies and roles. */
bool sg_policy_is_word(const char *text);

#endif
