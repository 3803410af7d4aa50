/* policy_fixture: a small policy in which a test changes one key, and somebody who asks under it.
 */
#ifndef SG_TEST_POLICY_FIXTURE_H
#define SG_TEST_POLICY_FIXTURE_H

#include "expect.h"

#include <openssl/x509v3.h>

#include "base/clock.h"
#include "policy/policy.h"

/* One line for each key, in this order; a key that is not here is added as line 7. */
static const struct {
    const char *key, *line;
} SMALL_POLICY[] = {
    {"policy", "policy: small"},
    {"description", "description: For tests"},
    {"who", "who: {any: [operator]}"},
    {"keys", "keys: [{ec: [P-256], key_usage: [digitalSignature]}]"},
    {"subject", "subject: [{CN: '${device.id}'}]"},
    {"validity", "validity: {for: 365d}"},
};

/* A change: the line of its key becomes another, "" to remove it. Of several, each with its own. */
struct change {
    const char *key, *line;
};
enum { MOST_CHANGES = 4 };

static inline const char *changed_line(const char *key, const char *line,
                                       const struct change changes[MOST_CHANGES])
{
    for (size_t i = 0; i < MOST_CHANGES && changes[i].key != NULL; i++) {
        if (strcmp(changes[i].key, key) == 0)
            return changes[i].line;
    }
    return line;
}

static inline bool is_in_small_policy(const char *key)
{
    for (size_t i = 0; i < NUM(SMALL_POLICY); i++) {
        if (strcmp(SMALL_POLICY[i].key, key) == 0)
            return true;
    }
    return false;
}

/* The small policy with changes. The caller releases text. */
static inline void write_policy(const struct change changes[MOST_CHANGES], struct sg_buf *text)
{
    struct sg_error error = {0};
    bool fits = true;

    for (size_t i = 0; i < NUM(SMALL_POLICY); i++) {
        const char *line = changed_line(SMALL_POLICY[i].key, SMALL_POLICY[i].line, changes);

        if (line[0] != '\0')
            fits = fits && sg_buf_printf(text, SG_LIMIT_YAML, &error, "%s\n", line);
    }
    for (size_t i = 0; i < MOST_CHANGES && changes[i].key != NULL; i++) {
        if (!is_in_small_policy(changes[i].key))
            fits = fits && sg_buf_printf(text, SG_LIMIT_YAML, &error, "%s\n", changes[i].line);
    }
    if (!fits)
        fail_msg("the policy can't be written: %s", error.text);
}

static inline bool parse_changed(const struct change changes[MOST_CHANGES],
                                 struct sg_policy **policy, struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf text = {0};

    write_policy(changes, &text);
    return sg_policy_parse("p.yaml", sg_buf_slice(&text), policy, error);
}

/* Somebody who asks: the device device-AB12 with a P-256 key, through an operator, on 2026-01-01.
 * The issuer is valid from 2025 to 2035 and has every URL. */
struct asking {
    struct sg_request request;
    struct sg_requester requester;
    struct sg_issuer_facts issuer;
    struct sg_name issuer_subject;
    int64_t now;
};

static inline int64_t moment(const char *text)
{
    struct sg_error error = {0};
    int64_t value = 0;

    if (!sg_time_parse(text, &value, &error))
        fail_msg("%s: %s", text, error.text);
    return value;
}

/* What a test's own preparation must not do is fail. */
static inline void must(bool verdict, const struct sg_error *error)
{
    if (!verdict)
        fail_msg("the test's preparation failed: %s", error->text);
}

static inline void asking_init(struct asking *asking)
{
    struct sg_error error = {0};

    *asking = (struct asking){
        .request = {.key = {.kind = {SG_KEY_EC, 256}}, .path_length = -1},
        .requester = {.evidence = SG_BY_OPERATOR, .has_device = true},
        .issuer = {.name = "issuing-2026",
                   .path_length = -1,
                   .not_before = moment("2025-01-01"),
                   .not_after = moment("2035-01-01"),
                   .crl_url = "http://pki.example.com/issuing.crl",
                   .ocsp_url = "http://pki.example.com/ocsp",
                   .ca_issuers_url = "http://pki.example.com/issuing.cer"},
        .now = moment("2026-01-01"),
    };
    asking->issuer.subject = &asking->issuer_subject;
    asking->requester.device.id = strdup("device-AB12");
    must(sg_record_set(&asking->requester.device, "type", "leo", &error), &error);
    must(sg_record_set(&asking->requester.device, "empty", "", &error), &error);
}

static inline void asking_done(struct asking *asking)
{
    sg_request_done(&asking->request);
    sg_requester_done(&asking->requester);
    sg_name_done(&asking->issuer_subject);
    X509_free(asking->issuer.certificate);
}
SG_DEFINE_CLEANUP_IN_PLACE(asking, asking_done)

static inline struct sg_decision_input input_of(const struct asking *asking)
{
    return (struct sg_decision_input){.request = &asking->request,
                                      .requester = &asking->requester,
                                      .issuer = &asking->issuer,
                                      .now = asking->now};
}

/* Preparations of an issuer: its subject; its certificate, which has nothing but nameConstraints as
 * OpenSSL's configuration writes them. */
static inline void have_issuer(struct asking *asking, const char *subject)
{
    struct sg_error error = {0};

    must(sg_name_parse(subject, &asking->issuer_subject, &error), &error);
}

static inline void constrain_issuer(struct asking *asking, const char *constraints)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, NID_name_constraints, constraints);

    asking->issuer.certificate = X509_new();
    if (extension == NULL || asking->issuer.certificate == NULL ||
        !X509_add_ext(asking->issuer.certificate, extension, -1))
        fail_msg("nameConstraints %s can't be made", constraints);
    X509_EXTENSION_free(extension);
}

/* Preparations of a request. */
static inline void ask_subject(struct asking *asking, const char *text)
{
    struct sg_error error = {0};

    sg_name_done(&asking->request.subject);
    must(sg_name_parse(text, &asking->request.subject, &error), &error);
}

static inline void ask_san(struct asking *asking, enum sg_san_kind kind, const char *value)
{
    struct sg_error error = {0};

    asking->request.has_sans = true;
    must(sg_sans_add(&asking->request.sans, kind, value, &error), &error);
}

static inline void ask_purpose(struct asking *asking, const char *word)
{
    struct sg_error error = {0};
    const char *oid = NULL;

    must(sg_oid_of_purpose(word, &oid, &error) &&
             sg_oids_add(&asking->request.purposes, oid, &error),
         &error);
}

static inline void ask_extension(struct asking *asking, const char *oid, const char *der)
{
    struct sg_error error = {0};

    must(sg_extensions_add(&asking->request.extensions, oid, false, sg_slice_text(der), &error),
         &error);
}

#endif
