/* In signet-est: requests that a service is to certify. */
#include <string.h>

#include "base/base64.h"
#include "base/limits.h"
#include "batch.h"
#include "cert/cert.h"
#include "net_desk.h"
#include "output.h"
#include "request/request.h"

static bool put(json_t *body, const char *key, json_t *value, struct sg_error *error)
{
    return json_object_set_new(body, key, value) == 0 || sg_fail_memory(error);
}

static bool put_option(const struct sg_cli *cli, const char *word, json_t *body,
                       struct sg_error *error)
{
    const char *text = sg_cli_text(cli, word);

    return text == NULL || put(body, word, sg_json_text(text), error);
}

/* What all requests of the command line have in common. */
bool sg_desk_read_issue(const struct sg_cli *cli, json_t **body, struct sg_error *error)
{
    sg_auto(json_t) json_t *fresh = json_object();
    const char *policy = NULL;

    if (sg_cli_has(cli, "issuer"))
        return sg_fail(error, SG_USAGE, NULL,
                       "--url: which issuer it is, the service's signet.yaml says; leave out "
                       "--issuer");
    if (sg_cli_has(cli, "ticket-file"))
        return sg_fail(
            error, SG_USAGE, NULL,
            "--url: a ticket is for who asks by EST, as `signet card enroll` does; leave "
            "out --ticket-file");
    if (fresh == NULL)
        return sg_fail_memory(error);
    if (!sg_cli_need(cli, "policy", &policy, error) || !put_option(cli, "policy", fresh, error) ||
        !put_option(cli, "device", fresh, error) || !put_option(cli, "user", fresh, error) ||
        (sg_cli_has(cli, "device-from-cn") && !put(fresh, "device_from_cn", json_true(), error)))
        return false;
    *body = SG_TAKE(fresh);
    return true;
}

/* ---- one request ---- */

static bool put_text(json_t *body, const char *key, const char *what, struct sg_slice text,
                     struct sg_error *error)
{
    json_t *value = json_stringn((const char *)text.data, text.len);

    return value != NULL ? put(body, key, value, error)
                         : sg_fail(error, SG_MALFORMED, "RFC 8259",
                                   "%s is neither DER nor text in UTF-8", what);
}

/* Text goes as it is, and DER as the text that says the same. */
static bool put_request(json_t *body, struct sg_slice request, struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf base64 = {0};

    if (request.len == 0 || request.data[0] != 0x30)
        return put_text(body, "request", "the request", request, error);
    if (!sg_request_is_spkac(request))
        return put(body, "request", sg_cli_pem_json(request, "CERTIFICATE REQUEST"), error);
    return sg_base64_encode(request, false, SG_LIMIT_BODY, &base64, error) &&
           put_text(body, "request", "the request", sg_buf_slice(&base64), error);
}

/* A certificate that went astray is told from the request's own by its key. */
static bool check_key(struct sg_job *job, struct sg_error *error)
{
    sg_auto(X509) X509 *certificate = NULL;
    sg_auto(sg_public_key) struct sg_public_key key = {0};

    if (!sg_request_parse(job->bytes, &job->request, error) ||
        !sg_cert_read(sg_buf_slice(&job->certificate), "", &certificate, error) ||
        !sg_public_key_of_certificate(certificate, &key, error))
        return false;
    return sg_public_key_equal(&key, &job->request.key) ||
           sg_fail(error, SG_FAILED, NULL,
                   "the service's answer is a certificate for another key than the request's");
}

static bool take_answer(const json_t *answer, struct sg_job *job, struct sg_error *error)
{
    const json_t *waits_for = json_object_get(answer, "waits_for");

    if (json_is_integer(waits_for)) {
        job->waits_for = json_integer_value(waits_for);
        return sg_fail(error, SG_REFUSED, sg_cli_text_of(answer, "rule"), "%s",
                       sg_cli_text_of(answer, "detail"));
    }
    if (!sg_desk_der(answer, &job->certificate, error))
        return false;
    if (job->certificate.len == 0)
        return sg_fail(error, SG_FAILED, NULL, "the service's answer has no certificate");
    if (!check_key(job, error))
        return false;
    job->outcome = strcmp(sg_cli_text_of(answer, "outcome"), "issued before") == 0 ? SG_JOB_REPEATED
                                                                                   : SG_JOB_ISSUED;
    return true;
}

static bool ask_one(struct sg_desk_errand *errand, struct sg_job *job, struct sg_error *error)
{
    sg_auto(json_t) json_t *answer = NULL;

    return put_request(errand->body, job->bytes, error) &&
           sg_desk_ask(errand, errand->body, &answer, error) && take_answer(answer, job, error);
}

/* ---- all of them ---- */

/* A refusal is one request's. After anything else the next ones would fail as well.
 * num   how many were answered. */
static bool ask_all(struct sg_desk_errand *errand, const struct sg_cli_batch *batch, size_t *num,
                    struct sg_error *error)
{
    for (*num = 0; *num < batch->num; (*num)++) {
        struct sg_job *job = &batch->jobs[*num];

        if (!ask_one(errand, job, &job->error) && !sg_code_is_refusal(job->error.code))
            return sg_error_pass(error, &job->error);
    }
    return true;
}

static void leave_untried(const struct sg_cli_batch *batch, size_t from, const struct sg_error *why)
{
    for (size_t i = from; i < batch->num; i++) {
        batch->jobs[i].error = *why;
        sg_error_prefix(&batch->jobs[i].error, "not tried");
    }
}

bool sg_desk_issue(struct sg_desk_errand *errand, struct sg_error *error)
{
    sg_auto(sg_cli_batch) struct sg_cli_batch batch = {0};
    bool finished;
    size_t num = 0;

    if (!sg_cli_batch_read(errand->cli, &batch, error) ||
        (batch.challenge != NULL && !put_text(errand->body, "challenge", "the challenge",
                                              sg_secret_slice(batch.challenge), error)))
        return false;
    finished = ask_all(errand, &batch, &num, error);
    if (!finished && num == 0)
        return false;
    if (!finished)
        leave_untried(&batch, num + 1, error);
    return sg_cli_batch_tell(errand->cli, &batch, finished, error);
}
