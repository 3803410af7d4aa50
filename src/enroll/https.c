#include "https.h"

#include <curl/curl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <string.h>

#include "base/limits.h"

enum {
    CONNECT_S = 20,
    /* for one exchange; the service answers within 30 s, and a person may type a PIN meanwhile */
    EXCHANGE_S = 120,
};

struct sg_https {
    CURL *curl;
    CURLU *url;
    char *path;
    X509 *certificate; /* borrowed, as the key is */
    EVP_PKEY *pkey;
    char message[CURL_ERROR_SIZE];
};

/* What an exchange is given. */
struct receiving {
    struct sg_https_answer *answer;
    size_t num_header;  /* octets so far */
    const char *excess; /* what was too long; NULL: nothing */
};

/* ---- the URL ---- */

static bool fail_url(struct sg_error *error, const char *problem)
{
    return sg_fail(error, SG_USAGE, NULL, "--url %s; write https://HOST:PORT", problem);
}

/* Has the URL this part? */
static bool has(CURLU *url, CURLUPart part)
{
    char *text = NULL;
    const bool is_there = curl_url_get(url, part, &text, 0) == CURLUE_OK;

    curl_free(text);
    return is_there;
}

static bool read_url(const char *text, struct sg_https *https, struct sg_error *error)
{
    if ((https->url = curl_url()) == NULL)
        return sg_fail_memory(error);
    if (strncasecmp(text, "https://", 8) != 0)
        return fail_url(error, "does not begin with https://");
    if (curl_url_set(https->url, CURLUPART_URL, text, 0) != CURLUE_OK)
        return fail_url(error, "is no URL");
    if (has(https->url, CURLUPART_USER) || has(https->url, CURLUPART_PASSWORD))
        return fail_url(error, "has a user or password in it, which is no place for one");
    if (has(https->url, CURLUPART_QUERY) || has(https->url, CURLUPART_FRAGMENT))
        return fail_url(error, "has a '?' or '#' part");
    return curl_url_get(https->url, CURLUPART_PATH, &https->path, 0) == CURLUE_OK ||
           sg_fail_memory(error);
}

const char *sg_https_path(const struct sg_https *https)
{
    return https->path;
}

/* ---- what comes ---- */

static size_t take_header(char *bytes, size_t size, size_t num, void *context)
{
    struct receiving *receiving = context;

    (void)bytes;
    receiving->num_header += size * num;
    if (receiving->num_header <= SG_LIMIT_HEADERS)
        return size * num;
    receiving->excess = "headers";
    return 0;
}

static size_t take_body(char *bytes, size_t size, size_t num, void *context)
{
    struct receiving *receiving = context;

    if (sg_buf_append(&receiving->answer->body, bytes, size * num, SG_LIMIT_BODY, NULL))
        return size * num;
    receiving->excess = "a body";
    return 0;
}

void sg_https_answer_done(struct sg_https_answer *answer)
{
    sg_buf_free(&answer->body);
}

/* ---- the client's key ---- */

static CURLcode give_key(CURL *curl, void *context, void *user)
{
    const struct sg_https *https = user;

    (void)curl;
    return SSL_CTX_use_certificate(context, https->certificate) == 1 &&
                   SSL_CTX_use_PrivateKey(context, https->pkey) == 1
               ? CURLE_OK
               : CURLE_SSL_CERTPROBLEM;
}

/* ---- the handle ---- */

static bool fail_setup(struct sg_error *error)
{
    return sg_fail(error, SG_FAILED, NULL,
                   "this libcurl can't do what is needed; it has to be one that stands on OpenSSL");
}

/* Every option that says how the server is reached; one that this libcurl does not know is a
 * failure, as each of them is there for safety. */
static bool set_up(struct sg_https *https, const char *ca, struct sg_error *error)
{
    CURL *curl = https->curl;
    const bool is_set =
        curl_easy_setopt(curl, CURLOPT_CURLU, https->url) == CURLE_OK &&
        curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https") == CURLE_OK &&
        curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
        curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L) == CURLE_OK &&
        curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK &&
        curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L) == CURLE_OK &&
        curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L) == CURLE_OK &&
        curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) == CURLE_OK &&
        curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_S) == CURLE_OK &&
        curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)EXCHANGE_S) == CURLE_OK &&
        curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
        curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, https->message) == CURLE_OK &&
        curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header) == CURLE_OK &&
        curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body) == CURLE_OK &&
        /* with a file of CAs, the system's own are not believed */
        (ca == NULL || (curl_easy_setopt(curl, CURLOPT_CAINFO, ca) == CURLE_OK &&
                        curl_easy_setopt(curl, CURLOPT_CAPATH, NULL) == CURLE_OK));

    return is_set || fail_setup(error);
}

static bool check_ca(const char *ca, struct sg_error *error)
{
    if (ca == NULL || access(ca, R_OK) == 0)
        return true;
    return sg_fail_errno(error, "--ca %s can't be read", ca);
}

bool sg_https_open(const char *url, const char *ca, struct sg_https **https, struct sg_error *error)
{
    sg_auto(sg_https) struct sg_https *fresh = calloc(1, sizeof *fresh);

    if (fresh == NULL || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK ||
        (fresh->curl = curl_easy_init()) == NULL)
        return sg_fail_memory(error);
    if (!read_url(url, fresh, error) || !check_ca(ca, error) || !set_up(fresh, ca, error))
        return false;
    *https = SG_TAKE(fresh);
    return true;
}

