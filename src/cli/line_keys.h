/* line_keys: keys that a token makes for a line's devices, encrypted to who brings them there. */
#ifndef SG_CLI_LINE_KEYS_H
#define SG_CLI_LINE_KEYS_H

#include "issue/issue.h"
#include "line/keys.h"
#include "open.h"

#define SG_LINE_KEYS_OPTIONS                                                                       \
    {"keys-on", 0, "TOKEN", "for devices without a request, make P-256 keys on this token"},       \
    {                                                                                              \
        "transport-certificate", 0, "FILE", "to whom those keys are encrypted"                     \
    }

/* Zero-initialise; release before the home. */
struct sg_cli_line_keys {
    struct sg_line_keys keys; /* make NULL: none are wanted */
    const struct sg_issuing *issuing;
    struct sg_token *token;
    sg_certificates *transport;
};
void sg_cli_line_keys_done(struct sg_cli_line_keys *keys);
SG_DEFINE_CLEANUP_IN_PLACE(sg_cli_line_keys, sg_cli_line_keys_done)

/* sg_cli_line_keys_open opens what the options name. issuing is borrowed, folder the output's.
 * Fails: SG_USAGE, SG_TOKEN, SG_PIN, SG_REFUSED on a certificate that is none for that. */
SG_MUST_USE bool sg_cli_line_keys_open(const struct sg_cli *cli, const struct sg_issuing *issuing,
                                       const char *folder, struct sg_cli_line_keys *keys,
                                       struct sg_error *error);

#endif
