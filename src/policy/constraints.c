/* name_constraints, policy_constraints, inhibit_any_policy: what a CA's certificate lets it put
 * into those below it (RFC 5280 4.2.1.10, 4.2.1.11 and 4.2.1.14). */
#include <arpa/inet.h>
#include <string.h>

#include "reading.h"

SG_DEFINE_CLEANUP(GENERAL_NAME, GENERAL_NAME_free)
SG_DEFINE_CLEANUP(GENERAL_SUBTREE, GENERAL_SUBTREE_free)
SG_DEFINE_CLEANUP(NAME_CONSTRAINTS, NAME_CONSTRAINTS_free)
SG_DEFINE_CLEANUP(POLICY_CONSTRAINTS, POLICY_CONSTRAINTS_free)

enum { MOST_SUBTREES = 100, MOST_CERTIFICATES = 16 };

/* name_constraints: one of its two lists. */
struct subtrees {
    STACK_OF(GENERAL_SUBTREE) * *list;
    const char *word; /* "permitted" */
    struct sg_policy_fixed *fixed;
};

static bool is_host(const char *text)
{
    sg_auto(sg_sans) struct sg_sans sans = {0};

    return text[0] != '*' && sg_sans_add(&sans, SG_SAN_DNS, text, NULL);
}

static const char *dns_problem(const char *text)
{
    return is_host(text) ? NULL
                         : "dns is a domain such as example.com, without a leading dot; it and all "
                           "below it are meant";
}

static const char *email_problem(const char *text)
{
    sg_auto(sg_sans) struct sg_sans sans = {0};

    if (strchr(text, '@') != NULL ? sg_sans_add(&sans, SG_SAN_EMAIL, text, NULL)
                                  : is_host(text + (text[0] == '.')))
        return NULL;
    return "email is an address, a host such as mail.example.com, or .example.com for the hosts "
           "below it";
}

static const char *uri_problem(const char *text)
{
    struct in_addr address;
    const char *host = text + (text[0] == '.');

    if (is_host(host) && strchr(host, '.') != NULL && inet_pton(AF_INET, host, &address) != 1)
        return NULL;
    return "uri is a host such as www.example.com, or .example.com for the hosts below it";
}

static GENERAL_NAME *new_name(int kind, int string_type, struct sg_slice bytes)
{
    sg_auto(GENERAL_NAME) GENERAL_NAME *name = GENERAL_NAME_new();
    sg_auto(ASN1_STRING) ASN1_STRING *string = ASN1_STRING_type_new(string_type);

    if (name == NULL || string == NULL || !ASN1_STRING_set(string, bytes.data, (int)bytes.len))
        return NULL;
    GENERAL_NAME_set0_value(name, kind, SG_TAKE(string));
    return SG_TAKE(name);
}

/* Adds name, which is taken, and says so. */
static bool add_subtree(const struct subtrees *subtrees, GENERAL_NAME **name, const char *what,
                        const char *text, struct sg_error *error)
{
    sg_auto(GENERAL_SUBTREE) GENERAL_SUBTREE *subtree = GENERAL_SUBTREE_new();

    if (*subtrees->list == NULL)
        *subtrees->list = sk_GENERAL_SUBTREE_new_null();
    if (subtree == NULL || *name == NULL)
        return sg_fail_memory(error);
    GENERAL_NAME_free(subtree->base);
    subtree->base = SG_TAKE(*name);
    if (sk_GENERAL_SUBTREE_push(*subtrees->list, subtree) <= 0)
        return sg_fail_memory(error);
    subtree = NULL; /* the list's own now */
    return sg_policy_fixed_say(subtrees->fixed, error, "%s %s:%s", subtrees->word, what, text);
}

