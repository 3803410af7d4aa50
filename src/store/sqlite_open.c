/* Opening and making a store of SQLite's. */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "schema.h"
#include "sqlite.h"

static const char KIND[] = "sqlite:";

/* ---- where it is ---- */

static bool find_path(const char *location, const char *folder, char **path, struct sg_error *error)
{
    return sg_path_join(folder, location + strlen(KIND), path, error);
}

/* SQLite would make a new, empty database of a missing one, and say "unable to open" for all else.
 */
static bool check_file(const char *path, struct sg_error *error)
{
    struct stat status;
    if (stat(path, &status) != 0)
        return sg_fail(error, SG_STORE, NULL, "store %s: %s%s", path, strerror(errno),
                       errno == ENOENT ? ": `signet init` makes one; check `store` in signet.yaml"
                                       : "");
    if (!S_ISREG(status.st_mode))
        return sg_fail(error, SG_STORE, NULL,
                       "store %s: it is not a file: check `store` in signet.yaml", path);
    return true;
}

/* ---- connection ---- */

static bool connect_to(struct sg_store *store, const char *name, int flags, struct sg_error *error)
{
    const int result = sqlite3_open_v2(name, &store->sqlite->db, flags | SQLITE_OPEN_NOMUTEX, NULL);
    if (result != SQLITE_OK)
        return sg_sqlite_fail(store, result, error);
    (void)sqlite3_extended_result_codes(store->sqlite->db, 1);
    (void)sqlite3_busy_timeout(store->sqlite->db, SG_BUSY_TIMEOUT_MS);
    (void)sqlite3_db_config(store->sqlite->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    return sg_sqlite_exec(store, "PRAGMA trusted_schema=OFF; PRAGMA foreign_keys=ON", error);
}

void sg_sqlite_forget(struct sg_sqlite *sqlite)
{
    for (size_t i = 0; i < sqlite->num_kept; i++)
        (void)sqlite3_finalize(sqlite->kept[i].compiled);
    sqlite->num_kept = 0;
}

static void disconnect(struct sg_store *store)
{
    sg_sqlite_forget(store->sqlite);
    (void)sqlite3_close_v2(store->sqlite->db);
    store->sqlite->db = NULL;
}

/* Settings of the connection, and journal_mode, which the file remembers.
 * The automatic checkpoint after 1,000 pages costs 30 % of the speed of issuing; 16,384 pages are a
 * write-ahead log of 64 MiB. Keys are random: with a million certificates a group touches more
 * pages than SQLite's own 2 MiB hold, which then go to the log before the commit and are read
 * again; 16 MiB hold most of the index of keys. A connection that only reads drops its pages
 * whenever another has written, and so stays small. */
static bool configure(struct sg_store *store, struct sg_error *error)
{
    sg_auto(sg_query) struct sg_query mode = {0};
    bool row = false;
    if (!sg_query_start_many(store, "PRAGMA journal_mode=WAL", SG_NO_VALUES, &mode, error) ||
        !sg_query_next(&mode, &row, error))
        return false;
    if (!row || strcmp(sg_column_text(&mode, 0), "wal") != 0)
        return sg_fail(error, SG_STORE, NULL,
                       "store %s: its file system can't hold a write-ahead log: put it on a local "
                       "disk",
                       store->path);
    return sg_sqlite_exec(
        store, "PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=16384; PRAGMA cache_size=-16384",
        error);
}

static bool make_tables(struct sg_store *store, struct sg_error *error)
{
    sg_auto(sg_transaction) struct sg_transaction write = {0};
    return sg_transaction_write(store, &write, error) && sg_sqlite_create(store, error) &&
           sg_transaction_commit(&write, error);
}

static bool open_to_write(struct sg_store *store, enum sg_store_mode mode, struct sg_error *error)
{
    if (!connect_to(store, store->path, SQLITE_OPEN_READWRITE, error))
        return false;
    /* SQLite quietly opens for reading what it may not write. */
    if (sqlite3_db_readonly(store->sqlite->db, "main") == 1)
        return sg_sqlite_fail(store, SQLITE_READONLY, error);
    if (mode != SG_STORE_CREATE && mode != SG_STORE_LOAD && !sg_sqlite_check(store, error))
        return false;
    return (mode != SG_STORE_OPEN || sg_schema_require(store, error)) && configure(store, error) &&
           (mode != SG_STORE_CREATE || make_tables(store, error)) &&
           sg_owners_open(store->path, false, &store->sqlite->owners, error);
}

/* ---- reading, also where nothing can be written ---- */

static bool has_log(const char *path)
{
    sg_auto(malloc) char *log = NULL;
    struct stat status;
    if (asprintf(&log, "%s-wal", path) < 0) {
        log = NULL;
        return true;
    }
    return stat(log, &status) == 0 && status.st_size > 0;
}

static bool immutable_uri(const char *path, char **uri, struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf text = {0};
    if (!sg_buf_printf(&text, 4 * SG_LIMIT_PATH, error, "file:"))
        return false;
    for (const char *at = path; *at != '\0'; at++) {
        const bool plain = strchr("?#%", *at) == NULL;
        if (!sg_buf_printf(&text, 4 * SG_LIMIT_PATH, error, plain ? "%c" : "%%%02x", *at))
            return false;
    }
    if (!sg_buf_printf(&text, 4 * SG_LIMIT_PATH, error, "?immutable=1"))
        return false;
    *uri = (char *)sg_buf_take(&text);
    return true;
}

/* A reader of a write-ahead log needs an index beside it, which nobody can make on read-only media.
 * Without a log the file alone is the whole store, and can be read as one that never changes. */
static bool open_immutable(struct sg_store *store, struct sg_error *error)
{
    sg_auto(malloc) char *uri = NULL;
    if (has_log(store->path))
        return sg_fail(error, SG_STORE, NULL,
                       "store %s: it has a write-ahead log (%s-wal), which can't be read in a "
                       "folder that can't be written: copy both files to a folder that can",
                       store->path, store->path);
    disconnect(store);
    return immutable_uri(store->path, &uri, error) &&
           connect_to(store, uri, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, error);
}

static bool open_to_read(struct sg_store *store, struct sg_error *error)
{
    store->read_only = true;
    if (!connect_to(store, store->path, SQLITE_OPEN_READONLY, error))
        return false;
    const int result =
        sqlite3_exec(store->sqlite->db, "PRAGMA schema_version", NULL, NULL, NULL) & 0xff;
    if ((result == SQLITE_CANTOPEN || result == SQLITE_READONLY) && !open_immutable(store, error))
        return false;
    return sg_sqlite_check(store, error) &&
           sg_owners_open(store->path, true, &store->sqlite->owners, error);
}

/* ---- making one ---- */

static bool fail_as_existing(const char *path, struct sg_error *error)
{
    return sg_fail(error, SG_STORE, NULL,
                   "store %s: it exists, and a store is never replaced: choose another place or "
                   "move it away",
                   path);
}

/* SQLite would take the log of an earlier store of that name for the new one's. */
static bool check_beside(const char *path, struct sg_error *error)
{
    static const char *const LOGS[] = {"-wal", "-journal"};
    struct stat status;
    for (size_t i = 0; i < sizeof LOGS / sizeof LOGS[0]; i++) {
        sg_auto(malloc) char *log = NULL;
        if (asprintf(&log, "%s%s", path, LOGS[i]) < 0) {
            log = NULL;
            return sg_fail_memory(error);
        }
        if (lstat(log, &status) == 0)
            return sg_fail(error, SG_STORE, NULL,
                           "store %s: beside it is %s, with what an earlier store had not brought "
                           "into its file: move it away with that file",
                           path, log);
    }
    return true;
}

/* The registry is nobody else's business: SQLite gives its other files the mode of this one. */
static bool make_file(const char *path, struct sg_error *error)
{
    sg_auto(fd) int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0 && errno == EEXIST)
        return fail_as_existing(path, error);
    if (fd < 0)
        return sg_fail(error, SG_STORE, NULL, "store %s: it can't be made: %s", path,
                       strerror(errno));
    return true;
}

