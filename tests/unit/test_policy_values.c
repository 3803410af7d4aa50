/* What texts with references become, and the DER that extensions hold. */
#include "policy_fixture.h"

#include "policy/value.h"

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
    {"integer: '${device.number}'", NULL, false, "02020080", NULL},
    {"integer: '-${device.number}'", NULL, false, "020180", NULL},
    {"integer: '${device.type}'", NULL, false, NULL, "\"leo\" is no whole number from -2147483647"},
    {"integer: '0${device.number}'", NULL, false, NULL, "\"0128\" is no whole number"},
    {"integer: '99999999${device.number}'", NULL, false, NULL, "is no whole number"},
    {"integer: '2147483${device.number}'", NULL, false, "02047ffffdf8", NULL},
    {"integer: '2147484${device.number}'", NULL, false, NULL, "\"2147484128\" is no whole number"},
    {"integer: {value: '${device.region}', optional: true}", NULL, false, "", NULL},
    {"boolean: '${device.yes}'", NULL, false, "0101ff", NULL},
    {"boolean: '${device.type}'", NULL, false, NULL, "\"leo\" is neither true nor false"},
    {"octets: '00:ff'", NULL, false, "040200ff", NULL},
    {"octets: '${device.hex}'", NULL, false, "04020aff", NULL},
    {"octets: '${device.type}'", NULL, false, NULL, "\"leo\" is no hex: 'l' at character 1"},
    {"base64: AP8=", NULL, false, "040200ff", NULL},
    {"base64: APAA", NULL, false, "040300f000", NULL},
    {"base64: '${device.base64}'", NULL, false, "04020aff", NULL},
    {"base64: '${device.type}'", NULL, false, NULL, "\"leo\" is no base64 (RFC 4648 4)"},
    {"base64: '${device.one}=='", NULL, false, NULL, "\"01==\" is no base64"},
    {"base64: ' ${device.type}'", NULL, false, NULL, "\" leo\" is no base64"},
    {"base64: '${device.yes}===='", NULL, false, NULL, "\"true====\" is no base64"},
    {"der: '3003020105'", NULL, false, "3003020105", NULL},
    {"der: '0c026869'", NULL, false, "0c026869", NULL},
    {"der: '${device.der}'", NULL, false, "310602010102010a", NULL},
    {"der: '${device.type}'", NULL, false, NULL, "\"leo\" is no hex"},
    {"der: '0201${device.hex}'", NULL, false, NULL, "\"02010AFF\" is not exactly one value in DER"},
    {"der: '308103${device.der}'", NULL, false, NULL, "is not exactly one value in DER"},
    {"der: '0101${device.one}'", NULL, false, NULL, "\"010101\" is not exactly one value in DER"},
    {"der: '30030101${device.one}'", NULL, false, NULL, "is not exactly one value in DER"},
    {"der: '310602010a0201${device.one}'", NULL, false, NULL, "is not exactly one value in DER"},
    {"der: '30800201${device.one}0000'", NULL, false, NULL, "is not exactly one value in DER"},
    {"sequence: [{utf8: '${device.type}'}, {integer: 3}]", NULL, false, "30080c036c656f020103",
     NULL},
    {"sequence: [{sequence: [{boolean: true}]}, {null: true}]", NULL, false, "300730030101ff0500",
     NULL},
    {"sequence: [{utf8: {value: '${device.region}', optional: true}}, {integer: 3}]", NULL, false,
     "3003020103", NULL},
    {"sequence: [{utf8: {value: '${device.region}', optional: true}}]", NULL, false, "", NULL},
    {"sequence: [{integer: 3}, {ia5: '${device.type}'}]", umlaut, false, NULL,
     "item 2 of the sequence: \"K\xc3\xb6ln\" is not ASCII"},
};

