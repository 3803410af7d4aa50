/* A statement, as somebody else gets it, and the folder that it is about. */
#include <dirent.h>
#include <errno.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "cert/cert.h"
#include "merkle.h"
#include "statement.h"

SG_DEFINE_CLEANUP(CMS_ContentInfo, CMS_ContentInfo_free)
SG_DEFINE_CLEANUP(X509_STORE, X509_STORE_free)

struct entry {
    const char *file; /* in the statement's text */
    uint8_t leaf[SG_SHA256_LEN];
};

struct reading {
    const char *path;
    struct sg_buf bytes; /* the file; its lines end in zero bytes once they are read */
    char *cms;           /* where the PEM begins */
    struct entry *entries;
    size_t num;
    struct sg_merkle merkle;
};

static void reading_done(struct reading *reading)
{
    sg_buf_free(&reading->bytes);
    free(reading->entries);
}
SG_DEFINE_CLEANUP_IN_PLACE(reading, reading_done)

/* ---- the list ---- */

static bool split(struct reading *reading, struct sg_error *error)
{
    static const char BEGIN[] = "-----BEGIN CMS-----";
    char *text = (char *)reading->bytes.data, *at = text != NULL ? strstr(text, BEGIN) : NULL;

    if (at == NULL || (at != text && at[-1] != '\n'))
        return sg_fail(error, SG_MALFORMED, NULL, "%s is no statement: it has no signature",
                       reading->path);
    reading->cms = at;
    return true;
}

static bool read_entry(struct reading *reading, char *line, struct sg_error *error)
{
    struct entry *entry = &reading->entries[reading->num];
    char *space = strchr(line, ' ');
    size_t len = 0;

    if (space != NULL)
        *space = '\0';
    if (space == NULL || !sg_hex_parse(line, entry->leaf, SG_SHA256_LEN, &len, NULL) ||
        len != SG_SHA256_LEN || space[1] == '\0' || strchr(space + 1, '/') != NULL)
        return sg_fail(error, SG_MALFORMED, NULL, "%s:%zu: not a hash and a file's name",
                       reading->path, reading->num + 1);
    entry->file = space + 1;
    sg_merkle_add(&reading->merkle, entry->leaf);
    reading->num++;
    return true;
}

static bool read_list(struct reading *reading, struct sg_error *error)
{
    char *text = (char *)reading->bytes.data, *end;
    size_t num = 0;

    for (char *at = text; at < reading->cms; at++)
        num += *at == '\n';
    if ((reading->entries = calloc(num + 1, sizeof *reading->entries)) == NULL)
        return sg_fail_memory(error);
    for (; text < reading->cms; text = end + 1) {
        end = strchr(text, '\n'); /* split has seen to it that there is one */
        *end = '\0';
        if (!read_entry(reading, text, error))
            return false;
    }
    return true;
}

/* ---- the signature ---- */

static bool make_store(STACK_OF(X509) * roots, X509_STORE **store, struct sg_error *error)
{
    sg_auto(X509_STORE) X509_STORE *fresh = X509_STORE_new();

    /* What the key is for is checked by sg_statement_check. */
    if (fresh == NULL || X509_STORE_set_purpose(fresh, X509_PURPOSE_ANY) != 1)
        return sg_fail_memory(error);
    for (int i = 0; i < sk_X509_num(roots); i++)
        if (X509_STORE_add_cert(fresh, sk_X509_value(roots, i)) != 1)
            return sg_fail_memory(error);
    *store = SG_TAKE(fresh);
    return true;
}

static bool check_signer(CMS_ContentInfo *cms, struct sg_error *error)
{
    STACK_OF(X509) *signers = CMS_get0_signers(cms);
    bool is_one = sk_X509_num(signers) == 1;
    bool checked = is_one && sg_statement_check(sk_X509_value(signers, 0), error);

    sk_X509_free(signers);
    return checked || sg_fail(error, SG_REFUSED, NULL, "a statement is signed by one key");
}

static bool check_signature(const struct reading *reading, STACK_OF(X509) * roots,
                            struct sg_buf *text, struct sg_error *error)
{
    sg_auto(BIO) BIO *in = BIO_new_mem_buf(reading->cms, -1), *out = BIO_new(BIO_s_mem());
    sg_auto(CMS_ContentInfo) CMS_ContentInfo *cms = NULL;
    sg_auto(X509_STORE) X509_STORE *store = NULL;
    char *bytes;
    long len;

    if (in == NULL || out == NULL)
        return sg_fail_memory(error);
    if ((cms = PEM_read_bio_CMS(in, NULL, NULL, NULL)) == NULL)
        return sg_fail_openssl(error, SG_MALFORMED, NULL, "%s: its signature is damaged",
                               reading->path);
    if (!make_store(roots, &store, error))
        return false;
    if (CMS_verify(cms, NULL, store, NULL, out, CMS_BINARY) != 1)
        return sg_fail_openssl(error, SG_REFUSED, "RFC 5652 5.6", "%s: the signature does not hold",
                               reading->path);
    len = BIO_get_mem_data(out, &bytes);
    return check_signer(cms, error) &&
           sg_buf_append(text, bytes, (size_t)len, SG_LIMIT_YAML, error);
}

