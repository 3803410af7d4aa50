#include "ca_fixture.h"

#include "issue/steps.h"
#include "request/request.h"

/* The operator brings devices that nobody knows yet; tickets may ask, too, but bring none. */
static const char LINE[] = "policy: line\n"
                           "description: Devices that the line's operator brings\n"
                           "who: {any: [operator, ticket], unknown_device: register}\n"
                           "keys: [{ec: [P-256], key_usage: [digitalSignature]}]\n"
                           "subject: [{CN: '${device.id}'}]\n"
                           "validity: {for: 365d}\n"
                           "unique: device\n";

static const char PEOPLE[] = "policy: people\n"
                             "description: For users\n"
                             "who: {any: [operator]}\n"
                             "keys: [{ec: [P-256], key_usage: [digitalSignature]}]\n"
                             "subject: [{CN: '${user.name}'}]\n"
                             "validity: {for: 365d}\n";

static const char STRICT_REGISTRY[] = "  device:\n    id: 'device-[A-Z0-9]{4,32}'\n"
                                      "    type: '[a-z]+'\n";

static int make_home(void **state)
{
    struct ca *ca = *state;
    struct sg_error error = {0};

    ca_make_home(state);
    ca_put_policy(ca, "line", LINE);
    ca_put_policy(ca, "people", PEOPLE);
    ca_add_device(ca, "device-AB12");
    ca_add_device(ca, "device-GONE");
    ca_add_user(ca, "alice");
    ca_add_user(ca, "Mallory Moore");
    expect_success("disable",
                   sg_store_set_disabled(sg_home_store(ca->home), SG_REGISTRY_DEVICE, "device-GONE",
                                         true, &error) &&
                       sg_store_set_disabled(sg_home_store(ca->home), SG_REGISTRY_USER,
                                             "Mallory Moore", true, &error),
                   &error);
    return 0;
}

struct attempt {
    const char *name, *policy;
    const char *device, *user; /* as --device and --user name them */
    const char *cn;            /* the request's; NULL: none */
    const char *type;          /* as who brings the device describes it; NULL: nobody does */
    bool from_cn, ticket;      /* ticket: instead of the operator */
    enum sg_code code;
    const char *part;       /* of the message */
    const char *found;      /* device that is asking then */
    const char *found_user; /* user that is asking then */
    bool registers;
};

static void parse(const char *cn, struct ca_order *order)
{
    struct sg_error error = {0};

    if (cn != NULL) {
        ca_order(order, NULL, cn);
    } else {
        order->key = make_key("P-256");
        make_request(&(struct make_request){.key = order->key, .subject = "30{}"}, &order->der);
    }
    expect_success(
        "parse", sg_request_parse(sg_buf_slice(&order->der), &order->job.request, &error), &error);
}

static void expect_requester(const struct attempt *attempt, const struct sg_job *job)
{
    const struct sg_requester *requester = &job->requester;

    if (requester->has_device != (attempt->found != NULL) ||
        requester->has_user != (attempt->found_user != NULL))
        fail_msg("%s: device %d, user %d", attempt->name, requester->has_device,
                 requester->has_user);
    if (attempt->found != NULL && strcmp(requester->device.id, attempt->found) != 0)
        fail_msg("%s: device %s", attempt->name, requester->device.id);
    if (attempt->found_user != NULL && strcmp(requester->user.id, attempt->found_user) != 0)
        fail_msg("%s: user %s", attempt->name, requester->user.id);
    if (attempt->registers && attempt->type != NULL &&
        strcmp(sg_record_value(&requester->device, "type"), attempt->type) != 0)
        fail_msg("%s: the description got lost", attempt->name);
    if (job->register_device != attempt->registers)
        fail_msg("%s: register_device is %d", attempt->name, job->register_device);
}

