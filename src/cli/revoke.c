#include <string.h>

#include "cert/cert.h"
#include "commands.h"
#include "desk.h"
#include "open.h"
#include "revoke.h"
#include "status/status.h"
#include "tell.h"

#define WHICH_OPTIONS                                                                              \
    {"device", 'd', "ID", "every certificate of this device"},                                     \
        {"user", 'u', "NAME", "every certificate of this user"},                                   \
    {                                                                                              \
        "token", 0, "ID", "every certificate whose key is on this card"                            \
    }

static const struct sg_option REVOKE_OPTIONS[] = {
    {"reason", 'r', "REASON", "keyCompromise, superseded, cessationOfOperation, …"},
    {"hold", 0, NULL, "for now: certificateHold; `signet release` takes it back"},
    WHICH_OPTIONS,
    {"devices", 0, "FILE", "every certificate of each device that FILE names, one a line"},
    SG_DESK_OPTIONS,
    {0},
};

static const struct sg_option RELEASE_OPTIONS[] = {WHICH_OPTIONS, SG_DESK_OPTIONS, {0}};

void sg_cli_which_done(struct sg_cli_which *which)
{
    sg_buf_free(&which->der);
}

static bool parse_operand(const char *operand, struct sg_cli_which *which, struct sg_error *error)
{
    which->filter.serial = &which->serial;
    if (!sg_cli_find_serial(operand, &which->serial, &which->der, error))
        return false;
    which->file = which->der.len > 0 ? operand : NULL;
    return true;
}

bool sg_cli_parse_which(const struct sg_cli *cli, struct sg_cli_which *which,
                        struct sg_error *error)
{
    int selectors = cli->num_operands + sg_cli_has(cli, "device") + sg_cli_has(cli, "user") +
                    sg_cli_has(cli, "devices") + sg_cli_has(cli, "token");

    which->filter = (struct sg_certificate_filter){.device = sg_cli_text(cli, "device"),
                                                   .user = sg_cli_text(cli, "user"),
                                                   .token = sg_cli_text(cli, "token"),
                                                   .now = sg_clock_now(&cli->clock)};
    if (selectors != 1)
        return sg_fail(error, SG_USAGE, NULL,
                       "say which: a serial number, a certificate's file, --device ID, "
                       "--user NAME or --token ID");
    return cli->num_operands == 0 || parse_operand(cli->operands[0], which, error);
}

static bool see_any(const struct sg_certificate *certificate, void *context, struct sg_error *error)
{
    bool *seen = context;

    (void)certificate;
    (void)error;
    *seen = true;
    return true;
}

bool sg_cli_fail_other(const struct sg_cli_which *which, struct sg_error *error)
{
    char serial[SG_SERIAL_TEXT_SIZE];

    return sg_fail(error, SG_REFUSED, "another certificate",
                   "%s has the serial number %s, which this CA has given to another certificate; "
                   "name the serial number if that one is meant",
                   which->file, sg_serial_text(&which->serial, serial));
}

/* Another CA may have given its certificate the same serial number: a file stands for itself alone.
 * From here on the filter finds nothing else. */
static bool check_file(struct sg_cli_which *which, struct sg_store *store, struct sg_error *error)
{
    bool by_serial = false, itself = false;

    if (which->file == NULL)
        return true;
    if (!sg_store_each_certificate(store, &which->filter, see_any, &by_serial, error))
        return false;
    which->filter.der = sg_buf_slice(&which->der);
    if (!sg_store_each_certificate(store, &which->filter, see_any, &itself, error))
        return false;
    return itself || !by_serial || sg_cli_fail_other(which, error);
}

bool sg_cli_parse_reason(const struct sg_cli *cli, enum sg_reason *reason, struct sg_error *error)
{
    const char *word = sg_cli_text(cli, "reason");

    *reason = SG_REASON_UNSPECIFIED;
    if (sg_cli_has(cli, "hold")) {
        *reason = SG_REASON_CERTIFICATE_HOLD;
        return word == NULL ||
               sg_fail(error, SG_USAGE, NULL, "--hold is a reason of its own; leave out --reason");
    }
    return word == NULL || sg_reason_parse(word, reason, error);
}

static bool run_revoke(struct sg_cli *cli, struct sg_error *error)
{
    sg_auto(sg_home) struct sg_home *home = NULL;
    sg_auto(sg_cli_which) struct sg_cli_which which = {0};
    enum sg_reason reason;
    size_t num = 0;

    if (!sg_cli_parse_reason(cli, &reason, error) || !sg_cli_parse_which(cli, &which, error))
        return false;
    if (sg_cli_has(cli, "devices"))
        return sg_cli_revoke_devices(cli, reason, error);
    return sg_cli_open_home(cli, SG_STORE_OPEN, &home, error) &&
           check_file(&which, sg_home_store(home), error) &&
           sg_status_revoke(sg_home_store(home), &which.filter, reason, which.filter.now, &num,
                            error) &&
           sg_cli_tell_count(cli, "revoked", (int64_t)num, error);
}

static bool run_release(struct sg_cli *cli, struct sg_error *error)
{
    sg_auto(sg_home) struct sg_home *home = NULL;
    sg_auto(sg_cli_which) struct sg_cli_which which = {0};
    size_t num = 0;

    return sg_cli_parse_which(cli, &which, error) &&
           sg_cli_open_home(cli, SG_STORE_OPEN, &home, error) &&
           check_file(&which, sg_home_store(home), error) &&
           sg_status_release(sg_home_store(home), &which.filter, &num, error) &&
           sg_cli_tell_count(cli, "released", (int64_t)num, error);
}

const struct sg_command SG_REVOKE_COMMANDS[] = {
    {"revoke", "[SERIAL|FILE]", "revoke certificates", NULL, REVOKE_OPTIONS, 0, 1, run_revoke},
    {"release", "[SERIAL|FILE]", "take certificates off hold", NULL, RELEASE_OPTIONS, 0, 1,
     run_release},
    {0},
};
