#include "net_remote.h"

#include <openssl/crypto.h>
#include <string.h>

#include "base/text.h"
#include "cert/cert.h"
#include "enroll/enroll.h"
#include "enroll/https.h"
#include "open.h"
#include "token/signer_pkey.h"

static const char ROOT[] = "/api/v1";

struct sg_remote {
    struct sg_token *token;
    struct sg_card_key card;
    X509 *certificate;
    struct sg_pkey_maker *maker;
    EVP_PKEY *pkey;
    struct sg_https *https;
    bool found_nothing;
};

/* The connection goes before the key that it uses, and that before its token. */
void sg_remote_close(struct sg_remote *remote)
{
    if (remote == NULL)
        return;
    sg_https_close(remote->https);
    X509_free(remote->certificate);
    EVP_PKEY_free(remote->pkey);
    sg_pkey_maker_free(remote->maker);
    sg_card_key_done(&remote->card);
    sg_token_close(remote->token);
    free(remote);
}

/* ---- opening ---- */

/* The URL may be the API's own already, as documents show it. */
static bool check_path(const char *path, struct sg_error *error)
{
    const size_t len = strlen(ROOT);

    if (strcmp(path, "/") == 0)
        return true;
    if (strncmp(path, ROOT, len) == 0 && (path[len] == '\0' || strcmp(path + len, "/") == 0))
        return true;
    return sg_fail(error, SG_USAGE, NULL,
                   "--url has the path %s; the API is at https://HOST:PORT%s, which need not be "
                   "written",
                   path, ROOT);
}

static bool open_url(const struct sg_cli *cli, struct sg_remote *remote, struct sg_error *error)
{
    const char *url = NULL;

    return sg_cli_need(cli, "url", &url, error) &&
           sg_https_open(url, sg_cli_text(cli, "ca"), &remote->https, error) &&
           check_path(sg_https_path(remote->https), error);
}

static bool read_certificate(const struct sg_cli *cli, struct sg_remote *remote,
                             struct sg_error *error)
{
    sg_auto(sg_certificates) sg_certificates *certificates = NULL;
    const char *path = sg_cli_text(cli, "cert");

    if (path == NULL)
        return true;
    if ((certificates = sk_X509_new_null()) == NULL)
        return sg_fail_memory(error);
    if (!sg_cli_read_certificates(path, certificates, error))
        return false;
    remote->certificate = sk_X509_shift(certificates);
    return true;
}

/* Cards are often of the kind that the engine can't use. */
static bool open_card(const struct sg_cli *cli, struct sg_remote *remote, struct sg_error *error)
{
    const struct sg_token_config config = {
        .profile = sg_cli_text(cli, "profile"),
        .module = sg_cli_text(cli, "module"),
        .uri = sg_cli_text(cli, "as"),
        .pin = sg_cli_has(cli, "pin") ? sg_cli_text(cli, "pin") : "prompt",
        .signer = SG_SIGNER_DIRECT,
    };

    if ((config.profile == NULL) == (config.module == NULL))
        return sg_fail(error, SG_USAGE, NULL,
                       "--as needs --profile NAME or --module PATH, to know by which module the "
                       "card is reached");
    return sg_token_open(&config, &remote->token, error) &&
           sg_card_key_open(remote->token, config.uri, NULL, NULL, &remote->card, error);
}

/* A CA's key signs nothing that is not noted in its store, and so proves nobody in TLS. */
static bool check_key(const struct sg_cli *cli, struct sg_remote *remote, struct sg_error *error)
{
    const char *path = sg_cli_text(cli, "cert");
    sg_auto(sg_public_key) struct sg_public_key key = {0};

    if (!sg_public_key_of_certificate(remote->certificate, &key, error))
        return false;
    if (!sg_public_key_equal(&key, &remote->card.key.public))
        return sg_fail(error, SG_TOKEN, NULL, "the certificate %s is not of key '%s' on token %s",
                       path != NULL ? path : "beside it", remote->card.key.label,
                       sg_token_label(remote->token));
    return X509_check_ca(remote->certificate) == 0 ||
           sg_fail(error, SG_REFUSED, "issuer key",
                   "%s is a CA's certificate, and a CA's key signs nothing that is not noted in "
                   "its store; an operator has a key of their own",
                   path != NULL ? path : "what is on the card");
}

