/* file_key_read: from a PEM file to a private key. */
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <string.h>

#include "base/limits.h"
#include "file_key_parts.h"
#include "token/pin.h"

/* The whole file, wiped when it goes. */
struct text {
    uint8_t *data;
    size_t capacity, len;
};

static void text_done(struct text *text)
{
    OPENSSL_clear_free(text->data, text->capacity);
}
SG_DEFINE_CLEANUP_IN_PLACE(text, text_done)

/* Not by base/file.h, whose buffers are not wiped as they grow. */
static bool read_whole(const char *path, struct text *text, struct sg_error *error)
{
    sg_auto(fd) int file = open(path, O_RDONLY | O_CLOEXEC);

    if (file < 0)
        return sg_fail_errno(error, "cannot open the key file %s", path);
    text->capacity = SG_LIMIT_KEY_FILE + 1;
    if ((text->data = OPENSSL_zalloc(text->capacity)) == NULL)
        return sg_fail_memory(error);
    while (text->len < text->capacity) {
        ssize_t num_read = read(file, text->data + text->len, text->capacity - text->len);

        if (num_read < 0 && errno == EINTR)
            continue;
        if (num_read < 0)
            return sg_fail_errno(error, "cannot read the key file %s", path);
        if (num_read == 0)
            return true;
        text->len += (size_t)num_read;
    }
    return sg_fail(error, SG_INVALID, NULL, "%s is larger than %d bytes, too large for a key file",
                   path, SG_LIMIT_KEY_FILE);
}

/* One PEM block; OpenSSL wipes its secure memory also where there is no secure heap. */
struct block {
    char *name, *header;
    uint8_t *der;
    long len;
};

static void block_done(struct block *block)
{
    OPENSSL_secure_free(block->name);
    OPENSSL_secure_free(block->header);
    OPENSSL_secure_clear_free(block->der, (size_t)block->len);
    *block = (struct block){0};
}
SG_DEFINE_CLEANUP_IN_PLACE(block, block_done)

/* A file on its way to a key. */
struct reading {
    const char *path, *source;
    bool is_encrypted;
    EVP_PKEY *pkey;
};

static void reading_done(struct reading *reading)
{
    EVP_PKEY_free(reading->pkey);
}
SG_DEFINE_CLEANUP_IN_PLACE(reading, reading_done)

static bool fail_to_decode(const struct reading *reading, const struct block *block,
                           struct sg_error *error)
{
    return sg_fail_openssl(error, SG_INVALID, NULL, "%s: its %s can't be decoded", reading->path,
                           block->name);
}

static bool fail_to_decrypt(const struct reading *reading, struct sg_error *error)
{
    return sg_fail_openssl(error, SG_FAILED, NULL,
                           "the key file %s does not open with this passphrase", reading->path);
}

static bool ask(struct reading *reading, struct sg_secret **passphrase, struct sg_error *error)
{
    char what[256];

    reading->is_encrypted = true;
    snprintf(what, sizeof what, "key file %.200s", reading->path);
    return sg_pin_read_passphrase(reading->source != NULL ? reading->source : "prompt", what,
                                  passphrase, error);
}

static bool take_pkcs8(struct reading *reading, const struct block *block,
                       const PKCS8_PRIV_KEY_INFO *info, struct sg_error *error)
{
    reading->pkey = EVP_PKCS82PKEY(info);
    return reading->pkey != NULL || fail_to_decode(reading, block, error);
}

static bool decode_plain(struct reading *reading, struct block *block, struct sg_error *error)
{
    const uint8_t *at = block->der;
    sg_auto(PKCS8_PRIV_KEY_INFO) PKCS8_PRIV_KEY_INFO *info =
        d2i_PKCS8_PRIV_KEY_INFO(NULL, &at, block->len);

    if (info == NULL || at != block->der + block->len)
        return fail_to_decode(reading, block, error);
    return take_pkcs8(reading, block, info, error);
}

static bool decode_encrypted(struct reading *reading, struct block *block, struct sg_error *error)
{
    const uint8_t *at = block->der;
    sg_auto(X509_SIG) X509_SIG *sealed = d2i_X509_SIG(NULL, &at, block->len);
    sg_auto(sg_secret) struct sg_secret *passphrase = NULL;
    sg_auto(PKCS8_PRIV_KEY_INFO) PKCS8_PRIV_KEY_INFO *info = NULL;

    if (sealed == NULL || at != block->der + block->len)
        return fail_to_decode(reading, block, error);
    if (!ask(reading, &passphrase, error))
        return false;
    info = PKCS8_decrypt(sealed, (const char *)sg_secret_data(passphrase),
                         (int)sg_secret_len(passphrase));
    return info != NULL ? take_pkcs8(reading, block, info, error) : fail_to_decrypt(reading, error);
}

