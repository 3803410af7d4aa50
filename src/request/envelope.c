#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <string.h>

#include "parts.h"

enum { DER_SEQUENCE = 0x30 };

static const char RULE[] = "RFC 7468 7";

static const char BEGIN[] = "-----BEGIN ";
static const char UTF8_MARK[] = "\xef\xbb\xbf"; /* Windows programs put it before text */

static const char *const LABELS[] = {PEM_STRING_X509_REQ, PEM_STRING_X509_REQ_OLD};

/* What people put in a request's place, by the label of its PEM block. */
static const struct {
    const char *label, *what;
} OTHER_LABELS[] = {
    {PEM_STRING_X509, "a certificate"},
    {PEM_STRING_X509_OLD, "a certificate"},
    {PEM_STRING_X509_TRUSTED, "a certificate"},
    {PEM_STRING_X509_CRL, "a certificate revocation list"},
    {PEM_STRING_PUBLIC, "a public key alone"},
    {PEM_STRING_PKCS7, "a PKCS#7 or CMS message"},
    {PEM_STRING_CMS, "a PKCS#7 or CMS message"},
    {PEM_STRING_ECPARAMETERS, "a set of EC parameters"},
};

/* The same by DER. Its syntax tells these apart: none of them decodes as another. */
static const struct {
    ASN1_ITEM_EXP *item;
    const char *what;
} OTHER_ITEMS[] = {
    {ASN1_ITEM_ref(X509), "a certificate"},
    {ASN1_ITEM_ref(X509_CRL), "a certificate revocation list"},
    {ASN1_ITEM_ref(X509_PUBKEY), "a public key alone"},
    {ASN1_ITEM_ref(PKCS7), "a PKCS#7 or CMS message"},
    {ASN1_ITEM_ref(PKCS12), "a PKCS#12 file"},
    {ASN1_ITEM_ref(X509_SIG), "an encrypted private key"},
};

static bool fail_other(const char *what, struct sg_error *error)
{
    return sg_fail(error, SG_MALFORMED, "RFC 2986 4", "this is %s, not a certificate request",
                   what);
}

static bool fail_private_key(struct sg_error *error)
{
    return sg_fail(error, SG_MALFORMED, "RFC 2986 4",
                   "this holds a private key, where only a certificate request belongs; keep the "
                   "key where it was made, and send a request signed by it");
}

/* One PEM block as OpenSSL reads it. */
struct block {
    char *label, *header;
    unsigned char *data;
    long len;
};

static void block_done(struct block *block)
{
    OPENSSL_free(block->label);
    OPENSSL_free(block->header);
    OPENSSL_clear_free(block->data, block->len > 0 ? (size_t)block->len : 0);
}
SG_DEFINE_CLEANUP_IN_PLACE(block, block_done)

/* Where the line at `at` ends, its line feed included. */
static size_t end_of_line(struct sg_slice text, size_t at)
{
    const uint8_t *feed = memchr(text.data + at, '\n', text.len - at);

    return feed != NULL ? (size_t)(feed - text.data) + 1 : text.len;
}

static bool begins_with(struct sg_slice text, size_t at, const char *what)
{
    size_t len = strlen(what);

    return text.len - at >= len && memcmp(text.data + at, what, len) == 0;
}

static bool fail_damaged(struct sg_error *error)
{
    return sg_fail(error, SG_MALFORMED, RULE,
                   "the PEM block is damaged: between its lines BEGIN and END there must be base64 "
                   "and nothing else");
}

/* What text without a PEM block looks like, by its first bytes. */
static const struct {
    const char *start, *problem;
} NO_BLOCKS[] = {
    {"MI", "this is base64 without its lines BEGIN and END"}, /* of a SEQUENCE above 127 bytes */
    {"\xff\xfe", "this is UTF-16 text; save it as ASCII or UTF-8"},
    {"\xfe\xff", "this is UTF-16 text; save it as ASCII or UTF-8"},
};

static bool fail_no_block(struct sg_slice bytes, struct sg_error *error)
{
    const char *problem = "this is neither DER nor PEM";

    for (size_t i = 0; i < sizeof NO_BLOCKS / sizeof NO_BLOCKS[0]; i++)
        if (begins_with(bytes, 0, NO_BLOCKS[i].start))
            problem = NO_BLOCKS[i].problem;
    return sg_fail(error, SG_MALFORMED, RULE, "there is no line \"-----BEGIN %s-----\": %s",
                   PEM_STRING_X509_REQ, problem);
}