/* Microsoft's extension with the text of a SID, as its own CA writes it: [MS-WCCE] 2.2.2.7.7.4. */
static void sids_are_encoded(void **state)
{
    static const char WANTED[] = "3040a03e060a2b060104018237190201a030042e"
                                 "532d312d352d32312d333034373433393231302d32393235323537393536"
                                 "2d313233343536373839302d31303031";
    static const struct {
        const char *sid;
        const char *refusal; /* NULL: accepted */
    } SIDS[] = {
        {"S-1-5-21-3047439210-2925257956-1234567890-1001", NULL},
        {"S-1-5-18", NULL},
        {"S-1-0-0", NULL},
        {"", "${user.sid} has no value"},
        {"S-1-5", "is no SID such as S-1-5-21"},
        {"S-1-5-", "is no SID"},
        {"S-1-5-x", "is no SID"},
        {"S-1-5--1", "is no SID"},
        {"S-1-5-018", "is no SID"},
        {"S-2-5-18", "is no SID"},
        {"s-1-5-18", "is no SID"},
        {"S-1-5-18 ", "is no SID"},
        {"S-1-5-1234567890123456", "is no SID"},
        {"S-1-5-1-2-3-4-5-6-7-8-9-10-11-12-13-14-15", NULL},
        {"S-1-5-1-2-3-4-5-6-7-8-9-10-11-12-13-14-15-16", "is no SID"},
    };
    static const struct change CHANGES[MOST_CHANGES] = {
        {"extensions", "extensions: [{ms-sid: '${user.sid}'}]"}};
    sg_auto(sg_policy) struct sg_policy *policy = NULL;
    struct sg_error first = {0};

    (void)state;
    expect_success("parse", parse_changed(CHANGES, &policy, &first), &first);
    for (size_t i = 0; i < NUM(SIDS); i++) {
        sg_auto(sg_plan) struct sg_plan plan = {0};
        sg_auto(asking) struct asking asking = {0};
        struct sg_error error = {0};
        struct sg_decision_input input;
        char hex[300];
        bool decided;

        asking_init(&asking);
        set_user(&asking);
        must(sg_record_set(&asking.requester.user, "sid", SIDS[i].sid, &error), &error);
        input = input_of(&asking);
        decided = sg_policy_decide(policy, &input, &plan, &error);
        if (SIDS[i].refusal != NULL) {
            expect_failure(SIDS[i].sid, decided, &error, SG_REFUSED, SIDS[i].refusal);
            assert_string_equal(error.rule, "policy small: extensions.msSid");
            continue;
        }
        expect_success(SIDS[i].sid, decided, &error);
        assert_string_equal(plan.extensions.items[0].oid, "1.3.6.1.4.1.311.25.2");
        assert_false(plan.extensions.items[0].critical);
        if (i == 0)
            assert_string_equal(
                sg_hex(sg_buf_slice(&plan.extensions.items[0].value), hex, sizeof hex), WANTED);
    }
}

