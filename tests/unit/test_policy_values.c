/* What texts with references become, and the DER that extensions hold. */
#include "policy_fixture.h"

static void set_user(struct asking *asking)
{
    struct sg_error error = {0};

    asking->requester.has_user = true;
    asking->requester.user.id = strdup("Ada Lovelace");
    must(sg_record_set(&asking->requester.user, "upn", "ada@example.com", &error), &error);
}

static void no_device(struct asking *asking)
{
    asking->requester.has_device = false;
}

static void two_names(struct asking *asking)
{
    ask_subject(asking, "CN=one,CN=two,O=Example GmbH");
}

static void one_name(struct asking *asking)
{
    ask_subject(asking, "O=Example GmbH,CN=device-7,0.9.2342.19200300.100.1.1=u7");
}

static void set_type(struct asking *asking, const char *value)
{
    struct sg_error error = {0};

    must(sg_record_set(&asking->requester.device, "type", value, &error), &error);
}

static void line_break(struct asking *asking)
{
    set_type(asking, "leo\nCN=root");
}

static void not_utf8(struct asking *asking)
{
    set_type(asking, "l\xff");
}

static void umlaut(struct asking *asking)
{
    set_type(asking, "K\xc3\xb6ln");
}

static void just_fits(struct asking *asking)
{
    char text[SG_LIMIT_VALUE + 1] = "";

    memset(text, 'a', SG_LIMIT_VALUE);
    set_type(asking, text);
}

static void too_long(struct asking *asking)
{
    char text[SG_LIMIT_VALUE + 2] = "";

    memset(text, 'a', SG_LIMIT_VALUE + 1);
    set_type(asking, text);
}

static void looks_like_a_reference(struct asking *asking)
{
    set_type(asking, "${issuer.name}");
}

/* The value of an attribute without a bound of its own. */
static const struct {
    const char *value; /* as the policy writes it */
    void (*change)(struct asking *asking);
    const char *text;    /* NULL: refused. "": left out */
    const char *refusal; /* by subject.description */
} CASES[] = {
    {"Example GmbH", NULL, "Example GmbH", NULL},
    {"10", NULL, "10", NULL},
    {"'true'", NULL, "true", NULL},
    {"'${device.id}'", NULL, "device-AB12", NULL},
    {"'${device.type}'", NULL, "leo", NULL},
    {"'a ${device.type}-${device.id} z'", NULL, "a leo-device-AB12 z", NULL},
    {"'${device.type}${device.type}'", NULL, "leoleo", NULL},
    {"'${issuer.name}'", NULL, "issuing-2026", NULL},
    {"'${user.name}, ${user.upn}'", set_user, "Ada Lovelace, ada@example.com", NULL},
    {"'${request.CN}'", one_name, "device-7", NULL},
    {"'${request.2.5.4.3} ${request.UID}'", one_name, "device-7 u7", NULL},
    {"'${device.type}'", umlaut, "K\xc3\xb6ln", NULL},

    /* what only looks like a reference */
    {"'$${device.id}'", NULL, "${device.id}", NULL},
    {"'$$${device.id}'", NULL, "$${device.id}", NULL},
    {"'$${}${device.type}$${'", NULL, "${}leo${", NULL},
    {"'$5 {x} $'", NULL, "$5 {x} $", NULL},
    {"'${device.type}'", looks_like_a_reference, "${issuer.name}", NULL},

    /* absent */
    {"'${device.region}'", NULL, NULL,
     "${device.region} has no value: the registry has no region for device device-AB12"},
    {"'x${device.empty}'", NULL, NULL, "${device.empty} has no value"},
    {"'${device.id}'", no_device, NULL, "${device.id} has no value: no device was named"},
    {"'${user.name}'", NULL, NULL, "${user.name} has no value: no user was named"},
    {"'${user.id}'", set_user, NULL,
     "${user.id} has no value: the registry has no id for user Ada"},
    {"'${device.name}'", NULL, NULL, "${device.name} has no value"},
    {"'${request.CN}'", NULL, NULL, "${request.CN} has no value: the request's subject has no CN"},
    {"'${request.CN}'", two_names, NULL,
     "${request.CN} wants exactly one value: the request's subject has 2"},
    {"'${request.O}'", two_names, "Example GmbH", NULL},
    {"{value: '${device.region}', optional: true}", NULL, "", NULL},
    {"{value: '${device.empty}', optional: true}", NULL, "", NULL},
    {"{value: 'x ${device.type} ${device.region}', optional: true}", NULL, "", NULL},
    {"{value: '${user.name}', optional: true}", NULL, "", NULL},
    {"{value: '${request.CN}', optional: true}", NULL, "", NULL},
    {"{value: '${request.CN}', optional: true}", two_names, NULL, "wants exactly one value"},
    {"{value: '${device.region}', optional: false}", NULL, NULL, "has no value"},
    {"{value: '${device.type}', optional: true}", NULL, "leo", NULL},

    /* patterns, over the whole text */
    {"{value: '${device.id}', match: 'device-[A-Z0-9]{4,32}'}", NULL, "device-AB12", NULL},
    {"{value: '${device.id}', match: 'device'}", NULL, NULL,
     "\"device-AB12\" does not match device"},
    {"{value: 'x${device.id}', match: 'device-[A-Z0-9]{4,32}'}", NULL, NULL,
     "\"xdevice-AB12\" does not match device-[A-Z0-9]{4,32}"},
    {"{value: '${device.type}', match: 'a|le'}", NULL, NULL, "\"leo\" does not match a|le"},
    {"{value: '${device.type}', match: 'K.ln'}", umlaut, "K\xc3\xb6ln", NULL},
    {"{value: '${device.region}', match: 'x', optional: true}", NULL, "", NULL},
    {"{value: '${device.type}', match: 'x', optional: true}", NULL, NULL, "does not match x"},

    /* what can't be text */
    {"'${device.type}'", line_break, NULL, "the text has a line break"},
    {"{value: '${device.type}', optional: true}", line_break, NULL, "the text has a line break"},
    {"'${device.type}'", not_utf8, NULL, "the text is not UTF-8"},
    {"'${device.type}'", just_fits, "aaaa", NULL},
    {"'${device.type}'", too_long, NULL, "the text would be longer than 1024 bytes"},
    {"'x${device.type}'", just_fits, NULL, "the text would be longer than 1024 bytes"},
};

