/* proxy: clients whose TLS ends at a server in front of this one, and whose certificates it passes
 * on in a header.
 *
 * The header is believed from one peer alone, which signet.yaml names: who connects to a Unix
 * socket as a user that the kernel vouches for, or who has shown a certificate in TLS. What is
 * believed is that the client has the certificate's key; whose it is, the issuer looks up as ever.
 */
#include <arpa/inet.h>
#include <openssl/pem.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/file.h"
#include "base/limits.h"
#include "parts.h"

static const char RULE[] = "client certificate";

/* ---- who it is ---- */

bool sg_proxy_find(const char *dir, const struct sg_service_config *config, struct sg_proxy *proxy,
                   struct sg_error *error)
{
    const char *name = config->proxy.user;
    const struct passwd *entry = name != NULL ? getpwnam(name) : NULL;
    sg_auto(malloc) char *path = NULL;
    sg_auto(BIO) BIO *file = NULL;
    sg_auto(X509) X509 *certificate = NULL;

    if (name != NULL && entry == NULL)
        return sg_fail(error, SG_INVALID, NULL,
                       "signet.yaml, service: proxy: there is no user '%s' on this machine", name);
    if (config->proxy.certificate != NULL) {
        if (!sg_path_join(dir, config->proxy.certificate, &path, error))
            return false;
        file = BIO_new_file(path, "r");
        certificate = file != NULL ? PEM_read_bio_X509(file, NULL, NULL, NULL) : NULL;
        if (certificate == NULL)
            return sg_fail_openssl(error, SG_INVALID, "service",
                                   "the proxy's certificate %s can't be read, in PEM", path);
    }
    proxy->uid = entry != NULL ? entry->pw_uid : 0;
    proxy->certificate = SG_TAKE(certificate);
    return true;
}

void sg_proxy_done(struct sg_proxy *proxy)
{
    X509_free(proxy->certificate);
    *proxy = (struct sg_proxy){0};
}

static bool is_the_user(const struct sg_exchange *exchange)
{
    struct ucred who;
    socklen_t len = sizeof who;

    return getsockopt(bufferevent_getfd(exchange->visit->buffer), SOL_SOCKET, SO_PEERCRED, &who,
                      &len) == 0 &&
           who.uid == exchange->front->proxy.uid;
}

static bool has_its_certificate(const struct sg_exchange *exchange)
{
    const X509 *wanted = exchange->front->proxy.certificate;
    SSL *ssl = bufferevent_openssl_get_ssl(exchange->visit->buffer);
    const X509 *shown = wanted != NULL && ssl != NULL ? SSL_get0_peer_certificate(ssl) : NULL;

    return shown != NULL && X509_cmp(wanted, shown) == 0;
}

/* ---- what it passes on ---- */

/* There may be one, as nobody can say which of two is the proxy's. */
static bool find_header(const struct sg_exchange *exchange, const char *name, const char **value)
{
    const struct evkeyvalq *headers = evhttp_request_get_input_headers(exchange->http);
    const struct evkeyval *header;
    const char *found = NULL;

    TAILQ_FOREACH(header, headers, next)
    {
        if (evutil_ascii_strcasecmp(header->key, name) != 0)
            continue;
        if (found != NULL)
            return false;
        found = header->value;
    }
    *value = found;
    return true;
}

/* For the log, and for whoever is slowed: an address, or the proxy's own stays. */
static void take_address(struct sg_exchange *exchange)
{
    const char *name = exchange->front->config.service.proxy.address;
    const char *value = NULL;
    uint8_t address[16];

    if (name != NULL && find_header(exchange, name, &value) && value != NULL &&
        (inet_pton(AF_INET, value, address) == 1 || inet_pton(AF_INET6, value, address) == 1))
        snprintf(exchange->peer, sizeof exchange->peer, "%s", value);
}

bool sg_proxy_judge(struct sg_exchange *exchange, bool is_its_socket)
{
    const bool is_named = exchange->front->config.service.proxy.user != NULL;

    /* a reload may have taken the name away; the socket stays until a restart */
    if (is_its_socket && (!is_named || !is_the_user(exchange)))
        return false;
    exchange->is_proxied = is_its_socket || has_its_certificate(exchange);
    if (is_its_socket)
        snprintf(exchange->peer, sizeof exchange->peer, "proxy");
    if (exchange->is_proxied)
        take_address(exchange);
    return true;
}

/* RFC 9440 2: the octets in base64, between colons. */
static X509 *read_item(const char *value, size_t len)
{
    sg_auto(malloc) uint8_t *der = malloc(len);
    const uint8_t *at = der;
    const int num = der != NULL ? EVP_DecodeBlock(der, (const uint8_t *)value, (int)len) : -1;

    return num > 0 ? d2i_X509(NULL, &at, num) : NULL;
}

/* As nginx's $ssl_client_escaped_cert has it: PEM, escaped as in a URL. */
static X509 *read_escaped(const char *value)
{
    size_t len = 0;
    sg_auto(malloc) char *pem = evhttp_uridecode(value, 0, &len);
    sg_auto(BIO) BIO *memory = pem != NULL ? BIO_new_mem_buf(pem, (int)len) : NULL;

    return memory != NULL ? PEM_read_bio_X509(memory, NULL, NULL, NULL) : NULL;
}

/* Some versions of libevent 2.1 put what comes after the last chunk among the headers. */
static bool comes_in_chunks(const struct sg_exchange *exchange)
{
    return evhttp_find_header(evhttp_request_get_input_headers(exchange->http),
                              "Transfer-Encoding") != NULL;
}

bool sg_proxy_client(const struct sg_exchange *exchange, struct sg_buf *der, struct sg_error *error)
{
    const char *name = exchange->front->config.service.proxy.header;
    const char *value = NULL;
    sg_auto(X509) X509 *certificate = NULL;
    sg_auto(openssl_bytes) uint8_t *bytes = NULL;
    size_t len;

    if (!find_header(exchange, name, &value))
        return sg_fail(error, SG_MALFORMED, RULE, "the proxy has sent %s more than once", name);
    if (value == NULL || value[0] == '\0')
        return true;
    if (comes_in_chunks(exchange))
        return sg_fail(error, SG_MALFORMED, RULE,
                       "the proxy has sent %s with a body in chunks, after which it could be the "
                       "client's own trailer: it has to send the body's length",
                       name);
    len = strlen(value);
    if (value[0] == ':' && len > 2 && value[len - 1] == ':')
        certificate = read_item(value + 1, len - 2);
    else
        certificate = read_escaped(value);
    const int num = certificate != NULL ? i2d_X509(certificate, &bytes) : -1;
    if (num <= 0)
        return sg_fail_openssl(error, SG_MALFORMED, RULE,
                               "what the proxy says in %s is no certificate, neither as RFC 9440 "
                               "has it nor as PEM, escaped",
                               name);
    return sg_buf_append(der, bytes, (size_t)num, SG_LIMIT_CERTIFICATE, error);
}
