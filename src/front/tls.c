#include <openssl/err.h>

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

static bool load_pair(SSL_CTX *tls, const char *certificate, const char *key,
                      struct sg_error *error)
{
    if (SSL_CTX_use_certificate_chain_file(tls, certificate) != 1)
        return sg_fail_openssl(error, SG_INVALID, "service",
                               "the TLS certificate %s can't be read, in PEM, with its chain after "
                               "it",
                               certificate);
    if (SSL_CTX_use_PrivateKey_file(tls, key, SSL_FILETYPE_PEM) != 1)
        return sg_fail_openssl(error, SG_INVALID, "service",
                               "the TLS key %s can't be read, or is not that of %s", key,
                               certificate);
    return SSL_CTX_check_private_key(tls) == 1 ||
           sg_fail_openssl(error, SG_INVALID, "service", "the TLS key %s is not that of %s", key,
                           certificate);
}

static bool load(SSL_CTX *tls, const char *dir, const struct sg_service_config *config,
                 struct sg_error *error)
{
    sg_auto(malloc) char *certificate = NULL;
    sg_auto(malloc) char *key = NULL;

    return sg_path_join(dir, config->https.certificate, &certificate, error) &&
           sg_path_join(dir, config->https.key, &key, error) &&
           load_pair(tls, certificate, key, error);
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

bool sg_tls_new(const char *dir, const struct sg_service_config *config, SSL_CTX **tls,
                int64_t *not_after, struct sg_error *error)
{
    SSL_CTX *fresh = SSL_CTX_new(TLS_server_method());

    if (fresh == NULL)
        return sg_fail_openssl(error, SG_FAILED, NULL, "TLS can't be set up");
    set_up(fresh, config->https.allow_tls_1_2);
    if (!load(fresh, dir, config, error)) {
        SSL_CTX_free(fresh);
        return false;
    }
    *not_after = end_of(SSL_CTX_get0_certificate(fresh));
    *tls = fresh;
    return true;
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
