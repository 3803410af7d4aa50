/* Which rule put something into a plan, and a decision over what is left of a request. */
#include "policy_fixture.h"

/* Of a key that is not in the small policy, the line is 7; of the others, the line they stand on.
 */
static const struct {
    struct change changes[MOST_CHANGES];
    enum sg_part part;
    size_t index;
    const char *rule;
    unsigned line;
    const char *written;
    unsigned sources;
} ORIGINS[] = {
    {{{0}}, SG_PART_KEY, 0, "keys", 4, NULL, SG_FROM_REQUEST},
    {{{0}}, SG_PART_KEY_USAGE, 0, "keys.key_usage", 4, NULL, SG_FROM_POLICY},
    {{{0}}, SG_PART_SUBJECT, 0, "subject", 5, "${device.id}", SG_FROM_DEVICE},
    {{{0}}, SG_PART_CA, 0, "ca", 0, NULL, SG_FROM_POLICY},
    {{{0}}, SG_PART_NOT_BEFORE, 0, "validity", 6, NULL, SG_FROM_CLOCK},
    {{{0}}, SG_PART_NOT_AFTER, 0, "validity.for", 6, "365d", SG_FROM_POLICY | SG_FROM_CLOCK},
    {{{"subject", "subject: [{CN: '${device.id}'}, {O: Example GmbH}]"}},
     SG_PART_SUBJECT,
     1,
     "subject",
     5,
     "Example GmbH",
     SG_FROM_POLICY},
    {{{"subject",
       "subject: [{O: {value: '${device.no}', optional: true}}, {OU: 'a ${issuer.name}'}]"}},
     SG_PART_SUBJECT,
     0,
     "subject",
     5,
     "a ${issuer.name}",
     SG_FROM_POLICY | SG_FROM_ISSUER},
    {{{"subject", "subject: [{CN: {value: '${request.CN}', match: '.*'}}]"}},
     SG_PART_SUBJECT,
     0,
     "subject",
     5,
     "${request.CN}",
     SG_FROM_REQUEST},
    {{{"san", "san: [{dns: a.example}, {uri: 'urn:${device.type}:${issuer.name}'}]"}},
     SG_PART_SAN,
     1,
     "san",
     7,
     "urn:${device.type}:${issuer.name}",
     SG_FROM_POLICY | SG_FROM_DEVICE | SG_FROM_ISSUER},
    {{{"san", "san: [{dirname: [{O: Example}, {CN: '${device.id}'}]}]"}},
     SG_PART_SAN,
     0,
     "san",
     7,
     NULL,
     SG_FROM_POLICY | SG_FROM_DEVICE},
    {{{"san", "san: [{other: {oid: 1.2.3.4, sequence: [{utf8: '${device.id}'}, {integer: 1}]}}]"}},
     SG_PART_SAN,
     0,
     "san",
     7,
     NULL,
     SG_FROM_POLICY | SG_FROM_DEVICE},
    {{{"extended_key_usage", "extended_key_usage: [clientAuth, 1.2.3.4]"}},
     SG_PART_PURPOSE,
     1,
     "extended_key_usage",
     7,
     "1.2.3.4",
     SG_FROM_POLICY},
    {{{"extensions", "extensions: [{oid: 1.2.3.4, utf8: '${device.type}'}]"}},
     SG_PART_EXTENSION,
     0,
     "extensions",
     7,
     "${device.type}",
     SG_FROM_DEVICE},
    {{{"extensions", "extensions: [{oid: 1.2.3.4, integer: 5}]"}},
     SG_PART_EXTENSION,
     0,
     "extensions",
     7,
     "5",
     SG_FROM_POLICY},
    {{{"certificate_policies", "certificate_policies: [{oid: 1.3.6.1.4.1.32473.9}]"}},
     SG_PART_EXTENSION,
     0,
     "certificate_policies",
     7,
     NULL,
     SG_FROM_POLICY},
    {{{"publish", "publish: {crl: offered}"}},
     SG_PART_CRL,
     0,
     "publish.crl",
     7,
     "offered",
     SG_FROM_ISSUER},
    {{{"publish", "publish: {ocsp: required, ca_issuers: offered}"}},
     SG_PART_ACCESS,
     1,
     "publish.ca_issuers",
     7,
     "offered",
     SG_FROM_ISSUER},
    {{{"publish", "publish: {ca_issuers: offered}"}},
     SG_PART_ACCESS,
     0,
     "publish.ca_issuers",
     7,
     "offered",
     SG_FROM_ISSUER},
    {{{"validity", "validity: {for: 365d, backdate: 5m}"}},
     SG_PART_NOT_BEFORE,
     0,
     "validity.backdate",
     6,
     "5m",
     SG_FROM_CLOCK},
    {{{"validity", "validity: {until: 2040-01-01, past_issuer: cut}"}},
     SG_PART_NOT_AFTER,
     0,
     "validity.past_issuer",
     6,
     "cut",
     SG_FROM_ISSUER},
    {{{"validity", "validity: {until: 2030-01-01}"}},
     SG_PART_NOT_AFTER,
     0,
     "validity.until",
     6,
     "2030-01-01",
     SG_FROM_POLICY},
};

static void read_changed(const struct change changes[MOST_CHANGES], struct sg_policy **policy)
{
    struct sg_error error = {0};

    must(parse_changed(changes, policy, &error), &error);
}

