/* line: what the files of `signet provision` and `signet line` share. */
#ifndef SG_CLI_LINE_H
#define SG_CLI_LINE_H

#include "line/statement.h"
#include "open.h"
#include "token/signer_pkey.h"

#define SG_STATEMENT_OPTIONS                                                                       \
    {"statement", 0, "FILE", "in the end, a signed statement over what was served"},               \
        {"statement-key", 0, "URI", "the key that signs it, on the issuer's token"},               \
    {                                                                                              \
        "statement-certificate", 0, "FILE", "that key's certificate (policy line-statement)"       \
    }

/* Who signs a statement. Zero-initialise; release before the home. */
struct sg_cli_statement {
    struct sg_statement_spec spec; /* path NULL: none is wanted */
    struct sg_token *token;
    struct sg_signer *signer;
    struct sg_pkey_maker *maker;
    EVP_PKEY *key;
    sg_certificates *certificates, *chain;
};
void sg_cli_statement_done(struct sg_cli_statement *statement);
SG_DEFINE_CLEANUP_IN_PLACE(sg_cli_statement, sg_cli_statement_done)

/* sg_cli_statement_open opens what the options name. Fails: SG_USAGE, SG_TOKEN, SG_PIN, SG_REFUSED
 * on a certificate that is none for that. */
SG_MUST_USE bool sg_cli_statement_open(const struct sg_cli *cli, struct sg_home *home,
                                       const struct sg_issuer *issuer,
                                       struct sg_cli_statement *statement, struct sg_error *error);

#endif