static bool read_host(const struct sg_yaml *document, const struct sg_yaml_node *node,
                      const struct subtrees *subtrees, int type, const char *what,
                      const char *(*problem)(const char *), struct sg_error *error)
{
    sg_auto(GENERAL_NAME) GENERAL_NAME *name = NULL;
    const char *text = NULL;

    if (!sg_policy_read_plain(document, node, &text, error))
        return false;
    if (problem(text) != NULL)
        return sg_yaml_fail(document, node, error, "\"%s\": %s", text, problem(text));
    name = new_name(type, V_ASN1_IA5STRING, sg_slice_text(text));
    return add_subtree(subtrees, &name, what, text, error);
}

static bool read_dns(const struct sg_yaml *document, const struct sg_yaml_node *node, void *into,
                     struct sg_error *error)
{
    return read_host(document, node, into, GEN_DNS, "dns", dns_problem, error);
}

static bool read_email(const struct sg_yaml *document, const struct sg_yaml_node *node, void *into,
                       struct sg_error *error)
{
    return read_host(document, node, into, GEN_EMAIL, "email", email_problem, error);
}

static bool read_uri(const struct sg_yaml *document, const struct sg_yaml_node *node, void *into,
                     struct sg_error *error)
{
    return read_host(document, node, into, GEN_URI, "uri", uri_problem, error);
}

/* "192.0.2.0/24" as address and mask; 0 when it is no network. */
static size_t network_of(const char *text, uint8_t into[32])
{
    char address[INET6_ADDRSTRLEN] = "";
    size_t len = strcspn(text, "/"), size = strchr(text, ':') != NULL ? 16 : 4;
    const char *digits = text[len] == '/' ? text + len + 1 : "";
    unsigned long bits = strtoul(digits, NULL, 10);

    if (len >= sizeof address || strlen(digits) < 1 || strlen(digits) > 3 ||
        digits[strspn(digits, "0123456789")] != '\0' || (digits[0] == '0' && digits[1] != '\0') ||
        bits > 8 * size)
        return 0;
    memcpy(address, text, len);
    if (inet_pton(size == 16 ? AF_INET6 : AF_INET, address, into) != 1)
        return 0;
    for (size_t i = 0; i < size; i++) {
        unsigned long left = bits > 8 * i ? bits - 8 * i : 0;

        into[size + i] = left >= 8 ? 0xff : (uint8_t)(0xff00 >> left);
        if ((into[i] & ~into[size + i]) != 0)
            return 0; /* an address inside the network, which is not what the mask says */
    }
    return 2 * size;
}

static bool read_ip(const struct sg_yaml *document, const struct sg_yaml_node *node, void *into,
                    struct sg_error *error)
{
    const struct subtrees *subtrees = into;
    sg_auto(GENERAL_NAME) GENERAL_NAME *name = NULL;
    const char *text = NULL;
    uint8_t network[32];
    size_t len = 0;

    if (!sg_policy_read_plain(document, node, &text, error))
        return false;
    len = network_of(text, network);
    if (len == 0)
        return sg_yaml_fail(document, node, error,
                            "\"%s\": ip is a network such as 192.0.2.0/24 or 2001:db8::/32, whose "
                            "bits after the prefix are 0",
                            text);
    name = new_name(GEN_IPADD, V_ASN1_OCTET_STRING, sg_slice_of(network, len));
    return add_subtree(subtrees, &name, "ip", text, error);
}

/* A list of {TYPE: text} without references as the text of a name. */
static bool name_text(const struct sg_yaml *document, const struct sg_policy_subject *rdns,
                      char *into, size_t size, struct sg_error *error)
{
    sg_auto(sg_name) struct sg_name name = {0};

    for (size_t i = 0; i < rdns->num; i++) {
        sg_auto(sg_buf) struct sg_buf text = {0};

        if (!sg_value_is_literal(&rdns->items[i].value))
            return sg_yaml_fail(document, rdns->items[i].value.node, error,
                                "no references here: the text is the same in every certificate");
        if (!sg_value_resolve(&rdns->items[i].value, NULL, &text, error) ||
            !sg_name_add(&name, rdns->items[i].oid, (const char *)text.data, error))
            return false;
    }
    sg_name_text(&name, into, size);
    return true;
}