/* Alternative names that are more than one text, and several of one text. */
static const struct {
    const char *san;
    const char *names;   /* as sg_sans_text writes them; NULL: refused */
    const char *refusal; /* by san[1] */
} SANS[] = {
    {"{dns: '${device.type}.example'}", "dns:leo.example", NULL},
    {"{registered_id: '1.2.${device.number}'}", "registered_id:1.2.128", NULL},
    {"{registered_id: '${device.type}'}", NULL, "registered_id: \"leo\" must be an OID"},
    {"{dirname: [{CN: '${device.id}'}, {O: 'A, B'}]}", "dirname:CN=device-AB12,O=A\\, B", NULL},
    {"{dirname: [{CN: {value: '${device.region}', optional: true}}, {O: x}]}", "dirname:O=x", NULL},
    {"{dirname: [{CN: {value: '${device.region}', optional: true}}]}", "dns:last.example", NULL},
    {"{dirname: [{CN: '${device.region}'}]}", NULL, "CN: ${device.region} has no value"},
    {"{dirname: [{C: '${device.type}'}]}", NULL, "must be a name such as"},
    {"{hardware-module: {type: 1.2.3, serial: '${device.id}'}}",
     "hardware-module:1.2.3;device-AB12", NULL},
    {"{hardware-module: {type: 1.2.3, serial: {value: '${device.region}', optional: true}}}",
     "dns:last.example", NULL},
    {"{hardware-module: {type: 1.2.3, serial: '${device.region}'}}", NULL,
     "${device.region} has no value"},
    {"{hardware-module: {type: 1.2.3, serial: {value: '${device.id}', match: '[0-9]+'}}}", NULL,
     "\"device-AB12\" does not match [0-9]+"},
    {"{permanent-identifier: {value: '${device.id}', assigner: 1.2.3}}",
     "permanent-identifier:1.2.3;device-AB12", NULL},
    {"{permanent-identifier: {value: '${device.id}'}}", "permanent-identifier:;device-AB12", NULL},
    {"{permanent-identifier: {value: '${device.region}'}}", NULL, "${device.region} has no value"},
    {"{other: {oid: 1.2.3, utf8: '${device.type}'}}", "other:1.2.3;utf8:leo", NULL},
    {"{other: {oid: 1.2.3, ia5: '${device.type}'}}", "other:1.2.3;ia5:leo", NULL},
    {"{other: {oid: 1.2.3, octets: '${device.hex}'}}", "other:1.2.3;octets:0aff", NULL},
    {"{other: {oid: 1.2.3, integer: 3}}", "other:1.2.3;der:020103", NULL},
    {"{other: {oid: 1.2.3, sequence: [{utf8: '${device.type}'}]}}",
     "other:1.2.3;der:30050c036c656f", NULL},
    {"{other: {oid: 1.2.3, octets: '${device.type}'}}", NULL, "\"leo\" is no hex"},
    {"{other: {oid: 1.2.3, utf8: {value: '${device.region}', optional: true}}}", "dns:last.example",
     NULL},
    {"{dns: {value: '${device.names}', each: ','}}", "dns:a.example, dns:b.example", NULL},
    {"{dns: {value: 'x.${device.names}', each: ','}}", "dns:x.a.example, dns:x.b.example", NULL},
    {"{dns: {value: '${device.names}', each: ', '}}", "dns:a.example, dns:b.example", NULL},
    {"{dns: {value: '${device.names}', each: ';'}}", NULL, "dns: \"a.example, b.example\" must be"},
    {"{dns: {value: '${device.names}', each: ',', match: 'a.*'}}", NULL,
     "\"b.example\" does not match a.*"},
    {"{dns: {value: '${device.type}', each: ','}}", "dns:leo", NULL},
    {"{dns: {value: '${device.gap}', each: ','}}", NULL,
     "\"a.example,,b.example\" has an empty entry"},
    {"{dns: {value: '${device.region}', each: ','}}", NULL, "${device.region} has no value"},
    {"{dns: {value: '${device.region}', each: ',', optional: true}}", "dns:last.example", NULL},
};

static void set_many(struct asking *asking)
{
    static const char *const VALUES[][2] = {
        {"number", "128"},
        {"yes", "true"},
        {"hex", "0AFF"},
        {"base64", "Cv8="},
        {"one", "01"},
        {"der", "310602010102010a"},
        {"names", "a.example, b.example"},
        {"gap", "a.example,,b.example"},
    };
    struct sg_error error = {0};

    for (size_t i = 0; i < NUM(VALUES); i++)
        must(sg_record_set(&asking->requester.device, VALUES[i][0], VALUES[i][1], &error), &error);
}

