#include <string.h>

#include "commands.h"
#include "desk.h"
#include "home/view.h"
#include "open.h"
#include "output.h"
#include "tell.h"

static const struct sg_option OPTIONS[] = {
    {"serial", 0, "HEX", "only this serial number"},
    {"device", 'd', "ID", "only this device's"},
    {"user", 'u', "NAME", "only this user's"},
    {"token", 0, "ID", "only those whose key is on this card"},
    {"policy", 'p', "POLICY", "only those of this policy"},
    {"issuer", 0, "NAME", "only this issuer's"},
    {"status", 0, "WORD", "only valid, expired, revoked, held, in-flight or orphaned ones"},
    {"expires-within", 0, "TIME", "only valid ones that end within 30d, 12h, …"},
    {"pem", 0, NULL, "print the certificates themselves"},
    SG_DESK_OPTIONS,
    {0},
};

static bool parse_status(const char *word, struct sg_certificate_filter *filter,
                         struct sg_error *error)
{
    if (word == NULL)
        return true;
    filter->only_status = true;
    for (int status = SG_STATUS_VALID; status <= SG_STATUS_ORPHANED; status++)
        if (strcmp(word, sg_status_word((enum sg_status)status)) == 0) {
            filter->status = (enum sg_status)status;
            return true;
        }
    return sg_fail(error, SG_USAGE, NULL,
                   "--status %s: it is one of valid, expired, revoked, held, in-flight, orphaned",
                   word);
}

bool sg_cli_list_filter(const struct sg_cli *cli, struct sg_serial *serial,
                        struct sg_certificate_filter *filter, struct sg_error *error)
{
    const char *serial_text = sg_cli_text(cli, "serial");
    const char *within = sg_cli_text(cli, "expires-within");
    int64_t within_s;

    *filter = (struct sg_certificate_filter){
        .device = sg_cli_text(cli, "device"),
        .user = sg_cli_text(cli, "user"),
        .token = sg_cli_text(cli, "token"),
        .policy = sg_cli_text(cli, "policy"),
        .issuer = sg_cli_text(cli, "issuer"),
        .now = sg_clock_now(&cli->clock),
    };
    if (serial_text != NULL) {
        if (!sg_serial_parse(serial_text, serial, error))
            return false;
        filter->serial = serial;
    }
    if (within != NULL) {
        if (!sg_duration_parse(within, &within_s, error))
            return false;
        filter->expires_before = filter->now + within_s;
    }
    return parse_status(sg_cli_text(cli, "status"), filter, error);
}

/* What the visitor collects or prints. */
struct listing {
    struct sg_cli_list list;
    bool as_pem;
};

static bool visit(const struct sg_certificate *certificate, void *context, struct sg_error *error)
{
    struct listing *listing = context;

    if (!listing->as_pem)
        return sg_cli_list_add(&listing->list, sg_view_certificate(certificate), error);
    listing->list.num++;
    if (!sg_certificate_is_here(certificate, error))
        return false;
    return certificate->der.len == 0 ||
           sg_cli_emit_pem(NULL, false, sg_buf_slice(&certificate->der), "CERTIFICATE", error);
}

static bool run_list(struct sg_cli *cli, struct sg_error *error)
{
    sg_auto(sg_home) struct sg_home *home = NULL;
    struct sg_certificate_filter filter;
    struct sg_serial serial;
    struct listing listing = {.as_pem = sg_cli_has(cli, "pem") && !cli->json};
    const bool is_told =
        sg_cli_list_filter(cli, &serial, &filter, error) &&
        sg_cli_list_begin(cli, &SG_CERTIFICATE_FORM, &listing.list, error) &&
        sg_cli_open_home(cli, SG_STORE_READ_ONLY, &home, error) &&
        sg_store_each_certificate(sg_home_store(home), &filter, visit, &listing, error) &&
        sg_cli_tell_certificates(&listing.list, error);

    sg_cli_list_done(&listing.list);
    return is_told;
}

const struct sg_command SG_LIST_COMMANDS[] = {
    {"list", "", "the certificates of the home, oldest first", NULL, OPTIONS, 0, 0, run_list},
    {0},
};
