/* In signet-est: card enroll. */
#include <openssl/crypto.h>
#include <string.h>
#include <time.h>

#include "cert/cert.h"
#include "enroll/enroll.h"
#include "enroll/est.h"
#include "issue/tickets.h"
#include "model/pin_hash.h"
#include "net.h"
#include "open.h"
#include "output.h"
#include "sans.h"
#include "token/signer_pkey.h"

enum { PATIENCE_S = 30 };

/* What is asked for, and by what. */
struct wish {
    const char *old_uri; /* --renew: the key whose certificate vouches; NULL: a ticket does */
    const char *uri;     /* the key that the certificate is for */
    struct sg_key_kind kind;
    struct sg_name subject;
    struct sg_sans sans;
    struct sg_secret *ticket;
    char pin_hash[2 * SG_PIN_HASH_LEN + 1]; /* "": none */
    int64_t patience_s;
};

static void wish_done(struct wish *wish)
{
    sg_name_done(&wish->subject);
    sg_sans_done(&wish->sans);
    sg_secret_free(wish->ticket);
    OPENSSL_cleanse(wish->pin_hash, sizeof wish->pin_hash);
}
SG_DEFINE_CLEANUP_IN_PLACE(wish, wish_done)

/* The certificate that is renewed, and its key as TLS wants it. */
struct voucher {
    struct sg_card_key card;
    X509 *certificate;
    struct sg_pkey_maker *maker;
    EVP_PKEY *pkey;
};

static void voucher_done(struct voucher *voucher)
{
    X509_free(voucher->certificate);
    EVP_PKEY_free(voucher->pkey);
    sg_pkey_maker_free(voucher->maker);
    sg_card_key_done(&voucher->card);
}
SG_DEFINE_CLEANUP_IN_PLACE(voucher, voucher_done)

/* ---- options ---- */

/* Options that say what a ticket or a renewal does not need. */
static const struct {
    const char *option;
    bool of_renewal; /* else of a ticket */
} TIED[] = {
    {"ticket", false},  {"user", false}, {"user-pin", false}, {"no-user-pin", false},
    {"subject", false}, {"san", false},  {"new-key", true},
};

static bool check_options(const struct sg_cli *cli, struct sg_error *error)
{
    const bool renews = sg_cli_has(cli, "renew");

    if (!renews && !sg_cli_has(cli, "ticket"))
        return sg_fail(error, SG_USAGE, NULL,
                       "say what vouches for the request: --ticket SOURCE, or --renew for the "
                       "certificate that is on the card");
    for (size_t i = 0; i < sizeof TIED / sizeof TIED[0]; i++)
        if (sg_cli_has(cli, TIED[i].option) && TIED[i].of_renewal != renews)
            return sg_fail(error, SG_USAGE, NULL, "--%s %s --renew%s", TIED[i].option,
                           TIED[i].of_renewal ? "goes with" : "does not go with",
                           TIED[i].of_renewal ? "" : ", where the certificate on the card says it");
    if (sg_cli_has(cli, "user-pin") && sg_cli_has(cli, "no-user-pin"))
        return sg_fail(error, SG_USAGE, NULL, "give --user-pin or --no-user-pin, not both");
    if (!sg_cli_has(cli, "user") && (sg_cli_has(cli, "user-pin") || sg_cli_has(cli, "no-user-pin")))
        return sg_fail(error, SG_USAGE, NULL, "a user's PIN goes with --user NAME");
    if (!renews && !sg_cli_has(cli, "user") && !sg_cli_has(cli, "subject"))
        return sg_fail(error, SG_USAGE, NULL,
                       "say whom the ticket is for: --user NAME, or --subject CN=… for a device");
    return true;
}

static bool check_uri(const char *uri, struct sg_error *error)
{
    return strncmp(uri, "pkcs11:", 7) == 0 ||
           sg_fail(error, SG_USAGE, NULL,
                   "'%s' is no key on a card; write pkcs11:token=LABEL;object=KEY", uri);
}

static bool read_subject(const struct sg_cli *cli, struct sg_name *subject, struct sg_error *error)
{
    const char *text = sg_cli_text(cli, "subject");

    if (sg_cli_has(cli, "renew"))
        return true;
    return text != NULL ? sg_name_parse(text, subject, error)
                        : sg_name_add(subject, "2.5.4.3", sg_cli_text(cli, "user"), error);
}