/* Each case is followed by a name that is always there. */
static void alternative_names_are_made(void **state)
{
    (void)state;
    for (size_t i = 0; i < NUM(SANS); i++) {
        sg_auto(sg_policy) struct sg_policy *policy = NULL;
        sg_auto(sg_plan) struct sg_plan plan = {0};
        sg_auto(asking) struct asking asking = {0};
        sg_auto(sg_buf) struct sg_buf line = {0};
        struct sg_error error = {0};
        struct change changes[MOST_CHANGES] = {{0}};
        struct sg_decision_input input;
        char text[300];
        bool decided;

        asking_init(&asking);
        set_many(&asking);
        must(sg_buf_printf(&line, SG_LIMIT_YAML, &error, "san: [%s, {dns: last.example}]",
                           SANS[i].san),
             &error);
        changes[0] = (struct change){"san", (char *)line.data};
        expect_success(SANS[i].san, parse_changed(changes, &policy, &error), &error);
        input = input_of(&asking);
        decided = sg_policy_decide(policy, &input, &plan, &error);
        if (SANS[i].names == NULL) {
            expect_failure(SANS[i].san, decided, &error, SG_REFUSED, SANS[i].refusal);
            assert_string_equal(error.rule, "policy small: san[1]");
            continue;
        }
        expect_success(SANS[i].san, decided, &error);
        sg_sans_text(&plan.sans, text, sizeof text);
        if (strncmp(text, SANS[i].names, strlen(SANS[i].names)) != 0)
            fail_msg("%s: is %s", SANS[i].san, text);
        assert_string_equal(plan.sans.items[plan.sans.num - 1].value, "last.example");
    }
}

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
        set_many(&asking);
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

/* Extensions that are the same in every certificate: RFC 5280 4.2.1.4, .10, .11 and .14. */
static const struct {
    const char *line, *oid;
    bool critical;
    const char *der;
} FIXED[] = {
    {"certificate_policies: [{oid: 1.2.3}]", "2.5.29.32", false, "3006300406022a03"},
    {"certificate_policies: [{oid: 1.2.3, cps: 'https://a.example', notice: Für Tests}, {oid: "
     "anyPolicy}]",
     "2.5.29.32", false,
     "3049303f06022a033039301d06082b06010505070201161168747470733a2f2f612e6578616d706c"
     "65301806082b06010505070202300c0c0a46c3bc7220546573747330060604551d2000"},
    {"name_constraints: {permitted: {dns: [example.com], email: [.b.example], uri: [a.example]}, "
     "excluded: {ip: [192.0.2.0/24]}}",
     "2.5.29.30", true,
     "303aa02a300d820b6578616d706c652e636f6d300c810a2e622e6578616d706c65300b8609612e65"
     "78616d706c65a10c300a8708c0000200ffffff00"},
    {"name_constraints: {excluded: {ip: ['2001:db8::/32', 0.0.0.0/0, 10.128.0.0/9]}}", "2.5.29.30",
     true,
     "303ea13c3022872020010db8000000000000000000000000ffffffff000000000000000000000000"
     "300a87080000000000000000300a87080a800000ff800000"},
    {"name_constraints: {permitted: {dirname: [[{C: DE}, {O: x}]]}}", "2.5.29.30", true,
     "3021a01f301da41b3019310b3009060355040613024445310a3008060355040a0c0178"},
    {"policy_constraints: {require_explicit: 0, inhibit_mapping: 16}", "2.5.29.36", true,
     "3006800100810110"},
    {"policy_constraints: {inhibit_mapping: 1}", "2.5.29.36", true, "3003810101"},
    {"inhibit_any_policy: 0", "2.5.29.54", true, "020100"},
};

static void fixed_extensions_are_encoded(void **state)
{
    (void)state;
    for (size_t i = 0; i < NUM(FIXED); i++) {
        sg_auto(sg_policy) struct sg_policy *policy = NULL;
        sg_auto(sg_plan) struct sg_plan plan = {0};
        sg_auto(asking) struct asking asking = {0};
        struct sg_error error = {0};
        const struct change changes[MOST_CHANGES] = {
            {"keys", "keys: [{ec: [P-256], key_usage: [keyCertSign, cRLSign]}]"},
            {"ca", "ca: {path_length: 0, self_signed: true}"},
            {"fixed", FIXED[i].line}};
        struct sg_decision_input input;
        char hex[300];

        asking_init(&asking);
        asking.request.format = SG_REQUEST_OWN_KEY;
        expect_success(FIXED[i].line, parse_changed(changes, &policy, &error), &error);
        input = input_of(&asking);
        expect_success(FIXED[i].line, sg_policy_decide(policy, &input, &plan, &error), &error);
        assert_int_equal(plan.extensions.num, 1);
        assert_string_equal(plan.extensions.items[0].oid, FIXED[i].oid);
        assert_int_equal(plan.extensions.items[0].critical, FIXED[i].critical);
        assert_string_equal(sg_hex(sg_buf_slice(&plan.extensions.items[0].value), hex, sizeof hex),
                            FIXED[i].der);
    }
}

