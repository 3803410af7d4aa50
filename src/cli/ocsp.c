#include "status/ocsp.h"

#include "commands.h"
#include "issue/responder.h"
#include "open.h"
#include "output.h"

static const struct sg_option ANSWER_OPTIONS[] = {
    {"output", 'o', "FILE", "write the response here (default: standard output)"},
    {"force", 'f', NULL, "replace what is there"},
    {0},
};

static const struct sg_option RENEW_OPTIONS[] = {
    {"issuer", 0, "NAME", "the issuer, when several are active"},
    {"output", 'o', "FILE", "also write the certificate here"},
    {"force", 'f', NULL, "replace what is there"},
    {0},
};

/* ---- ocsp REQUEST ---- */

/* A certificate that could not be renewed in time still answers, until it ends. */
static bool renew_when_due(struct sg_cli *cli, struct sg_home *home, const char *issuer,
                           struct sg_error *error)
{
    sg_auto(sg_responder_news) struct sg_responder_news news = {0};
    char until[SG_TIME_TEXT_SIZE];

    if (!sg_issue_responder(home, issuer, cli->clock, SG_RENEW_WHEN_DUE, &news, error))
        return false;
    sg_time_text(news.not_after, until);
    if (news.renewed)
        fprintf(stderr, "the OCSP responder of issuer %s has a certificate until %s\n", issuer,
                until);
    else if (news.why.code != SG_OK)
        fprintf(stderr,
                "the certificate of the OCSP responder of issuer %s ends at %s and could not be "
                "renewed: %s\n",
                issuer, until, news.why.text);
    return true;
}

static bool prepare(struct sg_cli *cli, struct sg_home *home, struct sg_ocsp *ocsp,
                    struct sg_slice request, struct sg_error *error)
{
    const char *issuer = NULL;

    return sg_ocsp_asked_issuer(ocsp, request, &issuer, error) &&
           renew_when_due(cli, home, issuer, error) &&
           sg_ocsp_ready(ocsp, issuer, sg_clock_now(&cli->clock), error);
}

static bool deliver(struct sg_cli *cli, const struct sg_ocsp_answer *answer, struct sg_error *error)
{
    const char *output = sg_cli_text(cli, "output");

    if (output != NULL)
        return sg_file_write(output, sg_buf_slice(&answer->der), 0644,
                             sg_cli_has(cli, "force") ? SG_REPLACE_EXISTING : SG_KEEP_EXISTING,
                             error);
    return cli->json || /* as JSON it is in the result */
           fwrite(answer->der.data, 1, answer->der.len, stdout) == answer->der.len ||
           sg_fail_errno(error, "the result could not be written to standard output");
}

static json_t *answer_json(const struct sg_ocsp_answer *answer, const char *output)
{
    char from[SG_TIME_TEXT_SIZE], until[SG_TIME_TEXT_SIZE];

    return json_pack("{s:s, s:I, s:I, s:I, s:s, s:s, s:b, s:o, s:o}", "status",
                     sg_ocsp_status_word(answer->status), "good", (json_int_t)answer->num_good,
                     "revoked", (json_int_t)answer->num_revoked, "unknown",
                     (json_int_t)answer->num_unknown, "this_update",
                     sg_time_text(answer->this_update, from), "next_update",
                     sg_time_text(answer->next_update, until), "cacheable", answer->cacheable,
                     "output", sg_json_text_or_null(output), "response",
                     output != NULL ? json_null()
                                    : sg_cli_pem_json(sg_buf_slice(&answer->der), "OCSP RESPONSE"));
}

static void summarise(const struct sg_ocsp_answer *answer)
{
    char until[SG_TIME_TEXT_SIZE];

    fprintf(stderr, "%zu good, %zu revoked, %zu unknown, next update %s\n", answer->num_good,
            answer->num_revoked, answer->num_unknown, sg_time_text(answer->next_update, until));
}

/* What a client would get is delivered in any case; the exit status and the message say what the
 * operator should know. */
