/* revoke: what the files of `signet revoke` share. */
#ifndef SG_CLI_REVOKE_H
#define SG_CLI_REVOKE_H

#include "command.h"
#include "store/store.h"

/* Which certificates; what the filter borrows stands beside it. */
struct sg_cli_which {
    struct sg_certificate_filter filter;
    struct sg_serial serial;
    const char *file;  /* the certificate's, or NULL */
    struct sg_buf der; /* what is in it */
};
void sg_cli_which_done(struct sg_cli_which *which);
SG_DEFINE_CLEANUP_IN_PLACE(sg_cli_which, sg_cli_which_done)

/* sg_cli_parse_which and sg_cli_parse_reason read the command line. Fails: SG_USAGE; which also as
 * sg_cli_find_serial. */
SG_MUST_USE bool sg_cli_parse_which(const struct sg_cli *cli, struct sg_cli_which *which,
                                    struct sg_error *error);
SG_MUST_USE bool sg_cli_parse_reason(const struct sg_cli *cli, enum sg_reason *reason,
                                     struct sg_error *error);

/* sg_cli_fail_other: the certificate in the file that is named has the serial number of another. */
SG_MUST_USE bool sg_cli_fail_other(const struct sg_cli_which *which, struct sg_error *error);

/* What became of one device's certificates. */
struct sg_cli_returned {
    size_t num;    /* revoked now; 0: all of them were before, or there are none */
    bool has_none; /* there are none */
};

/* What revokes the certificates of one device.
 * returned   all zero before. Fails: when the device's certificates were not looked at. */
typedef bool sg_cli_revoke_device(const char *id, enum sg_reason reason, void *context,
                                  struct sg_cli_returned *returned, struct sg_error *error);

/* sg_cli_revoke_devices revokes every certificate of each device that the file of --devices names,
 * one a line. The file is read and checked as a whole before anything is revoked. Devices without a
 * certificate are named on standard error, and do not keep the others from being served. Fails:
 * SG_INVALID with the line; SG_REFUSED when there were such devices. */
SG_MUST_USE bool sg_cli_revoke_devices(struct sg_cli *cli, enum sg_reason reason,
                                       struct sg_error *error);
/* sg_cli_revoke_listed is the same, by whatever revokes. */
SG_MUST_USE bool sg_cli_revoke_listed(struct sg_cli *cli, enum sg_reason reason,
                                      sg_cli_revoke_device *revoke, void *context,
                                      struct sg_error *error);

#endif
