#include "batch.h"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <string.h>
#include <sys/stat.h>

#include "cert/cert.h"
#include "output.h"

/* ---- what is asked ---- */

void sg_cli_batch_done(struct sg_cli_batch *batch)
{
    for (size_t i = 0; i < batch->num; i++) {
        sg_buf_free(&batch->orders[i].bytes);
        free(batch->orders[i].output);
        sg_job_done(&batch->jobs[i]);
    }
    free(batch->orders);
    free(batch->jobs);
    sg_secret_free(batch->challenge);
    sg_secret_free(batch->ticket);
    OPENSSL_cleanse(batch->pin_hash, sizeof batch->pin_hash);
}

/* "in/device-AB12.csr" → "DIR/device-AB12.pem" */
static bool name_output(const char *dir, const char *path, char **output, struct sg_error *error)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash != NULL ? slash + 1 : path;
    const char *dot = strrchr(name, '.');
    int len = dot != NULL && dot != name ? (int)(dot - name) : (int)strlen(name);

    if (asprintf(output, "%s/%.*s.pem", dir, len, name) < 0) {
        *output = NULL;
        return sg_fail_memory(error);
    }
    return true;
}

static bool choose_output(const struct sg_cli *cli, struct sg_cli_order *order,
                          struct sg_error *error)
{
    const char *output = sg_cli_text(cli, "output"), *dir = sg_cli_text(cli, "output-dir");

    if (dir != NULL)
        return name_output(dir, order->path, &order->output, error);
    if (output != NULL && (order->output = strdup(output)) == NULL)
        return sg_fail_memory(error);
    return true;
}

static bool check_outputs(const struct sg_cli *cli, struct sg_error *error)
{
    const char *dir = sg_cli_text(cli, "output-dir");
    struct stat about;

    if (sg_cli_has(cli, "output") && dir != NULL)
        return sg_fail(error, SG_USAGE, NULL, "give --output or --output-dir, not both");
    if (sg_cli_has(cli, "output") && cli->num_operands > 1)
        return sg_fail(error, SG_USAGE, NULL,
                       "--output takes one certificate and there are %d requests; use "
                       "--output-dir DIR",
                       cli->num_operands);
    if (dir != NULL && (stat(dir, &about) != 0 || !S_ISDIR(about.st_mode)))
        return sg_fail(error, SG_FAILED, NULL, "--output-dir %s is not a folder; make it first",
                       dir);
    return true;
}

/* Two requests must not end in one file: the second would find the first's certificate there. */
static bool check_distinct(const struct sg_cli_batch *batch, size_t index, struct sg_error *error)
{
    const struct sg_cli_order *order = &batch->orders[index];

    for (size_t i = 0; order->output != NULL && i < index; i++)
        if (strcmp(batch->orders[i].output, order->output) == 0)
            return sg_fail(error, SG_USAGE, NULL, "%s and %s would both be written to %s",
                           batch->orders[i].path, order->path, order->output);
    return true;
}

/* A challenge or a ticket is never an argument, which others on the machine could read. */
static bool read_secret(const char *path, const char *noun, struct sg_secret **secret,
                        struct sg_error *error)
{
    char what[160];

