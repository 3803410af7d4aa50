#include <string.h>

#include "commands.h"
#include "enroll/enroll.h"
#include "open.h"
#include "output.h"

static const struct sg_option OPTIONS[] = {
    {"key", 'k', "URI", "the token's key that signs it: pkcs11:token=card;object=device-key"},
    SG_TOKEN_OPTIONS,
    {"subject", 's', "NAME", "'CN=device-AB12' or '/CN=device-AB12'"},
    {"san", 0, "KIND:VALUE", "an alternative name: uri:, dns:, email:, ip:, upn:; may be repeated"},
    {"eku", 0, "PURPOSE", "a key purpose to ask for: clientAuth, an OID, …; may be repeated"},
    {"key-usage", 0, "USAGE", "a key usage to ask for: digitalSignature, …; may be repeated"},
    {"signature", 0, "SCHEME", "ecdsa-sha256, rsa-pss-sha256, … (default: by the key)"},
    {"output", 'o', "FILE", "write the request here (default: standard output)"},
    {"force", 'f', NULL, "replace what is there"},
    {0},
};

static bool parse_sans(const struct sg_cli *cli, struct sg_sans *sans, struct sg_error *error)
{
    const char *text;

    for (size_t i = 0; (text = sg_cli_nth(cli, "san", i)) != NULL; i++) {
        const char *colon = strchr(text, ':');
        char word[16] = "";
        enum sg_san_kind kind;
        if (colon == NULL || (size_t)(colon - text) >= sizeof word)
            return sg_fail(error, SG_USAGE, NULL,
                           "--san '%s': write KIND:VALUE, as in uri:urn:example:1", text);
        memcpy(word, text, (size_t)(colon - text));
        if (!sg_san_kind_parse(word, &kind, error) || !sg_sans_add(sans, kind, colon + 1, error))
            return false;
    }
    return true;
}

static bool parse_purposes(const struct sg_cli *cli, struct sg_oids *purposes,
                           struct sg_error *error)
{
    const char *word, *oid;

    for (size_t i = 0; (word = sg_cli_nth(cli, "eku", i)) != NULL; i++)
        if (!sg_oid_of_purpose(word, &oid, error) || !sg_oids_add(purposes, oid, error))
            return false;
    return true;
}

static bool parse_key_usage(const struct sg_cli *cli, unsigned *usage, struct sg_error *error)
{
    const char *word;
    unsigned bit;

    for (size_t i = 0; (word = sg_cli_nth(cli, "key-usage", i)) != NULL; i++) {
        if (!sg_key_usage_parse(word, &bit, error))
            return false;
        *usage |= bit;
    }
    return true;
}

/* What the request shall say, and the memory behind it. */
struct wishes {
    struct sg_name subject;
    struct sg_sans sans;
    struct sg_oids purposes;
    struct sg_csr_spec spec;
};

static void wishes_done(struct wishes *wishes)
{
    sg_name_done(&wishes->subject);
    sg_sans_done(&wishes->sans);
    sg_oids_done(&wishes->purposes);
}
SG_DEFINE_CLEANUP_IN_PLACE(wishes, wishes_done)

static bool parse_wishes(const struct sg_cli *cli, struct wishes *wishes, struct sg_error *error)
{
    const char *subject, *scheme = sg_cli_text(cli, "signature");

    wishes->spec = (struct sg_csr_spec){
        .subject = &wishes->subject, .sans = &wishes->sans, .purposes = &wishes->purposes};
    return sg_cli_need(cli, "subject", &subject, error) &&
           sg_name_parse(subject, &wishes->subject, error) &&
           parse_sans(cli, &wishes->sans, error) && parse_purposes(cli, &wishes->purposes, error) &&
           parse_key_usage(cli, &wishes->spec.key_usage, error) &&
           (scheme == NULL || sg_scheme_parse(scheme, &wishes->spec.scheme, error));
}

static bool run_csr(struct sg_cli *cli, struct sg_error *error)
{
    const char *output = sg_cli_text(cli, "output"), *key_operand;
    bool force = sg_cli_has(cli, "force");
    sg_auto(wishes) struct wishes wishes = {0};
    sg_auto(sg_cli_key) struct sg_cli_key place = {0};
    sg_auto(sg_key) struct sg_key key = {0};
    sg_auto(sg_signer) struct sg_signer *signer = NULL;
    sg_auto(sg_buf) struct sg_buf der = {0};

    if (!sg_cli_need(cli, "key", &key_operand, error) || !parse_wishes(cli, &wishes, error) ||
        !sg_cli_check_output(output, force, error))
        return false;
    if (strncmp(key_operand, "pkcs11:", 7) != 0)
        return sg_fail(error, SG_USAGE, NULL,
                       "--key takes a PKCS#11 URI; for an issuer's own request use "
                       "`signet issuer csr`");
    return sg_cli_open_key(cli, key_operand, &place, error) &&
           sg_key_find(place.token, place.uri, &key, error) &&
           sg_signer_open(place.token, &key, SG_SIGNER_ENGINE, &signer, error) &&
           sg_enroll_csr(signer, &wishes.spec, NULL, NULL, &der, error) &&
           sg_cli_emit_pem(output, force, sg_buf_slice(&der), "CERTIFICATE REQUEST", error);
}

const struct sg_command SG_CSR_COMMANDS[] = {
    {"csr", "", "a certificate request, signed by a key on a token", NULL, OPTIONS, 0, 0, run_csr},
    {0},
};
