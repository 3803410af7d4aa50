/* The store as a whole: what it is, and its tables' version. */
#include <inttypes.h>
#include <string.h>

#include "base/json.h"
#include "commands.h"
#include "open.h"
#include "output.h"
#include "store/migrate.h"
#include "store/summary.h"

/* ---- store show ---- */

enum { MONTH_LEN = sizeof "2026-11" - 1 };

static bool add_event(int64_t moment, const char *what, void *context, struct sg_error *error)
{
    json_t **events = context;
    char when[SG_TIME_TEXT_SIZE];

    (void)error;
    sg_cli_append(events, json_pack("{s:s, s:o}", "moment", sg_time_text(moment, when), "what",
                                    sg_json_text(what)));
    return true;
}

static bool print_event(int64_t moment, const char *what, void *context, struct sg_error *error)
{
    char when[SG_TIME_TEXT_SIZE];

    (void)context;
    (void)error;
    printf("%-13s %s\n", sg_time_text(moment, when), what);
    return true;
}

static bool add_month(int64_t begin, int64_t bytes, void *context, struct sg_error *error)
{
    json_t **months = context;
    char when[SG_TIME_TEXT_SIZE];

    (void)error;
    sg_cli_append(months, json_pack("{s:s%, s:I}", "month", sg_time_text(begin, when),
                                    (size_t)MONTH_LEN, "bytes", (json_int_t)bytes));
    return true;
}

static bool print_month(int64_t begin, int64_t bytes, void *context, struct sg_error *error)
{
    char when[SG_TIME_TEXT_SIZE];

    (void)context;
    (void)error;
    printf("%-13.*s %" PRId64 " bytes of certificates\n", (int)MONTH_LEN, sg_time_text(begin, when),
           bytes);
    return true;
}

static bool print_summary_json(const struct sg_store_summary *summary, struct sg_store *store,
                               struct sg_error *error)
{
    json_t *events = json_array(), *months = json_array();

    if (!sg_store_each_event(store, add_event, &events, error) ||
        !sg_store_each_month(store, add_month, &months, error)) {
        json_decref(events);
        json_decref(months);
        return false;
    }
    return sg_cli_print_json(
        json_pack("{s:s, s:o, s:i, s:i, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:o}", "kind",
                  summary->kind, "location", sg_json_text(summary->location), "version",
                  summary->version, "version_needed", sg_store_version_needed(), "bytes",
                  (json_int_t)summary->bytes, "certificates", (json_int_t)summary->num_certificates,
                  "unrecorded", (json_int_t)summary->num_unrecorded, "revocations",
                  (json_int_t)summary->num_revocations, "devices", (json_int_t)summary->num_devices,
                  "users", (json_int_t)summary->num_users, "elsewhere",
                  summary->is_by_month ? json_integer(summary->num_elsewhere) : json_null(),
                  "months", months, "events", events),
        error);
}

static bool print_summary(const struct sg_store_summary *summary, struct sg_store *store,
                          struct sg_error *error)
{
    const bool is_old = summary->version < sg_store_version_needed();

    printf("store         %s\n", summary->location);
    printf("kind          %s, version %d%s\n", summary->kind, summary->version,
           is_old ? ": `signet store migrate` brings it to what this program needs" : "");
    printf("size          %" PRId64 " bytes\n", summary->bytes);
    printf("certificates  %" PRId64 "\n", summary->num_certificates);
    printf("unrecorded    %" PRId64 "\n", summary->num_unrecorded);
    printf("revocations   %" PRId64 "\n", summary->num_revocations);
    printf("devices       %" PRId64 "\n", summary->num_devices);
    printf("users         %" PRId64 "\n", summary->num_users);
    if (summary->num_elsewhere > 0)
        printf("elsewhere     %" PRId64 " of the certificates, whose months were taken out\n",
               summary->num_elsewhere);
    return sg_store_each_month(store, print_month, NULL, error) &&
           sg_store_each_event(store, print_event, NULL, error);
}

static bool run_show(struct sg_cli *cli, struct sg_error *error)
{
    sg_auto(sg_home) struct sg_home *home = NULL;
    struct sg_store_summary summary;

    if (!sg_cli_open_home(cli, SG_STORE_READ_ONLY, &home, error) ||
        !sg_store_summarise(sg_home_store(home), &summary, error))
        return false;
    return cli->json ? print_summary_json(&summary, sg_home_store(home), error)
                     : print_summary(&summary, sg_home_store(home), error);
}

/* ---- store migrate ---- */

static const struct sg_option MIGRATE_OPTIONS[] = {
    {"dry-run", 0, NULL, "say which steps it would take, and take none"},
    {0},
};

struct steps {
    const struct sg_cli *cli;
    json_t *array;
    bool is_dry;
    size_t num;
};

static bool tell_step(int version, const char *what, void *context, struct sg_error *error)
{
    struct steps *steps = context;

    (void)error;
    steps->num++;
    sg_cli_append(&steps->array, json_pack("{s:i, s:s}", "version", version, "brings", what));
    if (!steps->cli->json)
        printf("version %d%s: %s\n", version, steps->is_dry ? " would bring" : "", what);
    return true;
}

static bool take_steps(struct steps *steps, struct sg_home *home, struct sg_error *error)
{
    return steps->is_dry ? sg_store_each_migration(sg_home_store(home), tell_step, steps, error)
                         : sg_store_migrate(sg_home_store(home), sg_clock_now(&steps->cli->clock),
                                            tell_step, steps, error);
}

static bool run_migrate(struct sg_cli *cli, struct sg_error *error)
{
    sg_auto(sg_home) struct sg_home *home = NULL;
    struct steps steps = {.cli = cli, .is_dry = sg_cli_has(cli, "dry-run")};

    if (!sg_cli_open_home(cli, steps.is_dry ? SG_STORE_READ_ONLY : SG_STORE_MIGRATE, &home, error))
        return false;
    const int from = sg_store_version(sg_home_store(home));
    steps.array = json_array();
    if (!take_steps(&steps, home, error)) {
        json_decref(steps.array);
        return false;
    }
    if (cli->json)
        return sg_cli_print_json(json_pack("{s:i, s:i, s:o}", "version", from, "version_needed",
                                           sg_store_version_needed(), "steps", steps.array),
                                 error);
    json_decref(steps.array);
    if (steps.num == 0)
        printf("the store has version %d already: there is nothing to do\n",
               sg_store_version_needed());
    return true;
}

const struct sg_command SG_STORE_COMMANDS[] = {
    {"store show", "", "what the home's store is, and how much is in it", NULL, NULL, 0, 0,
     run_show},
    {"store migrate", "", "bring an older store to the version that this Signet needs",
     "Stop the service and make a backup before, with the Signet that has run so far. Each\n"
     "step is one transaction: what was interrupted goes on where it was.",
     MIGRATE_OPTIONS, 0, 0, run_migrate},
    {0},
};
