#include "cert/show.h"

#include <string.h>
#include <unistd.h>

#include "cert/cert.h"
#include "cert/crl.h"
#include "cert/tree.h"
#include "commands.h"
#include "open.h"
#include "output.h"
#include "policies.h"
#include "qr.h"
#include "request/request.h"

static const struct sg_option OPTIONS[] = {
    {"all", 0, NULL, "every entry of a CRL, not only the first ones"},
    {"tree", 0, NULL, "the certificates of FILE and of the home, below their issuers"},
    {"qr", 0, "WHAT", "a QR code: fingerprint (SHA-256) or pem"},
    {"pem", 0, NULL, "the certificate, request or CRL itself, as PEM"},
    {"output", 'o', "FILE", "with --pem: into this file; else it is printed"},
    {"force", 0, NULL, "replace an existing file"},
    {0},
};

/* What a file may hold, and how it is shown. Each shows what it can read and tells why not. */
struct reader {
    const char *pem_label; /* how a PEM block of this kind begins */
    bool (*show)(const struct sg_cli *cli, struct sg_slice bytes, const char *path,
                 struct sg_error *error);
};

/* ---- as a QR code ---- */

/* In capitals, of which a QR code takes more in the same room. */
static bool write_fingerprint(struct sg_slice der, struct sg_buf *text, struct sg_error *error)
{
    uint8_t digest[SG_SHA256_LEN];

    sg_sha256(der, digest);
    for (size_t i = 0; i < sizeof digest; i++)
        if (!sg_buf_printf(text, SG_SHA256_HEX_SIZE, error, "%02X", digest[i]))
            return false;
    return true;
}

static bool show_qr(const struct sg_cli *cli, struct sg_slice der, const char *label,
                    struct sg_error *error)
{
    const char *what = sg_cli_text(cli, "qr");
    sg_auto(sg_buf) struct sg_buf text = {0};
    sg_auto(sg_buf) struct sg_buf drawn = {0};

    return (strcmp(what, "pem") == 0 ? sg_cert_pem(der, label, &text, error)
                                     : write_fingerprint(der, &text, error)) &&
           sg_cli_qr_text((const char *)text.data, isatty(STDOUT_FILENO), &drawn, error) &&
           sg_cli_print_text(sg_buf_slice(&drawn), error);
}

/* ---- instead of words ---- */

static bool is_wordless(const struct sg_cli *cli)
{
    return sg_cli_has(cli, "qr") || sg_cli_has(cli, "pem");
}

static bool show_wordless(const struct sg_cli *cli, struct sg_slice der, const char *label,
                          struct sg_error *error)
{
    if (sg_cli_has(cli, "qr"))
        return show_qr(cli, der, label, error);
    return sg_cli_emit_pem(sg_cli_text(cli, "output"), sg_cli_has(cli, "force"), der, label, error);
}

static bool check_options(const struct sg_cli *cli, struct sg_error *error)
{
    const char *qr = sg_cli_text(cli, "qr");
    bool pem = sg_cli_has(cli, "pem");

    if (!pem && (sg_cli_has(cli, "output") || sg_cli_has(cli, "force")))
        return sg_fail(error, SG_USAGE, NULL, "--output and --force go with --pem");
    if (pem && (cli->json || sg_cli_has(cli, "qr") || sg_cli_has(cli, "tree")))
        return sg_fail(error, SG_USAGE, NULL, "--pem goes with none of --json, --qr and --tree");
    if (qr != NULL && cli->json)
        return sg_fail(error, SG_USAGE, NULL, "--qr draws on a terminal; leave out --json");
    if (qr != NULL && strcmp(qr, "fingerprint") != 0 && strcmp(qr, "pem") != 0)
        return sg_fail(error, SG_USAGE, NULL, "--qr %.40s: it is fingerprint or pem", qr);
    if (cli->num_operands > 1 && !sg_cli_has(cli, "tree"))
        return sg_fail(error, SG_USAGE, NULL, "several files are shown by --tree alone");
    return true;
}

/* ---- in words ---- */

/* What the home knows of a certificate: NULL without a home, or when it is none of its own. A home
 * that can't be asked is no reason not to show a file. */
static bool ask_home(const struct sg_cli *cli, X509 *certificate, json_t **known,
                     struct sg_error *error)
{
    sg_auto(sg_home) struct sg_home *home = NULL;
    sg_auto(sg_buf) struct sg_buf der = {0};
    struct sg_error why = {0};
    struct sg_serial serial;

    *known = NULL;
    if (cli->home == NULL || !sg_cert_serial(certificate, &serial, NULL))
        return true;
    if (!sg_cli_certificate_der(certificate, &der, error))
        return false;
    if (!sg_cli_open_home(cli, SG_STORE_READ_ONLY, &home, &why) ||
        !sg_cli_known(cli, home, &serial, sg_buf_slice(&der), known, &why))
        fprintf(stderr, "signet: the home is not asked: %s\n", why.text);
    return true;
}

