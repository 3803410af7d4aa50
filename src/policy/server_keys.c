/* server_keys: may the service make the key, and how does it get to its holder? */
#include "reading.h"

bool sg_policy_read_server_keys(const struct sg_yaml *document, const struct sg_yaml_node *node,
                                void *into, struct sg_error *error)
{
    static const struct sg_yaml_choice CHOICES[] = {{"never", SG_SERVER_KEYS_NEVER},
                                                    {"cms", SG_SERVER_KEYS_CMS},
                                                    {"plain", SG_SERVER_KEYS_PLAIN},
                                                    {0}};
    struct sg_policy *policy = into;
    int choice = SG_SERVER_KEYS_NEVER;

    if (!sg_yaml_word(document, node, CHOICES, &choice, error))
        return false;
    policy->server_keys = (enum sg_server_keys)choice;
    policy->server_keys_node = node;
    return true;
}

/* What is approved is a certificate of one key, and a key that is made anew for each request would
 * wait for ever. */
bool sg_policy_check_server_keys(const struct sg_policy *policy, struct sg_error *error)
{
    struct sg_key_kind ignored;

    if (policy->server_keys == SG_SERVER_KEYS_NEVER)
        return true;
    if (policy->ca.node != NULL)
        return sg_yaml_fail(policy->document, policy->server_keys_node, error,
                            "the key of a CA is made by the CA, on its own token");
    if (!sg_policy_makes_key(policy, &ignored))
        return sg_yaml_fail(policy->document, policy->server_keys_node, error,
                            "the service makes keys on P-256, P-384 and P-521, and of RSA up to "
                            "4096 bits, and this policy takes none of these");
    return policy->who.approver == NULL ||
           sg_yaml_fail(policy->document, policy->server_keys_node, error,
                        "who asks for an approval, which is of one key, and a key of the "
                        "service's is another with each request");
}

enum sg_server_keys sg_policy_server_keys(const struct sg_policy *policy)
{
    return policy->server_keys;
}
