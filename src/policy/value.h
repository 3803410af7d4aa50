/* value: the texts of a policy: `Example GmbH`, `urn:dev:${device.id}`,
 * `{value: '${request.CN}', match: 'device-[0-9]+', optional: true}`.
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

/* A piece of literal text, or one reference. */
struct sg_value_part {
    enum sg_value_source source;
    struct sg_slice literal; /* in the document's text */
    char *name;              /* what stands behind the dot of a reference */
    const char *oid;         /* of ${request.TYPE}; a const table's, or name */
};

/* Zero-initialised is empty. */
struct sg_value {
    const struct sg_yaml_node *node; /* its place in the document */
    const char *source;              /* as it was written */
    struct sg_value_part *parts;
    size_t num;
    struct sg_pattern *match; /* NULL for none */
    bool optional;
};

/* sg_value_read reads a scalar, or {value, match, optional}. into is a struct sg_value. */
SG_MUST_USE bool sg_value_read(const struct sg_yaml *document, const struct sg_yaml_node *node,
                               void *into, struct sg_error *error);
void sg_value_done(struct sg_value *value);

/* sg_value_is_literal: the text is the same for everybody. */
bool sg_value_is_literal(const struct sg_value *value);
/* sg_value_needs: there is no text without a device (or user). */
bool sg_value_needs(const struct sg_value *value, enum sg_value_source source);

/* sg_value_resolve appends the text to an empty buffer. Nothing is appended when an optional value
 * is absent; otherwise the text is not empty, base/text.h accepts it, and it matches.
 * input    may be NULL for a literal.
 * Fails: SG_REFUSED telling which reference has no value, or what is wrong with the text. */
SG_MUST_USE bool sg_value_resolve(const struct sg_value *value,
                                  const struct sg_decision_input *input, struct sg_buf *text,
                                  struct sg_error *error);

#endif