    if (path == NULL)
        return true;
    snprintf(what, sizeof what, "%s file %.120s", noun, path);
    sg_auto(fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return sg_fail_errno(error, "%s can't be read", what);
    return sg_secret_read(fd, what, secret, error);
}

bool sg_cli_batch_read(const struct sg_cli *cli, struct sg_cli_batch *batch, struct sg_error *error)
{
    size_t num = (size_t)cli->num_operands;

    if (!check_outputs(cli, error))
        return false;
    batch->orders = calloc(num, sizeof *batch->orders);
    batch->jobs = calloc(num, sizeof *batch->jobs);
    if (batch->orders == NULL || batch->jobs == NULL)
        return sg_fail_memory(error);
    if (sg_cli_has(cli, "ticket-file") && num > 1)
        return sg_fail(error, SG_USAGE, NULL, "a ticket is good for one request, and there are %zu",
                       num);
    if (!read_secret(sg_cli_text(cli, "challenge-file"), "challenge", &batch->challenge, error) ||
        !read_secret(sg_cli_text(cli, "ticket-file"), "ticket", &batch->ticket, error))
        return false;
    batch->num = num;
    for (size_t i = 0; i < num; i++) {
        struct sg_cli_order *order = &batch->orders[i];
        order->path = cli->operands[i];
        if (!choose_output(cli, order, error) || !check_distinct(batch, i, error) ||
            !sg_cli_check_output(order->output, sg_cli_has(cli, "force"), error) ||
            !sg_file_read(order->path, SG_LIMIT_REQUEST, &order->bytes, error))
            return false;
        batch->jobs[i].bytes = sg_buf_slice(&order->bytes);
        batch->jobs[i].device = sg_cli_text(cli, "device");
        batch->jobs[i].user = sg_cli_text(cli, "user");
        batch->jobs[i].challenge = batch->challenge;
    }
    return true;
}

/* ---- what came of it ---- */

static const char *outcome_word(const struct sg_job *job)
{
    return job->waits_for != 0               ? "waits"
           : job->outcome == SG_JOB_ISSUED   ? "issued"
           : job->outcome == SG_JOB_REPEATED ? "issued before"
                                             : sg_code_name(job->error.code);
}

/* The serial number of what is handed out, which may be an earlier certificate. */
static json_t *serial_json(const struct sg_job *job)
{
    sg_auto(X509) X509 *certificate = NULL;
    struct sg_serial serial = {0};
    char text[SG_SERIAL_TEXT_SIZE];

    if (job->outcome == SG_JOB_REFUSED ||
        !sg_cert_read(sg_buf_slice(&job->certificate), "", &certificate, NULL) ||
        !sg_cert_serial(certificate, &serial, NULL))
        return json_null();
    return json_string(sg_serial_text(&serial, text));
}

/* Without a file for it, the certificate is in the result. */
static json_t *certificate_json(const struct sg_cli_order *order, const struct sg_job *job)
{
    if (job->outcome == SG_JOB_REFUSED || order->output != NULL)
        return json_null();
    return sg_cli_pem_json(sg_buf_slice(&job->certificate), "CERTIFICATE");
}

static json_t *job_json(const struct sg_cli_order *order, const struct sg_job *job)
{
    bool refused = job->outcome == SG_JOB_REFUSED;

    return json_pack("{s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "request",
                     sg_json_text(order->path), "outcome", outcome_word(job), "serial",
                     serial_json(job), "output",
                     sg_json_text_or_null(refused ? NULL : order->output), "certificate",
                     certificate_json(order, job), "waits_for",
                     job->waits_for != 0 ? json_integer(job->waits_for) : json_null(), "rule",
                     sg_json_text_or_null(refused ? job->error.rule : NULL), "message",
                     sg_json_text_or_null(refused ? job->error.text : NULL));
}

static void say(const struct sg_cli_order *order, const struct sg_job *job)
{
    if (job->outcome == SG_JOB_REFUSED)
        fprintf(stderr, "%s: %s%s%s%s\n", order->path,
                job->waits_for != 0                   ? "waits: "
                : sg_code_is_refusal(job->error.code) ? "refused: "
                                                      : "",
                job->error.rule, job->error.rule[0] != '\0' ? ": " : "", job->error.text);
    else if (order->output != NULL)
        fprintf(stderr, "%s: %s, %s\n", order->path, outcome_word(job), order->output);
}

/* Hands out one certificate. It is recorded by now: if its file can't be written, the same request
 * gets it again. */
static bool deliver(const struct sg_cli *cli, const struct sg_cli_order *order,
                    const struct sg_job *job, struct sg_error *error)
{
    if (job->outcome == SG_JOB_REFUSED || (cli->json && order->output == NULL))
        return true;
    return sg_cli_emit_pem(order->output, sg_cli_has(cli, "force"), sg_buf_slice(&job->certificate),
                           "CERTIFICATE", error) ||
           sg_error_prefix(error, "the certificate is recorded, run the same again to get it; now");
}

static bool deliver_all(struct sg_cli *cli, const struct sg_cli_batch *batch,
                        struct sg_error *error)
{
    json_t *array = json_array();
    bool delivered = true;

    for (size_t i = 0; i < batch->num; i++) {
        delivered = deliver(cli, &batch->orders[i], &batch->jobs[i], error) && delivered;
        if (cli->json)
            sg_cli_append(&array, job_json(&batch->orders[i], &batch->jobs[i]));
        else if (batch->num > 1 || batch->jobs[i].outcome != SG_JOB_REFUSED)
            say(&batch->orders[i], &batch->jobs[i]);
    }
    cli->answered = cli->json;
    if (cli->json)
        return sg_cli_print_json(array, error) && delivered;
    json_decref(array);
    return delivered;
}

/* The exit status of several requests is that of the first that was not served. */
static bool conclude(const struct sg_cli_batch *batch, struct sg_error *error)
{
    size_t refused = 0;

    for (size_t i = batch->num; i-- > 0;)
        if (batch->jobs[i].outcome == SG_JOB_REFUSED) {
            refused++;
            *error = batch->jobs[i].error;
        }
    if (refused > 0 && batch->num > 1) {
        enum sg_code code = error->code;
        sg_error_clear(error);
        return sg_fail(error, code, NULL, "%zu of %zu requests were not served", refused,
                       batch->num);
    }
    return refused == 0 || sg_error_prefix(error, "%s", batch->orders[0].path);
}

bool sg_cli_batch_tell(struct sg_cli *cli, const struct sg_cli_batch *batch, bool finished,
                       struct sg_error *error)
{
    struct sg_error delivery = {0};

    if (!deliver_all(cli, batch, &delivery) && finished) {
        *error = delivery;
        return false;
    }
    return finished && conclude(batch, error);
}