/* Everything but what is secret. */
static bool read_wish(const struct sg_cli *cli, struct wish *wish, struct sg_error *error)
{
    const char *type = sg_cli_text(cli, "type"), *wait = sg_cli_text(cli, "wait");
    const char *new_uri = sg_cli_text(cli, "new-key");

    wish->uri = new_uri != NULL ? new_uri : cli->operands[0];
    wish->old_uri = sg_cli_has(cli, "renew") ? cli->operands[0] : NULL;
    wish->patience_s = PATIENCE_S;
    return check_options(cli, error) && check_uri(cli->operands[0], error) &&
           check_uri(wish->uri, error) &&
           sg_key_kind_parse(type != NULL ? type : "P-256", &wish->kind, error) &&
           (wait == NULL || sg_duration_parse(wait, &wish->patience_s, error)) &&
           read_subject(cli, &wish->subject, error) && sg_cli_sans(cli, &wish->sans, error);
}

/* ---- secrets ---- */

/* What is no ticket is told here, before it is sent anywhere: it may be another secret. */
static bool check_ticket(const struct sg_secret *ticket, struct sg_error *error)
{
    const struct sg_slice text = sg_secret_slice(ticket);

    for (size_t i = 0; i < text.len; i++)
        if (strchr("0123456789abcdefABCDEF", text.data[i]) == NULL)
            return sg_fail(error, SG_USAGE, NULL,
                           "what --ticket names is no ticket: it is not hex");
    return text.len == SG_TICKET_TEXT_SIZE - 1 ||
           sg_fail(error, SG_USAGE, NULL, "what --ticket names is no ticket: one has %d digits",
                   SG_TICKET_TEXT_SIZE - 1);
}

static bool read_ticket(const char *source, struct sg_secret **ticket, struct sg_error *error)
{
    sg_auto(sg_secret) struct sg_secret *fresh = NULL;

    if (strcmp(source, "-") == 0
            ? !sg_secret_read(STDIN_FILENO, "ticket on standard input", &fresh, error)
            : !sg_pin_check_other_source(source, "ticket", error) ||
                  !sg_pin_read_other(source, "ticket", "the card's owner", &fresh, error))
        return false;
    if (!check_ticket(fresh, error))
        return false;
    *ticket = SG_TAKE(fresh);
    return true;
}

static bool read_pin_hash(const struct sg_cli *cli, const char *user, struct wish *wish,
                          struct sg_error *error)
{
    const char *source = sg_cli_has(cli, "user-pin") ? sg_cli_text(cli, "user-pin") : "prompt";
    sg_auto(sg_secret) struct sg_secret *pin = NULL;
    uint8_t hash[SG_PIN_HASH_LEN];
    char whose[160];

    snprintf(whose, sizeof whose, "user %.120s", user);
    if (!sg_pin_check_source(source, error) ||
        !sg_pin_read_other(source, "PIN", whose, &pin, error) ||
        !sg_pin_hash(user, pin, hash, error))
        return false;
    sg_hex(sg_slice_of(hash, sizeof hash), wish->pin_hash, sizeof wish->pin_hash);
    OPENSSL_cleanse(hash, sizeof hash);
    return true;
}

static bool read_secrets(const struct sg_cli *cli, struct wish *wish, struct sg_error *error)
{
    const char *ticket = sg_cli_text(cli, "ticket"), *user = sg_cli_text(cli, "user");

    return (ticket == NULL || read_ticket(ticket, &wish->ticket, error)) &&
           (user == NULL || sg_cli_has(cli, "no-user-pin") ||
            read_pin_hash(cli, user, wish, error));
}

/* ---- the card ---- */

/* Cards are often of the kind that the engine can't use. */
static bool open_card(const struct sg_cli *cli, struct sg_token **token, struct sg_error *error)
{
    const struct sg_token_config config = {
        .profile = sg_cli_text(cli, "profile"),
        .module = sg_cli_text(cli, "module"),
        .uri = cli->operands[0],
        .pin = sg_cli_has(cli, "pin") ? sg_cli_text(cli, "pin") : "prompt",
        .so_pin = sg_cli_has(cli, "so-pin") ? sg_cli_text(cli, "so-pin") : "prompt",
        .signer = SG_SIGNER_DIRECT,
    };

    if ((config.profile == NULL) == (config.module == NULL))
        return sg_fail(
            error, SG_USAGE, NULL,
            "a card needs --profile NAME or --module PATH, to know by which module it is "
            "reached");
    return sg_token_open(&config, token, error);
}

