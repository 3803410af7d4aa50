/* The record of refused PINs: a file with one line for each,
 *
 *     SALT DIGEST SERIAL-NUMBER
 *
 * salt and scrypt digest in hex. The lines of one token share their salt, so that a PIN is digested
 * once for all of them. Writers take turns by a lock on a file beside it.
 */
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/limits.h"
#include "base/text.h"
#include "pin.h"
#include "state.h"

static const char WHAT[] = "the record of refused PINs";

enum {
    SALT_LEN = 16,
    DIGEST_LEN = 32,
    SERIAL_SIZE = 65, /* PKCS#11 has 16 bytes */
    /* 16 MiB and some 50 ms for each guess */
    SCRYPT_N = 16384,
    SCRYPT_R = 8,
    SCRYPT_P = 1,
};

struct refusal {
    uint8_t salt[SALT_LEN];
    uint8_t digest[DIGEST_LEN];
    char serial[SERIAL_SIZE];
};

/* A serial number as the record has it: one line, whatever a token says. */
static void make_serial(const char *serial_number, char serial[SERIAL_SIZE])
{
    snprintf(serial, SERIAL_SIZE, "%s", serial_number[0] != '\0' ? serial_number : "-");
    sg_text_make_printable(serial);
}

static bool digest_pin(struct sg_secret *pin, const uint8_t salt[SALT_LEN],
                       uint8_t digest[DIGEST_LEN], struct sg_error *error)
{
    const char *text = (const char *)sg_secret_data(pin);

    if (EVP_PBE_scrypt(text, sg_secret_len(pin), salt, SALT_LEN, SCRYPT_N, SCRYPT_R, SCRYPT_P, 0,
                       digest, DIGEST_LEN) != 1)
        return sg_fail_openssl(error, SG_PIN, NULL, "cannot digest the PIN");
    return true;
}

static bool parse_hex(const char *text, size_t num_digits, uint8_t *bytes)
{
    char digits[2 * DIGEST_LEN + 1];
    size_t len;

    memcpy(digits, text, num_digits);
    digits[num_digits] = '\0';
    return sg_hex_parse(digits, bytes, num_digits / 2, &len, NULL) && len == num_digits / 2;
}

/* Reads the line of len bytes. */
static bool parse_line(const char *line, size_t len, struct refusal *refusal)
{
    enum { DIGEST_AT = 2 * SALT_LEN + 1, SERIAL_AT = DIGEST_AT + 2 * DIGEST_LEN + 1 };
    size_t serial_len;

    if (len <= SERIAL_AT || line[DIGEST_AT - 1] != ' ' || line[SERIAL_AT - 1] != ' ')
        return false;
    serial_len = len - SERIAL_AT;
    if (serial_len >= SERIAL_SIZE)
        return false;
    memcpy(refusal->serial, line + SERIAL_AT, serial_len);
    refusal->serial[serial_len] = '\0';
    return parse_hex(line, 2 * SALT_LEN, refusal->salt) &&
           parse_hex(line + DIGEST_AT, 2 * DIGEST_LEN, refusal->digest);
}

/* The record as a malloc'd array. Not being there is being empty. */
struct record {
    struct refusal *refusals;
    size_t num;
};

static void record_done(struct record *record)
{
    free(record->refusals);
}
SG_DEFINE_CLEANUP_IN_PLACE(record, record_done)

static bool record_parse(const char *path, const char *text, size_t num_lines,
                         struct record *record, struct sg_error *error)
{
    record->refusals = calloc(num_lines + 1, sizeof *record->refusals);
    if (record->refusals == NULL)
        return sg_fail_memory(error);
    for (size_t i = 0; i < num_lines; i++) {
        size_t len = strcspn(text, "\n");

        if (!parse_line(text, len, &record->refusals[i]))
            return sg_fail(error, SG_PIN, NULL,
                           "%s:%zu: not a line of the record of refused PINs, so no PIN is tried; "
                           "mend the file or remove it",
                           path, i + 1);
        text += len + 1;
    }
    record->num = num_lines;
    return true;
}

static bool record_read(const char *path, struct record *record, struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf text = {0};
    struct sg_error cause = {0};
    size_t num_lines = 0;

    if (!sg_file_read(path, SG_LIMIT_REFUSALS, &text, &cause)) {
        if (cause.detail == ENOENT)
            return true;
        return sg_fail(error, SG_PIN, NULL,
                       "no PIN is tried without the record of refused ones: %s", cause.text);
    }
    for (size_t i = 0; i < text.len; i++)
        num_lines += text.data[i] == '\n';
    if (text.len > 0 && text.data[text.len - 1] != '\n')
        num_lines++;
    return record_parse(path, (const char *)text.data, num_lines, record, error);
}

