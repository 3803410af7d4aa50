#include <string.h>

#include "base/hex.h"
#include "commands.h"
#include "open.h"
#include "output.h"

static const char DETAILS[] =
    "A blocked key is never certified. It is known by the SHA-256 of its SubjectPublicKeyInfo in\n"
    "DER: `openssl pkey -pubin -in KEY.pem -outform DER | sha256sum`. FILE has one of these in "
    "hex\n"
    "on each line; lines that begin with # and empty ones don't count; - is standard input.";

/* ---- lists ---- */

struct hashes {
    uint8_t (*items)[SG_SHA256_LEN];
    size_t num, capacity;
};

static void hashes_done(struct hashes *hashes)
{
    free(hashes->items);
}
SG_DEFINE_CLEANUP_IN_PLACE(hashes, hashes_done)

/* Lists in other formats that people have, by the number of hex digits on a line. */
static const struct {
    size_t len;
    const char *what;
} OTHERS[] = {
    {20, "a line of Debian's openssl-blacklist, which has half of the SHA-1 of \"Modulus=…\""},
    {32, "an MD5"},
    {40, "a SHA-1"},
    {96, "a SHA-384"},
    {128, "a SHA-512"},
};

static bool fail_line(const char *line, struct sg_error *error)
{
    size_t len = strspn(line, "0123456789abcdefABCDEF");

    for (size_t i = 0; line[len] == '\0' && i < sizeof OTHERS / sizeof OTHERS[0]; i++)
        if (OTHERS[i].len == len)
            return sg_fail(error, SG_INVALID, "blocked key",
                           "%zu hex digits look like %s; wanted is the SHA-256 of the key's "
                           "SubjectPublicKeyInfo, 64 hex digits, which can't be made from that",
                           len, OTHERS[i].what);
    return sg_fail(error, SG_INVALID, "blocked key",
                   "this is not the SHA-256 of a key's SubjectPublicKeyInfo: 64 hex digits and "
                   "nothing else");
}

static bool read_hash(const char *text, uint8_t hash[SG_SHA256_LEN], struct sg_error *error)
{
    size_t len = 0;

    if (strlen(text) != (size_t)2 * SG_SHA256_LEN ||
        !sg_hex_parse(text, hash, SG_SHA256_LEN, &len, NULL) || len != SG_SHA256_LEN)
        return fail_line(text, error);
    return true;
}

static bool add_hash(const char *text, struct hashes *hashes, struct sg_error *error)
{
    if (hashes->num == hashes->capacity) {
        size_t capacity = hashes->capacity > 0 ? 2 * hashes->capacity : 1024;
        void *grown = reallocarray(hashes->items, capacity, sizeof *hashes->items);

        if (grown == NULL)
            return sg_fail_memory(error);
        hashes->items = grown;
        hashes->capacity = capacity;
    }
    if (!read_hash(text, hashes->items[hashes->num], error))
        return false;
    hashes->num++;
    return true;
}

/* Takes the next line off *text, without the spaces around it. */
static char *take_line(char **text)
{
    char *line = *text, *end = line + strcspn(line, "\n");

    *text = *end != '\0' ? end + 1 : end;
    while (end > line && strchr(" \t\r", end[-1]) != NULL)
        end--;
    *end = '\0';
    return line + strspn(line, " \t");
}

static bool read_list(const char *path, struct hashes *hashes, struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf bytes = {0};
    size_t number = 0;

    if (!sg_file_read(path, SG_LIMIT_IMPORT, &bytes, error))
        return false;
    if (bytes.len > 0 && memchr(bytes.data, 0, bytes.len) != NULL)
        return sg_fail(error, SG_INVALID, "blocked key", "%s is not text", path);
    for (char *text = (char *)bytes.data; bytes.len > 0 && *text != '\0';) {
        const char *line = take_line(&text);

        number++;
        if (*line != '\0' && *line != '#' && !add_hash(line, hashes, error))
            return sg_error_prefix(error, "%s:%zu", path, number);
    }
    if (hashes->num == 0)
        return sg_fail(error, SG_INVALID, "blocked key", "%s lists no key", path);
    return true;
}

static int compare_hashes(const void *a, const void *b)
{
    return memcmp(a, b, SG_SHA256_LEN);
}

/* ---- commands ---- */

static bool block(const struct sg_cli *cli, const struct hashes *hashes, struct sg_error *error)
{
    sg_auto(sg_home) struct sg_home *home = NULL;
    size_t num_new = 0;

    qsort(hashes->items, hashes->num, sizeof *hashes->items, compare_hashes);
    if (!sg_cli_open_home(cli, SG_STORE_OPEN, &home, error) ||
        !sg_store_block_keys(sg_home_store(home), (const uint8_t(*)[SG_SHA256_LEN])hashes->items,
                             hashes->num, sg_clock_now(&cli->clock), &num_new, error))
        return false;
    if (cli->json)
        return sg_cli_print_json(
            json_pack("{s:I, s:I}", "read", (json_int_t)hashes->num, "new", (json_int_t)num_new),
            error);
    printf("%zu key%s read, %zu of them new\n", hashes->num, hashes->num == 1 ? "" : "s", num_new);
    return true;
}

static bool run_import(struct sg_cli *cli, struct sg_error *error)
{
    sg_auto(hashes) struct hashes hashes = {0};

    return read_list(cli->operands[0], &hashes, error) && block(cli, &hashes, error);
}

static bool run_add(struct sg_cli *cli, struct sg_error *error)
{
    sg_auto(hashes) struct hashes hashes = {0};

    return add_hash(cli->operands[0], &hashes, error) && block(cli, &hashes, error);
}

static bool print_blocked(const uint8_t spki_sha256[SG_SHA256_LEN], int64_t blocked, void *context,
                          struct sg_error *error)
{
    json_t *array = context; /* NULL: as text */
    char hash[SG_SHA256_HEX_SIZE], when[SG_TIME_TEXT_SIZE];

    sg_hex(sg_slice_of(spki_sha256, SG_SHA256_LEN), hash, sizeof hash);
    if (array != NULL)
        return json_array_append_new(array, json_pack("{s:s, s:s}", "spki_sha256", hash, "blocked",
                                                      sg_time_text(blocked, when))) == 0 ||
               sg_fail_memory(error);
    puts(hash);
    return true;
}

/* As text the list can be imported again. */
static bool run_list(struct sg_cli *cli, struct sg_error *error)
{
    sg_auto(sg_home) struct sg_home *home = NULL;
    json_t *array = cli->json ? json_array() : NULL;
    bool read = sg_cli_open_home(cli, SG_STORE_READ_ONLY, &home, error) &&
                sg_store_each_blocked_key(sg_home_store(home), print_blocked, array, error);

    if (read && cli->json)
        return sg_cli_print_json(array, error);
    json_decref(array);
    return read;
}

const struct sg_command SG_BLOCK_COMMANDS[] = {
    {"key block import", "FILE", "block the keys of a list", DETAILS, NULL, 1, 1, run_import},
    {"key block add", "HASH", "block one key", DETAILS, NULL, 1, 1, run_add},
    {"key block list", "", "the keys that are blocked", DETAILS, NULL, 0, 0, run_list},
    {0},
};
