/* keys: which public keys are certified, and the key usage that each kind gets. */
#include <string.h>

#include "decision.h"
#include "model/listing.h"
#include "reading.h"

enum { SMALLEST_RSA_BITS = 2048, MOST_KEYS = 32 };

/* Curves, and the parameter sets of ML-DSA. */
static const struct set {
    const char *word;
    struct sg_key_kind kind;
    unsigned mask;
} SETS[] = {
    {"P-256", {SG_KEY_EC, 256}, 1 << 0},        {"P-384", {SG_KEY_EC, 384}, 1 << 1},
    {"P-521", {SG_KEY_EC, 521}, 1 << 2},        {"ML-DSA-44", {SG_KEY_ML_DSA, 44}, 1 << 3},
    {"ML-DSA-65", {SG_KEY_ML_DSA, 65}, 1 << 4}, {"ML-DSA-87", {SG_KEY_ML_DSA, 87}, 1 << 5},
};
enum { NUM_SETS = sizeof SETS / sizeof *SETS };

static const char CURVES_REMEDY[] = "use P-256, P-384 or P-521";
static const char ML_DSA_REMEDY[] = "use ML-DSA-44, ML-DSA-65 or ML-DSA-87";

/* Key usages that make no sense for a family. */
static const struct misuse {
    enum sg_key_family family;
    unsigned bits;
    const char *reason;
} MISUSES[] = {
    {SG_KEY_EC, SG_KU_KEY_ENCIPHERMENT | SG_KU_DATA_ENCIPHERMENT,
     "an EC key never enciphers (RFC 8813 3)"},
    {SG_KEY_ED25519,
     SG_KU_KEY_ENCIPHERMENT | SG_KU_DATA_ENCIPHERMENT | SG_KU_KEY_AGREEMENT | SG_KU_ENCIPHER_ONLY |
         SG_KU_DECIPHER_ONLY,
     "an Ed25519 key only signs (RFC 8410 5)"},
    {SG_KEY_ML_DSA,
     SG_KU_KEY_ENCIPHERMENT | SG_KU_DATA_ENCIPHERMENT | SG_KU_KEY_AGREEMENT | SG_KU_ENCIPHER_ONLY |
         SG_KU_DECIPHER_ONLY,
     "an ML-DSA key only signs (RFC 9881 5)"},
    {SG_KEY_RSA, SG_KU_KEY_AGREEMENT | SG_KU_ENCIPHER_ONLY | SG_KU_DECIPHER_ONLY,
     "an RSA key agrees on no keys (RFC 3279 2.3.1)"},
};

/* Reading */

static bool set_family(const struct sg_yaml *document, const struct sg_yaml_node *node,
                       struct sg_policy_key *key, enum sg_key_family family, struct sg_error *error)
{
    if (key->family != SG_KEY_NONE)
        return sg_yaml_fail(document, node, error,
                            "one kind of key for each entry; give %s an entry of its own",
                            node->key);
    key->family = family;
    return true;
}

/* Moves at behind the digits; 0 when there is no number of bits. */
static unsigned read_bits(const char **at)
{
    size_t num_digits = strspn(*at, "0123456789");
    unsigned bits = 0;

    if (num_digits == 0 || num_digits > 5 || **at == '0')
        return 0;
    for (size_t i = 0; i < num_digits; i++)
        bits = bits * 10 + (unsigned)(*(*at)++ - '0');
    return bits;
}

static bool read_rsa(const struct sg_yaml *document, const struct sg_yaml_node *node, void *into,
                     struct sg_error *error)
{
    struct sg_policy_key *key = into;
    const char *text = NULL, *at = NULL;

    if (!set_family(document, node, key, SG_KEY_RSA, error) ||
        !sg_yaml_text(document, node, &text, error))
        return false;
    at = text;
    key->min_bits = key->max_bits = read_bits(&at);
    if (strncmp(at, "..", 2) == 0) {
        at += 2;
        key->max_bits = read_bits(&at);
    }
    if (*at != '\0' || key->min_bits < SMALLEST_RSA_BITS || key->max_bits > SG_LIMIT_RSA_BITS ||
        key->min_bits > key->max_bits)
        return sg_yaml_fail(document, node, error,
                            "'%s' is no size of RSA keys: write bits or a range of them from %d to "
                            "%d, such as 3072 or 2048..4096",
                            text, SMALLEST_RSA_BITS, SG_LIMIT_RSA_BITS);
    return true;
}