static void remove_files(const char *path)
{
    static const char *const SUFFIXES[] = {"", "-wal", "-shm", ".owners"};
    for (size_t i = 0; i < sizeof SUFFIXES / sizeof SUFFIXES[0]; i++) {
        sg_auto(malloc) char *name = NULL;
        if (asprintf(&name, "%s%s", path, SUFFIXES[i]) < 0)
            name = NULL;
        else
            (void)unlink(name);
    }
}

static bool create(struct sg_store *store, struct sg_error *error)
{
    if (!check_beside(store->path, error) || !make_file(store->path, error))
        return false;
    if (open_to_write(store, SG_STORE_CREATE, error)) {
        if (sg_folder_sync_of(store->path))
            return true;
        (void)sg_fail(error, SG_STORE, NULL, "store %s: its folder can't be synced: %s",
                      store->path, strerror(errno));
    }
    disconnect(store);
    remove_files(store->path);
    return false;
}

/* ---- loading one ---- */

/* It has another name until it is whole. What a process that was killed has left is replaced. */
static bool open_to_load(struct sg_store *store, struct sg_error *error)
{
    struct stat status;
    if (lstat(store->path, &status) == 0)
        return fail_as_existing(store->path, error);
    if (!check_beside(store->path, error))
        return false;
    store->sqlite->target = SG_TAKE(store->path);
    if (asprintf(&store->path, "%s.loading", store->sqlite->target) < 0) {
        store->path = NULL;
        return sg_fail_memory(error);
    }
    remove_files(store->path);
    return make_file(store->path, error) && open_to_write(store, SG_STORE_LOAD, error);
}

