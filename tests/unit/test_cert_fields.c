#include "make_certificate.h"

#include "cert/fields.h"

static struct party root, device;

static int set_up(void **state)
{
    (void)state;
    make_root(&root, "P-256", SG_ECDSA_SHA256);
    make_device(&device, "P-256", &root);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    party_done(&device);
    party_done(&root);
    return 0;
}

static json_t *fields_of(X509 *certificate, const struct sg_plan *plan)
{
    struct sg_error error = {0};
    json_t *fields = NULL;

    must(sg_cert_fields(certificate, plan, &fields, &error), &error);
    return fields;
}

/* The first field of that name. */
static json_t *find(const json_t *fields, const char *name)
{
    for (size_t i = 0; i < json_array_size(fields); i++) {
        json_t *field = json_array_get(fields, i);

        if (strcmp(json_string_value(json_object_get(field, "field")), name) == 0)
            return field;
    }
    fail_msg("no field %s", name);
    return NULL;
}

static const char *text_of(const json_t *field, const char *key)
{
    return json_string_value(json_object_get(field, key));
}

static void a_certificate_is_taken_apart(void **state)
{
    static const struct {
        const char *name, *value;
    } FIELDS[] = {
        {"serial", "5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a03"},
        {"signature", "ecdsa-sha256"},
        {"issuer", "CN=Example Root,O=Example GmbH"},
        {"not_before", "2026-01-01T00:00:00Z"},
        {"key", "P-256"},
        {"subject.CN", "device-AB12"},
        {"subject.O", "Example GmbH"},
        {"basicConstraints", "not a CA"},
        {"keyUsage", "digitalSignature"},
        {"subjectAltName", "uri:urn:dev:org:32473-device"},
        {"authorityInfoAccess", "OCSP uri:http://pki.example.com/ocsp"},
    };
    sg_auto(json_t) json_t *fields = fields_of(device.certificate, NULL);

    (void)state;
    for (size_t i = 0; i < NUM(FIELDS); i++)
        assert_string_equal(text_of(find(fields, FIELDS[i].name), "value"), FIELDS[i].value);
    assert_true(json_is_true(json_object_get(find(fields, "keyUsage"), "critical")));
    assert_null(json_object_get(find(fields, "extendedKeyUsage"), "critical"));
    assert_null(json_object_get(find(fields, "serial"), "fixed"));
}

/* The plan of a device, with an origin for its names and its second place of information. */
static void plan_with_origins(struct sg_plan *plan)
{
    const struct sg_origin ORIGINS[] = {
        {SG_PART_SUBJECT, 1, "subject", 9, "Example GmbH", SG_FROM_POLICY},
        {SG_PART_ACCESS, 1, "publish.ca_issuers", 12, "offered", SG_FROM_ISSUER},
        {SG_PART_CA, 0, "ca", 0, NULL, SG_FROM_POLICY},
        {SG_PART_NOT_AFTER, 0, "validity.for", 10, "365d", SG_FROM_POLICY | SG_FROM_CLOCK},
    };
    struct sg_error error = {0};

    make_device_plan(plan, "device-AB12");
    for (size_t i = 0; i < NUM(ORIGINS); i++)
        must(sg_plan_note(plan, &ORIGINS[i], &error), &error);
}

static void a_preview_says_where_its_fields_come_from(void **state)
{
    const struct sg_serial serial = make_serial(3);
    sg_auto(sg_plan) struct sg_plan plan = {0};
    sg_auto(X509) X509 *preview = NULL;
    sg_auto(json_t) json_t *fields = NULL;
    sg_auto(sg_buf) struct sg_buf text = {0};
    struct sg_error error = {0};

    (void)state;
    plan_with_origins(&plan);
    must(sg_cert_preview(&plan, &root.facts, &device.key, &serial, &preview, &error), &error);
    fields = fields_of(preview, &plan);
    assert_int_equal(json_integer_value(json_object_get(find(fields, "subject.O"), "line")), 9);
    assert_null(json_object_get(find(fields, "subject.CN"), "rule"));
    assert_true(json_is_null(json_object_get(find(fields, "basicConstraints"), "line")));
    assert_null(json_object_get(find(fields, "authorityInfoAccess"), "rule")); /* the first */
    assert_string_equal(text_of(find(fields, "subjectKeyIdentifier"), "fixed"),
                        "RFC 5280 4.2.1.2: the digest of the key");
    must(sg_fields_text(fields, &text, &error), &error);
    const char *said = (const char *)text.data;
    assert_non_null(strstr(said, "line 9, subject: Example GmbH\n"));
    assert_non_null(strstr(said, "line 12, publish.ca_issuers: offered; from the issuer\n"));
    assert_non_null(strstr(said, "line 10, validity.for: 365d; from the moment of issuing\n"));
    assert_non_null(strstr(said, "the policy has no `ca`\n"));
}

