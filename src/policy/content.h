/* content: ASN.1 values that a policy writes: `utf8: '${device.type}'`, `integer: 3`,
 * `sequence: [{utf8: a}, {boolean: true}]`. Extensions and otherNames hold one each.
 */
#ifndef SG_POLICY_CONTENT_H
#define SG_POLICY_CONTENT_H

#include "value.h"

enum sg_policy_form {
    SG_FORM_NONE,
    SG_FORM_UTF8,
    SG_FORM_IA5,
    SG_FORM_PRINTABLE,
    SG_FORM_OCTETS,   /* text in hex */
    SG_FORM_BASE64,   /* octets, text in base64 */
    SG_FORM_DER,      /* text in hex, exactly one DER value */
    SG_FORM_INTEGER,  /* text in decimal */
    SG_FORM_BOOLEAN,  /* true or false */
    SG_FORM_SID,      /* S-1-…, in Microsoft's extension */
    SG_FORM_CONSTANT, /* der is made when the policy is read */
    SG_FORM_SEQUENCE,
};

/* Zero-initialised is empty. */
struct sg_policy_content {
    const struct sg_yaml_node *node; /* its place in the document */
    enum sg_policy_form form;
    struct sg_value value;
    struct sg_buf der;
    struct sg_policy_content *items; /* of a sequence */
    size_t num;
};

/* The rows of a table (struct sg_yaml_field) for whatever holds a content, which must be the
 * holder's first member. */
#define SG_POLICY_CONTENT_FIELDS                                                                   \
    {"utf8", SG_YAML_OPTIONAL, sg_policy_read_content},                                            \
        {"ia5", SG_YAML_OPTIONAL, sg_policy_read_content},                                         \
        {"printable", SG_YAML_OPTIONAL, sg_policy_read_content},                                   \
        {"octets", SG_YAML_OPTIONAL, sg_policy_read_content},                                      \
        {"base64", SG_YAML_OPTIONAL, sg_policy_read_content},                                      \
        {"der", SG_YAML_OPTIONAL, sg_policy_read_content},                                         \
        {"integer", SG_YAML_OPTIONAL, sg_policy_read_content},                                     \
        {"boolean", SG_YAML_OPTIONAL, sg_policy_read_content},                                     \
        {"null", SG_YAML_OPTIONAL, sg_policy_read_content},                                        \
    {                                                                                              \
        "sequence", SG_YAML_OPTIONAL, sg_policy_read_content                                       \
    }

/* sg_policy_read_content takes the value of one of these keys. */
sg_yaml_reader sg_policy_read_content;
/* sg_policy_read_sid takes the text of `ms-sid`. */
sg_yaml_reader sg_policy_read_sid;

/* sg_policy_content_check: there is a value. what has none ("the extension"). */
SG_MUST_USE bool sg_policy_content_check(const struct sg_yaml *document,
                                         const struct sg_yaml_node *node,
                                         const struct sg_policy_content *content, const char *what,
                                         struct sg_error *error);
void sg_policy_content_done(struct sg_policy_content *content);

/* sg_policy_content_needs: there is no value without a device (or user). */
bool sg_policy_content_needs(const struct sg_policy_content *content, enum sg_value_source source);

/* sg_policy_content_sources: what it is made of, a SG_FROM_* mask. */
unsigned sg_policy_content_sources(const struct sg_policy_content *content);

/* sg_policy_content_make sets der to the DER, and text to the text that it was made of; text stays
 * empty when it was made of none. Both stay empty when all of it is optional and absent.
 * Fails: SG_REFUSED telling what is wrong with the text. */
SG_MUST_USE bool sg_policy_content_make(const struct sg_policy_content *content,
                                        const struct sg_decision_input *input, struct sg_buf *text,
                                        struct sg_buf *der, struct sg_error *error);

/* sg_policy_encode_text makes the DER of a text in a form that has one. Used by the above. */
SG_MUST_USE bool sg_policy_encode_text(enum sg_policy_form form, const char *text,
                                       struct sg_buf *der, struct sg_error *error);
/* The others: a whole number, a truth value, NULL; and a sequence of ready-made values. */
SG_MUST_USE bool sg_policy_encode_integer(int64_t number, struct sg_buf *der,
                                          struct sg_error *error);
SG_MUST_USE bool sg_policy_encode_boolean(bool value, struct sg_buf *der, struct sg_error *error);
SG_MUST_USE bool sg_policy_encode_null(struct sg_buf *der, struct sg_error *error);
SG_MUST_USE bool sg_policy_encode_sequence(const struct sg_buf *items, size_t num,
                                           struct sg_buf *der, struct sg_error *error);

#endif
