#include "policy_fixture.h"

#include <dirent.h>

#include "base/file.h"
#include "enroll/csr_policy.h"
#include "enroll/file_key.h"
#include "request/request.h"

/* 2026-01-01T00:00:00Z */
#define NOW INT64_C(1767225600)

static const struct sg_name NOBODY;

/* The request that wish and a new key make; judged by the policy once it is finished. */
static void make_request(const struct sg_csr_wish *wish, const struct sg_file_key *key,
                         struct sg_request *request, struct sg_plan *plan)
{
    const char *name = sg_policy_name(wish->policy);
    const struct sg_csr_signer signer = sg_csr_signer_of_file((struct sg_file_key *)(uintptr_t)key);
    sg_auto(sg_buf) struct sg_buf der = {0};
    struct sg_error error = {0};

    expect_success(name, sg_csr_plan(wish, sg_file_key_public(key), plan, &error), &error);
    const struct sg_csr_spec spec = sg_csr_spec_of_plan(plan);
    expect_success(name, sg_enroll_csr(&signer, &spec, NULL, NULL, &der, &error), &error);
    expect_success(name, sg_csr_check_policy(wish, sg_buf_slice(&der), &error), &error);
    expect_success(name, sg_request_parse(sg_buf_slice(&der), request, &error), &error);
}

static void expect_planned(const char *name, const struct sg_request *request,
                           const struct sg_plan *plan)
{
    if (!sg_name_equal(&request->subject, &plan->subject) ||
        !sg_sans_equal(&request->sans, &plan->sans) ||
        !sg_oids_equal(&request->purposes, &plan->purposes) ||
        request->key_usage != plan->key_usage || request->ca != plan->ca)
        fail_msg("%s: the request does not say what the policy wants", name);
}

/* ---- the shipped policies, by the first of their examples that is accepted ---- */

static const struct sg_policy_example *accepted_example(const struct sg_policy *policy)
{
    for (size_t i = 0; i < sg_policy_num_examples(policy); i++)
        if (sg_policy_example(policy, i)->accept)
            return sg_policy_example(policy, i);
    return NULL;
}

static void read_example(const char *policies, const struct sg_policy_example *example,
                         struct sg_request *request)
{
    char path[512];
    sg_auto(sg_buf) struct sg_buf bytes = {0};
    struct sg_error error = {0};

    snprintf(path, sizeof path, "%s/%s", policies, example->csr);
    expect_success(path, sg_file_read(path, SG_LIMIT_REQUEST, &bytes, &error), &error);
    expect_success(path, sg_request_parse(sg_buf_slice(&bytes), request, &error), &error);
}

static bool takes_from_request(const struct sg_policy *policy)
{
    static const char REFERENCE[] = "${request.";
    struct sg_slice source = sg_policy_source(policy);

    return memmem(source.data, source.len, REFERENCE, strlen(REFERENCE)) != NULL;
}

static void make_for_policy(const char *policies, const struct sg_policy *policy)
{
    const struct sg_policy_example *example = accepted_example(policy);
    const char *name = sg_policy_name(policy);
    sg_auto(sg_request) struct sg_request model = {0}, request = {0};
    sg_auto(sg_plan) struct sg_plan plan = {0};
    sg_auto(sg_file_key) struct sg_file_key *key = NULL;
    struct sg_error error = {0};

    if (example == NULL)
        fail_msg("%s: no example that is accepted", name);
    read_example(policies, example, &model);
    const struct sg_issuer_facts issuer = {.name = "example",
                                           .subject = example->issuer,
                                           .scheme = SG_ECDSA_SHA256,
                                           .not_after = SG_TIME_NEVER,
                                           .path_length = -1,
                                           .crl_url = "http://pki.example.com/issuing.crl",
                                           .ocsp_url = "http://pki.example.com/ocsp",
                                           .ca_issuers_url = "http://pki.example.com/issuing.cer"};
    const struct sg_csr_wish wish = {
        .policy = policy,
        .issuer = example->issuer->num > 0 ? &issuer : NULL,
        .device = example->device,
        .user = example->user,
        .subject = takes_from_request(policy) ? &model.subject : &NOBODY,
        .issuer_name = "example",
        .now = NOW,
    };
    expect_success(name, sg_file_key_make(model.key.kind, &key, &error), &error);
    if (sg_policy_is_self_signed(policy)) {
        expect_failure(name, sg_csr_plan(&wish, sg_file_key_public(key), &plan, &error), &error,
                       SG_USAGE, "signet issuer self-sign");
        return;
    }
    make_request(&wish, key, &request, &plan);
    expect_planned(name, &request, &plan);
}

