#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "backup_parts.h"
#include "base/clock.h"
#include "base/limits.h"
#include "home/workshop.h"
#include "store/migrate.h"

void sg_restored_done(struct sg_restored *restored)
{
    for (size_t i = 0; i < restored->num_issuers; i++)
        free(restored->issuers[i].name);
    free(restored->issuers);
    sg_backup_facts_done(&restored->facts);
    *restored = (struct sg_restored){0};
}

/* A restore on its way. */
struct work {
    const struct sg_restore *wanted;
    struct sg_archive archive;
    struct sg_workshop workshop; /* of a new home; without a folder when there is one */
    int lock;                    /* on a home that is there, -1: none */
    char *folder;                /* where the home's files are at this moment */
    struct sg_config config;
    struct sg_known_crl *crls;
    struct sg_home *old;
    int64_t step;
    struct sg_restored result;
};

static void work_done(struct work *work)
{
    for (size_t i = 0; work->crls != NULL && i < work->wanted->num_crls; i++)
        sg_known_crl_done(&work->crls[i]);
    free(work->crls);
    sg_home_close(work->old);
    sg_config_done(&work->config);
    sg_archive_close(&work->archive);
    sg_workshop_done(&work->workshop);
    sg_cleanup_fd(&work->lock);
    free(work->folder);
    sg_restored_done(&work->result);
}
SG_DEFINE_CLEANUP_IN_PLACE(work, work_done)

/* ---- the archive ---- */

static bool check_version(const struct work *work, struct sg_error *error)
{
    const struct sg_backup_facts *facts = &work->result.facts;

    return facts->version == sg_store_version_needed() ||
           sg_fail(error, SG_INVALID, "backup",
                   "%s: its store has version %d, and this program needs version %d: restore it "
                   "with the Signet that wrote it%s",
                   work->wanted->backup, facts->version, sg_store_version_needed(),
                   facts->version < sg_store_version_needed() ? ", then run `signet store migrate`"
                                                              : "");
}

/* Numbers that may have been used since, by the time that has passed. */
static bool choose_step(struct work *work, struct sg_error *error)
{
    const int64_t passed = work->wanted->now - work->result.facts.made;
    char made[SG_TIME_TEXT_SIZE];

    if (passed < -SG_RESTORE_CLOCK_S && work->wanted->crl_number == 0)
        return sg_fail(error, SG_FAILED, "RFC 5280 5.2.3",
                       "the backup is of %s, which is yet to come: set the clock, or give "
                       "--crl-number a number beyond all that were published",
                       sg_time_text(work->result.facts.made, made));
    work->step = ((passed > 0 ? passed : 0) + SG_RESTORE_CLOCK_S) * SG_RESTORE_CRLS_PER_S;
    return true;
}

static bool open_archive(struct work *work, struct sg_error *error)
{
    return sg_archive_open(work->wanted->backup, &work->archive, error) &&
           sg_backup_read_facts(&work->archive, &work->result.facts, error) &&
           check_version(work, error) && choose_step(work, error);
}

static bool has_prefix(const char *name, const char *prefix)
{
    return strncmp(name, prefix, strlen(prefix)) == 0;
}

typedef bool take_function(const char *name, struct sg_slice bytes, void *context,
                           struct sg_error *error);

/* The files of the backup whose names begin so. */
static bool each_file(struct work *work, const char *prefix, take_function *take, void *context,
                      struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf bytes = {0};
    const char *name = NULL;

    if (!sg_archive_rewind(&work->archive, error))
        return false;
    do {
        if (!sg_archive_next(&work->archive, &name, &bytes, error))
            return false;
        if (name != NULL && has_prefix(name, prefix) &&
            !take(name, sg_buf_slice(&bytes), context, error))
            return false;
    } while (name != NULL);
    return true;
}

/* ---- the home's files ---- */

static bool place_file(const char *name, struct sg_slice bytes, void *folder,
                       struct sg_error *error)
{
    return sg_backup_place_file(folder, name + strlen(SG_BACKUP_HOME), bytes, error);
}

static bool open_new_home(struct work *work, struct sg_error *error)
{
    if (!sg_workshop_open(work->wanted->dir, &work->workshop, error))
        return false;
    work->folder = strdup(work->workshop.folder);
    return work->folder != NULL ? each_file(work, SG_BACKUP_HOME, place_file, work->folder, error)
                                : sg_fail_memory(error);
}

