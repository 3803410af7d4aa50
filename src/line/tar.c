#include "tar.h"

#include <string.h>

#include "base/limits.h"
#include "base/tar.h"

bool sg_tar_open(const char *path, int stop, struct sg_tar *tar, struct sg_error *error)
{
    struct sg_feed feed;

    if (!sg_feed_open(path, stop, &feed, error))
        return false;
    *tar = (struct sg_tar){.feed = feed};
    return true;
}

void sg_tar_close(struct sg_tar *tar)
{
    sg_feed_close(&tar->feed);
    sg_buf_free(&tar->name);
}

static bool fail(const struct sg_tar *tar, const char *what, struct sg_error *error)
{
    return sg_fail(error, SG_INVALID, "tar", "%s: not a tar that can be read: %s before byte %llu",
                   tar->feed.path, what, (unsigned long long)tar->at);
}

/* ---- blocks ---- */

static size_t measure_block(struct sg_slice text)
{
    return text.len < SG_TAR_BLOCK ? 0 : SG_TAR_BLOCK;
}

/* block is empty at the end of the file. */
static bool next_block(struct sg_tar *tar, struct sg_slice *block, struct sg_error *error)
{
    size_t line;

    if (!sg_feed_next(&tar->feed, measure_block, block, &line, error))
        return false;
    tar->at += block->len;
    return block->len == 0 || block->len == SG_TAR_BLOCK || fail(tar, "it is cut off", error);
}

/* The next bytes of the entry. */
static bool next_bytes(struct sg_tar *tar, struct sg_slice *bytes, struct sg_error *error)
{
    if (!next_block(tar, bytes, error))
        return false;
    if (bytes->len == 0)
        return fail(tar, "it is cut off", error);
    if (bytes->len > tar->left)
        bytes->len = (size_t)tar->left;
    tar->left -= bytes->len;
    return true;
}

static bool skip(struct sg_tar *tar, struct sg_error *error)
{
    struct sg_slice bytes;

    while (tar->left > 0)
        if (!next_bytes(tar, &bytes, error))
            return false;
    return true;
}

bool sg_tar_read(struct sg_tar *tar, size_t limit, struct sg_buf *into, struct sg_error *error)
{
    struct sg_slice bytes;

    while (tar->left > 0)
        if (!next_bytes(tar, &bytes, error) ||
            !sg_buf_append(into, bytes.data, bytes.len, limit, error))
            return false;
    return true;
}

/* ---- headers ---- */

/* Octal digits, with spaces before them, and behind them a zero byte or a space, or the end. */
static bool read_number(const char *field, size_t size, uint64_t *number)
{
    uint64_t value = 0;
    size_t at = 0, begin;

    while (at < size && field[at] == ' ')
        at++;
    for (begin = at; at < size && field[at] >= '0' && field[at] <= '7'; at++)
        value = value * 8 + (uint64_t)(field[at] - '0');
    if (at == begin || (at < size && field[at] != ' ' && field[at] != '\0'))
        return false;
    *number = value;
    return true;
}

/* Nothing but zeros may follow: a second archive behind the first would be lost. */
static bool check_end(struct sg_tar *tar, struct sg_error *error)
{
    struct sg_slice block;
    size_t num = 1;

    for (;; num++) {
        if (!next_block(tar, &block, error))
            return false;
        if (block.len == 0)
            return num >= 2 || fail(tar, "it is cut off", error);
        if (!sg_tar_is_zeros(block))
            return fail(tar, "something stands behind its end (were two put together?)", error);
    }
}

static bool read_header(struct sg_tar *tar, struct sg_tar_header *header, bool *is_end,
                        struct sg_error *error)
{
    struct sg_slice block;
    uint64_t sum;

    if (!next_block(tar, &block, error))
        return false;
    if (block.len == 0)
        return fail(tar, "it is cut off", error);
    *is_end = sg_tar_is_zeros(block);
    if (*is_end)
        return check_end(tar, error);
    memcpy(header, block.data, sizeof *header);
    return (read_number(header->chksum, sizeof header->chksum, &sum) &&
            sum == sg_tar_sum(header)) ||
           fail(tar, "a header that is damaged, or none,", error);
}

static bool read_size(struct sg_tar *tar, const struct sg_tar_header *header,
                      struct sg_error *error)
{
    return read_number(header->size, sizeof header->size, &tar->left) ||
           fail(tar, "an entry of 8 GiB or more, or a size that is no number,", error);
}

static bool set_name(struct sg_tar *tar, struct sg_slice name, struct sg_error *error)
{
    tar->name.len = 0;
    if (name.len == 0 || memchr(name.data, '\0', name.len) != NULL)
        return fail(tar, "a name that is none", error);
    return sg_buf_append(&tar->name, name.data, name.len, SG_LIMIT_PATH, NULL) ||
           fail(tar, "a name that is too long", error);
}

/* ustar alone has a prefix; others have something else in its place. */
static bool join_name(struct sg_tar *tar, const struct sg_tar_header *header,
                      struct sg_error *error)
{
    char name[sizeof header->prefix + 1 + sizeof header->name + 1];
    bool has_prefix =
        memcmp(header->magic, "ustar", sizeof header->magic) == 0 && header->prefix[0] != '\0';

    snprintf(name, sizeof name, "%.*s%s%.*s", has_prefix ? (int)sizeof header->prefix : 0,
             header->prefix, has_prefix ? "/" : "", (int)sizeof header->name, header->name);
    return set_name(tar, sg_slice_text(name), error);
}

