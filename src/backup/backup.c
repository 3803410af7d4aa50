#include <string.h>

#include "backup_parts.h"
#include "base/clock.h"
#include "base/limits.h"
#include "store/migrate.h"

/* Rows that are gathered before they are written. */
enum { PORTION = 1024 * 1024 };

void sg_backup_facts_done(struct sg_backup_facts *facts)
{
    free(facts->ca);
    free(facts->left_out);
    *facts = (struct sg_backup_facts){0};
}

/* ---- rows ---- */

struct rows {
    struct sg_archive_writer *writer;
    struct sg_buf lines;
    char table[32];
    unsigned number; /* of the table's portion */
    json_t *counts;  /* of rows, by table */
    int64_t count;
};

static void rows_done(struct rows *rows)
{
    sg_buf_free(&rows->lines);
    json_decref(rows->counts);
}
SG_DEFINE_CLEANUP_IN_PLACE(rows, rows_done)

static bool flush_rows(struct rows *rows, struct sg_error *error)
{
    char name[SG_TAR_NAME];

    if (rows->lines.len == 0)
        return true;
    snprintf(name, sizeof name, SG_BACKUP_STORE "%s.%06u", rows->table, ++rows->number);
    if (!sg_archive_add(rows->writer, name, sg_buf_slice(&rows->lines), error))
        return false;
    rows->lines.len = 0;
    return true;
}

static bool begin_table(struct rows *rows, const char *table, struct sg_error *error)
{
    if (!flush_rows(rows, error))
        return false;
    snprintf(rows->table, sizeof rows->table, "%s", table);
    rows->number = 0;
    rows->count = 0;
    return true;
}

static bool add_row(const char *table, struct sg_slice line, void *context, struct sg_error *error)
{
    struct rows *rows = context;

    if (strcmp(table, rows->table) != 0 && !begin_table(rows, table, error))
        return false;
    if (json_object_set_new(rows->counts, table, json_integer(++rows->count)) != 0)
        return sg_fail_memory(error);
    if (!sg_buf_append(&rows->lines, line.data, line.len, SG_LIMIT_BACKUP_ENTRY - 1, error) ||
        !sg_buf_append(&rows->lines, "\n", 1, SG_LIMIT_BACKUP_ENTRY, error))
        return false;
    return rows->lines.len < PORTION || flush_rows(rows, error);
}

/* ---- what is in it ---- */

static int64_t count_of(const json_t *counts, const char *table)
{
    return json_integer_value(json_object_get(counts, table));
}

static void take_counts(const json_t *counts, struct sg_backup_facts *facts)
{
    facts->num_certificates = count_of(counts, "certificate");
    facts->num_revocations = count_of(counts, "revocation");
    facts->num_unrecorded = count_of(counts, "pending");
    facts->num_records = count_of(counts, "registry");
    facts->num_tickets = count_of(counts, "ticket");
}

static json_t *describe(const struct sg_backup_facts *facts, const json_t *counts)
{
    char made[SG_TIME_TEXT_SIZE];

    return json_pack("{s:s, s:i, s:s, s:s, s:i, s:i, s:O}", "what", "Signet backup", "format",
                     SG_BACKUP_FORMAT, "ca", facts->ca, "made", sg_time_text(facts->made, made),
                     "store_version", facts->version, "home_files", (int)facts->num_files, "rows",
                     counts);
}

bool sg_backup_read_facts(const struct sg_archive *archive, struct sg_backup_facts *facts,
                          struct sg_error *error)
{
    const char *what = NULL, *ca = NULL, *made = NULL;
    int format = 0, version = 0, num_files = 0;
    json_t *counts = NULL;

    if (json_unpack(archive->manifest, "{s:s, s:i, s:s, s:s, s:i, s:i, s:o}", "what", &what,
                    "format", &format, "ca", &ca, "made", &made, "store_version", &version,
                    "home_files", &num_files, "rows", &counts) != 0 ||
        strcmp(what, "Signet backup") != 0)
        return sg_fail(error, SG_INVALID, "backup", "%s: its manifest is of no backup of Signet's",
                       archive->path);
    if (format != SG_BACKUP_FORMAT)
        return sg_fail(error, SG_INVALID, "backup",
                       "%s: it is of format %d, and this program knows format %d: use the Signet "
                       "that wrote it",
                       archive->path, format, SG_BACKUP_FORMAT);
    struct sg_backup_facts found = {.version = version, .num_files = (size_t)num_files};
    if (!sg_time_parse(made, &found.made, NULL))
        return sg_fail(error, SG_INVALID, "backup", "%s: its manifest tells no moment",
                       archive->path);
    if ((found.ca = strdup(ca)) == NULL)
        return sg_fail_memory(error);
    memcpy(found.id, archive->id, sizeof found.id);
    take_counts(counts, &found);
    *facts = found;
    return true;
}

bool sg_backup_check(const char *path, struct sg_backup_facts *facts, struct sg_error *error)
{
    sg_auto(sg_archive) struct sg_archive archive = {0};

    return sg_archive_open(path, &archive, error) && sg_backup_read_facts(&archive, facts, error);
}

/* ---- writing ---- */

static bool write_rows(struct sg_store *store, struct rows *rows, struct sg_error *error)
{
    if ((rows->counts = json_object()) == NULL)
        return sg_fail_memory(error);
    return sg_store_dump(store, add_row, rows, error) && flush_rows(rows, error);
}

static bool finish(struct sg_archive_writer *writer, const json_t *counts,
                   struct sg_backup_facts *facts, struct sg_error *error)
{
    json_t *about = describe(facts, counts);
    const bool is_done =
        about != NULL ? sg_archive_finish(writer, about, facts->id, error) : sg_fail_memory(error);

    json_decref(about);
    return is_done;
}

bool sg_backup_write(struct sg_home *home, const char *path, enum sg_overwrite overwrite,
                     int64_t now, struct sg_backup_facts *facts, struct sg_error *error)
{
    const struct sg_config *config = sg_home_config(home);
    sg_auto(sg_archive_writer) struct sg_archive_writer writer = {0};
    sg_auto(sg_backup_facts) struct sg_backup_facts found = {.made = now};
    sg_auto(rows) struct rows rows = {.writer = &writer};

    found.version = sg_store_version(sg_home_store(home));
    if ((found.ca = strdup(config->ca)) == NULL)
        return sg_fail_memory(error);
    if (!sg_archive_create(path, overwrite, &writer, error) ||
        !sg_backup_add_home(sg_home_dir(home), config, &writer, &found, error) ||
        !write_rows(sg_home_store(home), &rows, error) ||
        !finish(&writer, rows.counts, &found, error))
        return false;
    take_counts(rows.counts, &found);
    *facts = found;
    found = (struct sg_backup_facts){0};
    return true;
}
