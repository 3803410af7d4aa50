#include "est.h"

#include <openssl/pkcs7.h>
#include <string.h>

#include "base/base64.h"
#include "base/limits.h"
#include "base/text.h"

SG_DEFINE_CLEANUP(PKCS7, PKCS7_free)

static const char ROOT[] = "/.well-known/est";

enum {
    LABEL_SIZE = 65,
    /* when the service does not say, and at most, whatever it says */
    WAIT_S = 5,
    LONGEST_WAIT_S = 6 * 3600, /* curl 8 tells of no longer one */
    TOLD_SIZE = 161,
};

struct sg_est {
    struct sg_https *https;
    char label[LABEL_SIZE]; /* "": none */
};

/* ---- the URL ---- */

static bool take_label(const char *label, struct sg_est *est, struct sg_error *error)
{
    static const char CHARACTERS[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";
    const size_t len = strlen(label);

    if (len == 0 || len >= sizeof est->label || strspn(label, CHARACTERS) != len)
        return sg_fail(error, SG_USAGE, NULL,
                       "'%s' is no label: it has letters, digits, '-', '.' and '_', %d at most",
                       label, LABEL_SIZE - 1);
    memcpy(est->label, label, len + 1);
    return true;
}

/* The URL's path may be EST's own already, as documents show it. */
static bool take_path(const char *label, struct sg_est *est, struct sg_error *error)
{
    const char *path = sg_https_path(est->https), *rest = path;
    const bool is_est = strncmp(path, ROOT, strlen(ROOT)) == 0;

    if (is_est)
        rest += strlen(ROOT);
    if ((*rest != '/' && *rest != '\0') || (!is_est && strcmp(path, "/") != 0))
        return sg_fail(error, SG_USAGE, NULL,
                       "--url has the path %s; EST is at https://HOST:PORT%s, which need not be "
                       "written",
                       path, ROOT);
    if (*rest == '\0' || strcmp(rest, "/") == 0)
        return label == NULL || take_label(label, est, error);
    if (label != NULL)
        return sg_fail(error, SG_USAGE, NULL, "the label is in --url and in --label; once will do");
    return take_label(rest + 1, est, error);
}

bool sg_est_open(const char *url, const char *ca, const char *label, struct sg_est **est,
                 struct sg_error *error)
{
    sg_auto(sg_est) struct sg_est *fresh = calloc(1, sizeof *fresh);

    if (fresh == NULL)
        return sg_fail_memory(error);
    if (!sg_https_open(url, ca, &fresh->https, error) || !take_path(label, fresh, error))
        return false;
    *est = SG_TAKE(fresh);
    return true;
}

bool sg_est_use_key(struct sg_est *est, X509 *certificate, EVP_PKEY *pkey, struct sg_error *error)
{
    return sg_https_use_key(est->https, certificate, pkey, error);
}

void sg_est_close(struct sg_est *est)
{
    if (est == NULL)
        return;
    sg_https_close(est->https);
    free(est);
}

void sg_est_reply_done(struct sg_est_reply *reply)
{
    sg_buf_free(&reply->certificate);
}

/* ---- what came ---- */

/* The first line of what the service says, fit for a terminal. */
static const char *told(const struct sg_https_answer *answer, char into[TOLD_SIZE])
{
    const char *text = answer->body.data != NULL ? (const char *)answer->body.data : "";

    snprintf(into, TOLD_SIZE, "%.*s", (int)strcspn(text, "\r\n"), text);
    if (strncmp(answer->type, "text/plain", 10) != 0 || into[0] == '\0')
        snprintf(into, TOLD_SIZE, "HTTP status %ld", answer->status);
    return sg_text_make_printable(into);
}

/* What to do about the rules that the service names, each at the end of its line. */
static const char *advice(const char *line)
{
    static const struct {
        const char *rule, *text;
    } RULES[] = {
        {": ticket", "used for another key, ended, dropped, without a try left, or for another "
                     "policy; ask for a new one"},
        {": PIN", "missing, wrong, or not chosen yet"},
        {": renewal", "the certificate was revoked, has expired or is of another policy; a ticket "
                      "will do"},
        {": requester", "nobody vouches for this, or the device or user is disabled"},
    };
    const size_t len = strlen(line);

    for (size_t i = 0; i < sizeof RULES / sizeof RULES[0]; i++) {
        const size_t end = strlen(RULES[i].rule);
        if (len >= end && strcmp(line + len - end, RULES[i].rule) == 0)
            return RULES[i].text;
    }
    return "its operator finds the reason in its log";
}

static bool fail_status(const struct sg_https_answer *answer, struct sg_error *error)
{
    char line[TOLD_SIZE];

    told(answer, line);
    switch (answer->status) {
    case 401:
        return sg_fail(error, SG_UNAUTHENTICATED, NULL, "the service says '%s': %s", line,
                       advice(line));
    case 400:
    case 403:
        return sg_fail(error, SG_REFUSED, NULL, "the service says '%s'", line);
    case 404:
        return sg_fail(error, SG_FAILED, NULL,
                       "the service says '%s': there is no EST at this URL, or not this label",
                       line);
    default:
        return sg_fail(error, SG_FAILED, NULL, "the service says '%s'%s", line,
                       answer->status >= 300 && answer->status < 400
                           ? "; it wants to send elsewhere, where nobody goes with a ticket"
                           : "");
    }
}

static void take_wait(const struct sg_https_answer *answer, enum sg_est_outcome outcome,
                      struct sg_est_reply *reply)
{
    const int64_t asked = answer->retry_after_s;

    reply->outcome = outcome;
    reply->wait_s = asked <= 0 ? WAIT_S : asked > LONGEST_WAIT_S ? LONGEST_WAIT_S : asked;
}

static bool read_certs_only(struct sg_slice body, PKCS7 **message, struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf der = {0};
    sg_auto(PKCS7) PKCS7 *fresh = NULL;
    struct sg_error why = {0};
    const uint8_t *at;

    if (!sg_base64_decode(body, &der, &why))
        return sg_fail(error, SG_FAILED, why.rule, "the service's answer: %s", why.text);
    at = der.data;
    fresh = d2i_PKCS7(NULL, &at, (long)der.len);
    if (fresh == NULL || at != der.data + der.len || !PKCS7_type_is_signed(fresh) ||
        fresh->d.sign == NULL)
        return sg_fail_openssl(error, SG_FAILED, "RFC 7030 4.2.3",
                               "the service's answer is no certs-only message");
    *message = SG_TAKE(fresh);
    return true;
}

static bool is_of_key(const X509 *certificate, const struct sg_public_key *key)
{
    sg_auto(sg_public_key) struct sg_public_key of_certificate = {0};

    return sg_public_key_of_certificate(certificate, &of_certificate, NULL) &&
           sg_public_key_equal(&of_certificate, key);
}

static bool copy_der(const X509 *certificate, struct sg_buf *der, struct sg_error *error)
{
    sg_auto(openssl_bytes) uint8_t *bytes = NULL;
    const int len = i2d_X509(certificate, &bytes);

    if (len <= 0)
        return sg_fail_openssl(error, SG_FAILED, NULL, "the certificate can't be encoded again");
    return sg_buf_set(der, sg_slice_of(bytes, (size_t)len), error);
}

/* RFC 7030 4.2.3: the certificate of the request, and others only beside it. */
static bool take_certificate(const struct sg_https_answer *answer, const struct sg_public_key *key,
                             struct sg_est_reply *reply, struct sg_error *error)
{
    sg_auto(PKCS7) PKCS7 *message = NULL;
    const X509 *found = NULL;
    size_t num_found = 0;

    if (!read_certs_only(sg_buf_slice(&answer->body), &message, error))
        return false;
    for (int i = 0; i < sk_X509_num(message->d.sign->cert); i++) {
        const X509 *certificate = sk_X509_value(message->d.sign->cert, i);

        if (is_of_key(certificate, key)) {
            found = certificate;
            num_found++;
        }
    }
    if (num_found != 1)
        return sg_fail(error, SG_FAILED, "RFC 7030 4.2.3",
                       "the service answers with %s certificate of this key",
                       num_found == 0 ? "no" : "more than one");
    reply->outcome = SG_EST_ISSUED;
    return copy_der(found, &reply->certificate, error);
}

static bool take_answer(const struct sg_https_answer *answer, const struct sg_public_key *key,
                        struct sg_est_reply *reply, struct sg_error *error)
{
    switch (answer->status) {
    case 200:
        return take_certificate(answer, key, reply, error);
    case 202:
        take_wait(answer, SG_EST_WAITS, reply);
        return true;
    case 429:
    case 503:
        take_wait(answer, SG_EST_BUSY, reply);
        return true;
    default:
        return fail_status(answer, error);
    }
}

/* ---- asking ---- */

bool sg_est_enroll(struct sg_est *est, const struct sg_est_order *order, struct sg_est_reply *reply,
                   struct sg_error *error)
{
    sg_auto(sg_https_answer) struct sg_https_answer answer = {0};
    sg_auto(sg_est_reply) struct sg_est_reply fresh = {0};
    sg_auto(sg_buf) struct sg_buf body = {0};
    char path[sizeof ROOT + LABEL_SIZE + 32];

    snprintf(path, sizeof path, "%s%s%s/%s", ROOT, est->label[0] != '\0' ? "/" : "", est->label,
             order->renew ? "simplereenroll" : "simpleenroll");
    if (!sg_base64_encode(order->request, false, SG_LIMIT_BODY, &body, error))
        return false;
    const struct sg_https_request post = {.path = path,
                                          .type = "application/pkcs10",
                                          .user = order->ticket,
                                          .password = order->pin_hash,
                                          .body = sg_buf_slice(&body)};
    if (!sg_https_send(est->https, &post, &answer, error) ||
        !take_answer(&answer, order->key, &fresh, error))
        return false;
    sg_est_reply_done(reply);
    *reply = fresh;
    fresh = (struct sg_est_reply){0};
    return true;
}