static bool read_dirname(const struct sg_yaml *document, const struct sg_yaml_node *node,
                         void *into, struct sg_error *error)
{
    struct sg_policy_subject rdns = {0};
    sg_auto(sg_sans) struct sg_sans sans = {0};
    sg_auto(GENERAL_NAMES) GENERAL_NAMES *names = NULL;
    sg_auto(GENERAL_NAME) GENERAL_NAME *name = NULL;
    struct sg_error cause = {0};
    char text[2 * SG_LIMIT_VALUE]; /* what would be cut is refused for its length */
    bool good = sg_policy_read_rdns(document, node, "dirname", &rdns, error) &&
                name_text(document, &rdns, text, sizeof text, error);

    sg_policy_subject_done(&rdns);
    if (!good)
        return false;
    if (!sg_sans_add(&sans, SG_SAN_DIRNAME, text, &cause) || !sg_sans_encode(&sans, &names, &cause))
        return sg_policy_fail_at(document, node, &cause, error);
    name = sk_GENERAL_NAME_pop(names);
    return add_subtree(into, &name, "dirname", text, error);
}

/* Each kind of name has a list of its own. */
static bool read_kind(const struct sg_yaml *document, const struct sg_yaml_node *node, void *into,
                      struct sg_error *error)
{
    static const struct {
        const char *key;
        sg_yaml_reader *read;
    } KINDS[] = {
        {"dns", read_dns}, {"email", read_email},     {"uri", read_uri},
        {"ip", read_ip},   {"dirname", read_dirname},
    };

    if (!sg_policy_check_list(document, node, node->key, MOST_SUBTREES, error))
        return false;
    for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++) {
        if (strcmp(KINDS[i].key, node->key) == 0)
            return sg_yaml_each(document, node, KINDS[i].read, into, error);
    }
    return false;
}

static const struct sg_yaml_field SUBTREE_FIELDS[] = {
    {"dns", SG_YAML_OPTIONAL, read_kind},     {"email", SG_YAML_OPTIONAL, read_kind},
    {"uri", SG_YAML_OPTIONAL, read_kind},     {"ip", SG_YAML_OPTIONAL, read_kind},
    {"dirname", SG_YAML_OPTIONAL, read_kind}, {0},
};

struct name_constraints {
    NAME_CONSTRAINTS *value;
    struct sg_policy_fixed *fixed;
};

static bool read_subtrees(const struct sg_yaml *document, const struct sg_yaml_node *node,
                          struct subtrees *subtrees, struct sg_error *error)
{
    if (!sg_yaml_mapping(document, node, SUBTREE_FIELDS, subtrees, error))
        return false;
    return node->num_children > 0 ||
           sg_yaml_fail(document, node, error,
                        "%s names nothing: add dns, email, uri, ip or dirname", subtrees->word);
}

static bool read_permitted(const struct sg_yaml *document, const struct sg_yaml_node *node,
                           void *into, struct sg_error *error)
{
    struct name_constraints *constraints = into;
    struct subtrees subtrees = {&constraints->value->permittedSubtrees, "permitted",
                                constraints->fixed};

    return read_subtrees(document, node, &subtrees, error);
}

static bool read_excluded(const struct sg_yaml *document, const struct sg_yaml_node *node,
                          void *into, struct sg_error *error)
{
    struct name_constraints *constraints = into;
    struct subtrees subtrees = {&constraints->value->excludedSubtrees, "excluded",
                                constraints->fixed};

    return read_subtrees(document, node, &subtrees, error);
}

static const struct sg_yaml_field NAME_FIELDS[] = {
    {"permitted", SG_YAML_OPTIONAL, read_permitted},
    {"excluded", SG_YAML_OPTIONAL, read_excluded},
    {0},
};