static bool print_certificate(const struct sg_cli *cli, X509 *certificate, json_t *known,
                              struct sg_error *error)
{
    int64_t now = sg_clock_now(&cli->clock);
    sg_auto(sg_buf) struct sg_buf text = {0};
    json_t *object = NULL;

    if (!cli->json)
        return sg_show_certificate(certificate, now, &text, error) &&
               (known == NULL || (sg_buf_append(&text, "\n", 1, SIZE_MAX / 2, error) &&
                                  sg_cli_known_text(known, &text, error))) &&
               sg_cli_print_text(sg_buf_slice(&text), error);
    if (!sg_show_certificate_json(certificate, now, &object, error))
        return false;
    if (known != NULL)
        json_object_set(object, "home", known);
    return sg_cli_print_json(object, error);
}

static bool show_certificate(const struct sg_cli *cli, struct sg_slice bytes, const char *path,
                             struct sg_error *error)
{
    sg_auto(X509) X509 *certificate = NULL;
    sg_auto(sg_buf) struct sg_buf der = {0};
    sg_auto(json_t) json_t *known = NULL;

    if (!sg_cert_read(bytes, path, &certificate, error) ||
        !sg_cli_certificate_der(certificate, &der, error))
        return false;
    if (is_wordless(cli))
        return show_wordless(cli, sg_buf_slice(&der), "CERTIFICATE", error);
    return ask_home(cli, certificate, &known, error) &&
           print_certificate(cli, certificate, known, error);
}

/* The PEM of an SPKAC has a label that nobody reads; its own text form is base64. */
static bool show_request_wordless(const struct sg_cli *cli, const struct sg_request *request,
                                  struct sg_error *error)
{
    if (request->format == SG_REQUEST_SPKAC && sg_cli_has(cli, "pem"))
        return sg_fail(error, SG_USAGE, NULL, "an SPKAC has no form as PEM");
    return show_wordless(cli, sg_buf_slice(&request->der), "CERTIFICATE REQUEST", error);
}

static bool show_request(const struct sg_cli *cli, struct sg_slice bytes, const char *path,
                         struct sg_error *error)
{
    sg_auto(sg_request) struct sg_request request = {0};
    sg_auto(sg_buf) struct sg_buf text = {0};
    struct sg_error refused = {0};
    json_t *object = NULL;

    if (!sg_request_look(bytes, &request, &refused, error))
        return sg_error_prefix(error, "%s", path);
    if (is_wordless(cli))
        return show_request_wordless(cli, &request, error);
    if (cli->json)
        return sg_show_request_json(&request, &refused, &object, error) &&
               sg_cli_print_json(object, error);
    return sg_show_request(&request, &refused, &text, error) &&
           sg_cli_print_text(sg_buf_slice(&text), error);
}