static bool read_set(const struct sg_yaml *document, const struct sg_yaml_node *node, void *into,
                     struct sg_error *error)
{
    struct sg_policy_key *key = into;
    const char *text = NULL;

    if (!sg_yaml_text(document, node, &text, error))
        return false;
    for (size_t i = 0; i < NUM_SETS; i++) {
        if (SETS[i].kind.family != key->family || strcmp(SETS[i].word, text) != 0)
            continue;
        if (key->sets & SETS[i].mask)
            return sg_yaml_fail(document, node, error, "%s is in the list twice", text);
        key->sets |= SETS[i].mask;
        return true;
    }
    return key->family == SG_KEY_EC
               ? sg_yaml_fail(document, node, error, "'%s' is no curve here; %s", text,
                              CURVES_REMEDY)
               : sg_yaml_fail(document, node, error, "'%s' is no parameter set of ML-DSA; %s", text,
                              ML_DSA_REMEDY);
}

static bool read_ec(const struct sg_yaml *document, const struct sg_yaml_node *node, void *into,
                    struct sg_error *error)
{
    struct sg_policy_key *key = into;

    if (!set_family(document, node, key, SG_KEY_EC, error) ||
        !sg_yaml_each(document, node, read_set, key, error))
        return false;
    return key->sets != 0 ||
           sg_yaml_fail(document, node, error, "the list of curves is empty; %s", CURVES_REMEDY);
}

static bool read_ml_dsa(const struct sg_yaml *document, const struct sg_yaml_node *node, void *into,
                        struct sg_error *error)
{
    struct sg_policy_key *key = into;

    if (!set_family(document, node, key, SG_KEY_ML_DSA, error) ||
        !sg_yaml_each(document, node, read_set, key, error))
        return false;
    return key->sets != 0 || sg_yaml_fail(document, node, error,
                                          "the list of parameter sets is empty; %s", ML_DSA_REMEDY);
}

static bool read_ed25519(const struct sg_yaml *document, const struct sg_yaml_node *node,
                         void *into, struct sg_error *error)
{
    bool allowed = false;

    if (!set_family(document, node, into, SG_KEY_ED25519, error) ||
        !sg_yaml_bool(document, node, &allowed, error))
        return false;
    return allowed || sg_yaml_fail(document, node, error,
                                   "what a policy does not name is refused: leave the entry out");
}

static bool read_usage_word(const struct sg_yaml *document, const struct sg_yaml_node *node,
                            void *into, struct sg_error *error)
{
    struct sg_policy_key *key = into;
    struct sg_error cause = {0};
    const char *word = NULL;
    unsigned bit = 0;

    if (!sg_yaml_text(document, node, &word, error))
        return false;
    if (!sg_key_usage_parse(word, &bit, &cause))
        return sg_policy_fail_at(document, node, &cause, error);
    if (key->key_usage & bit)
        return sg_yaml_fail(document, node, error, "%s is in the list twice", word);
    key->key_usage |= bit;
    return true;
}

static bool read_key_usage(const struct sg_yaml *document, const struct sg_yaml_node *node,
                           void *into, struct sg_error *error)
{
    struct sg_policy_key *key = into;

    key->usage_node = node;
    if (!sg_yaml_each(document, node, read_usage_word, key, error))
        return false;
    if (key->key_usage == 0)
        return sg_yaml_fail(document, node, error,
                            "key_usage is empty; RFC 5280 4.2.1.3 wants at least one");
    return true;
}

static const struct sg_yaml_field FIELDS[] = {
    {"rsa", SG_YAML_OPTIONAL, read_rsa},
    {"ec", SG_YAML_OPTIONAL, read_ec},
    {"ed25519", SG_YAML_OPTIONAL, read_ed25519},
    {"ml-dsa", SG_YAML_OPTIONAL, read_ml_dsa},
    {"key_usage", SG_YAML_REQUIRED, read_key_usage},
    {0},
};

static bool check_usage(const struct sg_yaml *document, const struct sg_policy_key *key,
                        struct sg_error *error)
{
    const unsigned direction = SG_KU_ENCIPHER_ONLY | SG_KU_DECIPHER_ONLY;
    char text[128];

    for (size_t i = 0; i < sizeof MISUSES / sizeof MISUSES[0]; i++) {
        unsigned wrong = key->key_usage & MISUSES[i].bits;

        if (MISUSES[i].family == key->family && wrong != 0)
            return sg_yaml_fail(document, key->usage_node, error, "remove %s: %s",
                                sg_key_usage_text(wrong, text, sizeof text), MISUSES[i].reason);
    }
    if (key->key_usage & direction && !(key->key_usage & SG_KU_KEY_AGREEMENT))
        return sg_yaml_fail(document, key->usage_node, error,
                            "%s means nothing without keyAgreement (RFC 5280 4.2.1.3)",
                            sg_key_usage_text(key->key_usage & direction, text, sizeof text));
    return true;
}

