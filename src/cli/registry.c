#include "home/registry.h"

#include <string.h>

#include "base/file.h"
#include "commands.h"
#include "desk.h"
#include "home/view.h"
#include "open.h"
#include "tell.h"

static const struct sg_option IMPORT_OPTIONS[] = {
    {"format", 0, "WORD", "csv or jsonl (default: by the file's name)"},
    {0},
};

static const struct sg_option OPTIONS[] = {SG_DESK_OPTIONS, {0}};

/* The same commands serve devices and users; the noun is the command's first word. */
static enum sg_registry_kind kind_of(const struct sg_cli *cli)
{
    return cli->command->words[0] == 'd' ? SG_REGISTRY_DEVICE : SG_REGISTRY_USER;
}

static const char *noun_of(const struct sg_cli *cli)
{
    return kind_of(cli) == SG_REGISTRY_DEVICE ? "device" : "user";
}

static const struct sg_schema *schema_of(const struct sg_cli *cli, const struct sg_home *home)
{
    const struct sg_config *config = sg_home_config(home);

    return kind_of(cli) == SG_REGISTRY_DEVICE ? &config->device : &config->user;
}

bool sg_cli_record(const struct sg_cli *cli, struct sg_record *record, struct sg_error *error)
{
    if ((record->id = strdup(cli->operands[0])) == NULL)
        return sg_fail_memory(error);
    for (int i = 1; i < cli->num_operands; i++) {
        const char *equals = strchr(cli->operands[i], '=');
        sg_auto(malloc) char *name = NULL;
        if (equals == NULL || equals == cli->operands[i])
            return sg_fail(error, SG_USAGE, NULL, "'%s': write NAME=VALUE, as in region=us-east",
                           cli->operands[i]);
        name = strndup(cli->operands[i], (size_t)(equals - cli->operands[i]));
        if (name == NULL)
            return sg_fail_memory(error);
        if (sg_record_value(record, name) != NULL)
            return sg_fail(error, SG_USAGE, NULL, "%s is given twice", name);
        if (!sg_record_set(record, name, equals + 1, error))
            return false;
    }
    return true;
}

static bool run_add(struct sg_cli *cli, struct sg_error *error)
{
    sg_auto(sg_home) struct sg_home *home = NULL;
    sg_auto(sg_record) struct sg_record record = {0};
    size_t index;

    if (!sg_cli_record(cli, &record, error) ||
        !sg_cli_open_home(cli, SG_STORE_OPEN, &home, error) ||
        !sg_registry_check(schema_of(cli, home), noun_of(cli), &record, error) ||
        !sg_store_register(sg_home_store(home), kind_of(cli), &record, 1, &index, error))
        return false;
    sg_cli_tell_record_change(cli);
    return true;
}