static bool answer_and_deliver(struct sg_cli *cli, struct sg_home *home, struct sg_ocsp *ocsp,
                               struct sg_slice request, struct sg_ocsp_answer *answer,
                               struct sg_error *error)
{
    struct sg_error unprepared = {0}, why = {0};

    (void)prepare(cli, home, ocsp, request, &unprepared);
    bool done =
        sg_ocsp_answer(ocsp, sg_home_store(home), request, sg_clock_now(&cli->clock), answer, &why);
    if (answer->der.len > 0 && !deliver(cli, answer, error))
        return false;
    return done || sg_error_pass(error, unprepared.code != SG_OK ? &unprepared : &why);
}

static bool run_answer(struct sg_cli *cli, struct sg_error *error)
{
    const char *output = sg_cli_text(cli, "output");
    sg_auto(sg_home) struct sg_home *home = NULL;
    sg_auto(sg_ocsp) struct sg_ocsp *ocsp = NULL;
    sg_auto(sg_buf) struct sg_buf request = {0};
    sg_auto(sg_ocsp_answer) struct sg_ocsp_answer answer = {0};

    if (!sg_file_read(cli->operands[0], SG_LIMIT_OCSP_REQUEST, &request, error) ||
        !sg_cli_check_output(output, sg_cli_has(cli, "force"), error) ||
        !sg_cli_open_home(cli, SG_STORE_OPEN, &home, error) || !sg_ocsp_new(home, &ocsp, error) ||
        !answer_and_deliver(cli, home, ocsp, sg_buf_slice(&request), &answer, error))
        return false;
    if (cli->json)
        return sg_cli_print_json(answer_json(&answer, output), error);
    summarise(&answer);
    return true;
}

/* ---- ocsp renew ---- */

static json_t *news_json(const struct sg_responder_news *news)
{
    char serial[SG_SERIAL_TEXT_SIZE], until[SG_TIME_TEXT_SIZE];

    return json_pack("{s:s, s:s, s:b, s:o}", "serial", sg_serial_text(&news->serial, serial),
                     "not_after", sg_time_text(news->not_after, until), "renewed", news->renewed,
                     "certificate",
                     sg_cli_pem_json(sg_buf_slice(&news->certificate), "CERTIFICATE"));
}

static bool run_renew(struct sg_cli *cli, struct sg_error *error)
{
    const char *output = sg_cli_text(cli, "output");
    const bool force = sg_cli_has(cli, "force");
    sg_auto(sg_home) struct sg_home *home = NULL;
    sg_auto(sg_responder_news) struct sg_responder_news news = {0};
    char until[SG_TIME_TEXT_SIZE];

    if (!sg_cli_check_output(output, force, error) ||
        !sg_cli_open_home(cli, SG_STORE_OPEN, &home, error) ||
        !sg_issue_responder(home, sg_cli_text(cli, "issuer"), cli->clock, SG_RENEW_NOW, &news,
                            error) ||
        (output != NULL &&
         !sg_cli_emit_pem(output, force, sg_buf_slice(&news.certificate), "CERTIFICATE", error)))
        return false;
    if (cli->json)
        return sg_cli_print_json(news_json(&news), error);
    fprintf(stderr, "%s until %s\n",
            news.renewed
                ? "the OCSP responder has a new certificate"
                : "it is too early for a new certificate; the OCSP responder keeps its own",
            sg_time_text(news.not_after, until));
    return true;
}

/* The longer one first: its second word is no request. */
const struct sg_command SG_OCSP_COMMANDS[] = {
    {"ocsp renew", "", "renew the certificate of an issuer's OCSP responder",
     "Its key is named by `ocsp` in signet.yaml; its policy says how early it may be renewed.",
     RENEW_OPTIONS, 0, 0, run_renew},
    {"ocsp", "REQUEST", "answer an OCSP request",
     "REQUEST is DER, as `openssl ocsp -reqout` writes it; - is standard input. The response is\n"
     "DER too, and is written also when it tells of an error. The responder's certificate is made\n"
     "or renewed when it is time.",
     ANSWER_OPTIONS, 1, 1, run_answer},
    {0},
};