/* The one beside the key, unless --cert names one. */
static bool take_certificate(const struct sg_cli *cli, struct sg_remote *remote,
                             struct sg_error *error)
{
    if (remote->certificate == NULL && remote->card.certificate.len == 0)
        return sg_fail(error, SG_TOKEN, NULL,
                       "beside key '%s' on token %s is no certificate; --cert FILE names it",
                       remote->card.key.label, sg_token_label(remote->token));
    if (remote->certificate == NULL && !sg_cert_read(sg_buf_slice(&remote->card.certificate),
                                                     "token", &remote->certificate, error))
        return false;
    return check_key(cli, remote, error);
}

bool sg_remote_open(const struct sg_cli *cli, struct sg_remote **remote, struct sg_error *error)
{
    sg_auto(sg_remote) struct sg_remote *fresh = calloc(1, sizeof *fresh);

    if (fresh == NULL)
        return sg_fail_memory(error);
    if (!open_url(cli, fresh, error) || !read_certificate(cli, fresh, error) ||
        !open_card(cli, fresh, error) || !take_certificate(cli, fresh, error) ||
        !sg_pkey_maker_new(&fresh->maker, error) ||
        !sg_signer_pkey(fresh->maker, fresh->card.signer, &fresh->pkey, error) ||
        !sg_https_use_key(fresh->https, fresh->certificate, fresh->pkey, error))
        return false;
    *remote = SG_TAKE(fresh);
    return true;
}

/* ---- what is sent ---- */

