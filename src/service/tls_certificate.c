/* The certificate of the service's own TLS key, made by the issuer and renewed in time. */
#include <openssl/pem.h>
#include <string.h>

#include "base/limits.h"
#include "cert/cert.h"
#include "desk.h"
#include "issue/server.h"

enum {
    /* how often it is looked at: this part of what is left of it, within these bounds */
    PARTS = 20,
    SHORTEST_S = 2,
    LONGEST_S = 3600,
    /* after one that could not be had */
    AGAIN_S = 60,
};

static const char MEDIA_TYPE[] = "application/pem-certificate-chain";

static bool is_self_signed(const X509 *certificate)
{
    return X509_NAME_cmp(X509_get_subject_name(certificate), X509_get_issuer_name(certificate)) ==
           0;
}

/* A client has the root or does not believe it. */
static bool add(BIO *pem, X509 *certificate, struct sg_error *error)
{
    return is_self_signed(certificate) || PEM_write_bio_X509(pem, certificate) == 1 ||
           sg_fail_openssl(error, SG_INTERNAL, NULL, "a certificate can't be written");
}

static bool write_chain(const struct sg_issuer *issuer, struct sg_slice der, struct sg_buf *text,
                        struct sg_error *error)
{
    sg_auto(BIO) BIO *pem = BIO_new(BIO_s_mem());
    sg_auto(X509) X509 *own = NULL;
    const char *data = NULL;

    if (pem == NULL)
        return sg_fail_memory(error);
    if (!sg_cert_read(der, "the TLS certificate", &own, error) || !add(pem, own, error) ||
        !add(pem, issuer->facts.certificate, error))
        return false;
    for (int i = 0; i < sk_X509_num(issuer->chain); i++)
        if (!add(pem, sk_X509_value(issuer->chain, i), error))
            return false;
    const long len = BIO_get_mem_data(pem, &data);
    return sg_buf_append(text, data, (size_t)len, SG_LIMIT_BODY, error);
}

static bool publish(struct sg_desk *desk, const struct sg_issuer *issuer, struct sg_slice der,
                    int64_t now, struct sg_error *error)
{
    const struct sg_document document = {
        .path = (char[]){SG_WIRE_TLS_PATH}, .media_type = MEDIA_TYPE, .modified = now};
    sg_auto(sg_buf) struct sg_buf text = {0};

    if (!write_chain(issuer, der, &text, error) ||
        !sg_shelf_put(desk->shelf, &document, &text, error))
        return false;
    desk->wake_door(desk->wake_context);
    return true;
}

static bool is_known(const struct sg_desk *desk, const struct sg_serial *serial)
{
    return desk->tls.not_after != 0 && desk->tls.serial.len == serial->len &&
           memcmp(desk->tls.serial.bytes, serial->bytes, serial->len) == 0;
}

static bool certify(struct sg_desk *desk, int64_t now, struct sg_error *error)
{
    const struct sg_service_config *config = desk->config;
    const struct sg_server_order order = {
        .signer = sg_tls_key_signer(desk->tls_key),
        .device = config->https.device,
        .policy = config->https.policy,
        .issuer = config->est.issuer,
        .clock = desk->issuing.clock,
    };
    sg_auto(sg_server_news) struct sg_server_news news = {0};

    if (!sg_issue_server(desk->home, &order, &news, error))
        return false;
    if (is_known(desk, &news.serial))
        return true;
    if (!publish(desk, news.issuer, sg_buf_slice(&news.certificate), now, error))
        return false;
    desk->tls.serial = news.serial;
    desk->tls.not_after = news.not_after;
    return true;
}

static int64_t pause_after(const struct sg_desk *desk, int64_t now)
{
    const int64_t pause = (desk->tls.not_after - now) / PARTS;

    return pause < SHORTEST_S ? SHORTEST_S : pause > LONGEST_S ? LONGEST_S : pause;
}

static bool ends_all(enum sg_code code)
{
    return code == SG_TOKEN || code == SG_PIN || code == SG_STORE;
}

bool sg_tls_certify_when_due(struct sg_desk *desk, struct sg_error *error)
{
    const int64_t now = sg_clock_now(&desk->issuing.clock);
    struct sg_error why = {0};
    char text[SG_ERROR_TEXT_SIZE + SG_ERROR_RULE_SIZE + 64];

    if (desk->config->https.device == NULL || now < desk->tls.look_again)
        return true;
    if (certify(desk, now, &why)) {
        desk->tls.look_again = now + pause_after(desk, now);
        return true;
    }
    if (ends_all(why.code) || desk->tls.not_after == 0) {
        *error = why;
        return sg_error_prefix(error, "service: https: the certificate for device %s",
                               desk->config->https.device);
    }
    (void)snprintf(text, sizeof text, "the TLS certificate can't be renewed: %s%s%s", why.rule,
                   why.rule[0] != '\0' ? ": " : "", why.text);
    if (desk->say != NULL)
        desk->say(text);
    desk->tls.look_again = now + AGAIN_S;
    return true;
}