/* What the preview and the certificate have in common is explained, the rest is not. */
static void an_issued_one_takes_over_what_is_the_same(void **state)
{
    const struct sg_serial serial = make_serial(4); /* another */
    sg_auto(sg_plan) struct sg_plan plan = {0};
    sg_auto(X509) X509 *preview = NULL;
    sg_auto(json_t) json_t *fields = fields_of(device.certificate, NULL), *explained = NULL;
    struct sg_error error = {0};

    (void)state;
    plan_with_origins(&plan);
    must(sg_cert_preview(&plan, &root.facts, &device.key, &serial, &preview, &error), &error);
    explained = fields_of(preview, &plan);
    must(sg_fields_adopt(fields, explained, &error), &error);
    assert_int_equal(json_integer_value(json_object_get(find(fields, "subject.O"), "line")), 9);
    assert_null(json_object_get(find(fields, "subject.O"), "unexplained"));
    assert_true(json_is_true(json_object_get(find(fields, "serial"), "unexplained")));
}

static json_t *list(const char *text)
{
    json_t *array = json_loads(text, 0, NULL);

    assert_non_null(array);
    return array;
}

static void two_lists_are_compared(void **state)
{
    static const struct {
        const char *before, *after, *changes;
    } CASES[] = {
        {"[]", "[]", "[]"},
        {"[{'field': 'a', 'value': '1'}]", "[{'field': 'a', 'value': '1'}]", "[]"},
        {"[{'field': 'a', 'value': '1'}]", "[{'field': 'a', 'value': '2'}]",
         "[{'field': 'a', 'value': '1', 'change': '-'}, {'field': 'a', 'value': '2', 'change': "
         "'+'}]"},
        {"[{'field': 'a', 'value': '1'}]", "[{'field': 'a', 'value': '1', 'critical': true}]",
         "[{'field': 'a', 'value': '1', 'change': '-'}, {'field': 'a', 'value': '1', 'critical': "
         "true, 'change': '+'}]"},
        {"[{'field': 'a', 'value': '1'}]",
         "[{'field': 'a', 'value': '1'}, {'field': 'a', 'value': '1'}]",
         "[{'field': 'a', 'value': '1', 'change': '+'}]"},
        {"[{'field': 'a', 'value': '1'}, {'field': 'b', 'value': '1'}]",
         "[{'field': 'b', 'value': '1'}, {'field': 'a', 'value': '1'}]",
         "[{'field': 'order', 'value': 'the same, in another order', 'change': '+'}]"},
        {"[{'field': 'a', 'value': '1'}]", "[{'field': 'a', 'value': '1', 'line': 3}]", "[]"},
    };

    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++) {
        char texts[3][400];
        const char *const of[] = {CASES[i].before, CASES[i].after, CASES[i].changes};
        struct sg_error error = {0};
        sg_auto(json_t) json_t *changes = NULL;

        for (size_t t = 0; t < 3; t++) { /* JSON wants double quotes */
            snprintf(texts[t], sizeof texts[t], "%s", of[t]);
            for (char *at = texts[t]; *at != '\0'; at++)
                *at = *at == '\'' ? '"' : *at;
        }
        sg_auto(json_t) json_t *before = list(texts[0]);
        sg_auto(json_t) json_t *after = list(texts[1]);
        sg_auto(json_t) json_t *wanted = list(texts[2]);
        must(sg_fields_compare(before, after, &changes, &error), &error);
        if (!json_equal(changes, wanted))
            fail_msg("case %zu: %s", i, json_dumps(changes, 0));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_certificate_is_taken_apart),
        cmocka_unit_test(a_preview_says_where_its_fields_come_from),
        cmocka_unit_test(an_issued_one_takes_over_what_is_the_same),
        cmocka_unit_test(two_lists_are_compared),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