bool sg_remote_escape(const char *text, struct sg_buf *into, struct sg_error *error)
{
    static const char PLAIN[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_~";

    for (; *text != '\0'; text++)
        if (!(strchr(PLAIN, *text) != NULL
                  ? sg_buf_append(into, text, 1, SG_LIMIT_TARGET, error)
                  : sg_buf_printf(into, SG_LIMIT_TARGET, error, "%%%02X", (uint8_t)*text)))
            return false;
    return true;
}

/* A body may hold a challenge. */
static bool send_call(struct sg_remote *remote, const struct sg_remote_call *call,
                      struct sg_https_answer *answer, struct sg_error *error)
{
    sg_auto(malloc) char *body = call->body != NULL ? json_dumps(call->body, JSON_COMPACT) : NULL;
    char path[SG_LIMIT_TARGET + sizeof ROOT + 1];
    const struct sg_https_request request = {
        .method = call->method,
        .path = path,
        .query = call->query,
        .type = "application/json",
        .body = sg_slice_text(body != NULL ? body : ""),
    };
    bool is_sent;

    if (call->body != NULL && body == NULL)
        return sg_fail_memory(error);
    (void)snprintf(path, sizeof path, "%s/%s", ROOT, call->path);
    is_sent = sg_https_send(remote->https, &request, answer, error);
    if (body != NULL)
        OPENSSL_cleanse(body, strlen(body));
    return is_sent;
}

/* ---- what comes ---- */

static bool clean_text(json_t *text, bool has_lines, struct sg_error *error)
{
    sg_auto(malloc) char *copy = strdup(json_string_value(text));

    for (char *line = copy, *end; line != NULL; line = end) {
        end = has_lines ? strchr(line, '\n') : NULL;
        if (end != NULL)
            *end = '\0';
        sg_text_make_printable(line);
        if (end != NULL)
            *end++ = '\n';
    }
    return (copy != NULL && json_string_set(text, copy) == 0) || sg_fail_memory(error);
}

/* The answer's own "pem" alone has lines; it is read as what it is before it is shown. The reader
 * has bounded how deep an answer is. */
static bool clean(json_t *value, bool is_answer, struct sg_error *error)
{
    const char *key;
    json_t *item;
    size_t i;

    if (json_is_string(value))
        return clean_text(value, false, error);
    json_array_foreach(value, i, item)
    {
        if (!clean(item, false, error))
            return false;
    }
    json_object_foreach(value, key, item)
    {
        const bool is_pem = is_answer && json_is_string(item) && strcmp(key, "pem") == 0;

        if (!sg_text_check(sg_slice_text(key), "a key of the service's answer", error) ||
            !(is_pem ? clean_text(item, true, error) : clean(item, false, error)))
            return false;
    }
    return true;
}

static bool is_json(const struct sg_https_answer *answer)
{
    return strncmp(answer->type, "application/json", 16) == 0 ||
           strncmp(answer->type, "application/problem+json", 24) == 0;
}

static bool read_answer(const struct sg_https_answer *answer, json_t **object,
                        struct sg_error *error)
{
    sg_auto(json_t) json_t *fresh = NULL;
    struct sg_error why = {0};

    if (!is_json(answer))
        return sg_fail(error, SG_FAILED, NULL,
                       "what answers (HTTP status %ld) is no API of Signet; is that the right URL?",
                       answer->status);
    if (!sg_json_parse(sg_buf_slice(&answer->body), SG_LIMIT_BODY, &fresh, &why) ||
        !clean(fresh, true, &why))
        return sg_fail(error, SG_FAILED, NULL, "the service's answer can't be read: %s", why.text);
    *object = SG_TAKE(fresh);
    return true;
}

/* What the same would be in the home; a rule is its beginning. */
static enum sg_code code_of(long status, const char *rule)
{
    static const struct {
        long status;
        const char *rule;
        enum sg_code code;
    } CODES[] = {
        {400, "", SG_MALFORMED},
        {401, "", SG_UNAUTHENTICATED},
        {403, "", SG_REFUSED},
        {404, "revocation", SG_USAGE}, /* what is to be revoked is not there */
        {404, "", SG_REFUSED},
        {409, "", SG_REFUSED},
        {422, "JSON", SG_USAGE},
        {422, "query", SG_USAGE},
        {422, "serial", SG_USAGE},
        {422, "policy", SG_USAGE},
        {422, "requester", SG_UNAUTHENTICATED},
        {422, "", SG_REFUSED},
    };

    for (size_t i = 0; i < sizeof CODES / sizeof CODES[0]; i++)
        if (CODES[i].status == status && strncmp(rule, CODES[i].rule, strlen(CODES[i].rule)) == 0)
            return CODES[i].code;
    return SG_FAILED;
}

static bool fail_unknown(const struct sg_remote *remote, struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf der = {0};
    uint8_t sha256[SG_SHA256_LEN];
    char text[SG_SHA256_HEX_SIZE];

    if (!sg_cli_certificate_der(remote->certificate, &der, error))
        return false;
    sg_sha256(sg_buf_slice(&der), sha256);
    return sg_fail(error, SG_UNAUTHENTICATED, "operator",
                   "the service takes nobody by this certificate (SHA-256 %s): it has to be one of "
                   "`operators` in its signet.yaml, in force, and not revoked",
                   sg_hex(sg_slice_of(sha256, sizeof sha256), text, sizeof text));
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text != NULL ? text : "";
}

/* RFC 9457 */
static bool fail_problem(struct sg_remote *remote, const struct sg_https_answer *answer,
                         struct sg_error *error)
{
    sg_auto(json_t) json_t *problem = NULL;
    const char *rule, *detail;

    if ((is_json(answer) || answer->status != 404) && !read_answer(answer, &problem, error))
        return false;
    rule = text_of(problem, "rule");
    detail = text_of(problem, "detail");
    if (answer->status == 404 && rule[0] == '\0')
        return sg_fail(error, SG_FAILED, NULL,
                       "what answers has no such thing, or no API, which `operators` in its "
                       "signet.yaml makes; is that the right URL?");
    remote->found_nothing = answer->status == 404;
    if (answer->status == 401 && strcmp(rule, "operator") == 0)
        return fail_unknown(remote, error);
    if (answer->status == 503)
        return sg_fail(error, SG_FAILED, NULL,
                       "the service is busy, or its token or store is away; run the same again in "
                       "%lld s",
                       (long long)answer->retry_after_s);
    if (answer->status >= 500 || detail[0] == '\0')
        detail = text_of(problem, "title");
    return sg_fail(error, code_of(answer->status, rule), rule[0] != '\0' ? rule : NULL, "%s",
                   detail[0] != '\0' ? detail : "the service does not say why");
}

bool sg_remote_found_nothing(const struct sg_remote *remote)
{
    return remote->found_nothing;
}

bool sg_remote_ask(struct sg_remote *remote, const struct sg_remote_call *call, json_t **answer,
                   struct sg_error *error)
{
    sg_auto(sg_https_answer) struct sg_https_answer came = {0};

    remote->found_nothing = false;
    if (!send_call(remote, call, &came, error))
        return false;
    if (came.status < 200 || came.status > 299)
        return fail_problem(remote, &came, error);
    *answer = NULL;
    return came.body.len == 0 || read_answer(&came, answer, error);
}
