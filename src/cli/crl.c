#include "commands.h"
#include "open.h"
#include "output.h"
#include "status/status.h"

static const struct sg_option OPTIONS[] = {
    {"issuer", 0, "NAME", "the issuer, when several are active"},
    {"next-update", 0, "TIME", "how long it is good for: 7d, 12h (default: signet.yaml's)"},
    {"output", 'o', "FILE", "write the CRL here (default: standard output)"},
    {"der", 0, NULL, "DER instead of PEM, as a distribution point serves it"},
    {"force", 'f', NULL, "replace what is there"},
    {0},
};

/* To the file, or to standard output. */
static bool emit(struct sg_slice der, void *context, struct sg_error *error)
{
    const struct sg_cli *cli = context;
    const char *output = sg_cli_text(cli, "output");
    bool force = sg_cli_has(cli, "force");

    if (!sg_cli_has(cli, "der"))
        return sg_cli_emit_pem(output, force, der, "X509 CRL", error);
    if (output != NULL)
        return sg_file_write(output, der, 0644, force ? SG_REPLACE_EXISTING : SG_KEEP_EXISTING,
                             error);
    return fwrite(der.data, 1, der.len, stdout) == der.len ||
           sg_fail_errno(error, "the result could not be written to standard output");
}

/* A file is what others fetch: the latest CRL goes there, which another process may have made since
 * this one. Standard output has no order to keep, and may be slow. */
static bool deliver(struct sg_cli *cli, struct sg_home *home, const struct sg_issuer *issuer,
                    struct sg_slice der, struct sg_crl_summary *summary, struct sg_error *error)
{
    const uint64_t made = summary->number;

    if (sg_cli_text(cli, "output") == NULL)
        return cli->json || emit(der, cli, error); /* as JSON it is in the result */
    if (!sg_status_publish_crl(home, issuer, emit, cli, summary, error))
        return false;
    if (summary->number != made)
        fprintf(stderr, "CRL number %llu was made, and a later one meanwhile, which is in %s:\n",
                (unsigned long long)made, sg_cli_text(cli, "output"));
    return true;
}

static json_t *summary_json(const struct sg_crl_summary *summary, struct sg_slice der,
                            const char *output)
{
    char this[SG_TIME_TEXT_SIZE], next[SG_TIME_TEXT_SIZE];

    return json_pack("{s:I, s:I, s:s, s:s, s:o, s:o}", "number", (json_int_t)summary->number,
                     "entries", (json_int_t)summary->num_entries, "this_update",
                     sg_time_text(summary->this_update, this), "next_update",
                     sg_time_text(summary->next_update, next), "output",
                     sg_json_text_or_null(output), "crl",
                     output != NULL ? json_null() : sg_cli_pem_json(der, "X509 CRL"));
}

static void summarise(const struct sg_crl_summary *summary)
{
    char next[SG_TIME_TEXT_SIZE];

    fprintf(stderr, "CRL number %llu, %zu revoked, next update %s\n",
            (unsigned long long)summary->number, summary->num_entries,
            sg_time_text(summary->next_update, next));
}

/* 0 of lifetime_s means that the option is not there. */
static bool parse_lifetime(const struct sg_cli *cli, int64_t *lifetime_s, struct sg_error *error)
{
    const char *text = sg_cli_text(cli, "next-update");

    if (text == NULL)
        return true;
    if (!sg_duration_parse(text, lifetime_s, error))
        return false;
    return *lifetime_s > 0 ||
           sg_fail(error, SG_USAGE, NULL,
                   "--next-update %s: a CRL that is outdated at once is no use", text);
}

static bool run_crl(struct sg_cli *cli, struct sg_error *error)
{
    sg_auto(sg_home) struct sg_home *home = NULL;
    sg_auto(sg_buf) struct sg_buf der = {0};
    struct sg_issuer *issuer;
    struct sg_crl_summary summary;
    int64_t lifetime_s = 0;

    if (!parse_lifetime(cli, &lifetime_s, error) ||
        !sg_cli_check_output(sg_cli_text(cli, "output"), sg_cli_has(cli, "force"), error) ||
        !sg_cli_open_home(cli, SG_STORE_OPEN, &home, error) ||
        !sg_home_issuer(home, sg_cli_text(cli, "issuer"), SG_ISSUER_TO_SIGN_CRLS, &issuer, error) ||
        !sg_status_crl(home, issuer, lifetime_s, sg_clock_now(&cli->clock), &der, &summary,
                       error) ||
        !deliver(cli, home, issuer, sg_buf_slice(&der), &summary, error))
        return false;
    if (cli->json)
        return sg_cli_print_json(
            summary_json(&summary, sg_buf_slice(&der), sg_cli_text(cli, "output")), error);
    summarise(&summary);
    return true;
}

const struct sg_command SG_CRL_COMMANDS[] = {
    {"crl", "", "make the next certificate revocation list", NULL, OPTIONS, 0, 0, run_crl},
    {0},
};
