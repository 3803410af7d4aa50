#include "commands.h"
#include "net.h"
#include "open.h"

static const struct sg_option OPTIONS[] = {
    {"url", 0, "URL", "the service: https://HOST:PORT[/.well-known/est/LABEL]"},
    {"label", 'l', "LABEL", "which of the service's policies (default: the one without)"},
    {"ca", 0, "FILE", "the CA of the service's TLS certificate (default: the system's)"},
    {"ticket", 0, "SOURCE", "the ticket: file:PATH, env:NAME, credential:NAME, prompt, or -"},
    {"user", 'u', "NAME", "whose ticket it is: the request says CN=NAME; asks their PIN"},
    {"user-pin", 0, "SOURCE", "the user's PIN, from a source as above (default: prompt)"},
    {"no-user-pin", 0, NULL, "the user's ticket asks for no PIN"},
    {"subject", 's', "NAME", "what the request says (a device's: CN=device-AB12)"},
    {"san", 0, "KIND:VALUE", "an alternative name, as `signet csr` has them; may be repeated"},
    {"renew", 0, NULL, "renew the certificate beside KEY, which vouches by itself"},
    {"new-key", 0, "KEY", "with --renew: the next certificate is for this key"},
    {"type", 't', "KIND", "of the key that is made: P-256 (default), P-384, RSA-2048, …"},
    SG_TOKEN_OPTIONS,
    SG_SO_PIN_OPTION,
    {"wait", 0, "TIME", "for a busy service or an approval, at most (default: 30s)"},
    {"force", 'f', NULL, "replace another certificate that is beside the key"},
    {0},
};

static const char DETAILS[] =
    "KEY is a PKCS#11 URI such as 'pkcs11:token=card;object=login'. The key is made on the card "
    "if\n"
    "it is not there, signs the request there, and gets its certificate beside it, read back and\n"
    "compared. After a failure run the same again: the key is used again, and the service gives "
    "the\n"
    "same certificate to the same ticket and key.\n"
    "  signet card enroll --url https://ca.example.com:8443 --label people --ca root.pem \\\n"
    "      --ticket file:ada.ticket --user 'Ada Lovelace' --profile softhsm \\\n"
    "      'pkcs11:token=card;object=login'\n"
    "Cards that ask for the PIN for each signature, and those that the security officer writes, "
    "will\n"
    "do: --pin is the card's own PIN. Signatures are made by the direct signer.";

const struct sg_command SG_CARD_ENROLL_COMMANDS[] = {
    {"card enroll", "KEY", "a key on a card, and its certificate from a service (EST)", DETAILS,
     OPTIONS, 1, 1, sg_cli_card_enroll},
    {0},
};