/* description, 2.5.4.13: an attribute without a word here. */
static void texts_are_put_together(void **state)
{
    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++) {
        sg_auto(sg_policy) struct sg_policy *policy = NULL;
        sg_auto(sg_plan) struct sg_plan plan = {0};
        sg_auto(asking) struct asking asking = {0};
        sg_auto(sg_buf) struct sg_buf line = {0};
        struct sg_error error = {0};
        struct change changes[MOST_CHANGES] = {{"request", "request: {subject: ignore}"}};
        struct sg_decision_input input;
        bool decided;

        asking_init(&asking);
        if (CASES[i].change != NULL)
            CASES[i].change(&asking);
        must(sg_buf_printf(&line, SG_LIMIT_YAML, &error, "subject: [{C: DE}, {2.5.4.13: %s}]",
                           CASES[i].value),
             &error);
        changes[1] = (struct change){"subject", (char *)line.data};
        expect_success(CASES[i].value, parse_changed(changes, &policy, &error), &error);
        input = input_of(&asking);
        decided = sg_policy_decide(policy, &input, &plan, &error);
        if (CASES[i].text == NULL) {
            expect_failure(CASES[i].value, decided, &error, SG_REFUSED, CASES[i].refusal);
            assert_string_equal(error.rule, "policy small: subject.2.5.4.13");
            assert_int_equal(plan.subject.num, 0);
            continue;
        }
        expect_success(CASES[i].value, decided, &error);
        assert_int_equal(plan.subject.num, CASES[i].text[0] != '\0' ? 2 : 1);
        if (CASES[i].change == just_fits)
            assert_int_equal(strlen(plan.subject.rdns[1].value), SG_LIMIT_VALUE);
        else if (CASES[i].text[0] != '\0')
            assert_string_equal(plan.subject.rdns[1].value, CASES[i].text);
    }
}

