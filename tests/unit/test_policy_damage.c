/* Policies with an accident: a line dropped, doubled or re-indented, a character changed. Each of
 * them fails with line and column, or it loads and differs from what it was in nothing but the key
 * that the line belongs to: no rule of another key is lost, moved or bent. */
#include "policy_fixture.h"

#include "base/file.h"

enum { NUM_DAMAGED = 1000, SEED = 20260101, MOST_LINES = 400 };

/* Every key of the language, a line for each thing. */
static const char LEAF[] = "policy: small\n"
                           "description: For tests\n"
                           "who:\n"
                           "  any:\n"
                           "    - operator\n"
                           "    - {approval: officer}\n"
                           "keys:\n"
                           "  - ec: [P-256, P-384]\n"
                           "    key_usage: [digitalSignature]\n"
                           "  - rsa: 2048..4096\n"
                           "    key_usage:\n"
                           "      - digitalSignature\n"
                           "      - keyEncipherment\n"
                           "subject:\n"
                           "  - CN: '${device.id}'\n"
                           "  - OU:\n"
                           "      value: 'line-${device.type}'\n"
                           "      match: 'line-[a-z]+'\n"
                           "  - O: {value: '${device.owner}', optional: true}\n"
                           "  - L: {value: lab, issuer: equal-or-absent}\n"
                           "san:\n"
                           "  - dns: {value: '${device.names}', each: ','}\n"
                           "  - uri: 'urn:dev:${device.id}'\n"
                           "  - hardware-module:\n"
                           "      type: 1.3.6.1.4.1.32473.1.2\n"
                           "      serial: '${device.id}'\n"
                           "  - permanent-identifier: {value: '${device.id}'}\n"
                           "  - other: {oid: 1.3.6.1.4.1.32473.1.3, octets: '00ff'}\n"
                           "  - dirname:\n"
                           "      - C: DE\n"
                           "      - O: Example GmbH\n"
                           "extended_key_usage:\n"
                           "  - clientAuth\n"
                           "  - 1.3.6.1.4.1.32473.7\n"
                           "extensions:\n"
                           "  - oid: 1.3.6.1.4.1.32473.1\n"
                           "    utf8: 'type:${device.type}'\n"
                           "  - oid: 1.3.6.1.5.5.7.1.7\n"
                           "    critical: true\n"
                           "    sequence:\n"
                           "      - integer: 3\n"
                           "      - boolean: true\n"
                           "certificate_policies:\n"
                           "  - oid: 1.3.6.1.4.1.32473.5\n"
                           "    cps: https://pki.example.com/cps\n"
                           "    notice: For tests\n"
                           "publish:\n"
                           "  crl: required\n"
                           "  ocsp: offered\n"
                           "validity:\n"
                           "  for: 365d\n"
                           "  backdate: 5m\n"
                           "  align: hour\n"
                           "  past_issuer: refuse\n"
                           "renewal:\n"
                           "  window: 60d\n"
                           "  same_key: allow\n"
                           "  previous: revoke\n"
                           "  recheck: [device.enabled]\n"
                           "unique: device\n"
                           "request:\n"
                           "  subject: equal\n"
                           "  san: equal-or-absent\n"
                           "  extensions: match\n"
                           "examples:\n"
                           "  - csr: small/ok.csr\n"
                           "    device: {id: device-AB12, type: leo}\n"
                           "    expect: accept\n"
                           "  - csr: small/wrong.csr\n"
                           "    expect: {refuse: subject.CN}\n";

static const char CA[] = "policy: small\n"
                         "description: For tests\n"
                         "who: {all: [operator]}\n"
                         "keys:\n"
                         "  - ec: [P-256, P-384]\n"
                         "    key_usage: [keyCertSign, cRLSign]\n"
                         "subject:\n"
                         "  - CN: '${request.CN}'\n"
                         "ca:\n"
                         "  path_length: 0\n"
                         "name_constraints:\n"
                         "  permitted:\n"
                         "    dns:\n"
                         "      - a.example\n"
                         "      - b.example\n"
                         "  excluded:\n"
                         "    ip: [192.0.2.0/24]\n"
                         "    dns:\n"
                         "      - x.a.example\n"
                         "policy_constraints:\n"
                         "  require_explicit: 0\n"
                         "inhibit_any_policy: 0\n"
                         "validity:\n"
                         "  until: 2030-01-01\n"
                         "renewal: never\n";

/* What is said about a policy: every rule's verdict on several who ask. */
struct meaning {
    struct sg_verdict *verdicts;
    size_t num;
};

static void p_521(struct asking *asking)
{
    asking->request.key.kind = (struct sg_key_kind){SG_KEY_EC, 521};
}

