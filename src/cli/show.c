#include "cert/show.h"

#include <string.h>

#include "cert/cert.h"
#include "cert/crl.h"
#include "commands.h"
#include "open.h"
#include "output.h"
#include "request/request.h"

static const struct sg_option OPTIONS[] = {
    {"all", 0, NULL, "every entry of a CRL, not only the first ones"},
    {0},
};

/* What a file may hold, and how it is shown. Each shows what it can read and tells why not. */
struct reader {
    const char *pem_label; /* how a PEM block of this kind begins */
    bool (*show)(const struct sg_cli *cli, struct sg_slice bytes, const char *path,
                 struct sg_error *error);
};

static bool show_certificate(const struct sg_cli *cli, struct sg_slice bytes, const char *path,
                             struct sg_error *error)
{
    int64_t now = sg_clock_now(&cli->clock);
    sg_auto(X509) X509 *certificate = NULL;
    sg_auto(sg_buf) struct sg_buf text = {0};
    json_t *object;

    if (!sg_cert_read(bytes, path, &certificate, error))
        return false;
    if (cli->json)
        return sg_show_certificate_json(certificate, now, &object, error) &&
               sg_cli_print_json(object, error);
    return sg_show_certificate(certificate, now, &text, error) &&
           sg_cli_print_text(sg_buf_slice(&text), error);
}

static bool show_request(const struct sg_cli *cli, struct sg_slice bytes, const char *path,
                         struct sg_error *error)
{
    sg_auto(sg_request) struct sg_request request = {0};
    sg_auto(sg_buf) struct sg_buf text = {0};
    json_t *object;

    if (!sg_request_parse(bytes, &request, error))
        return sg_error_prefix(error, "%s", path);
    if (cli->json)
        return sg_show_request_json(&request, &object, error) && sg_cli_print_json(object, error);
    return sg_show_request(&request, &text, error) && sg_cli_print_text(sg_buf_slice(&text), error);
}

static bool show_crl(const struct sg_cli *cli, struct sg_slice bytes, const char *path,
                     struct sg_error *error)
{
    size_t max_entries = sg_cli_has(cli, "all") || cli->json ? SIZE_MAX : SG_SHOW_CRL_ENTRIES;
    int64_t now = sg_clock_now(&cli->clock);
    sg_auto(X509_CRL) X509_CRL *crl = NULL;
    sg_auto(sg_buf) struct sg_buf text = {0};
    json_t *object;

    if (!sg_crl_read(bytes, path, &crl, error))
        return false;
    if (cli->json)
        return sg_show_crl_json(crl, now, max_entries, &object, error) &&
               sg_cli_print_json(object, error);
    return sg_show_crl(crl, now, max_entries, &text, error) &&
           sg_cli_print_text(sg_buf_slice(&text), error);
}

static const struct reader READERS[] = {
    {"-----BEGIN CERTIFICATE-----", show_certificate},
    {"-----BEGIN CERTIFICATE REQUEST-----", show_request},
    {"-----BEGIN NEW CERTIFICATE REQUEST-----", show_request},
    {"-----BEGIN X509 CRL-----", show_crl},
};
enum { NUM_READERS = sizeof READERS / sizeof READERS[0] };

static bool contains(struct sg_slice bytes, const char *text)
{
    return memmem(bytes.data, bytes.len, text, strlen(text)) != NULL;
}

enum { DER_SEQUENCE = 0x30 };

/* DER says of itself only by its structure what it is. */
static bool is_certificate(struct sg_slice der)
{
    sg_auto(X509) X509 *certificate = NULL;

    return sg_cert_read(der, "", &certificate, NULL);
}

static bool is_crl(struct sg_slice der)
{
    sg_auto(X509_CRL) X509_CRL *crl = NULL;

    return sg_crl_read(der, "", &crl, NULL);
}

static bool show(const struct sg_cli *cli, struct sg_slice bytes, const char *path,
                 struct sg_error *error)
{
    if (bytes.len == 0)
        return sg_fail(error, SG_MALFORMED, NULL, "%s is empty", path);
    for (size_t i = 0; i < NUM_READERS; i++)
        if (contains(bytes, READERS[i].pem_label))
            return READERS[i].show(cli, bytes, path, error);
    if (sg_request_is_spkac(bytes))
        return show_request(cli, bytes, path, error);
    if (bytes.data[0] != DER_SEQUENCE)
        return sg_fail(error, SG_MALFORMED, NULL,
                       "%s holds neither a certificate, nor a request, nor a CRL", path);
    if (is_certificate(bytes))
        return show_certificate(cli, bytes, path, error);
    return is_crl(bytes) ? show_crl(cli, bytes, path, error)
                         : show_request(cli, bytes, path, error);
}

static bool run_show(struct sg_cli *cli, struct sg_error *error)
{
    const char *path = cli->operands[0];
    sg_auto(sg_buf) struct sg_buf bytes = {0};

    return sg_file_read(path, SG_LIMIT_CRL, &bytes, error) &&
           show(cli, sg_buf_slice(&bytes), path, error);
}

const struct sg_command SG_SHOW_COMMANDS[] = {
    {"show", "FILE", "a certificate, request or CRL in words",
     "FILE is PEM or DER, or an SPKAC; - is standard input.", OPTIONS, 1, 1, run_show},
    {0},
};