bool sg_policy_read_name_constraints(const struct sg_yaml *document,
                                     const struct sg_yaml_node *node, void *into,
                                     struct sg_error *error)
{
    struct sg_policy *policy = into;
    sg_auto(NAME_CONSTRAINTS) NAME_CONSTRAINTS *value = NAME_CONSTRAINTS_new();
    struct name_constraints constraints = {value, &policy->fixed[SG_FIXED_NAME_CONSTRAINTS]};

    if (value == NULL)
        return sg_fail_memory(error);
    constraints.fixed->node = node;
    if (!sg_yaml_mapping(document, node, NAME_FIELDS, &constraints, error))
        return false;
    if (node->num_children == 0)
        return sg_yaml_fail(document, node, error,
                            "name_constraints needs permitted, excluded or both");
    return sg_policy_fix(constraints.fixed, SG_FIXED_NAME_CONSTRAINTS, value, error);
}

/* policy_constraints and inhibit_any_policy: numbers of certificates */

static bool read_count(const struct sg_yaml *document, const struct sg_yaml_node *node,
                       ASN1_INTEGER **count, struct sg_policy_fixed *fixed, struct sg_error *error)
{
    long number = 0;

    if (!sg_yaml_integer(document, node, 0, MOST_CERTIFICATES, &number, error))
        return false;
    *count = ASN1_INTEGER_new();
    if (*count == NULL || !ASN1_INTEGER_set(*count, number))
        return sg_fail_memory(error);
    return sg_policy_fixed_say(fixed, error, "%s after %ld certificates", node->key, number);
}

struct policy_constraints {
    POLICY_CONSTRAINTS *value;
    struct sg_policy_fixed *fixed;
};

static bool read_require_explicit(const struct sg_yaml *document, const struct sg_yaml_node *node,
                                  void *into, struct sg_error *error)
{
    struct policy_constraints *constraints = into;

    return read_count(document, node, &constraints->value->requireExplicitPolicy,
                      constraints->fixed, error);
}

static bool read_inhibit_mapping(const struct sg_yaml *document, const struct sg_yaml_node *node,
                                 void *into, struct sg_error *error)
{
    struct policy_constraints *constraints = into;

    return read_count(document, node, &constraints->value->inhibitPolicyMapping, constraints->fixed,
                      error);
}

static const struct sg_yaml_field POLICY_FIELDS[] = {
    {"require_explicit", SG_YAML_OPTIONAL, read_require_explicit},
    {"inhibit_mapping", SG_YAML_OPTIONAL, read_inhibit_mapping},
    {0},
};

bool sg_policy_read_policy_constraints(const struct sg_yaml *document,
                                       const struct sg_yaml_node *node, void *into,
                                       struct sg_error *error)
{
    struct sg_policy *policy = into;
    sg_auto(POLICY_CONSTRAINTS) POLICY_CONSTRAINTS *value = POLICY_CONSTRAINTS_new();
    struct policy_constraints constraints = {value, &policy->fixed[SG_FIXED_POLICY_CONSTRAINTS]};

    if (value == NULL)
        return sg_fail_memory(error);
    constraints.fixed->node = node;
    if (!sg_yaml_mapping(document, node, POLICY_FIELDS, &constraints, error))
        return false;
    if (node->num_children == 0)
        return sg_yaml_fail(document, node, error,
                            "policy_constraints needs require_explicit, inhibit_mapping or both");
    return sg_policy_fix(constraints.fixed, SG_FIXED_POLICY_CONSTRAINTS, value, error);
}

bool sg_policy_read_inhibit_any_policy(const struct sg_yaml *document,
                                       const struct sg_yaml_node *node, void *into,
                                       struct sg_error *error)
{
    struct sg_policy *policy = into;
    struct sg_policy_fixed *fixed = &policy->fixed[SG_FIXED_INHIBIT_ANY_POLICY];
    sg_auto(ASN1_INTEGER) ASN1_INTEGER *count = NULL;

    fixed->node = node;
    return read_count(document, node, &count, fixed, error) &&
           sg_policy_fix(fixed, SG_FIXED_INHIBIT_ANY_POLICY, count, error);
}