static void rsa_2048(struct asking *asking)
{
    asking->request.key.kind = (struct sg_key_kind){SG_KEY_RSA, 2048};
    ask_subject(asking, "CN=device-AB12");
}

static void by_ticket(struct asking *asking)
{
    asking->requester.evidence = SG_BY_TICKET | SG_BY_RENEWAL | SG_BY_APPROVAL;
    ask_subject(asking, "CN=device-ZZ99,OU=x");
    ask_san(asking, SG_SAN_DNS, "c.example");
    ask_purpose(asking, "serverAuth");
}

static void (*const ASKERS[])(struct asking *asking) = {NULL, p_521, rsa_2048, by_ticket};
enum { NUM_ASKERS = sizeof ASKERS / sizeof *ASKERS };

static void ask(const struct sg_policy *policy, size_t asker, struct meaning *meaning)
{
    sg_auto(asking) struct asking asking = {0};
    struct sg_error error = {0};
    struct sg_decision_input input;

    asking_init(&asking);
    must(sg_record_set(&asking.requester.device, "names", "a.example,b.example", &error) &&
             sg_record_set(&asking.requester.device, "region", "us-east", &error),
         &error);
    if (ASKERS[asker] != NULL)
        ASKERS[asker](&asking);
    input = input_of(&asking);
    must(sg_policy_check(policy, &input, &meaning->verdicts, &meaning->num, &error), &error);
}

/* The key that a rule belongs to: "subject" of "subject.CN", "san" of "san[1]". */
static bool belongs(const struct sg_verdict *verdict, const char *key)
{
    size_t len = strlen(key);

    return strncmp(verdict->rule, key, len) == 0 && strchr(".[", verdict->rule[len]) != NULL;
}

/* The verdicts that belong to a key, one after the other. */
static void tell(const struct meaning *meaning, const char *key, struct sg_buf *text)
{
    for (size_t i = 0; i < meaning->num; i++) {
        const struct sg_verdict *verdict = &meaning->verdicts[i];

        if (belongs(verdict, key))
            assert_true(sg_buf_printf(text, SG_LIMIT_YAML, NULL, "%s %d %s\n", verdict->rule,
                                      verdict->passed, verdict->text));
    }
}

static void tell_examples(const struct sg_policy *policy, struct sg_buf *text)
{
    for (size_t i = 0; i < sg_policy_num_examples(policy); i++) {
        const struct sg_policy_example *example = sg_policy_example(policy, i);

        assert_true(sg_buf_printf(text, SG_LIMIT_YAML, NULL, "%s %s %s %d %s\n", example->csr,
                                  example->device != NULL ? example->device->id : "-",
                                  example->user != NULL ? example->user->id : "-", example->accept,
                                  example->refuse != NULL ? example->refuse : "-"));
    }
}

static void tell_itself(const struct sg_policy *policy, const char *key, struct sg_buf *text)
{
    if (strcmp(key, "policy") == 0)
        assert_true(sg_buf_printf(text, SG_LIMIT_YAML, NULL, "%s", sg_policy_name(policy)));
    if (strcmp(key, "description") == 0)
        assert_true(sg_buf_printf(text, SG_LIMIT_YAML, NULL, "%s", sg_policy_description(policy)));
    if (strcmp(key, "examples") == 0)
        tell_examples(policy, text);
    if (strcmp(key, "ca") == 0)
        assert_true(sg_buf_printf(text, SG_LIMIT_YAML, NULL, "%d %d\n", sg_policy_is_ca(policy),
                                  sg_policy_is_self_signed(policy)));
    if (strcmp(key, "who") == 0)
        assert_true(sg_buf_printf(text, SG_LIMIT_YAML, NULL, "%d\n", sg_policy_registers(policy)));
}

static bool same_in(const struct sg_policy *a, const struct sg_policy *b, const char *key)
{
    sg_auto(sg_buf) struct sg_buf of_a = {0};
    sg_auto(sg_buf) struct sg_buf of_b = {0};

    tell_itself(a, key, &of_a);
    tell_itself(b, key, &of_b);
    for (size_t i = 0; i < NUM_ASKERS; i++) {
        struct meaning in_a = {0}, in_b = {0};

        ask(a, i, &in_a);
        ask(b, i, &in_b);
        tell(&in_a, key, &of_a);
        tell(&in_b, key, &of_b);
        free(in_a.verdicts);
        free(in_b.verdicts);
    }
    return sg_slice_equal(sg_buf_slice(&of_a), sg_buf_slice(&of_b));
}

/* request's verdicts are about what other keys give. */
static bool may_differ(const char *key, const char *damaged)
{
    static const char *const GIVE[] = {"keys",       "subject", "san", "extended_key_usage",
                                       "extensions", "ca"};

    if (strcmp(key, damaged) == 0)
        return true;
    for (size_t i = 0; i < NUM(GIVE) && strcmp(key, "request") == 0; i++) {
        if (strcmp(GIVE[i], damaged) == 0)
            return true;
    }
    return false;
}