static void every_shipped_policy_gets_its_request(void **state)
{
    char policies[300], path[600];
    struct dirent *entry;
    size_t num = 0;

    (void)state;
    snprintf(policies, sizeof policies, "%s/policies", getenv("SIGNET_SOURCE"));
    DIR *folder = opendir(policies);
    assert_non_null(folder);
    while ((entry = readdir(folder)) != NULL) {
        sg_auto(sg_policy) struct sg_policy *policy = NULL;
        struct sg_error error = {0};
        const char *ending = strrchr(entry->d_name, '.');

        if (ending == NULL || strcmp(ending, ".yaml") != 0)
            continue;
        snprintf(path, sizeof path, "%s/%s", policies, entry->d_name);
        expect_success(path, sg_policy_load(path, &policy, &error), &error);
        make_for_policy(policies, policy);
        num++;
    }
    closedir(folder);
    assert_true(num >= 4);
}

/* ---- what can be wrong ---- */

static void load(const struct change changes[MOST_CHANGES], struct sg_policy **policy)
{
    sg_auto(sg_buf) struct sg_buf text = {0};
    struct sg_error error = {0};

    write_policy(changes, &text);
    expect_success("policy", sg_policy_parse("small", sg_buf_slice(&text), policy, &error), &error);
}

static void failures(void **state)
{
    static const struct {
        const char *name;
        struct change changes[MOST_CHANGES];
        const char *device, *subject, *issuer;
        enum sg_code code; /* SG_OK: none */
        const char *part;
    } CASES[] = {
        {"a device", {{0}}, "device-AB12", NULL, "", SG_OK, NULL},
        {"no device", {{0}}, NULL, NULL, "", SG_USAGE, "--set device.id"},
        {"no user",
         {{"subject", "subject: [{CN: '${user.name}'}]"}},
         NULL,
         NULL,
         "",
         SG_USAGE,
         "--set user.name"},
        {"another name", {{0}}, "device-AB12", "CN=device-ZZ99", "", SG_REFUSED, "device-ZZ99"},
        {"the same name", {{0}}, "device-AB12", "CN=device-AB12", "", SG_OK, NULL},
        {"more than the policy gives",
         {{0}},
         "device-AB12",
         "CN=device-AB12,OU=Lab",
         "",
         SG_REFUSED,
         "OU=Lab, which this policy does not give"},
        {"the same type twice",
         {{0}},
         "device-AB12",
         "CN=device-AB12,CN=b",
         "",
         SG_REFUSED,
         "which this policy does not give"},
        {"another kind of key",
         {{"keys", "keys: [{rsa: 2048, key_usage: [digitalSignature]}]"}},
         "device-AB12",
         NULL,
         "",
         SG_REFUSED,
         "this policy takes RSA-2048"},
        {"an attribute that is not there",
         {{"subject", "subject: [{CN: '${device.serial}'}]"}},
         "device-AB12",
         NULL,
         "",
         SG_REFUSED,
         "device.serial"},
        {"a request that must be equal",
         {{"request", "request: {subject: equal, san: equal}"}},
         "device-AB12",
         NULL,
         "",
         SG_OK,
         NULL},
        {"an issuer that nobody named",
         {{"subject", "subject: [{CN: '${issuer.name}'}]"}},
         "device-AB12",
         NULL,
         "",
         SG_USAGE,
         "--issuer NAME"},
        {"what an issuer's subject has",
         {{"subject", "subject: [{CN: '${device.id}${issuer.name}'}, {O: '${issuer.O}'}]"}},
         "device-AB12",
         NULL,
         "example",
         SG_USAGE,
         "use the home of the CA"},
        {"an issuer's name",
         {{"subject", "subject: [{CN: '${issuer.name}'}]"}},
         "device-AB12",
         NULL,
         "issuing",
         SG_OK,
         NULL},
        {"nothing of the request",
         {{"subject", "subject: [{CN: '${request.CN}'}]"}},
         NULL,
         NULL,
         "",
         SG_REFUSED,
         "${request.CN} has no value"},
    };
    sg_auto(sg_file_key) struct sg_file_key *key = NULL;
    char id[] = "device-AB12";
    const struct sg_record device = {.id = id};

    (void)state;
    assert_true(sg_file_key_make((struct sg_key_kind){SG_KEY_EC, 256}, &key, NULL));
    for (size_t i = 0; i < NUM(CASES); i++) {
        sg_auto(sg_policy) struct sg_policy *policy = NULL;
        sg_auto(sg_name) struct sg_name subject = {0};
        sg_auto(sg_plan) struct sg_plan plan = {0};
        sg_auto(sg_request) struct sg_request request = {0};
        struct sg_error error = {0};

        load(CASES[i].changes, &policy);
        if (CASES[i].subject != NULL)
            assert_true(sg_name_parse(CASES[i].subject, &subject, NULL));
        const struct sg_csr_wish wish = {.policy = policy,
                                         .device = CASES[i].device != NULL ? &device : NULL,
                                         .subject = &subject,
                                         .issuer_name = CASES[i].issuer,
                                         .now = NOW};
        if (CASES[i].code == SG_OK) {
            make_request(&wish, key, &request, &plan);
            expect_planned(CASES[i].name, &request, &plan);
            continue;
        }
        expect_failure(CASES[i].name, sg_csr_plan(&wish, sg_file_key_public(key), &plan, &error),
                       &error, CASES[i].code, CASES[i].part);
        assert_int_equal(plan.subject.num, 0);
    }
}