static void try(struct ca *ca, const struct attempt *attempt)
{
    sg_auto(ca_order) struct ca_order order = {0};
    struct sg_issuing issuing = ca_issuing(ca, attempt->policy);
    struct sg_error error = {0};
    struct sg_attribute type = {(char[]){"type"}, NULL};
    struct sg_record described = {.attributes = &type, .num_attributes = 1};
    bool verdict;

    issuing.device_from_cn = attempt->from_cn;
    if (attempt->ticket)
        issuing.evidence = SG_BY_TICKET;
    parse(attempt->cn, &order);
    order.job.device = attempt->device;
    order.job.user = attempt->user;
    if (attempt->type != NULL) {
        described.id = strdup(attempt->device);
        type.value = strdup(attempt->type);
        order.job.described = &described;
    }
    verdict = sg_issue_authenticate(&issuing, &order.job, &error);
    free(described.id);
    free(type.value);
    if (order.job.requester.evidence != issuing.evidence)
        fail_msg("%s: the evidence got lost", attempt->name);
    if (attempt->code == SG_OK) {
        expect_success(attempt->name, verdict, &error);
        expect_requester(attempt, &order.job);
    } else {
        expect_failure(attempt->name, verdict, &error, attempt->code, attempt->part);
        /* a requester without an id would match anybody's certificates */
        if (order.job.requester.has_device && order.job.requester.device.id == NULL)
            fail_msg("%s: a device without an id", attempt->name);
        if (order.job.requester.has_user && order.job.requester.user.id == NULL)
            fail_msg("%s: a user without a name", attempt->name);
    }
}

static const struct attempt ATTEMPTS[] = {
    /* devices, named by the operator */
    {"named", "device-mtls", .device = "device-AB12", .cn = "device-AB12", .found = "device-AB12"},
    {"named, whatever the request says", "device-mtls", .device = "device-AB12",
     .cn = "device-GONE", .found = "device-AB12"},
    {"named wins over the CN", "device-mtls", .device = "device-AB12", .cn = "device-GONE",
     .from_cn = true, .found = "device-AB12"},
    {"unknown", "device-mtls", .device = "device-NONE", .cn = "device-NONE",
     .code = SG_UNAUTHENTICATED, .part = "device-NONE"},
    {"disabled", "device-mtls", .device = "device-GONE", .cn = "device-GONE",
     .code = SG_UNAUTHENTICATED, .part = "`signet device enable device-GONE`"},
    {"not named", "device-mtls", .cn = "device-AB12", .code = SG_UNAUTHENTICATED,
     .part = "say which with --device ID"},
    /* named by the request, where the operator vouches for that */
    {"by CN", "device-mtls", .cn = "device-AB12", .from_cn = true, .found = "device-AB12"},
    {"by an unknown CN", "device-mtls", .cn = "device-NONE", .from_cn = true,
     .code = SG_UNAUTHENTICATED, .part = "device-NONE"},
    {"by a disabled CN", "device-mtls", .cn = "device-GONE", .from_cn = true,
     .code = SG_UNAUTHENTICATED, .part = "is disabled"},
    {"by no CN", "device-mtls", .from_cn = true, .code = SG_UNAUTHENTICATED,
     .part = "does not have exactly one CN"},
    {"by two CNs", "device-mtls", .cn = "device-AB12'}}}31{30{06{550403}0C{'device-AB12",
     .from_cn = true, .code = SG_UNAUTHENTICATED, .part = "does not have exactly one CN"},
    /* brought by the operator */
    {"brought", "line", .cn = "device-NEW1", .found = "device-NEW1", .registers = true},
    {"brought and named", "line", .device = "device-NEW1", .cn = "device-AB12",
     .found = "device-NEW1", .registers = true},
    {"brought, but known", "line", .cn = "device-AB12", .found = "device-AB12"},
    {"brought, but disabled", "line", .cn = "device-GONE", .code = SG_UNAUTHENTICATED,
     .part = "is disabled"},
    {"brought, of the wrong form", "line", .cn = "toaster", .code = SG_REFUSED,
     .part = "'toaster' does not match"},
    /* and described: the registry agrees, or gets to know it */
    {"described as the registry has it", "device-mtls", .device = "device-AB12",
     .cn = "device-AB12", .type = "leo", .found = "device-AB12"},
    {"described otherwise", "device-mtls", .device = "device-AB12", .cn = "device-AB12",
     .type = "geo", .code = SG_REFUSED,
     .part = "comes with type 'geo', and the registry has 'leo'"},
    {"described, but unknown", "device-mtls", .device = "device-NEW1", .cn = "device-NEW1",
     .type = "leo", .code = SG_UNAUTHENTICATED, .part = "device-NEW1"},
    {"brought and described", "line", .device = "device-NEW1", .cn = "device-NEW1", .type = "geo",
     .found = "device-NEW1", .registers = true},
    {"brought and described otherwise", "line", .device = "device-AB12", .cn = "device-AB12",
     .type = "geo", .code = SG_REFUSED, .part = "the registry has 'leo'"},
    {"brought and described wrongly", "line", .device = "device-NEW1", .cn = "device-NEW1",
     .type = "G E O", .code = SG_REFUSED, .part = "'G E O' does not match"},
    {"brought without a name", "line", .code = SG_UNAUTHENTICATED, .part = "--device ID"},
    /* A's ticket with B's request, or with a name that nobody vouches for */
    {"a ticket brings nobody", "line", .cn = "device-NEW1", .ticket = true,
     .code = SG_UNAUTHENTICATED, .part = "--device ID"},
    {"a ticket's request does not choose", "line", .cn = "device-AB12", .ticket = true,
     .code = SG_UNAUTHENTICATED, .part = "--device ID"},
    {"a ticket for an unknown device", "line", .device = "device-NEW1", .cn = "device-NEW1",
     .ticket = true, .code = SG_UNAUTHENTICATED, .part = "device-NEW1"},
    {"a ticket for a known one", "line", .device = "device-AB12", .cn = "device-AB12",
     .ticket = true, .found = "device-AB12"},
    /* users */
    {"user", "people", .user = "alice", .cn = "alice", .found_user = "alice"},
    {"unknown user", "people", .user = "eve", .cn = "eve", .code = SG_UNAUTHENTICATED,
     .part = "eve"},
    {"disabled user", "people", .user = "Mallory Moore", .cn = "mallory",
     .code = SG_UNAUTHENTICATED, .part = "`signet user enable 'Mallory Moore'`"},
    {"no user", "people", .cn = "alice", .code = SG_UNAUTHENTICATED,
     .part = "say who with --user NAME"},
    {"device and user", "people", .device = "device-AB12", .user = "alice", .cn = "alice",
     .found = "device-AB12", .found_user = "alice"},
    /* neither is needed */
    {"nobody", "ocsp-responder", .cn = "responder"},
};

