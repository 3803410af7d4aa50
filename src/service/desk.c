#include "desk.h"

#include <errno.h>
#include <string.h>

#include "api.h"
#include "base/limits.h"
#include "keygen.h"

/* of one request on the pipeline, when it meets its twin there */
enum { MOST_TRIES = 5 };

/* ---- opening ---- */

/* The service has nobody to ask, and must not stand still at a terminal. */
static bool check_pins(const struct sg_config *config, struct sg_error *error)
{
    for (size_t i = 0; i < config->num_tokens; i++) {
        const char *pin = config->tokens[i].pin;

        if (pin == NULL || strcmp(pin, "prompt") == 0)
            return sg_fail(error, SG_INVALID, NULL,
                           "token %s has its PIN from a prompt, and the service has nobody to ask: "
                           "use pin: file:PATH or credential:NAME in signet.yaml",
                           config->tokens[i].name);
    }
    return true;
}

static bool fail_at(const struct sg_desk *desk, const struct sg_est_label *label,
                    struct sg_error *error, const char *what)
{
    return sg_fail(error, SG_INVALID, "est", "%s/signet.yaml:%u:%u: policy %s %s",
                   sg_home_dir(desk->home), label->line, label->column, label->policy, what);
}

static bool open_policy(struct sg_desk *desk, size_t index, struct sg_error *error)
{
    const struct sg_est_label *label = &desk->config->est.labels[index];
    const struct sg_policy *policy = NULL;
    struct sg_error why = {0};

    if (!sg_home_policy(desk->home, label->policy, &policy, &why))
        return sg_fail(error, why.code == SG_USAGE ? SG_INVALID : why.code, why.rule,
                       "%s/signet.yaml:%u:%u: %s", sg_home_dir(desk->home), label->line,
                       label->column, why.text);
    if (sg_policy_is_ca(policy) || sg_policy_is_self_signed(policy))
        return fail_at(desk, label, error,
                       "makes CA certificates, which are never given out over the network");
    if (sg_policy_server_keys(policy) != SG_SERVER_KEYS_NEVER &&
        desk->config->est.key_certificate == NULL)
        return fail_at(desk, label, error,
                       "lets the service make keys, and est has no server_keys that sign for them");
    desk->policies[index] = policy;
    return true;
}

static bool open_policies(struct sg_desk *desk, struct sg_error *error)
{
    desk->policies = calloc(desk->config->est.num_labels + 1, sizeof *desk->policies);
    if (desk->policies == NULL)
        return sg_fail_memory(error);
    for (size_t i = 0; i < desk->config->est.num_labels; i++)
        if (!open_policy(desk, i, error))
            return false;
    return true;
}

/* An issuer that has no certificate yet has nothing to publish. */
static bool open_status(struct sg_desk *desk, struct sg_error *error)
{
    const struct sg_config *config = sg_home_config(desk->home);

    desk->issuers = calloc(config->num_issuers, sizeof *desk->issuers);
    if (desk->issuers == NULL)
        return sg_fail_memory(error);
    for (size_t i = 0; i < config->num_issuers; i++) {
        const bool signs = config->issuers[i].state != SG_ISSUER_RETIRED;
        struct sg_desk_issuer *entry = &desk->issuers[desk->num_issuers];

        if (!sg_home_issuer(desk->home, config->issuers[i].name,
                            signs ? SG_ISSUER_TO_SIGN_CRLS : SG_ISSUER_TO_READ, &entry->issuer,
                            error))
            return false;
        entry->signs_crls = signs;
        desk->num_issuers++;
    }
    return true;
}

static bool open_configuration(struct sg_desk *desk, struct sg_error *error)
{
    const struct sg_config *config = sg_home_config(desk->home);
    char path[SG_LIMIT_PATH];

    desk->config = &config->service;
    (void)snprintf(path, sizeof path, "%s/signet.yaml", sg_home_dir(desk->home));
    return sg_service_config_check(desk->config, path, error) && check_pins(config, error) &&
           open_policies(desk, error);
}

