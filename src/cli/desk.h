/* desk: the commands that an officer gives from their desk, at a service instead of a home: with
 * --url, and the key on their card that says who they are. Their options, and what is shared by
 * what is done in the home and what is asked of the service.
 */
#ifndef SG_CLI_DESK_H
#define SG_CLI_DESK_H

#include "issue/tickets.h"
#include "revoke.h"

/* Rows of an option table. What begins with "with --url" goes with it alone. */
#define SG_DESK_REACH_OPTIONS                                                                      \
    {"url", 0, "URL", "ask this service, not a home: https://HOST:PORT"},                          \
        {"ca", 0, "FILE", "with --url: the CA of its TLS certificate (default: the system's)"},    \
        {"cert", 0, "FILE", "with --url: your certificate, if it is not beside KEY"},              \
        {"profile", 0, "NAME", "with --url: your card's model: softhsm, …"},                       \
    {                                                                                              \
        "module", 0, "PATH", "with --url: or the path of its PKCS#11 module"                       \
    }
#define SG_DESK_AS_OPTION                                                                          \
    {                                                                                              \
        "as", 0, "KEY", "with --url: your key, pkcs11:token=CARD;object=KEY"                       \
    }
#define SG_DESK_PIN_OPTION                                                                         \
    {                                                                                              \
        "pin", 0, "SOURCE", "with --url: the card's PIN: file:PATH, … (default: prompt)"         \
    }
#define SG_DESK_OPTIONS SG_DESK_REACH_OPTIONS, SG_DESK_AS_OPTION, SG_DESK_PIN_OPTION

/* sg_cli_run does the command, here or at a service. Fails: SG_USAGE on options of the other. */
SG_MUST_USE bool sg_cli_run(struct sg_cli *cli, struct sg_error *error);

/* sg_cli_ticket_order reads the command line of `ticket add`, but for who makes it (0: the
 * default). Fails: SG_USAGE. */
SG_MUST_USE bool sg_cli_ticket_order(const struct sg_cli *cli, struct sg_ticket_order *order,
                                     struct sg_error *error);

/* sg_cli_record reads ID NAME=VALUE… into record, which is empty. Fails: SG_USAGE. */
SG_MUST_USE bool sg_cli_record(const struct sg_cli *cli, struct sg_record *record,
                               struct sg_error *error);

/* sg_cli_list_filter reads which certificates are listed; serial is borrowed. Fails: SG_USAGE. */
SG_MUST_USE bool sg_cli_list_filter(const struct sg_cli *cli, struct sg_serial *serial,
                                    struct sg_certificate_filter *filter, struct sg_error *error);

#endif