static bool overlap(const struct sg_policy_key *a, const struct sg_policy_key *b)
{
    if (a->family != b->family)
        return false;
    switch (a->family) {
    case SG_KEY_RSA:
        return a->min_bits <= b->max_bits && b->min_bits <= a->max_bits;
    case SG_KEY_EC:
    case SG_KEY_ML_DSA:
        return (a->sets & b->sets) != 0;
    default:
        return true;
    }
}

static bool read_entry(const struct sg_yaml *document, const struct sg_yaml_node *node, void *into,
                       struct sg_error *error)
{
    struct sg_policy_keys *keys = into;
    struct sg_policy_key *key = &keys->items[keys->num++];

    key->node = node;
    if (!sg_yaml_mapping(document, node, FIELDS, key, error))
        return false;
    if (key->family == SG_KEY_NONE)
        return sg_yaml_fail(
            document, node, error,
            "which keys? add rsa: 2048..4096, ec: [P-256], ed25519: true or ml-dsa: "
            "[ML-DSA-65]");
    for (size_t i = 0; i + 1 < keys->num; i++) {
        if (overlap(&keys->items[i], key))
            return sg_yaml_fail(document, node, error,
                                "this entry and the one on line %u take the same keys",
                                keys->items[i].node->line);
    }
    return check_usage(document, key, error);
}

bool sg_policy_read_keys(const struct sg_yaml *document, const struct sg_yaml_node *node,
                         void *into, struct sg_error *error)
{
    struct sg_policy *policy = into;

    policy->keys.items =
        sg_policy_new_list(document, node, "keys", MOST_KEYS, sizeof *policy->keys.items, error);
    return policy->keys.items != NULL &&
           sg_yaml_each(document, node, read_entry, &policy->keys, error);
}

void sg_policy_keys_done(struct sg_policy_keys *keys)
{
    free(keys->items);
    *keys = (struct sg_policy_keys){0};
}

/* Whether the OpenSSL that runs knows every key of the entry; if not, why not. */
static bool can_take(const struct sg_policy_key *key, struct sg_error *why)
{
    for (size_t i = 0; i < NUM_SETS; i++) {
        if (key->sets & SETS[i].mask && !sg_key_kind_check_openssl(SETS[i].kind, why))
            return false;
    }
    return true;
}

bool sg_policy_has_note(const struct sg_policy *policy, struct sg_error *note)
{
    for (size_t i = 0; i < policy->keys.num; i++) {
        struct sg_error why = {0};

        if (can_take(&policy->keys.items[i], &why))
            continue;
        (void)sg_yaml_fail(policy->document, policy->keys.items[i].node, note,
                           "requests with these keys can't be read here: %s", why.text);
        return true;
    }
    return false;
}

/* The smallest of an entry, if the OpenSSL that runs knows it. */
static bool suggest(const struct sg_policy_key *key, struct sg_key_kind *kind)
{
    *kind = (struct sg_key_kind){key->family, key->family == SG_KEY_RSA ? key->min_bits : 0};
    for (size_t i = 0; i < NUM_SETS; i++) {
        if ((key->sets & SETS[i].mask) == 0)
            continue;
        *kind = SETS[i].kind;
        return sg_key_kind_check_openssl(*kind, NULL);
    }
    return key->sets == 0;
}

struct sg_key_kind sg_policy_suggests_key(const struct sg_policy *policy)
{
    struct sg_key_kind kind = {0};

    for (size_t i = 0; i < policy->keys.num; i++)
        if (suggest(&policy->keys.items[i], &kind))
            return kind;
    return (struct sg_key_kind){0};
}

/* Longer ones take a token minutes. */
enum { LONGEST_MADE_RSA = 4096 };

bool sg_policy_makes_key(const struct sg_policy *policy, struct sg_key_kind *made)
{
    struct sg_key_kind kind = {0};

    for (size_t i = 0; i < policy->keys.num; i++)
        if (suggest(&policy->keys.items[i], &kind) &&
            (kind.family == SG_KEY_EC ||
             (kind.family == SG_KEY_RSA && kind.bits <= LONGEST_MADE_RSA))) {
            *made = kind;
            return true;
        }
    return false;
}