/* A restore that was interrupted may be at work still. */
static bool open_there(struct work *work, struct sg_error *error)
{
    work->result.store_only = true;
    work->folder = strdup(work->wanted->dir);
    if (work->folder == NULL)
        return sg_fail_memory(error);
    work->lock = open(work->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (work->lock < 0)
        return sg_fail_errno(error, "cannot open %s", work->folder);
    return flock(work->lock, LOCK_EX | LOCK_NB) == 0 ||
           sg_fail_errno(error, "%s: another restore is at work there", work->folder);
}

static bool open_target(struct work *work, struct sg_error *error)
{
    sg_auto(malloc) char *settings = NULL;
    sg_auto(malloc) char *placed = NULL;

    if (!sg_path_join(work->wanted->dir, "signet.yaml", &settings, error))
        return false;
    const bool is_there = access(settings, F_OK) == 0;
    if (!(is_there ? open_there(work, error) : open_new_home(work, error)))
        return false;
    return sg_path_join(work->folder, "signet.yaml", &placed, error) &&
           sg_config_load(placed, &work->config, error);
}

/* ---- what is known besides ---- */

static bool read_crls(struct work *work, struct sg_error *error)
{
    const struct sg_restore *wanted = work->wanted;

    if (wanted->num_crls == 0)
        return true;
    work->crls = calloc(wanted->num_crls, sizeof *work->crls);
    if (work->crls == NULL)
        return sg_fail_memory(error);
    for (size_t i = 0; i < wanted->num_crls; i++)
        if (!sg_known_crl_read(wanted->crls[i], work->folder, &work->config, &work->crls[i], error))
            return false;
    return true;
}

static bool open_old(struct work *work, struct sg_error *error)
{
    return work->wanted->old == NULL ||
           sg_home_open(work->wanted->old, SG_STORE_READ_ONLY, &work->old, error);
}

/* ---- the store ---- */

/* store/TABLE.NUMBER */
static bool read_table(const char *name, char table[32])
{
    const char *at = name + strlen(SG_BACKUP_STORE);
    const size_t len = strcspn(at, ".");

    if (len == 0 || len >= 32)
        return false;
    memcpy(table, at, len);
    table[len] = '\0';
    return true;
}

static bool load_lines(const char *name, struct sg_slice lines, void *store, struct sg_error *error)
{
    char table[32];

    if (!read_table(name, table))
        return sg_fail(error, SG_INVALID, "backup", "the backup has a file of a strange name: %s",
                       name);
    while (lines.len > 0) {
        const uint8_t *end = memchr(lines.data, '\n', lines.len);
        const size_t len = end != NULL ? (size_t)(end - lines.data) : lines.len;

        if (!sg_load_row(store, table, sg_slice_of(lines.data, len), error))
            return sg_error_prefix(error, "%s", name);
        lines.data += len + (end != NULL);
        lines.len -= len + (end != NULL);
    }
    return true;
}

static bool keep_what_is_known(struct work *work, struct sg_store *store, struct sg_error *error)
{
    struct sg_load_kept *kept = &work->result.kept;

    if (work->old != NULL && !sg_load_keep_from(store, sg_home_store(work->old), kept, error))
        return false;
    for (size_t i = 0; i < work->wanted->num_crls; i++)
        if (!sg_known_crl_keep(&work->crls[i], store, kept, error))
            return false;
    return true;
}

static bool add_issuer(const char *name, int64_t next, void *context, struct sg_error *error)
{
    struct sg_restored *result = context;
    struct sg_restored_issuer *grown =
        reallocarray(result->issuers, result->num_issuers + 1, sizeof *grown);
    char *copy = grown != NULL ? strdup(name) : NULL;

    if (grown != NULL)
        result->issuers = grown;
    if (copy == NULL)
        return sg_fail_memory(error);
    grown[result->num_issuers++] = (struct sg_restored_issuer){copy, next};
    return true;
}

static bool note(struct work *work, struct sg_store *store, struct sg_error *error)
{
    char made[SG_TIME_TEXT_SIZE], id[SG_SHA256_HEX_SIZE], what[160];

    sg_hex(sg_slice_of(work->result.facts.id, SG_SHA256_LEN), id, sizeof id);
    snprintf(what, sizeof what, "restored from the backup of %s (%.16s)",
             sg_time_text(work->result.facts.made, made), id);
    return sg_load_note(store, work->wanted->now, what, error);
}

static bool fill(struct sg_store *store, void *context, struct sg_error *error)
{
    struct work *work = context;
    const struct sg_restore *wanted = work->wanted;

    return each_file(work, SG_BACKUP_STORE, load_lines, store, error) &&
           keep_what_is_known(work, store, error) &&
           sg_load_raise_crl_numbers(store, work->step, wanted->crl_number, wanted->now, add_issuer,
                                     &work->result, error) &&
           note(work, store, error);
}

/* The home is there before a store that is elsewhere: what is interrupted between them goes on as
 * the restore of a store alone. */
static bool settle(void *context, struct sg_error *error)
{
    struct work *work = context;

    return sg_workshop_move_in(&work->workshop, error);
}

/* A store in the home's own folder goes there with it. One that is elsewhere is found from where
 * the home's files are now, and has to be found again when they have moved. */
static bool find_place(struct work *work, char **location, bool *is_inside, struct sg_error *error)
{
    sg_auto(malloc) char *file = NULL;

    if (!sg_backup_make_way(work->folder, work->config.store, error) ||
        !sg_backup_place_of(work->folder, work->config.store, &file, is_inside, error))
        return false;
    if (file == NULL)
        *location = strdup(work->config.store);
    else if (asprintf(location, "sqlite:%s", file) < 0)
        *location = NULL;
    return *location != NULL || sg_fail_memory(error);
}

static bool make_store(struct work *work, struct sg_error *error)
{
    const bool is_new = work->workshop.folder != NULL;
    sg_auto(malloc) char *location = NULL;
    bool is_inside = false;

    if (!is_new)
        return sg_store_load(work->config.store, work->folder,
                             &(struct sg_loader){fill, NULL, work}, error);
    if (!find_place(work, &location, &is_inside, error))
        return false;
    const struct sg_loader loader = {fill, is_inside ? NULL : settle, work};
    return sg_store_load(location, work->folder, &loader, error) &&
           (!is_inside || sg_workshop_move_in(&work->workshop, error));
}

bool sg_backup_restore(const struct sg_restore *restore, struct sg_restored *restored,
                       struct sg_error *error)
{
    sg_auto(work) struct work work = {.wanted = restore, .lock = -1};

    if (!open_archive(&work, error) || !open_target(&work, error) || !read_crls(&work, error) ||
        !open_old(&work, error) || !make_store(&work, error))
        return false;
    *restored = work.result;
    work.result = (struct sg_restored){0};
    return true;
}
