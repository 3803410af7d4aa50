#include <string.h>

#include "cert/cert.h"
#include "commands.h"
#include "enroll/enroll.h"
#include "issue/issue.h"
#include "open.h"
#include "output.h"

#define SUBJECT_OPTION                                                                             \
    {                                                                                              \
        "subject", 0, "NAME", "its name: 'CN=Example Root,O=Example GmbH'"                         \
    }
#define FORCE_OPTION                                                                               \
    {                                                                                              \
        "force", 'f', NULL, "replace what is there"                                                \
    }

static const struct sg_option SELF_SIGN_OPTIONS[] = {
    SUBJECT_OPTION,
    {"policy", 'p', "POLICY", "the policy of the root certificate (default: root-ca)"},
    {"output", 'o', "FILE", "also write the certificate here"},
    FORCE_OPTION,
    {0},
};

static const struct sg_option CSR_OPTIONS[] = {
    SUBJECT_OPTION,
    {"output", 'o', "FILE", "write the request here (default: standard output)"},
    FORCE_OPTION,
    {0},
};

static const struct sg_option IMPORT_OPTIONS[] = {
    {"chain", 0, "FILE", "certificates from its own issuer up to the root; may be repeated"},
    FORCE_OPTION,
    {0},
};

static bool parse_subject(const struct sg_cli *cli, struct sg_name *subject, struct sg_error *error)
{
    const char *text;

    return sg_cli_need(cli, "subject", &text, error) && sg_name_parse(text, subject, error);
}

/* An issuer that already has a certificate keeps it, unless --force. */
static bool check_uncertified(const struct sg_cli *cli, struct sg_home *home, const char *name,
                              struct sg_error *error)
{
    const struct sg_issuer_entry *entry;
    sg_auto(malloc) char *path = NULL;

    return sg_cli_find_issuer(home, name, &entry, error) &&
           sg_path_join(sg_home_dir(home), entry->certificate, &path, error) &&
           sg_cli_check_output(path, sg_cli_has(cli, "force"), error);
}

static bool certify_own_key(const struct sg_cli *cli, struct sg_home *home, const char *name,
                            struct sg_job *job, struct sg_error *error)
{
    const char *policy = sg_cli_text(cli, "policy");
    struct sg_issuing issuing = {.home = home, .evidence = SG_BY_OPERATOR, .clock = cli->clock};

    if (!sg_home_policy(home, policy != NULL ? policy : "root-ca", &issuing.policy, error) ||
        !sg_home_issuer(home, name, SG_ISSUER_TO_CERTIFY, &issuing.issuer, error) ||
        !sg_issue(&issuing, job, 1, error))
        return false;
    if (job->outcome == SG_JOB_REFUSED)
        *error = job->error;
    return job->outcome != SG_JOB_REFUSED;
}

static bool run_self_sign(struct sg_cli *cli, struct sg_error *error)
{
    const char *name = cli->operands[0], *output = sg_cli_text(cli, "output");
    bool force = sg_cli_has(cli, "force");
    sg_auto(sg_home) struct sg_home *home = NULL;
    sg_auto(sg_name) struct sg_name subject = {0};
    sg_auto(sg_job) struct sg_job job = {.own_subject = &subject};

    if (!parse_subject(cli, &subject, error) ||
        !sg_cli_open_home(cli, SG_STORE_OPEN, &home, error) ||
        !check_uncertified(cli, home, name, error) || !sg_cli_check_output(output, force, error) ||
        !certify_own_key(cli, home, name, &job, error))
        return false;
    struct sg_slice der = sg_buf_slice(&job.certificate);
    if (!sg_home_set_certificate(home, name, der, NULL, 0, force, sg_clock_now(&cli->clock),
                                 error) ||
        (output != NULL && !sg_cli_emit_pem(output, force, der, "CERTIFICATE", error)))
        return false;
    fprintf(stderr, "issuer %s is a root now\n", name);
    return true;
}

/* What an issuer's intent to sign its own request is noted in. */
struct intent {
    struct sg_store *store;
    int64_t issuer;
    int64_t now;
};

static bool note_intent(struct sg_slice to_be_signed, void *context, struct sg_error *error)
{
    struct intent *intent = context;

    return sg_store_intend_request(intent->store, intent->issuer, to_be_signed, intent->now, error);
}

static bool run_csr(struct sg_cli *cli, struct sg_error *error)
{
    const char *output = sg_cli_text(cli, "output");
    bool force = sg_cli_has(cli, "force");
    sg_auto(sg_home) struct sg_home *home = NULL;
    sg_auto(sg_name) struct sg_name subject = {0};
    sg_auto(sg_buf) struct sg_buf der = {0};
    struct sg_issuer *issuer;

    if (!parse_subject(cli, &subject, error) || !sg_cli_check_output(output, force, error) ||
        !sg_cli_open_home(cli, SG_STORE_OPEN, &home, error) ||
        !sg_home_issuer(home, cli->operands[0], SG_ISSUER_TO_CERTIFY, &issuer, error))
        return false;
    struct intent intent = {sg_home_store(home), issuer->id, sg_clock_now(&cli->clock)};
    const struct sg_csr_spec spec = {
        .subject = &subject, .ca = true, .scheme = issuer->facts.scheme};
    const struct sg_csr_signer signer = sg_csr_signer_of_token(issuer->signer);
    return sg_enroll_csr(&signer, &spec, note_intent, &intent, &der, error) &&
           sg_cli_emit_pem(output, force, sg_buf_slice(&der), "CERTIFICATE REQUEST", error);
}