/* A policy of which nothing is left would refuse everything. */
static bool check_some_key(const struct sg_policy *policy, struct sg_error *error)
{
    struct sg_error why = {0};

    for (size_t i = 0; i < policy->keys.num; i++) {
        if (can_take(&policy->keys.items[i], &why))
            return true;
    }
    return sg_yaml_fail(policy->document, policy->keys.items[0].node, error,
                        "this policy takes no key that can be read here: %s", why.text);
}

/* RFC 5280 4.2.1.3 and 4.2.1.9: keyCertSign and CA:TRUE go together; and every CA of ours signs
 * its own CRLs. */
bool sg_policy_check_keys(const struct sg_policy *policy, struct sg_error *error)
{
    const unsigned of_ca = SG_KU_KEY_CERT_SIGN | SG_KU_CRL_SIGN;

    for (size_t i = 0; i < policy->keys.num; i++) {
        const struct sg_policy_key *key = &policy->keys.items[i];

        if (policy->ca.node == NULL && key->key_usage & of_ca)
            return sg_yaml_fail(policy->document, key->usage_node, error,
                                "keyCertSign and cRLSign are for CAs alone (RFC 5280 4.2.1.9); "
                                "remove them or add ca: {path_length: 0}");
        if (policy->ca.node != NULL && (key->key_usage & of_ca) != of_ca)
            return sg_yaml_fail(policy->document, key->usage_node, error,
                                "a CA's keys need keyCertSign and cRLSign; add them or remove ca");
    }
    return check_some_key(policy, error);
}

/* Deciding */

static bool takes(const struct sg_policy_key *key, struct sg_key_kind kind)
{
    if (key->family != kind.family)
        return false;
    switch (key->family) {
    case SG_KEY_RSA:
        return kind.bits >= key->min_bits && kind.bits <= key->max_bits;
    case SG_KEY_EC:
    case SG_KEY_ML_DSA:
        for (size_t i = 0; i < NUM_SETS; i++) {
            if (sg_key_kind_equal(SETS[i].kind, kind))
                return (key->sets & SETS[i].mask) != 0;
        }
        return false;
    default:
        return key->family == SG_KEY_ED25519;
    }
}

static void add_entry(struct sg_listing *listing, const struct sg_policy_key *key)
{
    char rsa[sizeof "RSA-16384..16384"];

    if (key->family == SG_KEY_ED25519)
        sg_listing_add(listing, ", Ed25519");
    if (key->family == SG_KEY_RSA) {
        snprintf(rsa, sizeof rsa, "RSA-%u", key->min_bits % 100000);
        sg_listing_add(listing, ", ");
        sg_listing_add(listing, rsa);
    }
    if (key->family == SG_KEY_RSA && key->max_bits != key->min_bits) {
        snprintf(rsa, sizeof rsa, "..%u", key->max_bits % 100000);
        sg_listing_add(listing, rsa);
    }
    for (size_t i = 0; i < NUM_SETS; i++) {
        if (!(key->sets & SETS[i].mask))
            continue;
        sg_listing_add(listing, ", ");
        sg_listing_add(listing, SETS[i].word);
    }
}

bool sg_policy_rule_keys(struct sg_decision *decision)
{
    const struct sg_policy_keys *keys = &decision->policy->keys;
    struct sg_key_kind kind = decision->input->request->key.kind;
    char kind_text[SG_KEY_KIND_TEXT_SIZE], text[256];
    struct sg_listing wanted = sg_listing_start(text, sizeof text);

    sg_key_kind_text(kind, kind_text);
    for (size_t i = 0; i < keys->num; i++) {
        if (!takes(&keys->items[i], kind))
            continue;
        decision->plan.key_usage = keys->items[i].key_usage;
        if (!sg_decision_note(decision, SG_PART_KEY, 0, "keys", keys->items[i].node,
                              SG_FROM_REQUEST) ||
            !sg_decision_note(decision, SG_PART_KEY_USAGE, 0, "keys.key_usage",
                              keys->items[i].usage_node, SG_FROM_POLICY))
            return false;
        sg_key_usage_text(decision->plan.key_usage, text, sizeof text);
        return sg_decision_pass(decision, "keys", "%s, with key usage %s", kind_text, text);
    }
    for (size_t i = 0; i < keys->num; i++)
        add_entry(&wanted, &keys->items[i]);
    return sg_decision_refuse(decision, "keys", "the key is %s; this policy takes %s", kind_text,
                              text + 2); /* behind the first ", " */
}
