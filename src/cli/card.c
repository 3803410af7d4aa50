#include "base/file.h"
#include "base/limits.h"
#include "cert/cert.h"
#include "commands.h"
#include "enroll/delivery.h"
#include "enroll/enroll.h"
#include "open.h"
#include "output.h"

static const struct sg_option IMPORT_OPTIONS[] = {
    SG_TOKEN_OPTIONS,
    SG_SO_PIN_OPTION,
    SG_SIGNER_OPTION,
    {"force", 'f', NULL, "replace the certificate that is beside the key"},
    {"decrypt-key", 0, "KEY", "for a key that a service has made: the card's key that opens it"},
    {"signed-by", 0, "FILE", "whose certificate has to have signed for that key"},
    {0},
};

static const struct sg_option EXPORT_OPTIONS[] = {
    SG_TOKEN_OPTIONS,
    {"output", 'o', "FILE", "write the certificate here (default: standard output)"},
    {"force", 'f', NULL, "replace what is there"},
    {0},
};

static const struct sg_option LIST_OPTIONS[] = {
    SG_TOKEN_OPTIONS,
    {"expires-within", 0, "TIME", "only certificates that end so soon (30d, 12h …), or have ended"},
    {0},
};

static bool import_certificate(struct sg_cli *cli, struct sg_error *error)
{
    sg_auto(sg_cli_key) struct sg_cli_key place = {0};
    sg_auto(sg_certificates) sg_certificates *certificates = sk_X509_new_null();
    sg_auto(sg_buf) struct sg_buf der = {0};

    if (certificates == NULL)
        return sg_fail_memory(error);
    if (!sg_cli_read_certificates(cli->operands[1], certificates, error) ||
        !sg_cli_certificate_der(sk_X509_value(certificates, 0), &der, error) ||
        !sg_cli_open_key(cli, cli->operands[0], &place, error) ||
        !sg_enroll_store(place.token, place.uri, sg_buf_slice(&der), sg_cli_has(cli, "force"),
                         error))
        return false;
    fprintf(stderr, "the certificate is on %s beside its key, read back and compared\n",
            sg_token_label(place.token));
    return true;
}

static bool import_delivery(struct sg_cli *cli, struct sg_slice bytes, struct sg_error *error)
{
    const char *signer = sg_cli_text(cli, "signed-by");
    sg_auto(sg_cli_key) struct sg_cli_key place = {0};
    sg_auto(sg_certificates) sg_certificates *signers = sk_X509_new_null();
    sg_auto(sg_delivery) struct sg_delivery delivery = {0};
    sg_auto(malloc) char *label = NULL;
    sg_auto(sg_buf) struct sg_buf id = {0};
    sg_auto(sg_key) struct sg_key key = {0};
    bool was_there = false;

    if (signers == NULL)
        return sg_fail_memory(error);
    if (signer == NULL)
        return sg_fail(error, SG_USAGE, NULL,
                       "whose word counts that the service has made this key? Name the "
                       "certificate by --signed-by FILE");
    if (!sg_cli_read_certificates(signer, signers, error) ||
        !sg_delivery_read(bytes, &delivery, error) ||
        !sg_cli_open_key(cli, cli->operands[0], &place, error) ||
        !sg_key_uri_parts(place.uri, &label, &id, error))
        return false;
    const struct sg_delivery_place to = {
        .token = place.token,
        .decrypt_key = sg_cli_text(cli, "decrypt-key"),
        .signers = signers,
        .label = label != NULL ? label : "",
        .id = sg_buf_slice(&id),
    };
    if (!sg_delivery_import(&delivery, &to, &key, &was_there, error))
        return false;
    fprintf(stderr, "the key %s on %s, signs there, and has its certificate beside it\n",
            was_there ? "was already" : "is", sg_token_label(place.token));
    return true;
}

static bool run_import(struct sg_cli *cli, struct sg_error *error)
{
    if (sg_cli_text(cli, "decrypt-key") == NULL)
        return import_certificate(cli, error);

    sg_auto(sg_buf) struct sg_buf bytes = {0};

    return sg_file_read(cli->operands[1], SG_LIMIT_BODY, &bytes, error) &&
           import_delivery(cli, sg_buf_slice(&bytes), error);
}

static bool run_export(struct sg_cli *cli, struct sg_error *error)
{
    const char *output = sg_cli_text(cli, "output");
    bool force = sg_cli_has(cli, "force");
    sg_auto(sg_cli_key) struct sg_cli_key place = {0};
    sg_auto(sg_key) struct sg_key key = {0};
    sg_auto(sg_buf) struct sg_buf der = {0};

    return sg_cli_check_output(output, force, error) &&
           sg_cli_open_key(cli, cli->operands[0], &place, error) &&
           sg_key_find(place.token, place.uri, &key, error) &&
           sg_token_get_certificate(place.token, &key, &der, error) &&
           sg_cli_emit_pem(output, force, sg_buf_slice(&der), "CERTIFICATE", error);
}

/* ---- list ---- */

/* What is beside a key. */
struct beside {
    X509 *certificate; /* NULL: none, or none that can be read */
    const char *problem;
    char serial[SG_SERIAL_TEXT_SIZE], subject[SG_LIMIT_VALUE];
    int64_t not_before, not_after;
};

static void beside_done(struct beside *beside)
{
    X509_free(beside->certificate);
}
SG_DEFINE_CLEANUP_IN_PLACE(beside, beside_done)