/* The list is the one that was signed. */
static bool check_list(const struct reading *reading, struct sg_slice text, struct sg_error *error)
{
    sg_auto(json_t) json_t *object = json_loadb((const char *)text.data, text.len, 0, NULL);
    const char *signed_root = json_string_value(json_object_get(object, "merkle_root"));
    const char *kind = json_string_value(json_object_get(object, "statement"));
    json_int_t num = json_integer_value(json_object_get(object, "certificates"));
    uint8_t root[SG_SHA256_LEN];
    char found[SG_SHA256_HEX_SIZE];

    if (kind == NULL || strcmp(kind, "signet line 1") != 0 || signed_root == NULL)
        return sg_fail(error, SG_MALFORMED, NULL, "%s: what is signed is no statement",
                       reading->path);
    sg_merkle_root(&reading->merkle, root);
    sg_hex(sg_slice_of(root, sizeof root), found, sizeof found);
    return (strcmp(found, signed_root) == 0 && (size_t)num == reading->num) ||
           sg_fail(error, SG_REFUSED, "RFC 9162 2.1.1",
                   "%s: its list is not the one that was signed: %zu certificates with root %s, "
                   "signed are %lld with root %s",
                   reading->path, reading->num, found, (long long)num, signed_root);
}

/* ---- the folder ---- */

static bool leaf_of(const char *path, uint8_t leaf[SG_SHA256_LEN])
{
    sg_auto(sg_buf) struct sg_buf pem = {0};
    sg_auto(BIO) BIO *bio = NULL;
    sg_auto(X509) X509 *certificate = NULL;
    sg_auto(openssl_bytes) uint8_t *der = NULL;
    int len;

    if (!sg_file_read(path, SG_LIMIT_CERTIFICATE * SG_LIMIT_CHAIN, &pem, NULL) ||
        (bio = BIO_new_mem_buf(pem.data, (int)pem.len)) == NULL ||
        (certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL)) == NULL ||
        (len = i2d_X509(certificate, &der)) < 0)
        return false;
    sg_merkle_leaf(sg_slice_of(der, (size_t)len), leaf);
    return true;
}

struct walk {
    const char *folder;
    void (*tell)(void *context, enum sg_statement_fault fault, const char *file);
    void *context;
    struct sg_statement_verdict *verdict;
};

static void note(struct walk *walk, enum sg_statement_fault fault, const char *file)
{
    walk->verdict->faults[fault]++;
    walk->tell(walk->context, fault, file);
}

static bool check_file(struct walk *walk, const struct entry *entry, struct sg_error *error)
{
    sg_auto(malloc) char *path = NULL;
    uint8_t leaf[SG_SHA256_LEN];

    if (!sg_path_join(walk->folder, entry->file, &path, error))
        return false;
    if (access(path, F_OK) != 0)
        note(walk, SG_STATEMENT_MISSING, entry->file);
    else if (!leaf_of(path, leaf) || memcmp(leaf, entry->leaf, sizeof leaf) != 0)
        note(walk, SG_STATEMENT_CHANGED, entry->file);
    return true;
}

static int compare(const void *a, const void *b)
{
    return strcmp(((const struct entry *)a)->file, ((const struct entry *)b)->file);
}

static bool is_certificate_name(const char *file)
{
    size_t len = strlen(file);

    return file[0] != '.' && len > 4 && strcmp(file + len - 4, ".pem") == 0;
}

static bool find_extra(struct walk *walk, const struct reading *reading, struct sg_error *error)
{
    DIR *dir = opendir(walk->folder);
    struct dirent *found;

    if (dir == NULL)
        return sg_fail_errno(error, "cannot read the folder %s", walk->folder);
    while ((found = readdir(dir)) != NULL) {
        struct entry wanted = {.file = found->d_name};

        if (is_certificate_name(found->d_name) &&
            bsearch(&wanted, reading->entries, reading->num, sizeof wanted, compare) == NULL)
            note(walk, SG_STATEMENT_EXTRA, found->d_name);
    }
    closedir(dir);
    return true;
}

static bool check_folder(struct walk *walk, struct reading *reading, struct sg_error *error)
{
    for (size_t i = 0; i < reading->num; i++)
        if (!check_file(walk, &reading->entries[i], error))
            return false;
    qsort(reading->entries, reading->num, sizeof *reading->entries, compare);
    return find_extra(walk, reading, error);
}

bool sg_statement_verify(const char *path, const char *folder, STACK_OF(X509) * roots,
                         void (*tell)(void *context, enum sg_statement_fault fault,
                                      const char *file),
                         void *context, struct sg_statement_verdict *verdict,
                         struct sg_error *error)
{
    sg_auto(reading) struct reading reading = {.path = path};
    struct walk walk = {folder, tell, context, verdict};

    if (!sg_file_read(path, SG_LIMIT_IMPORT, &reading.bytes, error) || !split(&reading, error) ||
        !check_signature(&reading, roots, &verdict->text, error) || !read_list(&reading, error) ||
        !check_list(&reading, sg_buf_slice(&verdict->text), error))
        return false;
    verdict->num = reading.num;
    return check_folder(&walk, &reading, error);
}