static bool check_label(const char *label, struct sg_error *error)
{
    for (size_t i = 0; i < sizeof LABELS / sizeof LABELS[0]; i++)
        if (strcmp(label, LABELS[i]) == 0)
            return true;
    for (size_t i = 0; i < sizeof OTHER_LABELS / sizeof OTHER_LABELS[0]; i++)
        if (strcmp(label, OTHER_LABELS[i].label) == 0)
            return fail_other(OTHER_LABELS[i].what, error);
    return sg_fail(error, SG_MALFORMED, RULE, "the PEM block says \"%.60s\", not \"%s\"", label,
                   PEM_STRING_X509_REQ);
}

/* Checks what stands between "-----BEGIN " and "-----". */
static bool check_first_line(struct sg_slice line, struct sg_error *error)
{
    const char *text = (const char *)line.data + sizeof BEGIN - 1;
    size_t len = line.len - (sizeof BEGIN - 1), label_len = 0;
    char label[64];

    while (label_len < len && text[label_len] != '-' && text[label_len] != '\n')
        label_len++;
    if (!begins_with(line, sizeof BEGIN - 1 + label_len, "-----"))
        return fail_damaged(error);
    snprintf(label, sizeof label, "%.*s", (int)label_len, text);
    return check_label(label, error);
}

static bool has_begin(struct sg_slice bytes)
{
    for (size_t at = 0; at < bytes.len; at = end_of_line(bytes, at))
        if (begins_with(bytes, at, BEGIN))
            return true;
    return false;
}

static bool is_private_key_line(struct sg_slice line)
{
    static const char LABEL[] = "PRIVATE KEY-----";

    return memmem(line.data, line.len, LABEL, sizeof LABEL - 1) != NULL;
}

/* Finds where the one block begins. A private key anywhere matters more than how many there are. */
static bool find_begin(struct sg_slice bytes, size_t *begin, struct sg_error *error)
{
    size_t num = 0, first = 0, end;

    for (size_t at = 0; at < bytes.len; at = end) {
        end = end_of_line(bytes, at);
        if (!begins_with(bytes, at, BEGIN))
            continue;
        if (is_private_key_line(sg_slice_of(bytes.data + at, end - at)))
            return fail_private_key(error);
        if (num++ == 0)
            first = at;
    }
    if (num == 0)
        return fail_no_block(bytes, error);
    end = end_of_line(bytes, first);
    if (!check_first_line(sg_slice_of(bytes.data + first, end - first), error))
        return false;
    if (num > 1)
        return sg_fail(error, SG_MALFORMED, RULE,
                       "%zu PEM blocks; put each request into a file of its own", num);
    *begin = first;
    return true;
}

/* Finds the one block, without the text around it. OpenSSL alone would see a BEGIN also in the
 * middle of a long line, and stop reading base64 at any dash: two requests could share a block. */
static bool find_block(struct sg_slice bytes, struct sg_slice *block, struct sg_error *error)
{
    size_t begin = 0, content = 0, end = 0;
    const uint8_t *dash;

    if (!find_begin(bytes, &begin, error))
        return false;
    content = end_of_line(bytes, begin);
    dash = memchr(bytes.data + content, '-', bytes.len - content);
    if (dash == NULL)
        return fail_damaged(error);
    end = (size_t)(dash - bytes.data);
    if (!begins_with(bytes, end, "-----END "))
        return fail_damaged(error);
    *block = sg_slice_of(bytes.data + begin, end_of_line(bytes, end) - begin);
    return true;
}

static bool check_block(const struct block *block, struct sg_error *error)
{
    if (block->header[0] != '\0')
        return sg_fail(error, SG_MALFORMED, RULE,
                       "the PEM block has header lines, which a request must not have");
    if (block->len <= 0)
        return sg_fail(error, SG_MALFORMED, RULE, "the PEM block holds nothing");
    return true;
}

static bool unwrap_pem(struct sg_slice bytes, struct sg_buf *der, struct sg_error *error)
{
    sg_auto(block) struct block block = {0};
    sg_auto(BIO) BIO *bio = NULL;
    struct sg_slice text;

    if (!find_block(bytes, &text, error))
        return false;
    bio = BIO_new_mem_buf(text.data, (int)text.len);
    if (bio == NULL)
        return sg_fail_memory(error);
    if (PEM_read_bio(bio, &block.label, &block.header, &block.data, &block.len) != 1)
        return sg_fail_openssl(error, SG_MALFORMED, RULE, "the PEM block is damaged");
    return check_block(&block, error) &&
           sg_buf_set(der, sg_slice_of(block.data, (size_t)block.len), error);
}