/* RFC 7030 4.2.2: the names of a renewal's request are those of the certificate. */
static bool take_names(const X509 *certificate, struct wish *wish, struct sg_error *error)
{
    sg_auto(GENERAL_NAMES) GENERAL_NAMES *names =
        X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);

    return sg_name_decode(X509_get_subject_name(certificate), "subject", &wish->subject, error) &&
           (names == NULL || sg_sans_decode(names, &wish->sans, error));
}

static bool open_voucher(struct sg_token *token, struct wish *wish, struct sg_est *est,
                         struct voucher *voucher, struct sg_error *error)
{
    if (wish->old_uri == NULL)
        return true;
    if (!sg_card_key_open(token, wish->old_uri, NULL, NULL, &voucher->card, error))
        return false;
    if (voucher->card.certificate.len == 0)
        return sg_fail(error, SG_TOKEN, NULL,
                       "beside key '%s' on token %s is no certificate that could be renewed; a "
                       "ticket gets the first one",
                       voucher->card.key.label, sg_token_label(token));
    return sg_cert_read(sg_buf_slice(&voucher->card.certificate), "token", &voucher->certificate,
                        error) &&
           take_names(voucher->certificate, wish, error) &&
           sg_pkey_maker_new(&voucher->maker, error) &&
           sg_signer_pkey(voucher->maker, voucher->card.signer, &voucher->pkey, error) &&
           sg_est_use_key(est, voucher->certificate, voucher->pkey, error);
}

static bool open_key(const struct sg_cli *cli, struct sg_token *token, const struct wish *wish,
                     struct sg_card_key *card, struct sg_error *error)
{
    const bool may_make = wish->old_uri == NULL || wish->uri != wish->old_uri;
    char kind[SG_KEY_KIND_TEXT_SIZE];

    if (!sg_card_key_open(token, wish->uri, may_make ? &wish->kind : NULL,
                          sg_cli_has(cli, "type") ? &wish->kind : NULL, card, error) ||
        !sg_cli_check_no_issuer(cli, &card->key.public, error))
        return false;
    fprintf(stderr, "key: %s '%s' on token %s, %s\n", sg_key_kind_text(card->key.public.kind, kind),
            card->key.label, sg_token_label(token),
            card->is_new ? "made there" : "which was there");
    return true;
}

static bool make_request(const struct wish *wish, const struct sg_card_key *card,
                         struct sg_buf *request, struct sg_error *error)
{
    const struct sg_csr_signer signer = sg_csr_signer_of_token(card->signer);
    const struct sg_csr_spec spec = {.subject = &wish->subject, .sans = &wish->sans};
    char subject[SG_LIMIT_VALUE];

    if (!sg_enroll_csr(&signer, &spec, NULL, NULL, request, error))
        return false;
    fprintf(stderr, "request: %s, signed by the card\n",
            sg_name_text(&wish->subject, subject, sizeof subject));
    return true;
}

/* ---- the service ---- */

static bool fail_waiting(const struct sg_est_reply *reply, struct sg_error *error)
{
    return sg_fail(error, SG_FAILED, NULL,
                   "the %s; run the same again in %lld s, or with a longer --wait",
                   reply->outcome == SG_EST_WAITS ? "request waits for an approval"
                                                  : "service is busy, or its token is away",
                   (long long)reply->wait_s);
}

static void sleep_for(int64_t seconds)
{
    struct timespec left = {.tv_sec = (time_t)seconds};

    while (nanosleep(&left, &left) != 0)
        ;
}

/* The same request again and again, until there is an answer or patience ends. */
static bool ask(const struct wish *wish, struct sg_est *est, const struct sg_est_order *order,
                struct sg_est_reply *reply, struct sg_error *error)
{
    int64_t left = wish->patience_s;

    for (;;) {
        if (!sg_est_enroll(est, order, reply, error))
            return false;
        if (reply->outcome == SG_EST_ISSUED)
            return true;
        if (reply->wait_s > left)
            return fail_waiting(reply, error);
        fprintf(stderr, "service: %s, asked again in %lld s\n",
                reply->outcome == SG_EST_WAITS ? "the request waits for an approval"
                                               : "busy at the moment",
                (long long)reply->wait_s);
        sleep_for(reply->wait_s);
        left -= reply->wait_s;
    }
}