static bool read_certificate(struct sg_token *token, const struct sg_key *key,
                             struct beside *beside)
{
    sg_auto(sg_buf) struct sg_buf der = {0};
    sg_auto(sg_name) struct sg_name subject = {0};
    struct sg_serial serial;

    if (!sg_token_get_certificate(token, key, &der, NULL) ||
        !sg_cert_read(sg_buf_slice(&der), "token", &beside->certificate, NULL) ||
        !sg_cert_serial(beside->certificate, &serial, NULL) ||
        !sg_cert_validity(beside->certificate, &beside->not_before, &beside->not_after, NULL))
        return false;
    sg_serial_text(&serial, beside->serial);
    snprintf(beside->subject, sizeof beside->subject, "a subject that can't be read");
    if (sg_name_decode(X509_get_subject_name(beside->certificate), "subject", &subject, NULL))
        sg_name_text(&subject, beside->subject, sizeof beside->subject);
    return true;
}

/* A certificate that can't be read hides no other. */
static void look_beside(struct sg_token *token, const struct sg_key *key, struct beside *beside)
{
    if (key->has_certificate && read_certificate(token, key, beside))
        return;
    X509_free(SG_TAKE(beside->certificate));
    beside->problem = key->has_certificate ? "a certificate that can't be read" : "no certificate";
}

static void print_beside(const struct sg_key *key, const struct beside *beside, int64_t now)
{
    char kind[SG_KEY_KIND_TEXT_SIZE], id[2 * SG_LIMIT_PIN + 1], until[SG_TIME_TEXT_SIZE];

    printf("%s  (id %s)  %s\n", key->label, sg_hex(sg_buf_slice(&key->id), id, sizeof id),
           sg_key_kind_text(key->public.kind, kind));
    if (beside->certificate == NULL) {
        printf("    %s\n", beside->problem);
        return;
    }
    printf("    %s  %s\n    %s %s\n", beside->serial, beside->subject,
           beside->not_after < now ? "EXPIRED" : "valid until",
           sg_time_text(beside->not_after, until));
}

static json_t *beside_json(const struct sg_key *key, const struct beside *beside)
{
    char kind[SG_KEY_KIND_TEXT_SIZE], id[2 * SG_LIMIT_PIN + 1], from[SG_TIME_TEXT_SIZE],
        until[SG_TIME_TEXT_SIZE];
    json_t *certificate = json_null();

    if (beside->certificate != NULL)
        certificate = json_pack("{s:s, s:o, s:s, s:s}", "serial", beside->serial, "subject",
                                sg_json_text(beside->subject), "not_before",
                                sg_time_text(beside->not_before, from), "not_after",
                                sg_time_text(beside->not_after, until));
    return json_pack("{s:o, s:s, s:s, s:o}", "label", sg_json_text(key->label), "id",
                     sg_hex(sg_buf_slice(&key->id), id, sizeof id), "kind",
                     sg_key_kind_text(key->public.kind, kind), "certificate", certificate);
}

/* within_s -1: every key, also those without a certificate. */
static bool print_list(const struct sg_cli *cli, struct sg_token *token, const struct sg_key *keys,
                       size_t num, int64_t within_s, struct sg_error *error)
{
    const int64_t now = sg_clock_now(&cli->clock);
    json_t *array = json_array();
    size_t shown = 0;

    for (size_t i = 0; i < num; i++) {
        sg_auto(beside) struct beside beside = {0};

        look_beside(token, &keys[i], &beside);
        if (within_s >= 0 && (beside.certificate == NULL || beside.not_after > now + within_s))
            continue;
        shown++;
        if (cli->json)
            sg_cli_append(&array, beside_json(&keys[i], &beside));
        else
            print_beside(&keys[i], &beside, now);
    }
    if (cli->json)
        return sg_cli_print_json(array, error);
    json_decref(array);
    if (shown == 0)
        printf("%s\n", within_s >= 0 ? "none that ends so soon" : "no keys");
    return true;
}

static bool run_list(struct sg_cli *cli, struct sg_error *error)
{
    const char *within = sg_cli_text(cli, "expires-within");
    sg_auto(sg_cli_key) struct sg_cli_key place = {0};
    sg_auto(malloc) struct sg_key *keys = NULL;
    int64_t within_s = -1;
    size_t num = 0;
    bool is_printed;

    if ((within != NULL && !sg_duration_parse(within, &within_s, error)) ||
        !sg_cli_open_key(cli, cli->operands[0], &place, error) ||
        !sg_key_list(place.token, &keys, &num, error))
        return false;
    is_printed = print_list(cli, place.token, keys, num, within_s, error);
    for (size_t i = 0; i < num; i++)
        sg_key_done(&keys[i]);
    return is_printed;
}

const struct sg_command SG_CARD_COMMANDS[] = {
    {"card list", "TOKEN", "the keys on a card, their certificates, and when these end",
     "TOKEN is a PKCS#11 URI such as pkcs11:token=card.", LIST_OPTIONS, 1, 1, run_list},
    {"card import", "KEY FILE", "put a certificate on a card, or a key that a service made",
     "KEY is the PKCS#11 URI of the key. The certificate is read back and compared.\n"
     "With --decrypt-key, FILE (- is standard input) is the answer of EST's serverkeygen, and KEY\n"
     "the place of the new key: it is opened by the card, its signer verified, and key and\n"
     "certificate go onto the card under one id. After a failure run the same again.",
     IMPORT_OPTIONS, 2, 2, run_import},
    {"card export", "KEY", "read the certificate that is beside a key", NULL, EXPORT_OPTIONS, 1, 1,
     run_export},
    {0},
};
