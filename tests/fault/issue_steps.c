/* issue_steps HOME POLICY DEVICE REQUEST STEP [TICKET]: issues one request and kills itself after a
 * step. With a ticket, that vouches and nobody else.
 *
 * STEP is a word of sg_issue_step_word, or "none". The certificate goes to standard output (PEM).
 * Exit status: 0 issued, 2 usage, 1 anything else; a step ends it with SIGKILL.
 */
#include <openssl/crypto.h>
#include <signal.h>
#include <string.h>

#include "base/file.h"
#include "cert/cert.h"
#include "issue/issue.h"

static void kill_at(enum sg_issue_step step, void *context)
{
    const enum sg_issue_step *last = context;

    if (step == *last)
        raise(SIGKILL);
}

static bool parse_step(const char *word, enum sg_issue_step *step)
{
    *step = SG_NUM_STEPS; /* none */
    for (int i = 0; i < SG_NUM_STEPS; i++)
        if (strcmp(sg_issue_step_word((enum sg_issue_step)i), word) == 0)
            *step = (enum sg_issue_step)i;
    return *step != SG_NUM_STEPS || strcmp(word, "none") == 0;
}

static bool print(const struct sg_job *job, struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf pem = {0};

    return sg_cert_pem(sg_buf_slice(&job->certificate), "CERTIFICATE", &pem, error) &&
           (fwrite(pem.data, 1, pem.len, stdout) == pem.len || sg_fail_errno(error, "output"));
}

static bool issue(char **words, enum sg_issue_step step, struct sg_error *error)
{
    sg_auto(sg_home) struct sg_home *home = NULL;
    sg_auto(sg_buf) struct sg_buf request = {0};
    const char *ticket = words[5]; /* NULL: none */
    sg_auto(sg_job) struct sg_job job = {.device = words[2], .evidence = {.ticket = ticket}};
    struct sg_issuing issuing = {.evidence = ticket == NULL ? SG_BY_OPERATOR : 0,
                                 .after_step = kill_at,
                                 .step_context = &step};

    if (!sg_file_read(words[3], SG_LIMIT_REQUEST, &request, error) ||
        !sg_home_open(words[0], SG_STORE_OPEN, &home, error) ||
        !sg_home_policy(home, words[1], &issuing.policy, error) ||
        !sg_home_issuer(home, NULL, SG_ISSUER_TO_SIGN, &issuing.issuer, error))
        return false;
    issuing.home = home;
    job.bytes = sg_buf_slice(&request);
    if (!sg_issue(&issuing, &job, 1, error))
        return false;
    if (job.outcome == SG_JOB_REFUSED) {
        *error = job.error;
        return false;
    }
    return print(&job, error);
}

int main(int argc, char **argv)
{
    struct sg_error error = {0};
    enum sg_issue_step step;

    OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
    if ((argc != 6 && argc != 7) || !parse_step(argv[5], &step)) {
        fprintf(stderr, "usage: issue_steps HOME POLICY DEVICE REQUEST STEP|none [TICKET]\n");
        return 2;
    }
    if (!issue(argv + 1, step, &error)) {
        fprintf(stderr, "issue_steps: %s: %s\n", error.rule, error.text);
        return 1;
    }
    return 0;
}
