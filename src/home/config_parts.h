/* config_parts: the readers of signet.yaml's sections, and checks that several of them share.
 *
 * The readers are sg_yaml_readers whose `into` is the struct sg_config.
 */
#ifndef SG_HOME_CONFIG_PARTS_H
#define SG_HOME_CONFIG_PARTS_H

#include "config.h"

sg_yaml_reader sg_config_read_tokens, sg_config_read_issuers, sg_config_read_registry;
/* Its `into` is the struct sg_issuer_entry. */
sg_yaml_reader sg_config_read_ocsp;

/* Its `into` is the struct sg_service_config. */
sg_yaml_reader sg_config_read_proxy, sg_config_read_operators;
/* Its `into` is a struct sg_key_place: {token: NAME, key: URI}. */
sg_yaml_reader sg_config_read_key_place;
/* sg_config_read_key_uri reads the URI alone. */
SG_MUST_USE bool sg_config_read_key_uri(const struct sg_yaml *document,
                                        const struct sg_yaml_node *value,
                                        struct sg_key_place *place, struct sg_error *error);

void sg_schema_done(struct sg_schema *schema);

/* sg_config_check_uri: a PKCS#11 URI without a PIN in it. The message never shows the URI. */
SG_MUST_USE bool sg_config_check_uri(const char *text, struct sg_error *error);

/* sg_config_check_url: http, https or ldap, in the characters of RFC 3986. Both fail with SG_USAGE.
 */
SG_MUST_USE bool sg_config_check_url(const char *text, struct sg_error *error);

/* sg_config_fail_as puts a check's verdict where its value stands in the file. */
bool sg_config_fail_as(const struct sg_yaml *document, const struct sg_yaml_node *node,
                       const struct sg_error *why, struct sg_error *error);

/* sg_config_issuer_node: where a key of the nth issuer stands; the issuer when it has none such. */
const struct sg_yaml_node *sg_config_issuer_node(const struct sg_config *config, size_t index,
                                                 const char *key);

#endif