static struct sg_slice without_mark(struct sg_slice text)
{
    size_t len = sizeof UTF8_MARK - 1;

    return begins_with(text, 0, UTF8_MARK) ? sg_slice_of(text.data + len, text.len - len) : text;
}

bool sg_request_unwrap(struct sg_slice bytes, struct sg_buf *der, struct sg_error *error)
{
    if (bytes.len == 0)
        return sg_fail(error, SG_MALFORMED, "RFC 2986 4", "the request is empty");
    if (bytes.len > SG_LIMIT_REQUEST)
        return sg_fail(error, SG_MALFORMED, "size of a request",
                       "the request has %zu bytes, and %d is the limit", bytes.len,
                       SG_LIMIT_REQUEST);
    /* Also when a PEM block hides somewhere in the DER: one reading of the bytes, never two. */
    if (bytes.data[0] == DER_SEQUENCE)
        return sg_buf_set(der, bytes, error);
    bytes = without_mark(bytes);
    /* A line BEGIN decides before a line SPKAC= does, so that there is one reading. */
    if (!has_begin(bytes) && sg_spkac_is_text(bytes))
        return sg_spkac_unwrap(bytes, der, error);
    return unwrap_pem(bytes, der, error);
}

bool sg_request_is_spkac(struct sg_slice bytes)
{
    if (bytes.len == 0 || bytes.len > SG_LIMIT_REQUEST)
        return false;
    if (bytes.data[0] == DER_SEQUENCE)
        return sg_spkac_is_der(bytes);
    bytes = without_mark(bytes);
    return !has_begin(bytes) && sg_spkac_is_text(bytes);
}

static bool is_private_key(struct sg_slice der)
{
    const unsigned char *at = der.data;
    sg_auto(EVP_PKEY) EVP_PKEY *key = d2i_AutoPrivateKey(NULL, &at, (long)der.len);

    return key != NULL;
}

static bool decodes_as(struct sg_slice der, const ASN1_ITEM *item)
{
    const unsigned char *at = der.data;
    ASN1_VALUE *value = ASN1_item_d2i(NULL, &at, (long)der.len, item);

    if (value == NULL)
        return false;
    ASN1_item_free(value, item);
    return true;
}

static bool is_cut_short(struct sg_slice der, size_t *wanted)
{
    enum { FAILED = 0x80 };
    const unsigned char *at = der.data;
    long content = 0;
    int tag, class, flags;

    flags = ASN1_get_object(&at, &content, &tag, &class, (long)der.len);
    /* FAILED alone: the length itself can't be read; with more bits: it is beyond the end */
    if ((flags & FAILED) == 0 || flags == FAILED)
        return false;
    *wanted = (size_t)(at - der.data) + (size_t)content;
    return true;
}

/* What else der is, or NULL. */
static const char *find_other(struct sg_slice der)
{
    for (size_t i = 0; i < sizeof OTHER_ITEMS / sizeof OTHER_ITEMS[0]; i++)
        if (decodes_as(der, ASN1_ITEM_ptr(OTHER_ITEMS[i].item)))
            return OTHER_ITEMS[i].what;
    return NULL;
}

bool sg_request_explain(struct sg_slice der, struct sg_error *error)
{
    /* the oldest error is the cause of the others; only names are looked at so closely */
    bool bad_text = ERR_GET_REASON(ERR_peek_error()) == ASN1_R_INVALID_UTF8STRING;
    struct sg_error reason = {0};
    size_t wanted = 0;
    const char *what;

    /* first of all, as looking for other things fills OpenSSL's queue */
    sg_fail_openssl(&reason, SG_MALFORMED, "RFC 2986 4", "not a certificate request");
    if (is_cut_short(der, &wanted))
        sg_fail(error, SG_MALFORMED, "RFC 2986 4",
                "the request is cut short: it has %zu of the %zu bytes that it announces", der.len,
                wanted);
    else if (bad_text)
        sg_fail(error, SG_MALFORMED, "RFC 5280 4.1.2.4",
                "the subject holds text that is not UTF-8");
    else if (is_private_key(der))
        fail_private_key(error);
    else if ((what = find_other(der)) != NULL)
        fail_other(what, error);
    else
        sg_fail(error, SG_MALFORMED, reason.rule, "%s", reason.text);
    ERR_clear_error();
    return false;
}
