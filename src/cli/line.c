#include "line.h"

#include "commands.h"
#include "output.h"

void sg_cli_statement_done(struct sg_cli_statement *statement)
{
    sg_certificates_free(statement->certificates);
    sk_X509_free(statement->chain);
    EVP_PKEY_free(statement->key);
    sg_pkey_maker_free(statement->maker);
    sg_signer_close(statement->signer);
    sg_token_close(statement->token);
}

static bool open_key(struct sg_home *home, const char *token, const char *uri,
                     struct sg_cli_statement *statement, struct sg_error *error)
{
    sg_auto(sg_key) struct sg_key key = {0};

    return sg_home_token(home, token, &statement->token, error) &&
           sg_key_find(statement->token, uri, &key, error) &&
           sg_signer_open(statement->token, &key, &statement->signer, error) &&
           sg_pkey_maker_new(&statement->maker, error) &&
           sg_signer_pkey(statement->maker, statement->signer, &statement->key, error);
}

/* The issuer's certificates are those above the statement's own, where it has issued that. */
static bool read_certificates(const char *path, const struct sg_issuer *issuer,
                              struct sg_cli_statement *statement, struct sg_error *error)
{
    statement->certificates = sk_X509_new_null();
    statement->chain = sk_X509_new_null();
    if (statement->certificates == NULL || statement->chain == NULL ||
        sk_X509_push(statement->chain, issuer->facts.certificate) == 0)
        return sg_fail_memory(error);
    for (int i = 0; i < sk_X509_num(issuer->chain); i++)
        if (sk_X509_push(statement->chain, sk_X509_value(issuer->chain, i)) == 0)
            return sg_fail_memory(error);
    if (!sg_cli_read_certificates(path, statement->certificates, error))
        return false;
    statement->spec.certificate = sk_X509_value(statement->certificates, 0);
    return sg_statement_check(statement->spec.certificate, error) ||
           sg_error_prefix(error, "%s", path);
}

bool sg_cli_statement_open(const struct sg_cli *cli, struct sg_home *home,
                           const struct sg_issuer *issuer, struct sg_cli_statement *statement,
                           struct sg_error *error)
{
    const char *path = sg_cli_text(cli, "statement"), *key = sg_cli_text(cli, "statement-key");
    const char *certificate = sg_cli_text(cli, "statement-certificate");

    if (path == NULL && key == NULL && certificate == NULL)
        return true;
    if (path == NULL || key == NULL || certificate == NULL)
        return sg_fail(error, SG_USAGE, NULL,
                       "--statement, --statement-key and --statement-certificate belong together");
    if (sg_cli_has(cli, "dry-run"))
        return sg_fail(error, SG_USAGE, NULL, "a dry run serves nothing to make a statement over");
    if (!read_certificates(certificate, issuer, statement, error) ||
        !open_key(home, issuer->entry->token, key, statement, error))
        return false;
    if (X509_check_private_key(statement->spec.certificate, statement->key) != 1)
        return sg_fail_openssl(error, SG_USAGE, NULL, "%s is not the certificate of %s",
                               certificate, key);
    statement->spec.path = path;
    statement->spec.key = statement->key;
    statement->spec.chain = statement->chain;
    return true;
}

/* ---- signet line verify ---- */

static const struct sg_option VERIFY_OPTIONS[] = {
    {"ca", 0, "FILE", "the root to trust, PEM"},
    {0},
};

static const char *const FAULTS[] = {
    [SG_STATEMENT_MISSING] = "missing",
    [SG_STATEMENT_CHANGED] = "changed",
    [SG_STATEMENT_EXTRA] = "extra",
};

/* context is the list of a JSON result, or NULL. */
static void tell(void *context, enum sg_statement_fault fault, const char *file)
{
    json_t *list = context;

    if (list == NULL)
        printf("%s  %s\n", FAULTS[fault], file);
    else
        json_array_append_new(list, json_pack("{s:s, s:s}", "file", file, "fault", FAULTS[fault]));
}

static bool print_verdict(struct sg_cli *cli, const struct sg_statement_verdict *verdict,
                          json_t *list, struct sg_error *error)
{
    unsigned long long missing = verdict->faults[SG_STATEMENT_MISSING],
                       changed = verdict->faults[SG_STATEMENT_CHANGED],
                       extra = verdict->faults[SG_STATEMENT_EXTRA];

    cli->answered = cli->json;
    if (!cli->json)
        printf("%s\n", (const char *)verdict->text.data);
    else if (!sg_cli_print_json(
                 json_pack("{s:o, s:O}", "statement",
                           json_loadb((const char *)verdict->text.data, verdict->text.len, 0, NULL),
                           "faults", list),
                 error))
        return false;
    return missing + changed + extra == 0 ||
           sg_fail(error, SG_REFUSED, NULL,
                   "of %llu certificates %llu are missing and %llu changed; %llu are there that "
                   "the statement does not have",
                   (unsigned long long)verdict->num, missing, changed, extra);
}

static bool run_verify(struct sg_cli *cli, struct sg_error *error)
{
    sg_auto(sg_certificates) sg_certificates *roots = sk_X509_new_null();
    struct sg_statement_verdict verdict = {0};
    json_t *list = cli->json ? json_array() : NULL;
    const char *ca;
    bool done;

    if (roots == NULL)
        return sg_fail_memory(error);
    done = sg_cli_need(cli, "ca", &ca, error) && sg_cli_read_certificates(ca, roots, error) &&
           sg_statement_verify(cli->operands[0], cli->operands[1], roots, tell, list, &verdict,
                               error) &&
           print_verdict(cli, &verdict, list, error);
    sg_buf_free(&verdict.text);
    json_decref(list);
    return done;
}

const struct sg_command SG_LINE_COMMANDS[] = {
    {"line verify", "STATEMENT FOLDER", "hold a folder of certificates against a batch's statement",
     "Needs no home: only the statement, the folder and the root.", VERIFY_OPTIONS, 2, 2,
     run_verify},
    {0},
};