static bool read_import(const struct sg_cli *cli, sg_certificates *certificates,
                        struct sg_error *error)
{
    const char *path;

    if (!sg_cli_read_certificates(cli->operands[1], certificates, error))
        return false;
    for (size_t i = 0; (path = sg_cli_nth(cli, "chain", i)) != NULL; i++)
        if (!sg_cli_read_certificates(path, certificates, error))
            return false;
    return true;
}

enum { MAX_CHAIN = 10 };

/* The certificates as DER, the issuer's own first. */
static bool encode_all(const sg_certificates *certificates, struct sg_buf ders[MAX_CHAIN],
                       struct sg_slice slices[MAX_CHAIN], struct sg_error *error)
{
    int num = sk_X509_num(certificates);

    if (num > MAX_CHAIN)
        return sg_fail(error, SG_USAGE, NULL, "%d certificates are more than a chain of %d", num,
                       MAX_CHAIN);
    for (int i = 0; i < num; i++) {
        if (!sg_cli_certificate_der(sk_X509_value(certificates, i), &ders[i], error))
            return false;
        slices[i] = sg_buf_slice(&ders[i]);
    }
    return true;
}

static bool run_import(struct sg_cli *cli, struct sg_error *error)
{
    sg_auto(sg_home) struct sg_home *home = NULL;
    sg_auto(sg_certificates) sg_certificates *certificates = sk_X509_new_null();
    struct sg_buf ders[MAX_CHAIN] = {0};
    struct sg_slice slices[MAX_CHAIN];

    if (certificates == NULL)
        return sg_fail_memory(error);
    bool done = read_import(cli, certificates, error) &&
                encode_all(certificates, ders, slices, error) &&
                sg_cli_open_home(cli, SG_STORE_OPEN, &home, error) &&
                sg_home_set_certificate(home, cli->operands[0], slices[0], slices + 1,
                                        (size_t)sk_X509_num(certificates) - 1,
                                        sg_cli_has(cli, "force"), sg_clock_now(&cli->clock), error);
    for (int i = 0; i < MAX_CHAIN; i++)
        sg_buf_free(&ders[i]);
    if (done)
        fprintf(stderr, "issuer %s has its certificate\n", cli->operands[0]);
    return done;
}

static const char *state_word(enum sg_issuer_state state)
{
    return state == SG_ISSUER_ACTIVE        ? "active"
           : state == SG_ISSUER_STATUS_ONLY ? "status-only"
                                            : "retired";
}

static json_t *issuer_json(const struct sg_issuer_entry *entry, const struct sg_issuer *issuer)
{
    char until[SG_TIME_TEXT_SIZE];

    return json_pack(
        "{s:s, s:s, s:s, s:s, s:o}", "name", entry->name, "state", state_word(entry->state),
        "token", entry->token, "key", entry->key, "not_after",
        issuer != NULL ? json_string(sg_time_text(issuer->facts.not_after, until)) : json_null());
}

static bool run_list(struct sg_cli *cli, struct sg_error *error)
{
    sg_auto(sg_home) struct sg_home *home = NULL;
    json_t *array = json_array();

    if (!sg_cli_open_home(cli, SG_STORE_OPEN, &home, error)) {
        json_decref(array);
        return false;
    }
    const struct sg_config *config = sg_home_config(home);
    for (size_t i = 0; i < config->num_issuers; i++) {
        const struct sg_issuer_entry *entry = &config->issuers[i];
        struct sg_error why = {0};
        struct sg_issuer *issuer = NULL;
        char until[SG_TIME_TEXT_SIZE];
        bool certified = sg_home_issuer(home, entry->name, SG_ISSUER_TO_READ, &issuer, &why);
        sg_cli_append(&array, issuer_json(entry, certified ? issuer : NULL));
        if (!cli->json)
            printf("%s  %s, key %s on token %s, %s%s\n", entry->name, state_word(entry->state),
                   entry->key, entry->token, certified ? "until " : "",
                   certified ? sg_time_text(issuer->facts.not_after, until) : why.text);
    }
    if (cli->json)
        return sg_cli_print_json(array, error);
    json_decref(array);
    return true;
}

const struct sg_command SG_ISSUER_COMMANDS[] = {
    {"issuer self-sign", "ISSUER", "make an issuer a root, certified by its own key", NULL,
     SELF_SIGN_OPTIONS, 1, 1, run_self_sign},
    {"issuer csr", "ISSUER", "a request for an issuer's certificate, for another CA", NULL,
     CSR_OPTIONS, 1, 1, run_csr},
    {"issuer import", "ISSUER FILE", "put the certificate that came back in place",
     "FILE may hold the chain too. The key, the rights and the chain up to a root are checked.",
     IMPORT_OPTIONS, 2, 2, run_import},
    {"issuer list", "", "the issuers of the home", NULL, NULL, 0, 0, run_list},
    {0},
};