/* now is 2026-01-01T13:37:42Z; the issuer ends on 2035-01-01. */
static const struct {
    const char *validity;
    const char *retires;     /* in the registry; NULL: not there */
    const char *begin, *end; /* end NULL: refused */
    const char *refusal;     /* by validity */
} VALIDITIES[] = {
    {"{for: 10d}", NULL, "2026-01-01T13:37:42Z", "2026-01-11T13:37:42Z", NULL},
    {"{for: 10d, align: hour}", NULL, "2026-01-01T13:00:00Z", "2026-01-11T13:00:00Z", NULL},
    {"{for: 10d, align: day}", NULL, "2026-01-01T00:00:00Z", "2026-01-11T00:00:00Z", NULL},
    {"{for: 10d, align: day, backdate: 14h}", NULL, "2025-12-31T00:00:00Z", "2026-01-11T00:00:00Z",
     NULL},
    {"{until: 2026-02-01T12:34:56Z, align: day}", NULL, "2026-01-01T00:00:00Z",
     "2026-02-01T12:34:56Z", NULL},
    {"{until: '${device.retires}'}", "2030-06-01", "2026-01-01T13:37:42Z", "2030-06-01T00:00:00Z",
     NULL},
    {"{until: '${device.retires}', align: hour}", "2030-06-01T01:02:03Z", "2026-01-01T13:00:00Z",
     "2030-06-01T01:02:03Z", NULL},
    {"{until: '${device.retires}T00:00:00Z'}", "2030-06-01", "2026-01-01T13:37:42Z",
     "2030-06-01T00:00:00Z", NULL},
    {"{until: '${device.retires}', past_issuer: allow}", "never", "2026-01-01T13:37:42Z",
     "9999-12-31T23:59:59Z", NULL},
    {"{until: '${device.retires}', past_issuer: cut}", "2040-06-01", "2026-01-01T13:37:42Z",
     "2035-01-01T00:00:00Z", NULL},
    {"{until: '${device.retires}'}", "2040-06-01", NULL, NULL, "past its issuer"},
    {"{until: '${device.retires}'}", NULL, NULL, NULL, "${device.retires} has no value"},
    {"{until: '${device.retires}'}", "soon", NULL, NULL,
     "${device.retires} is never or a moment: "},
    {"{until: '${device.retires}'}", "2026-01-01", NULL, NULL,
     "the end that ${device.retires} says, 2026-01-01, is past"},
    {"{until: {value: '${device.retires}', match: '2.*'}}", "never", NULL, NULL,
     "\"never\" does not match 2.*"},
};

static void validities_are_made(void **state)
{
    (void)state;
    for (size_t i = 0; i < NUM(VALIDITIES); i++) {
        sg_auto(sg_policy) struct sg_policy *policy = NULL;
        sg_auto(sg_plan) struct sg_plan plan = {0};
        sg_auto(asking) struct asking asking = {0};
        sg_auto(sg_buf) struct sg_buf line = {0};
        struct sg_error error = {0};
        struct change changes[MOST_CHANGES] = {{0}};
        struct sg_decision_input input;
        char begin[SG_TIME_TEXT_SIZE], end[SG_TIME_TEXT_SIZE];
        bool decided;

        asking_init(&asking);
        asking.now = moment("2026-01-01T13:37:42Z");
        if (VALIDITIES[i].retires != NULL)
            must(sg_record_set(&asking.requester.device, "retires", VALIDITIES[i].retires, &error),
                 &error);
        must(sg_buf_printf(&line, SG_LIMIT_YAML, &error, "validity: %s", VALIDITIES[i].validity),
             &error);
        changes[0] = (struct change){"validity", (char *)line.data};
        expect_success(VALIDITIES[i].validity, parse_changed(changes, &policy, &error), &error);
        input = input_of(&asking);
        decided = sg_policy_decide(policy, &input, &plan, &error);
        if (VALIDITIES[i].end == NULL) {
            expect_failure(VALIDITIES[i].validity, decided, &error, SG_REFUSED,
                           VALIDITIES[i].refusal);
            assert_string_equal(error.rule, "policy small: validity");
            continue;
        }
        expect_success(VALIDITIES[i].validity, decided, &error);
        assert_string_equal(sg_time_text(plan.not_before, begin), VALIDITIES[i].begin);
        assert_string_equal(sg_time_text(plan.not_after, end), VALIDITIES[i].end);
    }
}

