/* batch: the requests of one command line, and what is told of each; be it that the home or a
 * service certifies them.
 */
#ifndef SG_CLI_BATCH_H
#define SG_CLI_BATCH_H

#include "command.h"
#include "issue/issue.h"
#include "model/pin_hash.h"

/* One request of the command line: its file, its job, and where its certificate goes. */
struct sg_cli_order {
    const char *path;
    char *output; /* NULL: standard output */
    struct sg_buf bytes;
};

struct sg_cli_batch {
    struct sg_cli_order *orders;
    struct sg_job *jobs;
    size_t num;
    struct sg_secret *challenge; /* of all of them, or NULL */
    struct sg_secret *ticket;    /* of the only one, or NULL */
    uint8_t pin_hash[SG_PIN_HASH_LEN];
};

void sg_cli_batch_done(struct sg_cli_batch *batch);
typedef struct sg_cli_batch sg_cli_batch;
SG_DEFINE_CLEANUP_IN_PLACE(sg_cli_batch, sg_cli_batch_done)

/* sg_cli_batch_read reads the requests, and fills their jobs with them and with whom the command
 * line names. Everything that can be known to be in the way is found before the first request is
 * touched. batch   empty. Fails: SG_USAGE; SG_FAILED. */
SG_MUST_USE bool sg_cli_batch_read(const struct sg_cli *cli, struct sg_cli_batch *batch,
                                   struct sg_error *error);

/* sg_cli_batch_tell hands the certificates out, and tells what became of each request.
 * finished   false: the run broke off, for error; what it was served before is handed out all the
 * same. Fails: then; when a file can't be written; as the first request that was not served. */
SG_MUST_USE bool sg_cli_batch_tell(struct sg_cli *cli, const struct sg_cli_batch *batch,
                                   bool finished, struct sg_error *error);

#endif
