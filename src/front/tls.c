#include <openssl/err.h>
#include <openssl/pem.h>

#include "base/file.h"
#include "parts.h"

/* Who a client is, the issuer finds out from its certificate, in the store; here it only proves
 * that it has the key. */
static int accept_any_chain(int preverified, X509_STORE_CTX *context)
{
    (void)preverified;
    (void)context;
    return 1;
}

static bool load_certificate(SSL_CTX *tls, const char *path, struct sg_error *error)
{
    return SSL_CTX_use_certificate_chain_file(tls, path) == 1 ||
           sg_fail_openssl(error, SG_INVALID, "service",
                           "the TLS certificate %s can't be read, in PEM, with its chain after it",
                           path);
}

static bool load_key(SSL_CTX *tls, const char *path, const char *certificate,
                     struct sg_error *error)
{
    if (SSL_CTX_use_PrivateKey_file(tls, path, SSL_FILETYPE_PEM) != 1)
        return sg_fail_openssl(error, SG_INVALID, "service",
                               "the TLS key %s can't be read, or is not that of %s", path,
                               certificate);
    return SSL_CTX_check_private_key(tls) == 1 ||
           sg_fail_openssl(error, SG_INVALID, "service", "the TLS key %s is not that of %s", path,
                           certificate);
}

static bool use_issuers_key(struct sg_front *front, SSL_CTX *tls, struct sg_error *error)
{
    sg_auto(EVP_PKEY) EVP_PKEY *pkey = NULL;

    if (!sg_front_key_of(front, SSL_CTX_get0_certificate(tls), &pkey, error))
        return false;
    SSL_CTX_set_mode(tls, SSL_MODE_ASYNC);
    return SSL_CTX_use_PrivateKey(tls, pkey) == 1 ||
           sg_fail_openssl(error, SG_FAILED, NULL, "the issuer's key of TLS can't be used");
}

static bool load_files(struct sg_front *front, SSL_CTX *tls, const struct sg_service_config *config,
                       struct sg_error *error)
{
    sg_auto(malloc) char *certificate = NULL;
    sg_auto(malloc) char *key = NULL;

    if (!sg_path_join(front->setting->dir, config->https.certificate, &certificate, error) ||
        !load_certificate(tls, certificate, error))
        return false;
    if (config->https.key == NULL)
        return use_issuers_key(front, tls, error);
    return sg_path_join(front->setting->dir, config->https.key, &key, error) &&
           load_key(tls, key, certificate, error);
}

/* The first is the server's, the others are those above it. */
static bool load_told(struct sg_front *front, SSL_CTX *tls, struct sg_slice pem,
                      struct sg_error *error)
{
    sg_auto(BIO) BIO *memory = BIO_new_mem_buf(pem.data, (int)pem.len);
    X509 *above = NULL;
    sg_auto(X509) X509 *own = memory != NULL ? PEM_read_bio_X509(memory, NULL, NULL, NULL) : NULL;

    if (own == NULL || SSL_CTX_use_certificate(tls, own) != 1)
        return sg_fail_openssl(error, SG_MALFORMED, "wire", "the issuer's TLS certificate");
    while ((above = PEM_read_bio_X509(memory, NULL, NULL, NULL)) != NULL)
        if (SSL_CTX_add0_chain_cert(tls, above) != 1) {
            X509_free(above);
            return sg_fail_openssl(error, SG_MALFORMED, "wire", "the issuer's TLS chain");
        }
    ERR_clear_error(); /* that there are no more */
    return use_issuers_key(front, tls, error);
}

static bool load(struct sg_front *front, SSL_CTX *tls, const struct sg_service_config *config,
                 struct sg_error *error)
{
    const struct sg_slice told = sg_paper_bytes(front, SG_WIRE_TLS_PATH);

    if (config->https.certificate != NULL)
        return load_files(front, tls, config, error);
    return told.len == 0 || load_told(front, tls, told, error);
}

static void set_up(SSL_CTX *tls, bool allow_1_2)
{
    static const char SESSIONS[] = "signetd";

    SSL_CTX_set_min_proto_version(tls, allow_1_2 ? TLS1_2_VERSION : TLS1_3_VERSION);
    SSL_CTX_set_cipher_list(tls, "ECDHE+AESGCM:ECDHE+CHACHA20");
    SSL_CTX_set_options(tls, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                 SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_mode(tls, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_cache_mode(tls, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_session_id_context(tls, (const uint8_t *)SESSIONS, sizeof SESSIONS - 1);
    SSL_CTX_set_verify(tls, SSL_VERIFY_PEER | SSL_VERIFY_CLIENT_ONCE, accept_any_chain);
    SSL_CTX_set_max_cert_list(tls, SG_LIMIT_CERTIFICATE);
}

static int64_t end_of(const X509 *certificate)
{
    struct tm tm = {0};

    return ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &tm) == 1 ? (int64_t)timegm(&tm) : 0;
}

bool sg_tls_new(struct sg_front *front, const struct sg_service_config *config, SSL_CTX **tls,
                int64_t *not_after, struct sg_error *error)
{
    SSL_CTX *fresh = SSL_CTX_new(TLS_server_method());
    const X509 *certificate;

    if (fresh == NULL)
        return sg_fail_openssl(error, SG_FAILED, NULL, "TLS can't be set up");
    set_up(fresh, config->https.allow_tls_1_2);
    if (!load(front, fresh, config, error)) {
        SSL_CTX_free(fresh);
        return false;
    }
    certificate = SSL_CTX_get0_certificate(fresh);
    *not_after = certificate != NULL ? end_of(certificate) : 0;
    *tls = fresh;
    return true;
}

/* Connections that are open keep the certificate that they began with. */
void sg_tls_take(struct sg_front *front)
{
    const struct sg_service_config *config = &front->config.service;
    struct sg_error error = {0};
    SSL_CTX *fresh = NULL;
    int64_t not_after = 0;

    if (front->tls == NULL || config->https.certificate != NULL)
        return;
    if (!sg_tls_new(front, config, &fresh, &not_after, &error)) {
        sg_log_say(front, "the issuer's TLS certificate is no use: %s", error.text);
        return;
    }
    SSL_CTX_free(front->tls);
    front->tls = fresh;
    front->tls_not_after = not_after;
    sg_log_say(front, "the issuer's TLS certificate is served from now on");
}

bool sg_client_certificate(const struct sg_exchange *exchange, struct sg_buf *der,
                           struct sg_error *error)
{
    return exchange->is_proxied ? sg_proxy_client(exchange, der, error)
                                : sg_tls_client(exchange->visit->buffer, der, error);
}

bool sg_tls_client(struct bufferevent *buffer, struct sg_buf *der, struct sg_error *error)
{
    SSL *ssl = bufferevent_openssl_get_ssl(buffer);
    const X509 *certificate = ssl != NULL ? SSL_get0_peer_certificate(ssl) : NULL;
    sg_auto(openssl_bytes) uint8_t *bytes = NULL;
    int len;

    if (certificate == NULL)
        return true;
    if ((len = i2d_X509(certificate, &bytes)) <= 0)
        return sg_fail_openssl(error, SG_MALFORMED, NULL, "the client's certificate");
    return sg_buf_append(der, bytes, (size_t)len, SG_LIMIT_CERTIFICATE, error);
}