bool sg_https_use_key(struct sg_https *https, X509 *certificate, EVP_PKEY *pkey,
                      struct sg_error *error)
{
    https->certificate = certificate;
    https->pkey = pkey;
    return (curl_easy_setopt(https->curl, CURLOPT_SSL_CTX_FUNCTION, give_key) == CURLE_OK &&
            curl_easy_setopt(https->curl, CURLOPT_SSL_CTX_DATA, https) == CURLE_OK) ||
           fail_setup(error);
}

void sg_https_close(struct sg_https *https)
{
    if (https == NULL)
        return;
    curl_easy_cleanup(https->curl);
    curl_url_cleanup(https->url);
    curl_free(https->path);
    free(https);
}

/* ---- one exchange ---- */

typedef struct curl_slist curl_slist;
SG_DEFINE_CLEANUP(curl_slist, curl_slist_free_all)

static bool add_header(curl_slist **headers, const char *line, struct sg_error *error)
{
    curl_slist *longer = curl_slist_append(*headers, line);

    if (longer == NULL)
        return sg_fail_memory(error);
    *headers = longer;
    return true;
}

static bool make_headers(const struct sg_https_request *request, curl_slist **headers,
                         struct sg_error *error)
{
    char type[160];

    snprintf(type, sizeof type, "Content-Type: %s", request->type != NULL ? request->type : "");
    return (request->body.len == 0 || add_header(headers, type, error)) &&
           /* the body goes at once, without a question whether it may */
           add_header(headers, "Expect:", error);
}

/* What is no GET has a body, be it empty. */
static bool set_method(CURL *curl, const struct sg_https_request *request)
{
    const char *method = request->method != NULL ? request->method : "POST";
    const char *body = request->body.len > 0 ? (const char *)request->body.data : "";

    if (strcmp(method, "GET") == 0)
        return curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, NULL) == CURLE_OK &&
               curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L) == CURLE_OK;
    return curl_easy_setopt(curl, CURLOPT_POST, 1L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)request->body.len) == CURLE_OK;
}

static bool prepare(struct sg_https *https, const struct sg_https_request *request,
                    curl_slist *headers, struct receiving *receiving, struct sg_error *error)
{
    CURL *curl = https->curl;

    return (curl_url_set(https->url, CURLUPART_PATH, request->path, 0) == CURLUE_OK &&
            curl_url_set(https->url, CURLUPART_QUERY, request->query, 0) == CURLUE_OK &&
            curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers) == CURLE_OK &&
            set_method(curl, request) &&
            curl_easy_setopt(curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC) == CURLE_OK &&
            curl_easy_setopt(curl, CURLOPT_USERNAME, request->user) == CURLE_OK &&
            curl_easy_setopt(curl, CURLOPT_PASSWORD, request->password) == CURLE_OK &&
            curl_easy_setopt(curl, CURLOPT_HEADERDATA, receiving) == CURLE_OK &&
            curl_easy_setopt(curl, CURLOPT_WRITEDATA, receiving) == CURLE_OK) ||
           sg_fail_memory(error);
}

/* libcurl says in words what OpenSSL or the network told it. */
static bool fail_exchange(const struct sg_https *https, CURLcode code,
                          const struct receiving *receiving, struct sg_error *error)
{
    const char *text = https->message[0] != '\0' ? https->message : curl_easy_strerror(code);

    if (receiving->excess != NULL)
        return sg_fail(error, SG_FAILED, NULL,
                       "the service sends more than %d bytes of %s; is that the right URL?",
                       strcmp(receiving->excess, "headers") == 0 ? (int)SG_LIMIT_HEADERS
                                                                 : (int)SG_LIMIT_BODY,
                       receiving->excess);
    if (code == CURLE_PEER_FAILED_VERIFICATION)
        return sg_fail(error, SG_FAILED, NULL,
                       "the service is not believed: %s; --ca FILE names the CA that its TLS "
                       "certificate is from",
                       text);
    if (https->pkey != NULL && code == CURLE_SSL_CONNECT_ERROR &&
        strstr(text, "operation fail") != NULL)
        return sg_fail(error, SG_TOKEN, NULL, "the token's key did not sign for TLS: %s", text);
    return sg_fail(error, SG_FAILED, NULL, "the service can't be asked: %s; run the same again",
                   text);
}

static void read_about(CURL *curl, struct sg_https_answer *answer)
{
    const char *type = NULL;
    curl_off_t retry_after = 0;

    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer->status);
    curl_easy_getinfo(curl, CURLINFO_CONTENT_TYPE, &type);
    curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &retry_after);
    snprintf(answer->type, sizeof answer->type, "%s", type != NULL ? type : "");
    answer->retry_after_s = (int64_t)retry_after;
}

bool sg_https_send(struct sg_https *https, const struct sg_https_request *request,
                   struct sg_https_answer *answer, struct sg_error *error)
{
    sg_auto(sg_https_answer) struct sg_https_answer fresh = {0};
    struct receiving receiving = {.answer = &fresh};
    sg_auto(curl_slist) curl_slist *headers = NULL;
    CURLcode code;

    if (!make_headers(request, &headers, error) ||
        !prepare(https, request, headers, &receiving, error))
        return false;
    https->message[0] = '\0';
    ERR_clear_error();
    code = curl_easy_perform(https->curl);
    ERR_clear_error();
    if (code != CURLE_OK)
        return fail_exchange(https, code, &receiving, error);
    read_about(https->curl, &fresh);
    sg_https_answer_done(answer);
    *answer = fresh;
    fresh = (struct sg_https_answer){0};
    return true;
}