static void attempts(void **state)
{
    for (size_t i = 0; i < NUM(ATTEMPTS); i++)
        try(*state, &ATTEMPTS[i]);
}

/* What the registry asks of a device holds for one that is brought, too. */
static void a_device_that_lacks_an_attribute(void **state)
{
    struct ca *ca = *state;
    sg_auto(ca_order) struct ca_order order = {0};
    char path[128], text[8192];
    struct sg_error error = {0};
    FILE *file;
    size_t len;

    snprintf(path, sizeof path, "%s/signet.yaml", ca->dir);
    file = fopen(path, "r+");
    assert_non_null(file);
    len = fread(text, 1, sizeof text - 1, file);
    text[len] = '\0';
    char *registry = strstr(text, "  device:\n");
    assert_non_null(registry);
    assert_int_equal(fseek(file, registry - text, SEEK_SET), 0);
    fputs(STRICT_REGISTRY, file);
    assert_int_equal(fflush(file), 0);
    assert_int_equal(ftruncate(fileno(file), ftell(file)), 0);
    fclose(file);
    ca_reopen(ca);
    parse("device-NEW1", &order);
    struct sg_issuing issuing = ca_issuing(ca, "line");
    expect_failure("no type", sg_issue_authenticate(&issuing, &order.job, &error), &error,
                   SG_REFUSED, "type is missing");
    assert_string_equal(error.rule, "registry device.type");
}

static void a_store_that_fails(void **state)
{
    struct ca *ca = *state;
    sg_auto(ca_order) struct ca_order order = {0};
    struct sg_issuing issuing = ca_issuing(ca, "line");
    struct sg_error error = {0};

    parse("device-AB12", &order);
    ca_sql(ca, "UPDATE registry SET attributes = 'no JSON' WHERE id = 'device-AB12'");
    expect_failure("store", sg_issue_authenticate(&issuing, &order.job, &error), &error, SG_STORE,
                   "device-AB12");
    assert_false(order.job.register_device);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(attempts, make_home, ca_remove_home),
        cmocka_unit_test_setup_teardown(a_device_that_lacks_an_attribute, make_home,
                                        ca_remove_home),
        cmocka_unit_test_setup_teardown(a_store_that_fails, make_home, ca_remove_home),
    };

    return cmocka_run_group_tests(tests, ca_make_token, ca_remove_token);
}
