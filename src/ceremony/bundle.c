#include "bundle.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "ustar.h"

static inline void sg_cleanup_DIR(DIR **folder)
{
    if (*folder != NULL)
        closedir(*folder);
}

void sg_ceremony_bundle_done(struct sg_ceremony_bundle *bundle)
{
    sg_ceremony_materials_done(&bundle->files);
}

/* By name, so that a bundle's bytes don't depend on how a folder is read. */
static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct sg_ceremony_material *)a)->name,
                  ((const struct sg_ceremony_material *)b)->name);
}

static void sort(struct sg_ceremony_bundle *bundle)
{
    if (bundle->files.num > 1)
        qsort(bundle->files.items, bundle->files.num, sizeof *bundle->files.items, by_name);
}

static bool check_room(const struct sg_ceremony_bundle *bundle, size_t len, const char *where,
                       struct sg_error *error)
{
    for (size_t i = 0; i < bundle->files.num; i++)
        len += bundle->files.items[i].bytes.len;
    if (bundle->files.num >= SG_LIMIT_CEREMONY_FILES || len > SG_LIMIT_CEREMONY_BUNDLE)
        return sg_fail(error, SG_MALFORMED, "bundle", "%s has more than %d files or %d bytes",
                       where, SG_LIMIT_CEREMONY_FILES, SG_LIMIT_CEREMONY_BUNDLE);
    return true;
}

/* ---- folders ---- */

static bool read_file(const char *folder, const char *name, struct sg_ceremony_bundle *bundle,
                      struct sg_error *error)
{
    sg_auto(malloc) char *path = NULL;
    sg_auto(sg_buf) struct sg_buf bytes = {0};

    return sg_path_join(folder, name, &path, error) &&
           sg_file_read(path, SG_LIMIT_CEREMONY_BUNDLE, &bytes, error) &&
           check_room(bundle, bytes.len, folder, error) &&
           sg_ceremony_materials_add(&bundle->files, name, sg_buf_slice(&bytes), error);
}

static bool read_below(const char *folder, const char *prefix, struct sg_ceremony_bundle *bundle,
                       struct sg_error *error)
{
    sg_auto(malloc) char *path = NULL;
    sg_auto(DIR) DIR *entries = NULL;
    const struct dirent *entry;

    if (!sg_path_join(folder, prefix, &path, error))
        return false;
    if ((entries = opendir(path)) == NULL)
        return errno == ENOENT || sg_fail_errno(error, "cannot open %s", path);
    for (errno = 0; (entry = readdir(entries)) != NULL; errno = 0) {
        char name[SG_LIMIT_PATH];

        if (entry->d_name[0] == '.')
            continue;
        snprintf(name, sizeof name, "%s%s", prefix, entry->d_name);
        if (!read_file(folder, name, bundle, error))
            return false;
    }
    return errno == 0 || sg_fail_errno(error, "cannot read %s", path);
}

static bool has_file(const char *folder, const char *name)
{
    sg_auto(malloc) char *path = NULL;

    return sg_path_join(folder, name, &path, NULL) && access(path, F_OK) == 0;
}

bool sg_ceremony_bundle_read_folder(const char *folder, struct sg_ceremony_bundle *bundle,
                                    struct sg_error *error)
{
    static const char *const NAMES[] = {"plan.json", "script.md", "transcript.jsonl"};
    sg_auto(sg_ceremony_bundle) struct sg_ceremony_bundle fresh = {0};

    for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++)
        if (!read_file(folder, NAMES[i], &fresh, error))
            return sg_error_prefix(error, "%s holds no ceremony that is over", folder);
    if (!read_below(folder, "out/", &fresh, error) ||
        (has_file(folder, SG_CEREMONY_MANIFEST) &&
         !read_file(folder, SG_CEREMONY_MANIFEST, &fresh, error)) ||
        !read_below(folder, SG_CEREMONY_SIGNATURES, &fresh, error))
        return false;
    sort(&fresh);
    *bundle = fresh;
    fresh = (struct sg_ceremony_bundle){0}; /* now the caller's */
    return true;
}

/* ---- archives ---- */

bool sg_ceremony_bundle_write_tar(const struct sg_ceremony_bundle *bundle, const char *path,
                                  struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf tar = {0};

    for (size_t i = 0; i < bundle->files.num; i++)
        if (!sg_ustar_append(&tar, bundle->files.items[i].name,
                             sg_buf_slice(&bundle->files.items[i].bytes), error))
            return false;
    return sg_ustar_end(&tar, error) &&
           sg_file_write(path, sg_buf_slice(&tar), 0644, SG_KEEP_EXISTING, error);
}

/* The names come in their order, so each comes once, and there is one archive of some files. */
static bool take_file(void *context, const char *name, struct sg_slice bytes,
                      struct sg_error *error)
{
    struct sg_ceremony_materials *files = &((struct sg_ceremony_bundle *)context)->files;

    if (files->num > 0 && strcmp(files->items[files->num - 1].name, name) >= 0)
        return sg_fail(error, SG_MALFORMED, "bundle",
                       "%s comes after %s; a bundle's files are in the order of their names", name,
                       files->items[files->num - 1].name);
    return check_room(context, bytes.len, "the bundle", error) &&
           sg_ceremony_materials_add(files, name, bytes, error);
}

bool sg_ceremony_bundle_read_tar(const char *path, struct sg_ceremony_bundle *bundle,
                                 struct sg_error *error)
{
    sg_auto(sg_ceremony_bundle) struct sg_ceremony_bundle fresh = {0};
    sg_auto(sg_buf) struct sg_buf bytes = {0};

    if (!sg_file_read(path, SG_LIMIT_CEREMONY_BUNDLE, &bytes, error) ||
        !sg_ustar_read(sg_buf_slice(&bytes), take_file, &fresh, error))
        return sg_error_prefix(error, "%s", path);
    *bundle = fresh;
    fresh = (struct sg_ceremony_bundle){0}; /* now the caller's */
    return true;
}

/* ---- looking into it ---- */

bool sg_ceremony_bundle_find(const struct sg_ceremony_bundle *bundle, const char *name,
                             struct sg_slice *bytes, struct sg_error *error)
{
    for (size_t i = 0; i < bundle->files.num; i++)
        if (strcmp(bundle->files.items[i].name, name) == 0) {
            *bytes = sg_buf_slice(&bundle->files.items[i].bytes);
            return true;
        }
    return sg_fail(error, SG_INVALID, "bundle", "there is no %s", name);
}

bool sg_ceremony_manifest(const struct sg_ceremony_bundle *bundle, struct sg_buf *text,
                          struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf fresh = {0};

    for (size_t i = 0; i < bundle->files.num; i++) {
        const struct sg_ceremony_material *file = &bundle->files.items[i];
        char hex[SG_SHA256_HEX_SIZE];
        uint8_t digest[SG_SHA256_LEN];

        if (strcmp(file->name, SG_CEREMONY_MANIFEST) == 0 ||
            strncmp(file->name, SG_CEREMONY_SIGNATURES, strlen(SG_CEREMONY_SIGNATURES)) == 0)
            continue;
        sg_sha256(sg_buf_slice(&file->bytes), digest);
        if (!sg_buf_printf(&fresh, SG_LIMIT_CEREMONY_BUNDLE, error, "%s  %s\n",
                           sg_hex(sg_slice_of(digest, sizeof digest), hex, sizeof hex), file->name))
            return false;
    }
    sg_buf_free(text);
    *text = fresh;
    fresh = (struct sg_buf){0};
    return true;
}