/* A request that says something else is not let through. */
static void the_finished_request_is_judged(void **state)
{
    sg_auto(sg_policy) struct sg_policy *policy = NULL;
    sg_auto(sg_file_key) struct sg_file_key *key = NULL;
    sg_auto(sg_name) struct sg_name subject = {0};
    sg_auto(sg_buf) struct sg_buf der = {0};
    char id[] = "device-AB12";
    const struct sg_record device = {.id = id};
    struct sg_error error = {0};

    (void)state;
    load((const struct change[MOST_CHANGES]){{0}}, &policy);
    assert_true(sg_file_key_make((struct sg_key_kind){SG_KEY_EC, 256}, &key, NULL));
    assert_true(sg_name_parse("CN=device-ZZ99", &subject, NULL));
    const struct sg_csr_signer signer = sg_csr_signer_of_file(key);
    const struct sg_csr_spec spec = {.subject = &subject};
    const struct sg_csr_wish wish = {
        .policy = policy, .device = &device, .subject = &NOBODY, .issuer_name = "", .now = NOW};
    expect_success("csr", sg_enroll_csr(&signer, &spec, NULL, NULL, &der, &error), &error);
    expect_failure("check", sg_csr_check_policy(&wish, sg_buf_slice(&der), &error), &error,
                   SG_REFUSED, "device-ZZ99");
    sg_error_clear(&error);
    expect_failure("noise", sg_csr_check_policy(&wish, sg_slice_text("noise"), &error), &error,
                   SG_MALFORMED, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_shipped_policy_gets_its_request),
        cmocka_unit_test(failures),
        cmocka_unit_test(the_finished_request_is_judged),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