static bool get_certificate(const struct wish *wish, struct sg_est *est,
                            const struct sg_card_key *card, struct sg_slice request,
                            struct sg_buf *der, struct sg_error *error)
{
    sg_auto(sg_est_reply) struct sg_est_reply reply = {0};
    const struct sg_est_order order = {
        .request = request,
        .key = &card->key.public,
        .renew = wish->old_uri != NULL,
        .ticket = wish->ticket != NULL ? (const char *)sg_secret_data(wish->ticket) : NULL,
        .pin_hash = wish->ticket != NULL ? wish->pin_hash : NULL,
    };

    return ask(wish, est, &order, &reply, error) &&
           sg_buf_set(der, sg_buf_slice(&reply.certificate), error);
}

/* ---- the certificate ---- */

/* What people are told of it. */
struct told {
    char serial[SG_SERIAL_TEXT_SIZE];
    char until[SG_TIME_TEXT_SIZE];
};

static bool look_at(struct sg_slice der, struct told *told, struct sg_error *error)
{
    sg_auto(X509) X509 *certificate = NULL;
    struct sg_serial serial;
    int64_t not_before = 0, not_after = 0;

    if (!sg_cert_read(der, "service", &certificate, error) ||
        !sg_cert_serial(certificate, &serial, error) ||
        !sg_cert_validity(certificate, &not_before, &not_after, error))
        return false;
    sg_serial_text(&serial, told->serial);
    sg_time_text(not_after, told->until);
    fprintf(stderr, "service: certificate %s, valid until %s\n", told->serial, told->until);
    return true;
}

static bool store(const struct sg_cli *cli, struct sg_token *token, const struct wish *wish,
                  const struct sg_card_key *card, struct sg_slice der, struct sg_error *error)
{
    const bool replace = sg_cli_has(cli, "force") || wish->old_uri != NULL;

    if (sg_slice_equal(sg_buf_slice(&card->certificate), der)) {
        fprintf(stderr, "card: this certificate is beside its key already\n");
        return true;
    }
    if (!sg_token_put_certificate(token, &card->key, der, replace, error))
        return sg_error_prefix(error, "the service has issued it; run the same again when this is "
                                      "mended");
    fprintf(stderr, "card: the certificate is beside its key, read back and compared\n");
    return true;
}

static bool print(const struct sg_cli *cli, const struct sg_card_key *card, const struct told *told,
                  struct sg_slice der, struct sg_error *error)
{
    char id[2 * SG_LIMIT_PIN + 1];

    if (!cli->json)
        return true;
    return sg_cli_print_json(
        json_pack("{s:o, s:s, s:b, s:s, s:s, s:o}", "key", sg_json_text(card->key.label), "id",
                  sg_hex(sg_buf_slice(&card->key.id), id, sizeof id), "new_key", card->is_new,
                  "serial", told->serial, "not_after", told->until, "certificate",
                  sg_cli_pem_json(der, "CERTIFICATE")),
        error);
}

/* ---- all of it ---- */

static bool enroll(const struct sg_cli *cli, struct sg_token *token, struct wish *wish,
                   struct sg_est *est, struct sg_error *error)
{
    sg_auto(sg_card_key) struct sg_card_key card = {0};
    sg_auto(sg_buf) struct sg_buf request = {0}, der = {0};
    struct told told;

    return open_key(cli, token, wish, &card, error) && make_request(wish, &card, &request, error) &&
           get_certificate(wish, est, &card, sg_buf_slice(&request), &der, error) &&
           look_at(sg_buf_slice(&der), &told, error) &&
           store(cli, token, wish, &card, sg_buf_slice(&der), error) &&
           print(cli, &card, &told, sg_buf_slice(&der), error);
}

bool sg_cli_card_enroll(struct sg_cli *cli, struct sg_error *error)
{
    /* the connection goes before the key that it may use, and that before its token */
    sg_auto(sg_token) struct sg_token *token = NULL;
    sg_auto(voucher) struct voucher voucher = {0};
    sg_auto(sg_est) struct sg_est *est = NULL;
    sg_auto(wish) struct wish wish = {0};
    const char *url;

    return sg_cli_need(cli, "url", &url, error) && read_wish(cli, &wish, error) &&
           sg_est_open(url, sg_cli_text(cli, "ca"), sg_cli_text(cli, "label"), &est, error) &&
           read_secrets(cli, &wish, error) && open_card(cli, &token, error) &&
           open_voucher(token, &wish, est, &voucher, error) &&
           enroll(cli, token, &wish, est, error);
}
