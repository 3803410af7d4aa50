#include <fcntl.h>
#include <string.h>

#include "issue/explain.h"
#include "open.h"
#include "output.h"
#include "policies.h"

const struct sg_option SG_POLICY_EXPLAIN_OPTIONS[] = {
    {"policy", 'p', "POLICY", "a request's certificate by this policy: a name or a file"},
    {"device", 'd', "ID", "the device that asks"},
    {"device-from-cn", 0, NULL, "the request comes from the device its CN names"},
    {"user", 'u', "NAME", "the user that asks"},
    {"issuer", 0, "NAME", "the issuer, when several are active"},
    {0},
};

static bool print_fields(const struct sg_cli *cli, json_t *fields, struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf text = {0};

    if (cli->json)
        return sg_cli_print_json(json_pack("{s:O}", "fields", fields), error);
    return sg_fields_text(fields, &text, error) && sg_cli_print_text(sg_buf_slice(&text), error);
}

static bool explain_request(struct sg_cli *cli, struct sg_home *home, const char *policy,
                            struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf bytes = {0};
    sg_auto(sg_job) struct sg_job job = {0};
    sg_auto(json_t) json_t *fields = NULL;
    sg_auto(sg_policy) struct sg_policy *own = NULL;
    struct sg_issuing issuing = {.home = home,
                                 .clock = cli->clock,
                                 .evidence = SG_BY_OPERATOR,
                                 .device_from_cn = sg_cli_has(cli, "device-from-cn")};

    if (!sg_file_read(cli->operands[0], SG_LIMIT_REQUEST, &bytes, error) ||
        !sg_cli_find_policy(home, policy, &own, &issuing.policy, error) ||
        !sg_cli_note_fields(sg_home_config(home), issuing.policy, error) ||
        !sg_home_issuer(home, sg_cli_text(cli, "issuer"), SG_ISSUER_TO_READ, &issuing.issuer,
                        error))
        return false;
    job.bytes = sg_buf_slice(&bytes);
    job.device = sg_cli_text(cli, "device");
    job.user = sg_cli_text(cli, "user");
    if (!sg_explain_request(&issuing, &job, &fields, error))
        return sg_error_prefix(error, "%s", cli->operands[0]);
    return print_fields(cli, fields, error);
}

static bool check_options(const struct sg_cli *cli, struct sg_error *error)
{
    return cli->num_values == 0 ||
           sg_fail(error, SG_USAGE, NULL,
                   "an issued certificate is explained by its record alone; for a request name "
                   "the policy by --policy");
}

static bool explain_issued(struct sg_cli *cli, struct sg_home *home, struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf text = {0};
    sg_auto(sg_buf) struct sg_buf der = {0};
    sg_auto(json_t) json_t *known = NULL;
    struct sg_serial serial;

    if (!check_options(cli, error) || !sg_cli_find_serial(cli->operands[0], &serial, &der, error) ||
        !sg_cli_known(cli, home, &serial, sg_buf_slice(&der), &known, error))
        return false;
    if (known == NULL)
        return sg_fail(error, SG_REFUSED, NULL, "this home has issued no certificate %s",
                       cli->operands[0]);
    if (cli->json)
        return sg_cli_print_json(json_incref(known), error);
    return sg_cli_known_text(known, &text, error) && sg_cli_print_text(sg_buf_slice(&text), error);
}

bool sg_cli_policy_explain(struct sg_cli *cli, struct sg_error *error)
{
    const char *policy = sg_cli_text(cli, "policy");
    sg_auto(sg_home) struct sg_home *home = NULL;

    if (!sg_cli_open_home(cli, SG_STORE_READ_ONLY, &home, error))
        return false;
    return policy != NULL ? explain_request(cli, home, policy, error)
                          : explain_issued(cli, home, error);
}
