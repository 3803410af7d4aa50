#include "issue/pins.h"

#include <string.h>

#include "commands.h"
#include "desk.h"
#include "open.h"
#include "tell.h"

static const struct sg_option OPTIONS[] = {
    {"state", 0, NULL, "tell whether the user has a PIN (default)"},
    {"set", 0, NULL, "choose the user's PIN"},
    {"clear", 0, NULL, "forget the user's PIN, so that another can be chosen"},
    {"pin", 0, "SOURCE", "file:PATH, env:NAME, credential:NAME, prompt; with --url the card's"},
    {"device", 'd', "ID", "the device at which it is chosen"},
    SG_DESK_REACH_OPTIONS,
    SG_DESK_AS_OPTION,
    {0},
};

/* What is typed without being seen is typed twice. */
static bool confirm(const char *source, const char *user, const struct sg_secret *pin,
                    struct sg_error *error)
{
    sg_auto(sg_secret) struct sg_secret *again = NULL;
    char what[160];

    if (strcmp(source, "prompt") != 0)
        return true;
    snprintf(what, sizeof what, "PIN of %.100s, once more", user);
    return sg_pin_read(source, NULL, what, &again, error) &&
           (sg_slice_equal(sg_secret_slice(pin), sg_secret_slice(again)) ||
            sg_fail(error, SG_USAGE, "PIN", "these are two different PINs"));
}

bool sg_cli_pin_hash(const struct sg_cli *cli, const char *user, bool is_new,
                     uint8_t hash[SG_PIN_HASH_LEN], struct sg_error *error)
{
    const char *source = sg_cli_has(cli, "pin") ? sg_cli_text(cli, "pin") : "prompt";
    sg_auto(sg_secret) struct sg_secret *pin = NULL;
    char what[160];

    snprintf(what, sizeof what, "PIN of %.100s", user);
    return sg_pin_check_source(source, error) && sg_pin_read(source, NULL, what, &pin, error) &&
           (!is_new || confirm(source, user, pin, error)) && sg_pin_hash(user, pin, hash, error);
}

static bool set(const struct sg_cli *cli, const char *user, struct sg_error *error)
{
    sg_auto(sg_home) struct sg_home *home = NULL;
    uint8_t hash[SG_PIN_HASH_LEN];
    const struct sg_pin_order order = {.user = user,
                                       .device = sg_cli_text(cli, "device"),
                                       .hash = hash,
                                       .now = sg_clock_now(&cli->clock)};
    struct sg_mac *mac = NULL;

    if (!sg_cli_open_home(cli, SG_STORE_OPEN, &home, error) || !sg_home_pins(home, &mac, error) ||
        !sg_cli_pin_hash(cli, user, true, hash, error) ||
        !sg_pin_choose(sg_home_store(home), mac, &order, error))
        return false;
    fprintf(stderr, "user %s has a PIN now\n", user);
    return true;
}

static bool clear(const struct sg_cli *cli, const char *user, struct sg_error *error)
{
    sg_auto(sg_home) struct sg_home *home = NULL;

    if (!sg_cli_open_home(cli, SG_STORE_OPEN, &home, error) ||
        !sg_store_clear_pin(sg_home_store(home), user, error))
        return false;
    fprintf(stderr, "user %s has no PIN any more\n", user);
    return true;
}

static bool state(const struct sg_cli *cli, const char *user, struct sg_error *error)
{
    sg_auto(sg_home) struct sg_home *home = NULL;
    sg_auto(sg_record) struct sg_record record = {0};
    sg_auto(sg_pin) struct sg_pin pin = {0};
    bool found = false;

    return sg_cli_open_home(cli, SG_STORE_READ_ONLY, &home, error) &&
           sg_store_find_record(sg_home_store(home), SG_REGISTRY_USER, user, &record, error) &&
           sg_store_find_pin(sg_home_store(home), user, &found, &pin, error) &&
           sg_cli_tell_pin(cli,
                           json_pack("{s:o, s:b, s:o, s:o}", "user", sg_json_text(user), "pin",
                                     found, "chosen", sg_json_moment(found ? pin.chosen : 0),
                                     "device", sg_json_text_or_null(pin.device)),
                           error);
}

static bool run_pin(struct sg_cli *cli, struct sg_error *error)
{
    const bool sets = sg_cli_has(cli, "set"), clears = sg_cli_has(cli, "clear");
    const char *user = cli->operands[0];

    if (sets + clears + sg_cli_has(cli, "state") > 1)
        return sg_fail(error, SG_USAGE, NULL, "give one of --set, --clear and --state");
    return sets ? set(cli, user, error)
                : (clears ? clear(cli, user, error) : state(cli, user, error));
}

static const char DETAILS[] =
    "A user's PIN proves the requests that are made by ticket, from all of the user's devices.\n"
    "What is kept of it is of no use without the key that `pins` in signet.yaml names.";

const struct sg_command SG_PIN_COMMANDS[] = {
    {"user pin", "NAME", "a user's PIN for requests over the network", DETAILS, OPTIONS, 1, 1,
     run_pin},
    {0},
};