static bool ends_with(const char *text, const char *end)
{
    size_t len = strlen(text), end_len = strlen(end);

    return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

static bool parse_format(const struct sg_cli *cli, enum sg_registry_format *format,
                         struct sg_error *error)
{
    const char *word = sg_cli_text(cli, "format"), *path = cli->operands[0];

    if (word != NULL ? strcmp(word, "csv") == 0 : ends_with(path, ".csv"))
        *format = SG_REGISTRY_CSV;
    else if (word != NULL ? strcmp(word, "jsonl") == 0
                          : ends_with(path, ".jsonl") || ends_with(path, ".ndjson"))
        *format = SG_REGISTRY_JSON_LINES;
    else
        return sg_fail(error, SG_USAGE, NULL, "%s: say --format csv or --format jsonl", path);
    return true;
}

/* All or none; a record that is in the registry already is told by its line. */
static bool import_records(const struct sg_cli *cli, struct sg_store *store,
                           const struct sg_record *records, const size_t *lines, size_t num,
                           struct sg_error *error)
{
    size_t index = 0;

    if (sg_store_register(store, kind_of(cli), records, num, &index, error))
        return true;
    if (error->code == SG_REFUSED && index < num)
        sg_error_prefix(error, "%s:%zu", cli->operands[0], lines[index]);
    return false;
}

static bool run_import(struct sg_cli *cli, struct sg_error *error)
{
    sg_auto(sg_home) struct sg_home *home = NULL;
    sg_auto(sg_buf) struct sg_buf text = {0};
    sg_auto(malloc) struct sg_record *records = NULL;
    sg_auto(malloc) size_t *lines = NULL;
    enum sg_registry_format format;
    size_t num = 0;

    if (!parse_format(cli, &format, error) || !sg_cli_open_home(cli, SG_STORE_OPEN, &home, error) ||
        !sg_file_read(cli->operands[0], SG_LIMIT_IMPORT, &text, error) ||
        !sg_registry_read(schema_of(cli, home), noun_of(cli), format, cli->operands[0],
                          sg_buf_slice(&text), &records, &lines, &num, error))
        return false;
    bool done = import_records(cli, sg_home_store(home), records, lines, num, error);
    for (size_t i = 0; i < num; i++)
        sg_record_done(&records[i]);
    if (done)
        fprintf(stderr, "%zu %ss are registered\n", num, noun_of(cli));
    return done;
}

static bool visit(const struct sg_record *record, void *context, struct sg_error *error)
{
    return sg_cli_list_add(context, sg_view_record(record), error);
}

static bool run_list(struct sg_cli *cli, struct sg_error *error)
{
    sg_auto(sg_home) struct sg_home *home = NULL;
    sg_auto(sg_cli_list) struct sg_cli_list list = {0};

    return sg_cli_list_begin(cli, &SG_RECORD_FORM, &list, error) &&
           sg_cli_open_home(cli, SG_STORE_READ_ONLY, &home, error) &&
           sg_store_each_record(sg_home_store(home), kind_of(cli), visit, &list, error) &&
           sg_cli_list_end(&list, error);
}

static bool run_show(struct sg_cli *cli, struct sg_error *error)
{
    sg_auto(sg_home) struct sg_home *home = NULL;
    sg_auto(sg_record) struct sg_record record = {0};

    return sg_cli_open_home(cli, SG_STORE_READ_ONLY, &home, error) &&
           sg_store_find_record(sg_home_store(home), kind_of(cli), cli->operands[0], &record,
                                error) &&
           sg_cli_tell_one(cli, &SG_RECORD_FORM, sg_view_record(&record), error);
}

static bool set_disabled(struct sg_cli *cli, bool disabled, struct sg_error *error)
{
    sg_auto(sg_home) struct sg_home *home = NULL;

    if (!sg_cli_open_home(cli, SG_STORE_OPEN, &home, error) ||
        !sg_store_set_disabled(sg_home_store(home), kind_of(cli), cli->operands[0], disabled,
                               error))
        return false;
    sg_cli_tell_record_change(cli);
    return true;
}

static bool run_disable(struct sg_cli *cli, struct sg_error *error)
{
    return set_disabled(cli, true, error);
}

static bool run_enable(struct sg_cli *cli, struct sg_error *error)
{
    return set_disabled(cli, false, error);
}

struct amendment {
    const struct sg_schema *schema;
    const char *noun;
    const struct sg_record *changes;
};

static bool amend(struct sg_record *record, void *context, struct sg_error *error)
{
    const struct amendment *amendment = context;

    return sg_registry_amend(amendment->schema, amendment->noun, amendment->changes, record, error);
}

static bool run_set(struct sg_cli *cli, struct sg_error *error)
{
    sg_auto(sg_home) struct sg_home *home = NULL;
    sg_auto(sg_record) struct sg_record changes = {0};

    if (!sg_cli_record(cli, &changes, error) || !sg_cli_open_home(cli, SG_STORE_OPEN, &home, error))
        return false;
    struct amendment amendment = {schema_of(cli, home), noun_of(cli), &changes};
    if (!sg_store_amend_record(sg_home_store(home), kind_of(cli), changes.id, amend, &amendment,
                               error))
        return false;
    sg_cli_tell_record_change(cli);
    return true;
}

static const char ADD_DETAILS[] = "The values are checked against `registry` in signet.yaml.";
static const char SET_DETAILS[] =
    "NAME=VALUE replaces a value or adds one, NAME= takes one away that may be left out; the "
    "others\n"
    "stay. The record is checked against `registry` in signet.yaml. Certificates that were issued\n"
    "before stay as they are: revoke what is no longer true.";
static const char IMPORT_DETAILS[] =
    "CSV with a header line of field names, or one JSON object a line. All records or none.";

const struct sg_command SG_DEVICE_COMMANDS[] = {
    {"device add", "ID [NAME=VALUE…]", "register a device", ADD_DETAILS, OPTIONS, 1, -1, run_add},
    {"device set", "ID NAME=[VALUE]…", "change a device's record", SET_DETAILS, OPTIONS, 2, -1,
     run_set},
    {"device import", "FILE", "register many devices", IMPORT_DETAILS, IMPORT_OPTIONS, 1, 1,
     run_import},
    {"device list", "", "the registered devices", NULL, OPTIONS, 0, 0, run_list},
    {"device show", "ID", "one device", NULL, OPTIONS, 1, 1, run_show},
    {"device disable", "ID", "let a device have no further certificate", NULL, OPTIONS, 1, 1,
     run_disable},
    {"device enable", "ID", "take that back", NULL, OPTIONS, 1, 1, run_enable},
    {0},
};

const struct sg_command SG_USER_COMMANDS[] = {
    {"user add", "NAME [NAME=VALUE…]", "register a user", ADD_DETAILS, OPTIONS, 1, -1, run_add},
    {"user set", "NAME NAME=[VALUE]…", "change a user's record", SET_DETAILS, OPTIONS, 2, -1,
     run_set},
    {"user import", "FILE", "register many users", IMPORT_DETAILS, IMPORT_OPTIONS, 1, 1,
     run_import},
    {"user list", "", "the registered users", NULL, OPTIONS, 0, 0, run_list},
    {"user show", "NAME", "one user", NULL, OPTIONS, 1, 1, run_show},
    {"user disable", "NAME", "let a user have no further certificate", NULL, OPTIONS, 1, 1,
     run_disable},
    {"user enable", "NAME", "take that back", NULL, OPTIONS, 1, 1, run_enable},
    {0},
};
