/* value: the texts of a policy: `Example GmbH`, `urn:dev:${device.id}`,
 * `{value: '${request.CN}', match: 'device-[0-9]+', optional: true}`,
 * `{value: '${device.names}', each: ','}`.
 *
 * Does not: know what a value is for (a name, an extension).
 */
#ifndef SG_POLICY_VALUE_H
#define SG_POLICY_VALUE_H

#include "base/pattern.h"
#include "base/yaml.h"
#include "policy.h"

enum sg_value_source {
    SG_VALUE_LITERAL,
    SG_VALUE_DEVICE,
    SG_VALUE_USER,
    SG_VALUE_REQUEST,
    SG_VALUE_ISSUER,
};

/* How a name of the subject has to agree with the issuer's own subject. */
enum sg_of_issuer { SG_OF_ISSUER_ANY, SG_OF_ISSUER_EQUAL, SG_OF_ISSUER_EQUAL_OR_ABSENT };

/* A piece of literal text, or one reference. */
struct sg_value_part {
    enum sg_value_source source;
    struct sg_slice literal; /* in the document's text */
    char *name;              /* what stands behind the dot of a reference */
    const char *oid;         /* of ${request.TYPE} and ${issuer.TYPE}; a const table's, or name */
};

/* Zero-initialised is empty. */
struct sg_value {
    const struct sg_yaml_node *node; /* its place in the document */
    const char *source;              /* as it was written */
    struct sg_value_part *parts;
    size_t num;
    struct sg_pattern *match; /* NULL for none */
    bool optional;
    enum sg_of_issuer of_issuer;
    const char *each; /* what stands between the entries of the reference's value; NULL: one text */
};

/* Texts, one after the other. Zero-initialised is empty. */
struct sg_texts {
    struct sg_buf *items;
    size_t num;
};
void sg_texts_done(struct sg_texts *texts);
SG_DEFINE_CLEANUP_IN_PLACE(sg_texts, sg_texts_done)

/* sg_value_read reads a scalar, or {value, match, optional}. into is a struct sg_value. */
SG_MUST_USE bool sg_value_read(const struct sg_yaml *document, const struct sg_yaml_node *node,
                               void *into, struct sg_error *error);
/* sg_value_read_each is the same where several entries may come of one text: {…, each: ','}. */
SG_MUST_USE bool sg_value_read_each(const struct sg_yaml *document, const struct sg_yaml_node *node,
                                    void *into, struct sg_error *error);
/* sg_value_read_of_subject is the same for a name of the subject: {…, issuer: equal}. */
SG_MUST_USE bool sg_value_read_of_subject(const struct sg_yaml *document,
                                          const struct sg_yaml_node *node, void *into,
                                          struct sg_error *error);
void sg_value_done(struct sg_value *value);

/* sg_value_is_literal: the text is the same for everybody. */
bool sg_value_is_literal(const struct sg_value *value);
/* sg_value_needs: there is no text without a device (or user). */
bool sg_value_needs(const struct sg_value *value, enum sg_value_source source);

/* sg_value_sources: what the text is made of, a SG_FROM_* mask. */
unsigned sg_value_sources(const struct sg_value *value);

/* What `recheck` names: "user.sid", "device.enabled".
 * sg_value_is_of_registry: device. or user. and the name of an attribute. */
bool sg_value_is_of_registry(const char *text);
/* sg_value_is_registered: the record has the attribute; of enabled, it is not disabled. */
bool sg_value_is_registered(const char *text, const struct sg_requester *requester);

/* sg_value_resolve appends the text to an empty buffer. Nothing is appended when an optional value
 * is absent; otherwise the text is not empty, base/text.h accepts it, and it matches.
 * input    may be NULL for a literal.
 * Fails: SG_REFUSED telling which reference has no value, or what is wrong with the text. */
SG_MUST_USE bool sg_value_resolve(const struct sg_value *value,
                                  const struct sg_decision_input *input, struct sg_buf *text,
                                  struct sg_error *error);
/* sg_value_resolve_each appends the texts to an empty list: with `each` one for every entry of the
 * reference's value, without it at most one. The same holds of each, and so do the failures; an
 * empty entry is one too. */
SG_MUST_USE bool sg_value_resolve_each(const struct sg_value *value,
                                       const struct sg_decision_input *input,
                                       struct sg_texts *texts, struct sg_error *error);

#endif