/* What a renewal looks at again has to be there; who renews nothing is not asked. */
static void renewals_are_rechecked(void **state)
{
    static const struct {
        const char *recheck;
        unsigned evidence;
        const char *refusal;
    } RECHECKS[] = {
        {"[user.enabled, user.upn, user.name, device.type, device.id]", SG_BY_RENEWAL, NULL},
        {"[user.upn, user.sid]", SG_BY_RENEWAL,
         "user.sid is rechecked at a renewal, and the registry has none"},
        {"[user.sid]", SG_BY_OPERATOR, NULL},
        {"[device.empty]", SG_BY_RENEWAL, "device.empty is rechecked"},
    };

    (void)state;
    for (size_t i = 0; i < NUM(RECHECKS); i++) {
        sg_auto(sg_policy) struct sg_policy *policy = NULL;
        sg_auto(sg_plan) struct sg_plan plan = {0};
        sg_auto(asking) struct asking asking = {0};
        sg_auto(sg_buf) struct sg_buf line = {0};
        struct sg_error error = {0};
        struct change changes[MOST_CHANGES] = {{"who", "who: {any: [operator, renewal]}"}};
        struct sg_decision_input input;
        bool decided;

        asking_init(&asking);
        set_user(&asking);
        asking.requester.evidence = RECHECKS[i].evidence;
        must(sg_buf_printf(&line, SG_LIMIT_YAML, &error, "renewal: {window: 60d, recheck: %s}",
                           RECHECKS[i].recheck),
             &error);
        changes[1] = (struct change){"renewal", (char *)line.data};
        expect_success(RECHECKS[i].recheck, parse_changed(changes, &policy, &error), &error);
        input = input_of(&asking);
        decided = sg_policy_decide(policy, &input, &plan, &error);
        if (RECHECKS[i].refusal != NULL) {
            expect_failure(RECHECKS[i].recheck, decided, &error, SG_REFUSED, RECHECKS[i].refusal);
            assert_string_equal(error.rule, "policy small: renewal");
            continue;
        }
        expect_success(RECHECKS[i].recheck, decided, &error);
        assert_true(plan.num_recheck > 0);
        assert_true(strncmp(plan.recheck[0], "user.", 5) == 0);
    }
}

/* The registry names nobody, or has disabled them. */
static void recheck_knows_the_registry(void **state)
{
    sg_auto(asking) struct asking asking = {0};

    (void)state;
    asking_init(&asking);
    assert_true(sg_value_is_registered("device.enabled", &asking.requester));
    assert_true(sg_value_is_registered("device.id", &asking.requester));
    assert_false(sg_value_is_registered("user.enabled", &asking.requester));
    assert_false(sg_value_is_registered("user.name", &asking.requester));
    asking.requester.device.disabled = true;
    assert_false(sg_value_is_registered("device.enabled", &asking.requester));
    assert_true(sg_value_is_registered("device.type", &asking.requester));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_put_together),
        cmocka_unit_test(extensions_are_encoded),
        cmocka_unit_test(sids_are_encoded),
        cmocka_unit_test(alternative_names_are_made),
        cmocka_unit_test(fixed_extensions_are_encoded),
        cmocka_unit_test(validities_are_made),
        cmocka_unit_test(renewals_are_rechecked),
        cmocka_unit_test(recheck_knows_the_registry),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