static const char *const KEYS[] = {
    "policy",
    "description",
    "who",
    "keys",
    "subject",
    "san",
    "extended_key_usage",
    "extensions",
    "certificate_policies",
    "ca",
    "name_constraints",
    "policy_constraints",
    "inhibit_any_policy",
    "publish",
    "validity",
    "renewal",
    "unique",
    "request",
    "examples",
};

/* Lines of a text; the text is cut into them. */
struct lines {
    char *text;
    char *items[MOST_LINES];
    size_t num;
};

static void cut(struct lines *lines, const char *text)
{
    char *rest = NULL;

    *lines = (struct lines){.text = strdup(text)};
    for (char *line = strtok_r(lines->text, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        assert_true(lines->num < MOST_LINES);
        lines->items[lines->num++] = line;
    }
}

/* The key that a line belongs to: the last one that begins at the left edge. */
static void key_of(const struct lines *lines, size_t at, char key[64])
{
    snprintf(key, 64, "-");
    for (size_t i = 0; i <= at; i++) {
        size_t len = strspn(lines->items[i], "abcdefghijklmnopqrstuvwxyz_");

        if (len > 0 && lines->items[i][len] == ':')
            snprintf(key, 64, "%.*s", (int)len, lines->items[i]);
    }
}

/* The same numbers on every machine: xorshift. */
static unsigned roll(uint64_t *random, size_t below)
{
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    return (unsigned)((*random >> 16) % below);
}

enum damage { DROPPED, DOUBLED, INDENTED, OUTDENTED, CHANGED, NUM_DAMAGES };

static void change_one(const char *line, uint64_t *random, struct sg_buf *text)
{
    static const char WITH[] = "abxyzAZ0123456789 -:,.#'\"{}[]$%&*!|>@?\t";
    size_t at = roll(random, strlen(line));
    size_t how = roll(random, 3);
    char with = WITH[roll(random, sizeof WITH - 1)];

    assert_true(sg_buf_append(text, line, at, SG_LIMIT_YAML, NULL));
    if (how != 0) /* 0: removed, 1: replaced, 2: put before */
        assert_true(sg_buf_append(text, &with, 1, SG_LIMIT_YAML, NULL));
    at += how != 2;
    assert_true(sg_buf_printf(text, SG_LIMIT_YAML, NULL, "%s\n", line + at));
}

static void write_damaged(const char *line, enum damage damage, uint64_t *random,
                          struct sg_buf *text)
{
    size_t spaces = roll(random, 4) + 1, has = strspn(line, " ");

    switch (damage) {
    case DROPPED:
        break;
    case DOUBLED:
        assert_true(sg_buf_printf(text, SG_LIMIT_YAML, NULL, "%s\n%s\n", line, line));
        break;
    case INDENTED:
        assert_true(sg_buf_printf(text, SG_LIMIT_YAML, NULL, "%*s%s\n", (int)spaces, "", line));
        break;
    case OUTDENTED:
        assert_true(
            sg_buf_printf(text, SG_LIMIT_YAML, NULL, "%s\n", line + (spaces < has ? spaces : has)));
        break;
    default:
        change_one(line, random, text);
    }
}

static bool has_line_and_column(const char *message)
{
    unsigned line = 0, column = 0;
    int len = 0;

    return sscanf(message, "p.yaml:%u:%u: %n", &line, &column, &len) == 2 && len > 0 && line > 0 &&
           column > 0 && message[len] != '\0';
}

struct tally {
    unsigned failed, same, other;
};

static void judge(const struct sg_policy *whole, const char *key, const struct sg_buf *text,
                  struct tally *tally)
{
    sg_auto(sg_policy) struct sg_policy *policy = NULL;
    struct sg_error error = {0};
    bool same = true;

    if (!sg_policy_parse("p.yaml", sg_buf_slice(text), &policy, &error)) {
        if (error.code != SG_INVALID || !has_line_and_column(error.text))
            fail_msg("no line and column: %s\n%s", error.text, (const char *)text->data);
        tally->failed++;
        return;
    }
    for (size_t i = 0; i < NUM(KEYS); i++) {
        if (same_in(whole, policy, KEYS[i]))
            continue;
        same = false;
        if (!may_differ(KEYS[i], key))
            fail_msg("a line of %s was damaged, and %s means something else:\n%s", key, KEYS[i],
                     (const char *)text->data);
    }
    tally->same += same;
    tally->other += !same;
}

static void damage_one(const char *text, uint64_t *random, struct tally *tally)
{
    sg_auto(sg_policy) struct sg_policy *whole = NULL;
    sg_auto(sg_buf) struct sg_buf damaged = {0};
    struct sg_error error = {0};
    struct lines lines;
    char key[64];
    size_t at = 0;
    enum damage damage = (enum damage)roll(random, NUM_DAMAGES);

    must(sg_policy_parse("p.yaml", sg_slice_text(text), &whole, &error), &error);
    cut(&lines, text);
    at = roll(random, lines.num);
    key_of(&lines, at, key);
    for (size_t i = 0; i < lines.num; i++) {
        if (i == at)
            write_damaged(lines.items[i], damage, random, &damaged);
        else
            assert_true(sg_buf_printf(&damaged, SG_LIMIT_YAML, NULL, "%s\n", lines.items[i]));
    }
    judge(whole, key, &damaged, tally);
    free(lines.text);
}

static void read_shipped(const char *name, struct sg_buf *text)
{
    const char *source = getenv("SIGNET_SOURCE");
    char path[SG_LIMIT_PATH];
    struct sg_error error = {0};

    if (source == NULL)
        fail_msg("SIGNET_SOURCE has to be the folder of the sources");
    snprintf(path, sizeof path, "%s/policies/%s.yaml", source, name);
    must(sg_file_read(path, SG_LIMIT_YAML, text, &error), &error);
}

static void damage_is_seen_or_does_not_spread(void **state)
{
    static const char *const SHIPPED[] = {
        "device-mtls", "idevid",          "issuing-ca",
        "ldevid",      "matter-dac",      "matter-paa",
        "matter-pai",  "mobile-app",      "ocsp-responder",
        "operator",    "piv-auth",        "piv-card-auth",
        "root-ca",     "service-account", "smartcard-logon",
        "smime",       "tls-server",      "user-client",
        "vpn",         "line-statement",
    };
    struct sg_buf shipped[NUM(SHIPPED)] = {{0}};
    struct tally tally = {0};
    uint64_t random = SEED;

    (void)state;
    for (size_t i = 0; i < NUM(SHIPPED); i++)
        read_shipped(SHIPPED[i], &shipped[i]);
    for (unsigned i = 0; i < NUM_DAMAGED; i++) {
        const char *text = i % 2 == 0 ? LEAF : CA;

        if (i % 4 == 3)
            text = (const char *)shipped[roll(&random, NUM(SHIPPED))].data;
        damage_one(text, &random, &tally);
    }
    for (size_t i = 0; i < NUM(SHIPPED); i++)
        sg_buf_free(&shipped[i]);
    print_message(
        "# %u fail with line and column, %u mean the same, %u differ in the damaged key\n",
        tally.failed, tally.same, tally.other);
    assert_true(tally.failed > NUM_DAMAGED / 4); /* else the damage is too tender to prove much */
}

/* The judge itself must see a difference when there is one. */
static void differences_are_seen(void **state)
{
    static const struct {
        const char *key, *from, *to;
    } CHANGES[] = {
        {"who", "    - operator\n", ""},
        {"keys", "P-256, P-384", "P-384"},
        {"subject", "  - CN: '${device.id}'\n", ""},
        {"san", "urn:dev:", "urn:lab:"},
        {"extended_key_usage", "  - clientAuth\n", ""},
        {"extensions", "integer: 3", "integer: 4"},
        {"certificate_policies", "32473.5", "32473.6"},
        {"publish", "  crl: required\n", ""},
        {"validity", "365d", "366d"},
        {"renewal", "previous: revoke", "previous: keep"},
        {"unique", "unique: device\n", ""},
        {"request", "subject: equal", "subject: ignore"},
        {"examples", "    expect: accept", "    expect: {refuse: keys}"},
    };
    sg_auto(sg_policy) struct sg_policy *whole = NULL;
    struct sg_error error = {0};

    (void)state;
    must(sg_policy_parse("p.yaml", sg_slice_text(LEAF), &whole, &error), &error);
    for (size_t i = 0; i < NUM(CHANGES); i++) {
        const char *at = strstr(LEAF, CHANGES[i].from);
        sg_auto(sg_policy) struct sg_policy *policy = NULL;
        sg_auto(sg_buf) struct sg_buf text = {0};

        assert_non_null(at);
        assert_true(sg_buf_printf(&text, SG_LIMIT_YAML, NULL, "%.*s%s%s", (int)(at - LEAF), LEAF,
                                  CHANGES[i].to, at + strlen(CHANGES[i].from)));
        must(sg_policy_parse("p.yaml", sg_buf_slice(&text), &policy, &error), &error);
        if (same_in(whole, policy, CHANGES[i].key))
            fail_msg("the change in %s is not seen", CHANGES[i].key);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(differences_are_seen),
        cmocka_unit_test(damage_is_seen_or_does_not_spread),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
