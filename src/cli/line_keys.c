#include "line_keys.h"

#include "enroll/csr_policy.h"
#include "enroll/file_key.h"
#include "model/oid.h"

void sg_cli_line_keys_done(struct sg_cli_line_keys *keys)
{
    sg_token_close(keys->token);
    sg_certificates_free(keys->transport);
}

/* Policies that take the device's name from the request want it there, others may not give it. */
static bool plan_for(const struct sg_issuing *issuing, const struct sg_record *device,
                     const struct sg_public_key *key, struct sg_plan *plan, struct sg_error *error)
{
    sg_auto(sg_name) struct sg_name named = {0};
    const struct sg_name unnamed = {0};
    struct sg_error ignored = {0};
    struct sg_csr_wish wish = {
        .policy = issuing->policy,
        .device = device,
        .subject = &named,
        .issuer = &issuing->issuer->facts,
        .issuer_name = issuing->issuer->facts.name,
        .now = sg_clock_now(&issuing->clock),
    };

    if (!sg_name_add(&named, "2.5.4.3", device->id, error))
        return false;
    if (sg_csr_plan(&wish, key, plan, &ignored))
        return true;
    wish.subject = &unnamed;
    return sg_csr_plan(&wish, key, plan, error);
}

static bool make(void *context, const struct sg_record *device, struct sg_buf *request,
                 struct sg_buf *sealed, struct sg_error *error)
{
    static const struct sg_key_kind P256 = {SG_KEY_EC, 256};
    const struct sg_cli_line_keys *keys = context;
    sg_auto(EVP_PKEY) EVP_PKEY *pkey = NULL;
    sg_auto(sg_file_key) struct sg_file_key *key = NULL;
    sg_auto(sg_plan) struct sg_plan plan = {0};
    struct sg_csr_signer signer;
    struct sg_csr_spec spec;

    if (!sg_key_make_to_give(keys->token, P256, &pkey, error) ||
        !sg_file_key_of(&pkey, "the new key", &key, error) ||
        !plan_for(keys->issuing, device, sg_file_key_public(key), &plan, error))
        return false;
    signer = sg_csr_signer_of_file(key);
    spec = sg_csr_spec_of_plan(&plan);
    return sg_enroll_csr(&signer, &spec, NULL, NULL, request, error) &&
           sg_file_key_seal(key, sk_X509_value(keys->transport, 0), sealed, error);
}

static bool read_transport(const char *path, struct sg_cli_line_keys *keys, struct sg_error *error)
{
    if ((keys->transport = sk_X509_new_null()) == NULL)
        return sg_fail_memory(error);
    if (!sg_cli_read_certificates(path, keys->transport, error))
        return false;
    return sg_file_key_check_recipient(sk_X509_value(keys->transport, 0), error) ||
           sg_error_prefix(error, "%s", path);
}

bool sg_cli_line_keys_open(const struct sg_cli *cli, const struct sg_issuing *issuing,
                           const char *folder, struct sg_cli_line_keys *keys,
                           struct sg_error *error)
{
    const char *token = sg_cli_text(cli, "keys-on");
    const char *transport = sg_cli_text(cli, "transport-certificate");

    if (token == NULL && transport == NULL)
        return true;
    if (token == NULL || transport == NULL)
        return sg_fail(error, SG_USAGE, NULL,
                       "--keys-on and --transport-certificate belong together");
    if (sg_cli_has(cli, "dry-run"))
        return sg_fail(error, SG_USAGE, NULL, "a dry run makes no keys");
    if (!read_transport(transport, keys, error) ||
        !sg_home_token(issuing->home, token, &keys->token, error) ||
        !sg_token_login(keys->token, error))
        return false;
    keys->issuing = issuing;
    keys->keys = (struct sg_line_keys){make, keys, folder};
    return true;
}
