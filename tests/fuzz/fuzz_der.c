#include <string.h>

#include "base/cleanup.h"
#include "base/der.h"
#include "base/limits.h"

#include "target.h"

/* What sg_der_is_strict says yes to, OpenSSL encodes as it was, if it decodes it: under every type
 * that the reader is asked about, and for each input also with some damage. An abort is a finding.
 */

enum { NUM_DAMAGES = 150 };

static bool encodes_to(struct sg_slice der, const ASN1_VALUE *value, const ASN1_ITEM *item)
{
    sg_auto(openssl_bytes) unsigned char *again = NULL;
    int len = ASN1_item_i2d(value, &again, item);

    return len > 0 && sg_slice_equal(sg_slice_of(again, (size_t)len), der);
}

/* OpenSSL keeps the bytes of a name, a request's content and a certificate's content as they came;
 * names made afresh, and the re_ functions, show what it would write. */
static bool name_encodes_to_itself(const X509_NAME *name)
{
    sg_auto(X509_NAME) X509_NAME *fresh = X509_NAME_new();
    const unsigned char *found = NULL, *wanted = NULL;
    size_t found_len = 0, wanted_len = 0;
    int set = -1;

    for (int i = 0; i < X509_NAME_entry_count(name); i++) {
        const X509_NAME_ENTRY *entry = X509_NAME_get_entry(name, i);
        bool continues = X509_NAME_ENTRY_set(entry) == set;

        set = X509_NAME_ENTRY_set(entry);
        if (X509_NAME_add_entry(fresh, entry, -1, continues ? -1 : 0) != 1)
            return false;
    }
    return X509_NAME_get0_der(name, &found, &found_len) == 1 &&
           X509_NAME_get0_der(fresh, &wanted, &wanted_len) == 1 &&
           sg_slice_equal(sg_slice_of(found, found_len), sg_slice_of(wanted, wanted_len));
}

static bool request_encodes_to(struct sg_slice der, ASN1_VALUE *value)
{
    X509_REQ *request = (X509_REQ *)value;

    return i2d_re_X509_REQ_tbs(request, NULL) > 0 &&
           encodes_to(der, value, ASN1_ITEM_rptr(X509_REQ)) &&
           name_encodes_to_itself(X509_REQ_get_subject_name(request));
}

static bool certificate_encodes_to(struct sg_slice der, ASN1_VALUE *value)
{
    X509 *certificate = (X509 *)value;

    return i2d_re_X509_tbs(certificate, NULL) > 0 && encodes_to(der, value, ASN1_ITEM_rptr(X509)) &&
           name_encodes_to_itself(X509_get_subject_name(certificate)) &&
           name_encodes_to_itself(X509_get_issuer_name(certificate));
}

static const struct sg_der_tags ATTRIBUTES = {.sets = 1 << 0};
static const struct sg_der_tags TBS = {.constructed = 1 << 0 | 1 << 3};
static const struct sg_der_tags KEY_ID = {.primitive = 1 << 0}, URI = {.primitive = 1 << 6};
static const struct sg_der_tags POINT = {.primitive = 1 << 6, .constructed = 1 << 0};
static const struct sg_der_tags NAME = {
    .primitive = 1 << 1 | 1 << 2 | 1 << 6 | 1 << 7 | 1 << 8,
    .constructed = 1 << 0 | 1 << 4,
};

/* The types that the rooms above ask about, each with its tags. */
static const struct {
    const ASN1_ITEM *(*item)(void);
    const struct sg_der_tags *tags;
    bool (*encodes_to)(struct sg_slice der, ASN1_VALUE *value); /* NULL: encodes_to */
} TYPES[] = {
    {X509_REQ_it, &ATTRIBUTES, request_encodes_to},
    {X509_it, &TBS, certificate_encodes_to},
    {X509_EXTENSIONS_it, NULL, NULL},
    {X509_PUBKEY_it, NULL, NULL},
    {NETSCAPE_SPKI_it, NULL, NULL},
    {ASN1_SEQUENCE_ANY_it, NULL, NULL},
    {BASIC_CONSTRAINTS_it, NULL, NULL},
    {ASN1_BIT_STRING_it, NULL, NULL},
    {EXTENDED_KEY_USAGE_it, NULL, NULL},
    {ASN1_OCTET_STRING_it, NULL, NULL},
    {CERTIFICATEPOLICIES_it, NULL, NULL},
    {AUTHORITY_KEYID_it, &KEY_ID, NULL},
    {GENERAL_NAMES_it, &NAME, NULL},
    {CRL_DIST_POINTS_it, &POINT, NULL},
    {AUTHORITY_INFO_ACCESS_it, &URI, NULL},
};

static void compare(struct sg_slice der)
{
    for (size_t i = 0; i < sizeof TYPES / sizeof *TYPES; i++) {
        const ASN1_ITEM *item = TYPES[i].item();
        const unsigned char *at = der.data;
        ASN1_VALUE *value;

        if (!sg_der_is_strict(der, TYPES[i].tags))
            continue;
        value = ASN1_item_d2i(NULL, &at, (long)der.len, item);
        if (value != NULL && (at != der.data + der.len ||
                              !(TYPES[i].encodes_to != NULL ? TYPES[i].encodes_to(der, value)
                                                            : encodes_to(der, value, item))))
            abort();
        ASN1_item_free(value, item);
    }
}

/* The values of extensions stand in OCTET STRINGs: each element, down to the innermost, is compared
 * too. */
static void compare_all(struct sg_slice bytes, int depth)
{
    struct sg_der element;

    while (sg_der_next(&bytes, &element)) {
        compare(element.whole);
        if (depth < SG_LIMIT_DER_DEPTH)
            compare_all(element.content, depth + 1);
    }
}

static uint32_t next(uint32_t *state) /* xorshift: the same damage each time */
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

/* Octets that mean something in BER are likelier than others. */
static uint8_t odd_octet(uint32_t *state)
{
    static const uint8_t ODD[] = {0x00, 0x01, 0x02, 0x03, 0x05, 0x06, 0x24, 0x30, 0x31,
                                  0x7f, 0x80, 0x81, 0x82, 0x86, 0xa0, 0xa2, 0xa6, 0xff};

    return next(state) % 4 == 0 ? (uint8_t)next(state) : ODD[next(state) % sizeof ODD];
}

static void compare_damaged(struct sg_slice bytes)
{
    uint32_t state = 2463534242U + (uint32_t)bytes.len;
    uint8_t *damaged = malloc(bytes.len);

    for (int i = 0; damaged != NULL && i < NUM_DAMAGES; i++) {
        memcpy(damaged, bytes.data, bytes.len);
        for (uint32_t left = 1 + next(&state) % 3; left > 0; left--)
            damaged[next(&state) % bytes.len] = odd_octet(&state);
        compare_all(sg_slice_of(damaged, bytes.len), 0);
    }
    free(damaged);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sg_slice bytes = sg_slice_of(data, size);

    compare_all(bytes, 0);
    if (size > 0 && size <= SG_LIMIT_REQUEST / 8)
        compare_damaged(bytes);
    return 0;
}