static bool fail_to_place(const struct sg_store *store, struct sg_error *error)
{
    return sg_fail(error, SG_STORE, NULL, "store %s: it can't be put in place: %s",
                   store->sqlite->target, strerror(errno));
}

/* Closing brings the whole log into the file, and removes it; SQLite has synced the file then. */
static bool close_whole(struct sg_store *store, struct sg_error *error)
{
    disconnect(store);
    return !has_log(store->path) ||
           sg_fail(error, SG_STORE, NULL,
                   "store %s: its log could not be brought into it: check the disk and the "
                   "kernel's log",
                   store->path);
}

bool sg_sqlite_place(struct sg_store *store, struct sg_transaction *write,
                     const struct sg_loader *loader, struct sg_error *error)
{
    const char *target = store->sqlite->target;
    if (!sg_transaction_commit(write, error) || !close_whole(store, error) ||
        (loader->settle != NULL && !loader->settle(loader->context, error)))
        return false;
    if (renameat2(AT_FDCWD, store->path, AT_FDCWD, target, RENAME_NOREPLACE) != 0)
        return errno == EEXIST ? fail_as_existing(target, error) : fail_to_place(store, error);
    return sg_folder_sync_of(target) || fail_to_place(store, error);
}

/* ---- open and close ---- */

bool sg_sqlite_open(struct sg_store *store, const char *location, const char *folder,
                    enum sg_store_mode mode, struct sg_error *error)
{
    store->sqlite = calloc(1, sizeof *store->sqlite);
    if (store->sqlite == NULL)
        return sg_fail_memory(error);
    store->sqlite->owners.fd = -1;
    if (!find_path(location, folder, &store->path, error))
        return false;
    if (mode == SG_STORE_CREATE)
        return create(store, error);
    if (mode == SG_STORE_LOAD)
        return open_to_load(store, error);
    return check_file(store->path, error) &&
           (mode == SG_STORE_READ_ONLY ? open_to_read(store, error)
                                       : open_to_write(store, mode, error));
}

void sg_sqlite_close(struct sg_store *store)
{
    if (store->sqlite == NULL)
        return;
    disconnect(store);
    sg_owners_close(&store->sqlite->owners);
    if (store->sqlite->target != NULL && store->path != NULL)
        remove_files(store->path);
    free(store->sqlite->target);
    free(store->sqlite);
    store->sqlite = NULL;
}
