/* Which files of a home are in its backup: signet.yaml, policies/, and the certificates that
 * signet.yaml names. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "backup_parts.h"
#include "base/limits.h"

/* Folders inside each other; policies/ has two. */
enum { MAX_DEPTH = 4 };

struct gathering {
    const char *dir;
    char *store; /* its file; NULL: it has none */
    struct sg_archive_writer *writer;
    struct sg_backup_facts *facts;
    struct sg_buf left_out;
};

static bool leave_out(struct gathering *gathering, const char *name, const char *why,
                      struct sg_error *error)
{
    return sg_buf_printf(&gathering->left_out, SG_LIMIT_YAML, error, "%s%s (%s)",
                         gathering->left_out.len > 0 ? ", " : "", name, why);
}

/* A relative path that stays below its folder. */
static bool stays_inside(const char *path)
{
    if (path[0] == '/' || path[0] == '\0')
        return false;
    for (const char *part = path; part != NULL; part = strchr(part, '/')) {
        part += part[0] == '/';
        const size_t len = strcspn(part, "/");
        if (len == 0 || (len == 1 && part[0] == '.') || (len == 2 && memcmp(part, "..", 2) == 0))
            return false;
    }
    return true;
}

static bool holds_key(const struct sg_buf *bytes)
{
    static const char KEY[] = "PRIVATE KEY-----";

    return bytes->len > 0 && memmem(bytes->data, bytes->len, KEY, strlen(KEY)) != NULL;
}

/* ---- gathering ---- */

static bool was_added(const struct gathering *gathering, const char *name)
{
    size_t i = 0;
    const json_t *entry = NULL;

    json_array_foreach(gathering->writer->files, i,
                       entry) if (strcmp(json_string_value(json_object_get(entry, "name")), name) ==
                                  0) return true;
    return false;
}

static bool add_file(struct gathering *gathering, const char *path, struct sg_error *error)
{
    sg_auto(malloc) char *whole = NULL;
    sg_auto(sg_buf) struct sg_buf bytes = {0};
    char name[SG_LIMIT_PATH];
    struct sg_error why = {0};

    if (!stays_inside(path))
        return leave_out(gathering, path, "outside of the home", error);
    if (!sg_path_join(gathering->dir, path, &whole, error))
        return false;
    snprintf(name, sizeof name, SG_BACKUP_HOME "%s", path);
    if (was_added(gathering, name))
        return true;
    if (!sg_file_read(whole, SG_LIMIT_YAML, &bytes, &why))
        return why.detail == ENOENT ? leave_out(gathering, path, "not there", error)
                                    : sg_error_pass(error, &why);
    if (holds_key(&bytes))
        return leave_out(gathering, path, "it holds a private key", error);
    gathering->facts->num_files++;
    return sg_archive_add(gathering->writer, name, sg_buf_slice(&bytes), error);
}

static bool add_folder(struct gathering *gathering, const char *path, unsigned depth,
                       struct sg_error *error);

/* Its rows are in the backup already. A policy may have a name that begins as the store's does. */
static bool is_of_store(const struct gathering *gathering, const char *whole)
{
    static const char *const ENDINGS[] = {"", "-wal", "-shm", "-journal", ".owners"};
    static const char LOADING[] = ".loading";
    const size_t len = gathering->store != NULL ? strlen(gathering->store) : 0;
    sg_auto(malloc) char *real = len > 0 ? realpath(whole, NULL) : NULL;

    if (real == NULL || strncmp(real, gathering->store, len) != 0)
        return false;
    const char *ending = real + len;
    if (strncmp(ending, LOADING, sizeof LOADING - 1) == 0)
        ending += sizeof LOADING - 1;
    for (size_t i = 0; i < sizeof ENDINGS / sizeof ENDINGS[0]; i++)
        if (strcmp(ending, ENDINGS[i]) == 0)
            return true;
    return false;
}

/* Files and folders; what is hidden, a link or anything else stays behind. */
static bool add_entry(struct gathering *gathering, const char *path, unsigned depth,
                      struct sg_error *error)
{
    sg_auto(malloc) char *whole = NULL;
    struct stat status;

    if (!sg_path_join(gathering->dir, path, &whole, error))
        return false;
    if (lstat(whole, &status) != 0)
        return sg_fail_errno(error, "cannot read %s", whole);
    if (S_ISREG(status.st_mode) && is_of_store(gathering, whole))
        return true;
    if (S_ISREG(status.st_mode))
        return add_file(gathering, path, error);
    return !S_ISDIR(status.st_mode) || depth == MAX_DEPTH ||
           add_folder(gathering, path, depth + 1, error);
}

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static bool add_folder(struct gathering *gathering, const char *path, unsigned depth,
                       struct sg_error *error)
{
    sg_auto(malloc) char *whole = NULL;
    struct dirent **entries = NULL;
    bool is_good = true;

    if (!sg_path_join(gathering->dir, path, &whole, error))
        return false;
    const int num = scandir(whole, &entries, is_visible, alphasort);
    if (num < 0)
        return errno == ENOENT || sg_fail_errno(error, "cannot read %s", whole);
    for (int i = 0; i < num; i++) {
        sg_auto(malloc) char *inside = NULL;

        is_good = is_good && sg_path_join(path, entries[i]->d_name, &inside, error) &&
                  add_entry(gathering, inside, depth, error);
        free(entries[i]);
    }
    free(entries);
    return is_good;
}

