#include "line.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "cert/cert.h"
#include "home/chain.h"
#include "line_parts.h"

void sg_line_say(const struct sg_line *line, bool is_warning, const char *format, ...)
{
    struct sg_error text = {0};
    va_list arguments;

    va_start(arguments, format);
    sg_failv(&text, SG_FAILED, NULL, format, arguments);
    va_end(arguments);
    line->spec->listener.say(line->spec->listener.context, is_warning, text.text);
}

static void wake(void *context)
{
    struct sg_line *line = context;

    pthread_mutex_lock(&line->lock);
    if (line->pipeline != NULL)
        sg_pipeline_wake(line->pipeline);
    pthread_mutex_unlock(&line->lock);
}

void sg_line_interrupt(struct sg_line *line)
{
    ssize_t ignored;

    atomic_store(&line->is_interrupted, true);
    ignored = write(line->stop[1], "", 1);
    (void)ignored;
    wake(line);
}

bool sg_line_is_ending(const struct sg_line *line)
{
    return atomic_load(&line->is_interrupted) || line->is_broken || line->is_hopeless;
}

static bool append_pem(struct sg_buf *pem, const X509 *certificate, struct sg_error *error)
{
    sg_auto(openssl_bytes) uint8_t *der = NULL;
    int len = i2d_X509(certificate, &der);

    if (len < 0)
        return sg_fail_openssl(error, SG_INTERNAL, NULL, "an issuer's certificate");
    return sg_cert_pem(sg_slice_of(der, (size_t)len), "CERTIFICATE", pem, error);
}

/* Those who trust the root have it; RFC 8446 4.4.2 lets it be left out. */
static bool make_chain(struct sg_line *line, struct sg_error *error)
{
    const struct sg_issuer *issuer = line->spec->issuing->issuer;

    if (!sg_chain_is_root(issuer->facts.certificate) &&
        !append_pem(&line->chain, issuer->facts.certificate, error))
        return false;
    for (int i = 0; i < sk_X509_num(issuer->chain); i++) {
        X509 *above = sk_X509_value(issuer->chain, i);

        if (!sg_chain_is_root(above) && !append_pem(&line->chain, above, error))
            return false;
    }
    return true;
}

/* Somebody has to say which device a request is for. */
static bool check_who(const struct sg_line_spec *spec, struct sg_error *error)
{
    const struct sg_issuing *issuing = spec->issuing;

    if (sg_input_names_devices(spec->input) || issuing->device_from_cn ||
        !sg_policy_needs_device(issuing->policy) || sg_policy_registers(issuing->policy))
        return true;
    return sg_fail(
        error, SG_USAGE, NULL,
        "%s does not say which device each request is for: use a manifest, or vouch with "
        "--device-from-cn that each comes from the device its CN names",
        spec->input);
}

static bool check_replace(const struct sg_issuing *issuing, struct sg_error *error)
{
    return !issuing->replace || sg_policy_unique(issuing->policy) != SG_UNIQUE_NONE ||
           sg_fail(error, SG_USAGE, NULL,
                   "--replace has no meaning under policy %s, which lets a device have several "
                   "certificates (no `unique`)",
                   sg_policy_name(issuing->policy));
}

/* A key has to be safe before its certificate is asked for. */
static bool check_keys(const struct sg_line *line, struct sg_error *error)
{
    const struct sg_sink *sink = line->sink;

    return line->spec->keys == NULL || (sink != NULL && sink->has_names && sink->keeps_part) ||
           sg_fail(error, SG_USAGE, NULL,
                   "keys are made for a folder as the output, where each can be kept before its "
                   "certificate is made");
}

static bool open_ends(struct sg_line *line, struct sg_error *error)
{
    const struct sg_line_spec *spec = line->spec;
    const struct sg_schema *schema = &sg_home_config(spec->issuing->home)->device;

    if (pipe2(line->stop, O_CLOEXEC | O_NONBLOCK) != 0)
        return sg_fail_errno(error, "a pipe can't be made");
    if (!sg_input_count(spec->input, schema, &line->counts.total, error) ||
        !sg_input_open(spec->input, schema, line->stop[0], &line->source, error))
        return false;
    if (spec->limit != 0 && line->counts.total > spec->limit)
        line->counts.total = spec->limit;
    return (spec->report == NULL ||
            sg_report_open(spec->report, spec->force, &line->report, error)) &&
           (spec->statement == NULL || sg_statement_open(spec->statement, spec->issuing,
                                                         spec->force, &line->statement, error)) &&
           (spec->output == NULL || sg_sink_open(spec->output, spec->force, &line->sink, error));
}

bool sg_line_open(const struct sg_line_spec *spec, struct sg_line **line, struct sg_error *error)
{
    sg_auto(sg_line) struct sg_line *fresh = calloc(1, sizeof *fresh);

    if (fresh == NULL)
        return sg_fail_memory(error);
    fresh->spec = spec;
    fresh->stop[0] = fresh->stop[1] = -1;
    pthread_mutex_init(&fresh->lock, NULL);
    if (!check_who(spec, error) || !check_replace(spec->issuing, error) ||
        !make_chain(fresh, error) || !open_ends(fresh, error) || !check_keys(fresh, error) ||
        !sg_reader_start(SG_TAKE(fresh->source), spec->keys, strcmp(spec->input, "-") == 0,
                         spec->limit, wake, fresh, &fresh->reader, error))
        return false;
    *line = SG_TAKE(fresh);
    return true;
}

void sg_line_close(struct sg_line *line)
{
    if (line == NULL)
        return;
    if (line->stop[1] >= 0)
        sg_line_interrupt(line);
    sg_reader_stop(line->reader);
    sg_input_close(line->source);
    sg_sink_close(line->sink);
    sg_report_close(line->report);
    sg_statement_close(line->statement);
    sg_items_done(&line->in_flight);
    sg_items_done(&line->missed);
    sg_items_done(&line->again);
    sg_seen_done(&line->devices);
    sg_seen_done(&line->names);
    sg_buf_free(&line->chain);
    sg_cleanup_fd(&line->stop[0]);
    sg_cleanup_fd(&line->stop[1]);
    pthread_mutex_destroy(&line->lock);
    free(line);
}