static void expect_origin(size_t at, const struct sg_plan *plan)
{
    const struct sg_origin *found = sg_plan_origin(plan, ORIGINS[at].part, ORIGINS[at].index);
    const char *written = ORIGINS[at].written;

    if (found == NULL)
        fail_msg("row %zu: no origin", at);
    if (strcmp(found->rule, ORIGINS[at].rule) != 0 || found->line != ORIGINS[at].line ||
        found->sources != ORIGINS[at].sources || (written == NULL) != (found->written == NULL) ||
        (written != NULL && strcmp(written, found->written) != 0))
        fail_msg("row %zu: %s, line %u, %s, sources 0x%x", at, found->rule, found->line,
                 found->written != NULL ? found->written : "(none)", found->sources);
}

static void a_plan_says_which_rule_filled_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < NUM(ORIGINS); i++) {
        sg_auto(sg_policy) struct sg_policy *policy = NULL;
        sg_auto(asking) struct asking asking;
        sg_auto(sg_plan) struct sg_plan plan = {0};
        struct sg_error error = {0};

        asking_init(&asking);
        ask_subject(&asking, "CN=device-AB12");
        read_changed(ORIGINS[i].changes, &policy);
        const struct sg_decision_input input = input_of(&asking);
        must(sg_policy_draft(policy, &input, &plan, &error), &error);
        expect_origin(i, &plan);
    }
}

static void what_is_left_out_has_no_origin(void **state)
{
    static const struct change CHANGES[MOST_CHANGES] = {
        {"publish", "publish: {crl: offered, ocsp: offered}"},
        {"san", "san: [{dns: {value: '${device.no}', optional: true}}]"}};
    sg_auto(sg_policy) struct sg_policy *policy = NULL;
    sg_auto(asking) struct asking asking;
    sg_auto(sg_plan) struct sg_plan plan = {0};
    struct sg_error error = {0};

    (void)state;
    asking_init(&asking);
    asking.issuer.crl_url = NULL;
    read_changed(CHANGES, &policy);
    const struct sg_decision_input input = input_of(&asking);
    must(sg_policy_draft(policy, &input, &plan, &error), &error);
    assert_null(sg_plan_origin(&plan, SG_PART_CRL, 0));
    assert_null(sg_plan_origin(&plan, SG_PART_SAN, 0));
    assert_null(sg_plan_origin(&plan, SG_PART_PURPOSE, 0));
    assert_non_null(sg_plan_origin(&plan, SG_PART_ACCESS, 0));
}

/* More of them than are made room for at once. */
static void many_origins_fit(void **state)
{
    struct sg_error error = {0};
    sg_auto(sg_plan) struct sg_plan plan = {0};

    (void)state;
    for (size_t i = 0; i < 100; i++)
        must(sg_plan_note(&plan, &(struct sg_origin){.part = SG_PART_SAN, .index = i, .line = 7},
                          &error),
             &error);
    assert_int_equal(plan.origins.num, 100);
    assert_ptr_equal(sg_plan_origin(&plan, SG_PART_SAN, 99), &plan.origins.items[99]);
    assert_null(sg_plan_origin(&plan, SG_PART_SAN, 100));
}

/* A decision over a certificate: what the request said is not asked, what it would have to say is
 * not known. */
static const struct {
    const char *name;
    struct change changes[MOST_CHANGES];
    const char *subject; /* the certificate's */
    enum sg_code code;
    const char *text; /* of the failure */
} AGAIN[] = {
    {"nobody vouches", {{0}}, "CN=device-AB12", SG_OK, NULL},
    {"another name", {{0}}, "CN=device-ZZ99", SG_OK, NULL},
    {"the request would have to repeat it",
     {{"request", "request: {subject: equal, san: equal}"}},
     "O=x",
     SG_OK,
     NULL},
    {"its own name",
     {{"subject", "subject: [{CN: '${request.CN}'}]"}},
     "CN=device-AB12",
     SG_OK,
     NULL},
    {"a name that is not known",
     {{"subject", "subject: [{OU: '${request.OU}'}]"}},
     "CN=device-AB12",
     SG_FAILED,
     "${request.OU} is not known"},
    {"an optional one",
     {{"subject", "subject: [{CN: x}, {OU: {value: '${request.OU}', optional: true}}]"}},
     "CN=device-AB12",
     SG_OK,
     NULL},
    {"a rule that refuses",
     {{"keys", "keys: [{ed25519: true, key_usage: [digitalSignature]}]"}},
     "CN=device-AB12",
     SG_REFUSED,
     "the key is P-256"},
    {"a record without the value",
     {{"subject", "subject: [{CN: '${device.no}'}]"}},
     "CN=device-AB12",
     SG_REFUSED,
     "the registry has no no"},
};

static void what_is_left_is_decided_again(void **state)
{
    (void)state;
    for (size_t i = 0; i < NUM(AGAIN); i++) {
        sg_auto(sg_policy) struct sg_policy *policy = NULL;
        sg_auto(asking) struct asking asking;
        sg_auto(sg_plan) struct sg_plan plan = {0};
        struct sg_error error = {0};
        bool decided = false;

        asking_init(&asking);
        ask_subject(&asking, AGAIN[i].subject);
        asking.request.format = SG_REQUEST_FORGOTTEN;
        asking.requester.evidence = 0;
        read_changed(AGAIN[i].changes, &policy);
        const struct sg_decision_input input = input_of(&asking);
        decided = sg_policy_decide_again(policy, &input, &plan, &error);
        if (decided != (AGAIN[i].code == SG_OK) || error.code != AGAIN[i].code ||
            (AGAIN[i].text != NULL && strstr(error.text, AGAIN[i].text) == NULL))
            fail_msg("%s: %s: %s", AGAIN[i].name, error.rule, error.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plan_says_which_rule_filled_it),
        cmocka_unit_test(what_is_left_out_has_no_origin),
        cmocka_unit_test(many_origins_fit),
        cmocka_unit_test(what_is_left_is_decided_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