static const struct {
    const char *extension;
    void (*change)(struct asking *asking);
    bool critical;
    const char *der;     /* in hex; "": left out; NULL: refused */
    const char *refusal; /* by extensions.1.2.3 */
} EXTENSIONS[] = {
    {"utf8: '${device.type}'", NULL, false, "0c036c656f", NULL},
    {"utf8: Köln", NULL, false, "0c054bc3b66c6e", NULL},
    {"utf8: '${device.type}', critical: true", NULL, true, "0c036c656f", NULL},
    {"utf8: '${device.type}', critical: false", NULL, false, "0c036c656f", NULL},
    {"utf8: {value: '${device.region}', optional: true}", NULL, false, "", NULL},
    {"utf8: '${device.region}'", NULL, false, NULL, "${device.region} has no value"},
    {"ia5: 'a@${device.type}'", NULL, false, "160561406c656f", NULL},
    {"ia5: '${device.type}'", umlaut, false, NULL, "\"K\xc3\xb6ln\" is not ASCII, as ia5 demands"},
    {"printable: '${device.type}'", NULL, false, "13036c656f", NULL},
    {"printable: 'Az 09''()+,-./:=?'", NULL, false, "1310417a2030392728292b2c2d2e2f3a3d3f", NULL},
    {"printable: '${device.type}*'", NULL, false, NULL, "\"leo*\" is more than letters"},
    {"printable: '${device.type}'", umlaut, false, NULL, "is more than letters"},
    {"integer: 0", NULL, false, "020100", NULL},
    {"integer: 127", NULL, false, "02017f", NULL},
    {"integer: 128", NULL, false, "02020080", NULL},
    {"integer: -1", NULL, false, "0201ff", NULL},
    {"integer: -129", NULL, false, "0202ff7f", NULL},
    {"integer: 2147483647", NULL, false, "02047fffffff", NULL},
    {"boolean: true", NULL, false, "0101ff", NULL},
    {"boolean: false", NULL, false, "010100", NULL},
    {"null: true", NULL, false, "0500", NULL},
    {"null: true, critical: true", NULL, true, "0500", NULL},
};

static void extensions_are_encoded(void **state)
{
    (void)state;
    for (size_t i = 0; i < NUM(EXTENSIONS); i++) {
        sg_auto(sg_policy) struct sg_policy *policy = NULL;
        sg_auto(sg_plan) struct sg_plan plan = {0};
        sg_auto(asking) struct asking asking = {0};
        sg_auto(sg_buf) struct sg_buf line = {0};
        const char *name = EXTENSIONS[i].extension;
        struct sg_error error = {0};
        struct change changes[MOST_CHANGES] = {{0}};
        struct sg_decision_input input;
        const struct sg_extension *found = NULL;
        char hex[128];
        bool decided;

        asking_init(&asking);
        if (EXTENSIONS[i].change != NULL)
            EXTENSIONS[i].change(&asking);
        must(sg_buf_printf(&line, SG_LIMIT_YAML, &error, "extensions: [{oid: 1.2.3, %s}]", name),
             &error);
        changes[0] = (struct change){"extensions", (char *)line.data};
        expect_success(name, parse_changed(changes, &policy, &error), &error);
        input = input_of(&asking);
        decided = sg_policy_decide(policy, &input, &plan, &error);
        if (EXTENSIONS[i].der == NULL) {
            expect_failure(name, decided, &error, SG_REFUSED, EXTENSIONS[i].refusal);
            assert_string_equal(error.rule, "policy small: extensions.1.2.3");
            continue;
        }
        expect_success(name, decided, &error);
        found = sg_extensions_find(&plan.extensions, "1.2.3");
        assert_int_equal(found != NULL, EXTENSIONS[i].der[0] != '\0');
        if (found == NULL)
            continue;
        assert_int_equal(found->critical, EXTENSIONS[i].critical);
        assert_string_equal(sg_hex(sg_buf_slice(&found->value), hex, sizeof hex),
                            EXTENSIONS[i].der);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_put_together),
        cmocka_unit_test(extensions_are_encoded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