/* Officers ask the issuer of EST. Without EST there may be none that could be meant, and then they
 * ask for no certificates. */
static bool open_issuer(struct sg_desk *desk, struct sg_error *error)
{
    const bool has_est = desk->config->est.num_labels > 0;
    struct sg_error why = {0};

    if (!has_est && desk->config->num_operators == 0)
        return true;
    return sg_home_issuer(desk->home, desk->config->est.issuer, SG_ISSUER_TO_SIGN,
                          &desk->issuing.issuer, &why) ||
           (!has_est && (why.code == SG_USAGE || why.code == SG_INVALID)) ||
           sg_error_pass(error, &why);
}

static bool open_tokens(struct sg_desk *desk, struct sg_error *error)
{
    const struct sg_config *config = sg_home_config(desk->home);

    desk->issuing.home = desk->home;
    if (!open_status(desk, error))
        return false;
    if (config->pins_key != NULL &&
        (desk->config->est.num_labels > 0 || desk->config->num_operators > 0) &&
        !sg_home_pins(desk->home, &desk->issuing.pins, error))
        return false;
    return open_issuer(desk, error) &&
           (desk->config->est.num_labels == 0 || sg_keygen_open(desk->home, &desk->keygen, error));
}

bool sg_desk_check(const char *dir, struct sg_error *error)
{
    sg_auto(sg_desk) struct sg_desk desk = {0};

    return sg_home_open(dir, SG_STORE_READ_ONLY, &desk.home, error) &&
           open_configuration(&desk, error);
}

static void wake_nobody(void *context)
{
    (void)context;
}

bool sg_desk_open(const char *dir, struct sg_board *board, struct sg_shelf *shelf,
                  struct sg_desk *desk, struct sg_error *error)
{
    sg_auto(sg_desk) struct sg_desk fresh = {
        .board = board, .shelf = shelf, .wake_door = wake_nobody};

    if (!sg_home_open(dir, SG_STORE_OPEN, &fresh.home, error) ||
        !open_configuration(&fresh, error) || !open_tokens(&fresh, error) ||
        !sg_teller_open(fresh.home, board, &fresh.teller, error) ||
        !sg_health_open(fresh.home, board, &fresh.health, error) ||
        !sg_tls_key_open(fresh.home, board, &fresh.tls_key, error) ||
        !sg_tls_certify_when_due(&fresh, error) || !sg_publish_all(&fresh, error))
        return false;
    *desk = fresh;
    fresh = (struct sg_desk){0};
    return true;
}

void sg_desk_close(struct sg_desk *desk)
{
    sg_pipeline_stop(desk->pipeline);
    sg_teller_free(desk->teller);
    sg_health_free(desk->health);
    sg_tls_key_free(desk->tls_key);
    sg_keygen_free(desk->keygen);
    free(desk->policies);
    free(desk->issuers);
    sg_home_close(desk->home);
    *desk = (struct sg_desk){0};
}

/* ---- errands ---- */

static void finish(struct sg_desk *desk, struct sg_errand *errand)
{
    sg_board_finish(desk->board, errand);
    desk->wake_door(desk->wake_context);
}

static void answer_figures(struct sg_desk *desk, struct sg_errand *errand)
{
    sg_auto(sg_buf) struct sg_buf text = {0};
    struct sg_error error = {0};

    if (sg_figures_of_desk(desk, &text, &error))
        sg_answer_bytes(errand, "text/plain; version=0.0.4", NULL, sg_buf_slice(&text), NULL);
    else
        sg_answer_refusal(errand, &error);
}