/* ---- what stands before an entry: long names ---- */

static bool read_extension(struct sg_tar *tar, struct sg_buf *text, struct sg_error *error)
{
    return tar->left <= SG_LIMIT_TAR_EXTENSION
               ? sg_tar_read(tar, SG_LIMIT_TAR_EXTENSION, text, error)
               : fail(tar, "an extended header that is too long", error);
}

/* GNU's: the name, and a zero byte. */
static bool read_long_name(struct sg_tar *tar, struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf text = {0};

    return read_extension(tar, &text, error) &&
           set_name(
               tar,
               sg_slice_of(text.data, text.len == 0 ? 0 : strnlen((char *)text.data, text.len)),
               error);
}

/* One record of pax is "LENGTH KEY=VALUE\n"; the length is that of all of it. */
static bool split_record(struct sg_slice *rest, struct sg_slice *key, struct sg_slice *value)
{
    size_t len = 0, at = 0;
    const uint8_t *equals;

    for (; at < rest->len && at < 7 && rest->data[at] >= '0' && rest->data[at] <= '9'; at++)
        len = len * 10 + (size_t)(rest->data[at] - '0');
    if (at == rest->len || rest->data[at] != ' ' || len > rest->len || len < at + 2 ||
        rest->data[len - 1] != '\n')
        return false;
    *key = sg_slice_of(rest->data + at + 1, len - at - 2);
    equals = key->len > 0 ? memchr(key->data, '=', key->len) : NULL;
    if (equals == NULL)
        return false;
    *value = sg_slice_of(equals + 1, key->len - (size_t)(equals - key->data) - 1);
    key->len -= value->len + 1;
    *rest = sg_slice_of(rest->data + len, rest->len - len);
    return true;
}

static bool is_key(struct sg_slice key, const char *word)
{
    return sg_slice_equal(key, sg_slice_text(word));
}

static bool take_record(struct sg_tar *tar, bool is_for_all, struct sg_slice key,
                        struct sg_slice value, struct sg_error *error)
{
    static const char SPARSE[] = "GNU.sparse.";

    if (key.len > strlen(SPARSE) && memcmp(key.data, SPARSE, strlen(SPARSE)) == 0)
        return fail(tar, "a file with holes (make it without --sparse)", error);
    if (is_key(key, "size"))
        return fail(tar, "an entry of 8 GiB or more", error);
    if (!is_key(key, "path"))
        return true; /* times, owners, attributes */
    return is_for_all ? fail(tar, "one name for all entries", error) : set_name(tar, value, error);
}

static bool read_pax(struct sg_tar *tar, bool is_for_all, struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf text = {0};
    struct sg_slice rest, key, value;

    if (!read_extension(tar, &text, error))
        return false;
    for (rest = sg_buf_slice(&text); rest.len > 0;) {
        if (!split_record(&rest, &key, &value))
            return fail(tar, "a damaged extended header", error);
        if (!take_record(tar, is_for_all, key, value, error))
            return false;
    }
    return true;
}

/* ---- entries ---- */

/* By its type: what an entry is, or what it says of the next one. */
static bool take_header(struct sg_tar *tar, const struct sg_tar_header *header,
                        struct sg_tar_entry *entry, bool *is_entry, struct sg_error *error)
{
    *is_entry = false;
    switch (header->typeflag[0]) {
    case 'x': /* of pax, for the next entry */
    case 'g': /* for all that follow */
        return read_pax(tar, header->typeflag[0] == 'g', error);
    case 'L': /* of GNU: the next entry's name */
        return read_long_name(tar, error);
    case 'K': /* where the next entry, a link, goes */
        return skip(tar, error);
    case '\0':
    case '0':
    case '7':
        entry->kind = SG_TAR_FILE;
        break;
    case '1':
    case '2':
        entry->kind = SG_TAR_LINK;
        tar->left = 0; /* as GNU tar reads it, whatever size says */
        break;
    case '3':
    case '4':
    case '5':
    case '6':
        entry->kind = SG_TAR_OTHER;
        tar->left = 0;
        break;
    case 'V': /* of GNU: a label, a folder's list */
    case 'D':
        entry->kind = SG_TAR_OTHER;
        break;
    case 'S':
        return fail(tar, "a file with holes (make it without --sparse)", error);
    default:
        return fail(tar, "an entry of a kind that is not known", error);
    }
    *is_entry = true;
    return true;
}

bool sg_tar_next(struct sg_tar *tar, struct sg_tar_entry *entry, struct sg_error *error)
{
    struct sg_tar_entry found = {0};
    struct sg_tar_header header = {0};
    bool is_end = false, is_entry = false;

    if (!skip(tar, error))
        return false;
    tar->name.len = 0;
    while (!is_entry) {
        if (!read_header(tar, &header, &is_end, error))
            return false;
        if (is_end) {
            *entry = found;
            return tar->name.len == 0 || fail(tar, "a long name that no entry has,", error);
        }
        if (!read_size(tar, &header, error) || !take_header(tar, &header, &found, &is_entry, error))
            return false;
    }
    if (tar->name.len == 0 && !join_name(tar, &header, error))
        return false;
    found.name = (const char *)tar->name.data;
    found.size = tar->left;
    *entry = found;
    return true;
}