/* An issuer may have no certificate yet, and no chain; that is not worth a word. */
static bool add_if_there(struct gathering *gathering, const char *path, struct sg_error *error)
{
    sg_auto(malloc) char *whole = NULL;

    if (path == NULL)
        return true;
    if (!sg_path_join(gathering->dir, path, &whole, error))
        return false;
    return (access(whole, F_OK) != 0 && errno == ENOENT) || add_file(gathering, path, error);
}

static bool add_issuer(struct gathering *gathering, const struct sg_issuer_entry *issuer,
                       struct sg_error *error)
{
    char chain[SG_LIMIT_PATH];

    snprintf(chain, sizeof chain, "%s-chain.pem", issuer->name);
    if (!add_if_there(gathering, issuer->certificate, error) ||
        !add_if_there(gathering, chain, error))
        return false;
    for (size_t i = 0; i < issuer->num_chain; i++)
        if (!add_if_there(gathering, issuer->chain[i], error))
            return false;
    return true;
}

bool sg_backup_add_home(const char *dir, const struct sg_config *config,
                        struct sg_archive_writer *writer, struct sg_backup_facts *facts,
                        struct sg_error *error)
{
    struct gathering gathering = {.dir = dir, .writer = writer, .facts = facts};
    bool is_inside = false;
    bool is_good = sg_backup_place_of(dir, config->store, &gathering.store, &is_inside, error) &&
                   add_file(&gathering, "signet.yaml", error) &&
                   add_folder(&gathering, "policies", 1, error) &&
                   add_if_there(&gathering, config->service.https.certificate, error) &&
                   add_if_there(&gathering, config->service.proxy.certificate, error) &&
                   add_if_there(&gathering, config->service.est.key_certificate, error);

    for (size_t i = 0; i < config->num_issuers && is_good; i++)
        is_good = add_issuer(&gathering, &config->issuers[i], error);
    if (is_good && gathering.left_out.len > 0)
        facts->left_out = (char *)sg_buf_take(&gathering.left_out);
    sg_buf_free(&gathering.left_out);
    free(gathering.store);
    return is_good;
}

/* ---- putting back ---- */

static bool make_folders(const char *folder, char *path, struct sg_error *error)
{
    for (char *slash = strchr(path, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        sg_auto(malloc) char *whole = NULL;

        *slash = '\0';
        const bool is_joined = sg_path_join(folder, path, &whole, error);
        *slash = '/';
        if (!is_joined)
            return false;
        if (mkdir(whole, 0755) != 0 && errno != EEXIST)
            return sg_fail_errno(error, "cannot make %s", whole);
    }
    return true;
}

bool sg_backup_place_file(const char *folder, const char *path, struct sg_slice bytes,
                          struct sg_error *error)
{
    sg_auto(malloc) char *whole = NULL;
    sg_auto(malloc) char *copy = strdup(path);

    if (copy == NULL)
        return sg_fail_memory(error);
    if (!stays_inside(path))
        return sg_fail(error, SG_INVALID, "backup", "the backup has a file outside of the home: %s",
                       path);
    return make_folders(folder, copy, error) && sg_path_join(folder, path, &whole, error) &&
           sg_file_write(whole, bytes, 0644, SG_KEEP_EXISTING, error);
}

/* ---- the store's file ---- */

static const char *file_of(const char *location)
{
    static const char KIND[] = "sqlite:";
    const size_t len = sizeof KIND - 1;

    return strncmp(location, KIND, len) == 0 ? location + len : NULL;
}

bool sg_backup_place_of(const char *folder, const char *location, char **file, bool *is_inside,
                        struct sg_error *error)
{
    const char *path = file_of(location);
    sg_auto(malloc) char *whole = NULL;
    sg_auto(malloc) char *home = NULL;
    sg_auto(malloc) char *parent = NULL;

    *is_inside = false;
    if (path == NULL)
        return true;
    if (!sg_path_join(folder, path, &whole, error))
        return false;
    char *slash = strrchr(whole, '/');
    if (slash != NULL)
        *slash = '\0';
    home = realpath(folder, NULL);
    parent = realpath(slash != NULL ? whole : ".", NULL);
    if (home == NULL || parent == NULL)
        return sg_fail_errno(error, "cannot find the folder of the store %s", location);
    const size_t len = strlen(home);
    *is_inside = strncmp(parent, home, len) == 0 && (parent[len] == '\0' || parent[len] == '/');
    return sg_path_join(parent, slash != NULL ? slash + 1 : whole, file, error);
}

bool sg_backup_make_way(const char *folder, const char *location, struct sg_error *error)
{
    const char *path = file_of(location);
    sg_auto(malloc) char *copy = path != NULL ? strdup(path) : NULL;

    return path == NULL || !stays_inside(path) ||
           (copy != NULL ? make_folders(folder, copy, error) : sg_fail_memory(error));
}
