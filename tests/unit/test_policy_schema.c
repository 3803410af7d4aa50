/* policies/policy.schema.json, by which editors complete and check, knows the keys of the language:
 * all of them and no other. What the language knows is what its messages list. */
#include "policy_fixture.h"

#include <jansson.h>

static json_t *load_schema(void)
{
    const char *source = getenv("SIGNET_SOURCE");
    json_error_t cause;
    json_t *schema = NULL;
    char path[SG_LIMIT_PATH];

    if (source == NULL)
        fail_msg("SIGNET_SOURCE has to be the folder of the sources");
    snprintf(path, sizeof path, "%s/policies/policy.schema.json", source);
    schema = json_load_file(path, JSON_REJECT_DUPLICATES, &cause);
    if (schema == NULL)
        fail_msg("%s:%d:%d: %s", path, cause.line, cause.column, cause.text);
    return schema;
}

#define CA_KEYS "keys: [{ec: [P-256], key_usage: [keyCertSign, cRLSign]}]"
#define CA                                                                                         \
    {"keys", CA_KEYS},                                                                             \
    {                                                                                              \
        "ca", "ca: {path_length: 0}"                                                               \
    }

/* Each policy has the key zzz where the definition stands. */
static const struct {
    const char *definition; /* "": the schema itself */
    struct change changes[MOST_CHANGES];
} PLACES[] = {
    {"", {{"zzz", "zzz: 1"}}},
    {"who", {{"who", "who: {zzz: 1}"}}},
    {"approval", {{"who", "who: {any: [{zzz: 1}]}"}}},
    {"key", {{"keys", "keys: [{zzz: 1}]"}}},
    {"value", {{"extensions", "extensions: [{oid: 1.2.3, utf8: {zzz: 1}}]"}}},
    {"value_of_subject", {{"subject", "subject: [{CN: {zzz: 1}}]"}}},
    {"value_each", {{"san", "san: [{dns: {zzz: 1}}]"}}},
    {"hardware-module", {{"san", "san: [{hardware-module: {zzz: 1}}]"}}},
    {"permanent-identifier", {{"san", "san: [{permanent-identifier: {zzz: 1}}]"}}},
    {"other", {{"san", "san: [{other: {zzz: 1}}]"}}},
    {"critical_purposes", {{"eku", "extended_key_usage: {zzz: 1}"}}},
    {"extension", {{"extensions", "extensions: [{zzz: 1}]"}}},
    {"content", {{"extensions", "extensions: [{oid: 1.2.3, sequence: [{zzz: 1}]}]"}}},
    {"certificate_policy", {{"cp", "certificate_policies: [{zzz: 1}]"}}},
    {"ca", {{"keys", CA_KEYS}, {"ca", "ca: {zzz: 1}"}}},
    {"name_constraints", {CA, {"nc", "name_constraints: {zzz: 1}"}}},
    {"subtrees", {CA, {"nc", "name_constraints: {permitted: {zzz: 1}}"}}},
    {"policy_constraints", {CA, {"pc", "policy_constraints: {zzz: 1}"}}},
    {"publish", {{"publish", "publish: {zzz: 1}"}}},
    {"validity", {{"validity", "validity: {zzz: 1}"}}},
    {"renewal", {{"renewal", "renewal: {zzz: 1}"}}},
    {"request", {{"request", "request: {zzz: 1}"}}},
    {"example", {{"examples", "examples: [{zzz: 1}]"}}},
    {"refuse", {{"examples", "examples: [{csr: x, expect: {zzz: 1}}]"}}},
};

static const json_t *properties_of(const json_t *schema, const char *definition)
{
    if (definition[0] == '\0')
        return json_object_get(schema, "properties");
    return json_object_get(json_object_get(json_object_get(schema, "definitions"), definition),
                           "properties");
}

/* keys: "a, b, c" */
static void expect_same_keys(const char *definition, const json_t *properties, char *keys)
{
    size_t num = 0;
    char *rest = NULL;

    if (!json_is_object(properties))
        fail_msg("the schema has no definition %s", definition);
    for (char *key = strtok_r(keys, ", ", &rest); key != NULL; key = strtok_r(NULL, ", ", &rest)) {
        if (json_object_get(properties, key) == NULL)
            fail_msg("'%s' of the language is not in the schema's %s", key, definition);
        num++;
    }
    if (num != json_object_size(properties))
        fail_msg("the schema's %s has %zu keys, the language %zu", definition,
                 json_object_size(properties), num);
}

static void every_key_is_in_the_schema(void **state)
{
    static const char BEFORE[] = "unknown key 'zzz'; known here: ";
    json_t *schema = load_schema();

    (void)state;
    for (size_t i = 0; i < NUM(PLACES); i++) {
        sg_auto(sg_policy) struct sg_policy *policy = NULL;
        struct sg_error error = {0};
        char *known = NULL;

        assert_false(parse_changed(PLACES[i].changes, &policy, &error));
        known = strstr(error.text, BEFORE);
        if (known == NULL)
            fail_msg("%s: zzz is not what is wrong: %s", PLACES[i].definition, error.text);
        expect_same_keys(PLACES[i].definition, properties_of(schema, PLACES[i].definition),
                         known + sizeof BEFORE - 1);
    }
    json_decref(schema);
}

static void every_kind_of_name_is_in_the_schema(void **state)
{
    json_t *schema = load_schema();
    const json_t *kinds = properties_of(schema, "san");

    (void)state;
    for (int kind = SG_SAN_EMAIL; kind < SG_SAN_OTHER; kind++) {
        if (json_object_get(kinds, sg_san_kind_word((enum sg_san_kind)kind)) == NULL)
            fail_msg("%s is not in the schema", sg_san_kind_word((enum sg_san_kind)kind));
    }
    assert_int_equal(json_object_size(kinds), SG_SAN_OTHER);
    json_decref(schema);
}

/* A definition with properties that no place above reaches would go unseen. */
static void every_definition_is_compared(void **state)
{
    json_t *schema = load_schema();
    const char *name;
    json_t *definition;

    (void)state;
    json_object_foreach(json_object_get(schema, "definitions"), name, definition)
    {
        bool found = strcmp(name, "san") == 0 || json_object_get(definition, "properties") == NULL;

        for (size_t i = 0; i < NUM(PLACES); i++)
            found = found || strcmp(PLACES[i].definition, name) == 0;
        if (!found)
            fail_msg("the schema's %s has keys that nobody compares", name);
    }
    json_decref(schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_is_in_the_schema),
        cmocka_unit_test(every_kind_of_name_is_in_the_schema),
        cmocka_unit_test(every_definition_is_compared),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