/* Is the PIN on record? *salt is the token's, or NULL when the token has nothing on record. */
static bool record_find(const struct record *record, const char *serial, struct sg_secret *pin,
                        bool *is_there, const uint8_t **salt, struct sg_error *error)
{
    uint8_t digest[DIGEST_LEN];
    const uint8_t *digested = NULL;

    *is_there = false;
    *salt = NULL;
    for (size_t i = 0; i < record->num; i++) {
        const struct refusal *refusal = &record->refusals[i];

        if (strcmp(refusal->serial, serial) != 0)
            continue;
        if (digested == NULL || memcmp(digested, refusal->salt, SALT_LEN) != 0) {
            if (!digest_pin(pin, refusal->salt, digest, error))
                return false;
            digested = refusal->salt;
        }
        *salt = refusal->salt;
        if (CRYPTO_memcmp(digest, refusal->digest, DIGEST_LEN) == 0)
            *is_there = true;
    }
    return true;
}

static bool record_write(const char *path, const struct record *record, struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf text = {0};

    for (size_t i = 0; i < record->num; i++) {
        const struct refusal *refusal = &record->refusals[i];
        char salt[2 * SALT_LEN + 1], digest[2 * DIGEST_LEN + 1];

        sg_hex(sg_slice_of(refusal->salt, SALT_LEN), salt, sizeof salt);
        sg_hex(sg_slice_of(refusal->digest, DIGEST_LEN), digest, sizeof digest);
        if (!sg_buf_printf(&text, SG_LIMIT_REFUSALS, error, "%s %s %s\n", salt, digest,
                           refusal->serial))
            return false;
    }
    return sg_file_write(path, sg_buf_slice(&text), 0600, SG_REPLACE_EXISTING, error);
}

bool sg_pin_check_not_refused(const char *refusals, const char *serial_number,
                              struct sg_secret *pin, struct sg_error *error)
{
    sg_auto(record) struct record record = {0};
    char serial[SERIAL_SIZE];
    const uint8_t *salt;
    bool is_there;

    make_serial(serial_number, serial);
    if (!record_read(refusals, &record, error) ||
        !record_find(&record, serial, pin, &is_there, &salt, error))
        return false;
    if (is_there)
        return sg_fail(error, SG_PIN, NULL,
                       "this PIN was refused before by the token with serial number %s and is not "
                       "tried again; if it is the token's PIN by now, remove the token's lines "
                       "from %s",
                       serial, refusals);
    return true;
}

/* Waits until no other process changes the record; closing the descriptor lets the next one in. */
static bool lock_record(const char *path, int *lock, struct sg_error *error)
{
    char name[SG_LIMIT_PATH];

    if (snprintf(name, sizeof name, "%s.lock", path) >= (int)sizeof name)
        return sg_fail(error, SG_FAILED, NULL,
                       "the path of the record of refused PINs is too long");
    *lock = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (*lock < 0)
        return sg_fail_errno(error, "cannot open %s", name);
    while (flock(*lock, LOCK_EX) != 0)
        if (errno != EINTR)
            return sg_fail_errno(error, "cannot lock %s", name);
    return true;
}

bool sg_pin_remember_refusal(const char *refusals, const char *serial_number, struct sg_secret *pin,
                             struct sg_error *error)
{
    sg_auto(record) struct record record = {0};
    sg_auto(fd) int lock = -1;
    struct refusal fresh = {0};
    struct refusal *grown;
    const uint8_t *salt;
    bool is_there;

    make_serial(serial_number, fresh.serial);
    if (!sg_state_make_folders(refusals, WHAT, error) || !lock_record(refusals, &lock, error) ||
        !record_read(refusals, &record, error) ||
        !record_find(&record, fresh.serial, pin, &is_there, &salt, error))
        return false;
    if (is_there)
        return true;
    if (salt != NULL)
        memcpy(fresh.salt, salt, SALT_LEN);
    else if (!sg_random_fill(fresh.salt, SALT_LEN, error))
        return false;
    grown = reallocarray(record.refusals, record.num + 1, sizeof *grown);
    if (grown == NULL)
        return sg_fail_memory(error);
    record.refusals = grown;
    if (!digest_pin(pin, fresh.salt, fresh.digest, error))
        return false;
    record.refusals[record.num++] = fresh;
    return record_write(refusals, &record, error);
}

/* Drops the lines of one token; says whether there were any. */
static bool record_drop(struct record *record, const char *serial)
{
    size_t num_kept = 0;
    bool has_dropped;

    for (size_t i = 0; i < record->num; i++)
        if (strcmp(record->refusals[i].serial, serial) != 0)
            record->refusals[num_kept++] = record->refusals[i];
    has_dropped = num_kept < record->num;
    record->num = num_kept;
    return has_dropped;
}

bool sg_pin_forget_refusals(const char *refusals, const char *serial_number, struct sg_error *error)
{
    sg_auto(record) struct record record = {0};
    sg_auto(fd) int lock = -1;
    char serial[SERIAL_SIZE];

    /* Every login ends here, nearly always with nothing to forget and often with no folder to put
     * a lock into. */
    if (access(refusals, F_OK) != 0 && (errno == ENOENT || errno == ENOTDIR))
        return true;
    make_serial(serial_number, serial);
    if (!lock_record(refusals, &lock, error) || !record_read(refusals, &record, error))
        return false;
    return record_drop(&record, serial) ? record_write(refusals, &record, error) : true;
}

bool sg_pin_refusals_default(char **path, struct sg_error *error)
{
    return sg_state_path("refused-pins", WHAT, path, error);
}