/* Starts an errand on the pipeline, true, or answers it at once. */
static bool start(struct sg_desk *desk, struct sg_errand *errand, struct sg_job *job)
{
    struct sg_error error = {0};

    switch (errand->message.type) {
    case SG_WIRE_ENROLL:
    case SG_WIRE_REENROLL:
    case SG_WIRE_SERVERKEYGEN:
        if (sg_est_begin(desk, errand, job, &error))
            return true;
        sg_figures_count(&desk->figures, "signet_refusals_total", "policy", "", "rule",
                         error.rule[0] != '\0' ? error.rule : sg_code_name(error.code));
        sg_answer_refusal(errand, &error);
        return false;
    case SG_WIRE_FIGURES:
        answer_figures(desk, errand);
        return false;
    case SG_WIRE_CALL:
        return sg_api_begin(desk, errand, job);
    default:
        sg_fail(&error, SG_INTERNAL, "wire", "a message that is no errand");
        sg_answer_refusal(errand, &error);
        return false;
    }
}

/* ---- the pipeline's ends ---- */

static bool pull(void *context, struct sg_job *jobs, size_t max, size_t *num, bool *end,
                 struct sg_error *error)
{
    struct sg_desk *desk = context;
    struct sg_errand *errand;

    *num = 0;
    atomic_fetch_add(&desk->num_looks, 1);
    if (!sg_publish_what_is_due(desk, error) || !sg_teller_keep_ready(desk->teller, error) ||
        !sg_health_check(desk->health, error) || !sg_tls_key_check(desk->tls_key, error) ||
        !sg_tls_certify_when_due(desk, error))
        return false;
    if (desk->must_end) {
        *end = true;
        return true;
    }
    while (*num < max && (errand = sg_board_take(desk->board, end)) != NULL) {
        if (start(desk, errand, &jobs[*num])) {
            sg_board_begin(desk->board, errand);
            (*num)++;
        } else
            finish(desk, errand);
    }
    return true;
}

/* A request that met its own twin in flight, as when a client asks again while its first request
 * still waits, gets the twin's certificate once that is recorded. */
static bool may_go_otherwise(const struct sg_job *job)
{
    return job->outcome == SG_JOB_REFUSED && job->error.code == SG_REFUSED &&
           job->error.detail == EAGAIN;
}

/* After these a run signs nothing any more. */
static bool ends_the_run(enum sg_code code)
{
    return code == SG_TOKEN || code == SG_PIN || code == SG_USAGE;
}

static void count(struct sg_desk *desk, const struct sg_job *job)
{
    const char *policy = sg_policy_name(job->policy);

    if (job->waits_for != 0) {
        sg_figures_count(&desk->figures, "signet_waits_total", "policy", policy, NULL, NULL);
        return;
    }
    if (job->outcome == SG_JOB_REFUSED) {
        desk->must_end = desk->must_end || ends_the_run(job->error.code);
        sg_figures_count(&desk->figures, "signet_refusals_total", "policy", policy, "rule",
                         job->error.rule[0] != '\0' ? job->error.rule
                                                    : sg_code_name(job->error.code));
        return;
    }
    sg_figures_count(&desk->figures, "signet_certificates_total", "policy", policy, "outcome",
                     job->outcome == SG_JOB_ISSUED ? "issued" : "repeated");
}

static bool answer(void *context, const struct sg_job *jobs, size_t num, struct sg_error *error)
{
    struct sg_desk *desk = context;

    (void)error;
    for (size_t i = 0; i < num; i++) {
        struct sg_errand *errand = sg_board_first_under_way(desk->board);

        if (may_go_otherwise(&jobs[i]) && ++errand->num_tries < MOST_TRIES &&
            sg_board_try_again(desk->board, errand))
            continue;
        count(desk, &jobs[i]);
        if (errand->message.type == SG_WIRE_CALL)
            sg_api_end(errand, &jobs[i]);
        else
            sg_est_answer(desk, errand, &jobs[i]);
        sg_board_finish(desk->board, errand);
    }
    desk->wake_door(desk->wake_context);
    return true;
}

bool sg_desk_run(struct sg_desk *desk, struct sg_error *error)
{
    const struct sg_pipeline_ends ends = {.pull = pull, .answer = answer, .context = desk};

    if (!sg_pipeline_run(desk->pipeline, &ends, error))
        return false;
    return !desk->must_end ||
           sg_fail(error, SG_TOKEN, NULL, "the token failed; the issuer is to be started again");
}