static bool show_crl_wordless(const struct sg_cli *cli, X509_CRL *crl, struct sg_error *error)
{
    sg_auto(openssl_bytes) uint8_t *der = NULL;
    int len = i2d_X509_CRL(crl, &der);

    if (len <= 0)
        return sg_fail_memory(error);
    return show_wordless(cli, sg_slice_of(der, (size_t)len), "X509 CRL", error);
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
    if (is_wordless(cli))
        return show_crl_wordless(cli, crl, error);
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

static size_t num_certificates(struct sg_slice bytes)
{
    static const char MARK[] = "-----BEGIN CERTIFICATE-----";
    const uint8_t *at = bytes.data, *end = bytes.data + bytes.len;
    size_t num = 0;

    while ((at = memmem(at, (size_t)(end - at), MARK, sizeof MARK - 1)) != NULL) {
        num++;
        at += sizeof MARK - 1;
    }
    return num;
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
    if (num_certificates(bytes) > 1)
        return sg_fail(error, SG_MALFORMED, NULL,
                       "%s holds several certificates: --tree shows them all", path);
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

/* ---- as a tree ---- */

static bool push(sg_certificates *certificates, X509 *certificate, struct sg_error *error)
{
    if (certificate == NULL)
        return true;
    if (!X509_up_ref(certificate))
        return sg_fail_memory(error);
    if (sk_X509_push(certificates, certificate) > 0)
        return true;
    X509_free(certificate);
    return sg_fail_memory(error);
}

/* An issuer without a certificate yet has nothing to show. */
static bool push_issuer(struct sg_home *home, const char *name, sg_certificates *certificates,
                        struct sg_error *error)
{
    struct sg_issuer *issuer = NULL;
    struct sg_error why = {0};

    if (!sg_home_issuer(home, name, SG_ISSUER_TO_READ, &issuer, &why))
        return true;
    if (!push(certificates, issuer->facts.certificate, error))
        return false;
    for (int i = 0; i < sk_X509_num(issuer->chain); i++)
        if (!push(certificates, sk_X509_value(issuer->chain, i), error))
            return false;
    return true;
}

static bool push_home(const struct sg_cli *cli, sg_certificates *certificates,
                      struct sg_error *error)
{
    sg_auto(sg_home) struct sg_home *home = NULL;

    if (cli->home == NULL)
        return true;
    if (!sg_cli_open_home(cli, SG_STORE_READ_ONLY, &home, error))
        return false;
    for (size_t i = 0; i < sg_home_config(home)->num_issuers; i++)
        if (!push_issuer(home, sg_home_config(home)->issuers[i].name, certificates, error))
            return false;
    return true;
}

static bool show_tree(const struct sg_cli *cli, struct sg_error *error)
{
    sg_auto(sg_certificates) sg_certificates *certificates = sk_X509_new_null();
    sg_auto(json_t) json_t *tree = NULL;
    sg_auto(sg_buf) struct sg_buf text = {0};

    if (certificates == NULL)
        return sg_fail_memory(error);
    if (cli->num_operands == 0 && cli->home == NULL)
        return sg_fail(error, SG_USAGE, NULL, "a tree of what? name a file, or a home by -C DIR");
    for (int i = 0; i < cli->num_operands; i++)
        if (!sg_cli_read_certificates(cli->operands[i], certificates, error))
            return false;
    if (!push_home(cli, certificates, error) ||
        !sg_tree_json(certificates, sg_clock_now(&cli->clock), &tree, error))
        return false;
    if (cli->json)
        return sg_cli_print_json(json_incref(tree), error);
    return sg_tree_text(tree, &text, error) && sg_cli_print_text(sg_buf_slice(&text), error);
}

/* ---- of the store ---- */

static bool take_der(const struct sg_certificate *certificate, void *context,
                     struct sg_error *error)
{
    struct sg_buf *der = context;

    return der->len > 0 || (sg_certificate_is_here(certificate, error) &&
                            sg_buf_set(der, sg_buf_slice(&certificate->der), error));
}

static bool show_serial(const struct sg_cli *cli, const struct sg_serial *serial,
                        struct sg_error *error)
{
    const struct sg_certificate_filter filter = {.serial = serial,
                                                 .now = sg_clock_now(&cli->clock)};
    sg_auto(sg_home) struct sg_home *home = NULL;
    sg_auto(sg_buf) struct sg_buf der = {0};

    if (cli->home == NULL)
        return sg_fail(error, SG_USAGE, NULL,
                       "there is no file %s; to show the certificate of that serial number name "
                       "its home by -C DIR",
                       cli->operands[0]);
    if (!sg_cli_open_home(cli, SG_STORE_READ_ONLY, &home, error) ||
        !sg_store_each_certificate(sg_home_store(home), &filter, take_der, &der, error))
        return false;
    if (der.len == 0)
        return sg_fail(error, SG_REFUSED, NULL,
                       "there is no file %s, and this home has issued no certificate of that "
                       "serial number",
                       cli->operands[0]);
    return show_certificate(cli, sg_buf_slice(&der), cli->operands[0], error);
}

/* A file wins over a serial number. */
static bool is_serial(const char *operand, struct sg_serial *serial)
{
    return strcmp(operand, "-") != 0 && access(operand, F_OK) != 0 &&
           sg_serial_parse(operand, serial, NULL);
}

static bool run_show(struct sg_cli *cli, struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf bytes = {0};
    struct sg_serial serial;

    if (!check_options(cli, error))
        return false;
    if (sg_cli_has(cli, "tree"))
        return show_tree(cli, error);
    if (cli->num_operands == 0)
        return sg_fail(error, SG_USAGE, NULL,
                       "FILE or SERIAL is missing; usage: signet show [options] [FILE|SERIAL]");
    if (is_serial(cli->operands[0], &serial))
        return show_serial(cli, &serial, error);
    return sg_file_read(cli->operands[0], SG_LIMIT_CRL, &bytes, error) &&
           show(cli, sg_buf_slice(&bytes), cli->operands[0], error);
}

const struct sg_command SG_SHOW_COMMANDS[] = {
    {"show", "[FILE|SERIAL]", "a certificate, request or CRL in words",
     "FILE is PEM or DER, or an SPKAC; - is standard input. SERIAL, in hex, is that of a\n"
     "certificate that the home has issued; a file of that name comes first. Of such a\n"
     "certificate, also which rule of its policy put each field there. With --tree there may\n"
     "be several files with several certificates each, or none to see the home's own.",
     OPTIONS, 0, -1, run_show},
    {0},
};