static int hand_over(char *into, int size, int for_writing, void *context)
{
    struct sg_secret *passphrase = context;
    size_t len = sg_secret_len(passphrase);

    (void)for_writing;
    if (size < 0 || len > (size_t)size)
        return -1;
    memcpy(into, sg_secret_data(passphrase), len);
    return (int)len;
}

/* The encryption of the traditional forms is in the block's headers (RFC 1421). */
static bool decode_traditional(struct reading *reading, struct block *block, struct sg_error *error)
{
    int type = strcmp(block->name, PEM_STRING_RSA) == 0 ? EVP_PKEY_RSA : EVP_PKEY_EC;
    sg_auto(sg_secret) struct sg_secret *passphrase = NULL;
    EVP_CIPHER_INFO cipher;
    const uint8_t *at = NULL;

    if (PEM_get_EVP_CIPHER_INFO(block->header, &cipher) != 1)
        return fail_to_decode(reading, block, error);
    if (cipher.cipher != NULL &&
        (!ask(reading, &passphrase, error) ||
         PEM_do_header(&cipher, block->der, &block->len, hand_over, passphrase) != 1))
        return fail_to_decrypt(reading, error);
    at = block->der;
    reading->pkey = d2i_PrivateKey(type, NULL, &at, block->len);
    if (reading->pkey != NULL && at == block->der + block->len)
        return true;
    /* What a wrong passphrase lets through is noise. */
    return cipher.cipher != NULL ? fail_to_decrypt(reading, error)
                                 : fail_to_decode(reading, block, error);
}

static const struct {
    const char *name;
    bool (*decode)(struct reading *reading, struct block *block, struct sg_error *error);
} FORMS[] = {
    {PEM_STRING_PKCS8INF, decode_plain},
    {PEM_STRING_PKCS8, decode_encrypted},
    {PEM_STRING_ECPRIVATEKEY, decode_traditional},
    {PEM_STRING_RSA, decode_traditional},
};

/* Parameters and certificates may stand beside a key; another kind of key is none that we know. */
static bool take_block(struct reading *reading, struct block *block, struct sg_error *error)
{
    static const char ENDING[] = "PRIVATE KEY";
    size_t len = strlen(block->name);

    if (len < strlen(ENDING) || strcmp(block->name + len - strlen(ENDING), ENDING) != 0)
        return true;
    if (reading->pkey != NULL)
        return sg_fail(error, SG_INVALID, NULL,
                       "%s has more than one private key; put the one that is meant into a file of "
                       "its own",
                       reading->path);
    for (size_t i = 0; i < sizeof FORMS / sizeof FORMS[0]; i++)
        if (strcmp(FORMS[i].name, block->name) == 0)
            return FORMS[i].decode(reading, block, error);
    return sg_fail(error, SG_INVALID, NULL,
                   "%s: no request can be signed with a key in a block called %s; `openssl pkcs8 "
                   "-topk8` writes RSA and EC keys as PKCS#8",
                   reading->path, block->name);
}

static bool read_blocks(struct reading *reading, const struct text *text, struct sg_error *error)
{
    sg_auto(BIO) BIO *lines = BIO_new_mem_buf(text->data, (int)text->len);
    bool is_pem = false;

    if (lines == NULL)
        return sg_fail_memory(error);
    for (;;) {
        sg_auto(block) struct block block = {0};

        ERR_clear_error();
        if (PEM_read_bio_ex(lines, &block.name, &block.header, &block.der, &block.len,
                            PEM_FLAG_SECURE) != 1)
            break;
        is_pem = true;
        if (!take_block(reading, &block, error))
            return false;
    }
    if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
        return sg_fail_openssl(error, SG_INVALID, NULL, "%s: a PEM block can't be read",
                               reading->path);
    ERR_clear_error();
    if (reading->pkey != NULL)
        return true;
    return sg_fail(error, SG_INVALID, NULL, "%s %s; a private key in PEM is wanted", reading->path,
                   is_pem ? "has no private key" : "is not PEM");
}

bool sg_file_key_read(const char *path, const char *source, struct sg_file_key **key,
                      struct sg_error *error)
{
    sg_auto(text) struct text text = {0};
    sg_auto(reading) struct reading reading = {.path = path, .source = source};

    if (source != NULL && !sg_pin_check_passphrase_source(source, error))
        return false;
    if (!read_whole(path, &text, error) || !read_blocks(&reading, &text, error) ||
        !sg_file_key_of(&reading.pkey, path, key, error))
        return false;
    (*key)->was_encrypted = reading.is_encrypted;
    return true;
}
