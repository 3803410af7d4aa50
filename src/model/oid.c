#include "oid.h"

#include <ctype.h>
#include <openssl/err.h>
#include <string.h>

#include "base/slice.h"
#include "listing.h"

struct word {
    const char *word; /* NULL ends a table */
    const char *oid;
};

/* RFC 4519, RFC 5280 appendix A.1, RFC 2985 (emailAddress), ETSI EN 319 412-1
 * (organizationIdentifier), Matter 6.1.1 (VID, PID). */
static const struct word ATTRIBUTES[] = {
    {"CN", "2.5.4.3"},
    {"O", "2.5.4.10"},
    {"OU", "2.5.4.11"},
    {"C", "2.5.4.6"},
    {"ST", "2.5.4.8"},
    {"L", "2.5.4.7"},
    {"street", "2.5.4.9"},
    {"postalCode", "2.5.4.17"},
    {"serialNumber", "2.5.4.5"},
    {"T", "2.5.4.12"},
    {"SN", "2.5.4.4"},
    {"GN", "2.5.4.42"},
    {"initials", "2.5.4.43"},
    {"generationQualifier", "2.5.4.44"},
    {"name", "2.5.4.41"},
    {"pseudonym", "2.5.4.65"},
    {"dnQualifier", "2.5.4.46"},
    {"organizationIdentifier", "2.5.4.97"},
    {"UID", "0.9.2342.19200300.100.1.1"},
    {"DC", "0.9.2342.19200300.100.1.25"},
    {"emailAddress", "1.2.840.113549.1.9.1"},
    {"VID", "1.3.6.1.4.1.37244.2.1"},
    {"PID", "1.3.6.1.4.1.37244.2.2"},
    {0},
};

/* RFC 5280 4.2.1.12, RFC 4945 5.1.3.12 (ipsecIKE), RFC 9336 (documentSigning), FIPS 201 (PIV),
 * RFC 4556 (PKINIT). */
static const struct word PURPOSES[] = {
    {"serverAuth", "1.3.6.1.5.5.7.3.1"},          {"clientAuth", "1.3.6.1.5.5.7.3.2"},
    {"codeSigning", "1.3.6.1.5.5.7.3.3"},         {"emailProtection", "1.3.6.1.5.5.7.3.4"},
    {"timeStamping", "1.3.6.1.5.5.7.3.8"},        {"OCSPSigning", "1.3.6.1.5.5.7.3.9"},
    {"ipsecIKE", "1.3.6.1.5.5.7.3.17"},           {"documentSigning", "1.3.6.1.5.5.7.3.36"},
    {"smartcardLogon", "1.3.6.1.4.1.311.20.2.2"}, {"pkInitKPClientAuth", "1.3.6.1.5.2.3.4"},
    {"pkInitKPKdc", "1.3.6.1.5.2.3.5"},           {"pivCardAuth", "2.16.840.1.101.3.6.8"},
    {"anyExtendedKeyUsage", "2.5.29.37.0"},       {0},
};

static const struct word EXTENSIONS[] = {
    {"subjectDirectoryAttributes", "2.5.29.9"},
    {"subjectKeyIdentifier", "2.5.29.14"},
    {"keyUsage", "2.5.29.15"},
    {"privateKeyUsagePeriod", "2.5.29.16"},
    {"subjectAltName", "2.5.29.17"},
    {"issuerAltName", "2.5.29.18"},
    {"basicConstraints", "2.5.29.19"},
    {"cRLNumber", "2.5.29.20"},
    {"cRLReason", "2.5.29.21"},
    {"invalidityDate", "2.5.29.24"},
    {"deltaCRLIndicator", "2.5.29.27"},
    {"issuingDistributionPoint", "2.5.29.28"},
    {"certificateIssuer", "2.5.29.29"},
    {"nameConstraints", "2.5.29.30"},
    {"cRLDistributionPoints", "2.5.29.31"},
    {"certificatePolicies", "2.5.29.32"},
    {"policyMappings", "2.5.29.33"},
    {"authorityKeyIdentifier", "2.5.29.35"},
    {"policyConstraints", "2.5.29.36"},
    {"extendedKeyUsage", "2.5.29.37"},
    {"freshestCRL", "2.5.29.46"},
    {"inhibitAnyPolicy", "2.5.29.54"},
    {"authorityInfoAccess", "1.3.6.1.5.5.7.1.1"},
    {"subjectInfoAccess", "1.3.6.1.5.5.7.1.11"},
    {"tlsFeature", "1.3.6.1.5.5.7.1.24"},
    {"ocspNoCheck", "1.3.6.1.5.5.7.48.1.5"},
    {"msSid", "1.3.6.1.4.1.311.25.2"},
    {0},
};

static const struct usage {
    const char *word; /* NULL ends the table; the first word for a bit is the one that is written */
    unsigned bit;
} USAGES[] = {
    {"digitalSignature", SG_KU_DIGITAL_SIGNATURE},
    {"nonRepudiation", SG_KU_NON_REPUDIATION},
    {"contentCommitment", SG_KU_NON_REPUDIATION},
    {"keyEncipherment", SG_KU_KEY_ENCIPHERMENT},
    {"dataEncipherment", SG_KU_DATA_ENCIPHERMENT},
    {"keyAgreement", SG_KU_KEY_AGREEMENT},
    {"keyCertSign", SG_KU_KEY_CERT_SIGN},
    {"cRLSign", SG_KU_CRL_SIGN},
    {"encipherOnly", SG_KU_ENCIPHER_ONLY},
    {"decipherOnly", SG_KU_DECIPHER_ONLY},
    {0},
};

enum { WORDS_TEXT_SIZE = 400 };

static const char *words_text(const struct word *table, char into[WORDS_TEXT_SIZE])
{
    struct sg_listing listing = sg_listing_start(into, WORDS_TEXT_SIZE);

    for (const struct word *entry = table; entry->word != NULL; entry++) {
        sg_listing_add(&listing, entry == table ? "" : ", ");
        sg_listing_add(&listing, entry->word);
    }
    return into;
}

static bool oid_of(const struct word *table, const char *what, const char *word, const char **oid,
                   struct sg_error *error)
{
    char words[WORDS_TEXT_SIZE];

    for (const struct word *entry = table; entry->word != NULL; entry++) {
        if (strcmp(entry->word, word) == 0) {
            *oid = entry->oid;
            return true;
        }
    }
    if (!sg_oid_is_valid(word))
        return sg_fail(error, SG_USAGE, NULL, "\"%.60s\" is no %s: use an OID or one of %s", word,
                       what, words_text(table, words));
    *oid = word;
    return true;
}

static const char *word_of(const struct word *table, const char *oid)
{
    for (const struct word *entry = table; entry->word != NULL; entry++) {
        if (strcmp(entry->oid, oid) == 0)
            return entry->word;
    }
    return oid;
}

bool sg_oid_of_attribute(const char *word, const char **oid, struct sg_error *error)
{
    return oid_of(ATTRIBUTES, "name attribute", word, oid, error);
}

const char *sg_oid_attribute_word(const char *oid)
{
    return word_of(ATTRIBUTES, oid);
}

bool sg_oid_of_purpose(const char *word, const char **oid, struct sg_error *error)
{
    return oid_of(PURPOSES, "key purpose", word, oid, error);
}

const char *sg_oid_purpose_word(const char *oid)
{
    return word_of(PURPOSES, oid);
}

bool sg_oid_of_extension(const char *word, const char **oid, struct sg_error *error)
{
    return oid_of(EXTENSIONS, "extension", word, oid, error);
}

const char *sg_oid_extension_word(const char *oid)
{
    return word_of(EXTENSIONS, oid);
}

/* The end of the arc that begins at text, or NULL: digits without a leading zero. */
static const char *arc_end(const char *text)
{
    const char *end = text;

    while (isdigit((unsigned char)*end))
        end++;
    if (end == text || (*text == '0' && end - text > 1))
        return NULL;
    return end;
}

bool sg_oid_is_valid(const char *text)
{
    unsigned dots = 0;
    const char *end = NULL;
    int encoded_len = 0;

    if (strlen(text) >= SG_LIMIT_OID)
        return false;
    for (const char *arc = text; (end = arc_end(arc)) != NULL && *end == '.'; arc = end + 1)
        dots++;
    if (end == NULL || *end != '\0' || dots == 0)
        return false;
    ERR_set_mark();
    encoded_len = a2d_ASN1_OBJECT(NULL, 0, text, -1); /* knows the bounds of the first two arcs */
    ERR_pop_to_mark(); /* a "no" is no error, and must not explain a later one */
    return encoded_len > 0;
}

const char *sg_oid_text(const ASN1_OBJECT *object, char into[SG_LIMIT_OID])
{
    int len = OBJ_obj2txt(into, SG_LIMIT_OID, object, 1);

    if (len <= 0 || len >= SG_LIMIT_OID)
        snprintf(into, SG_LIMIT_OID, "?");
    return into;
}

bool sg_oid_is(const ASN1_OBJECT *object, struct sg_slice octets)
{
    return sg_slice_equal(sg_slice_of(OBJ_get0_data(object), OBJ_length(object)), octets);
}

bool sg_key_usage_parse(const char *word, unsigned *bit, struct sg_error *error)
{
    for (const struct usage *usage = USAGES; usage->word != NULL; usage++) {
        if (strcmp(usage->word, word) == 0) {
            *bit = usage->bit;
            return true;
        }
    }
    return sg_fail(error, SG_USAGE, "RFC 5280 4.2.1.3",
                   "\"%.60s\" is no key usage: use digitalSignature, nonRepudiation, "
                   "keyEncipherment, dataEncipherment, keyAgreement, keyCertSign, cRLSign, "
                   "encipherOnly or decipherOnly",
                   word);
}

const char *sg_key_usage_text(unsigned bits, char *into, size_t size)
{
    struct sg_listing listing = sg_listing_start(into, size);
    unsigned left = bits;

    for (const struct usage *usage = USAGES; usage->word != NULL; usage++) {
        if ((left & usage->bit) == 0)
            continue;
        sg_listing_add(&listing, left == bits ? "" : ", ");
        sg_listing_add(&listing, usage->word);
        left &= ~usage->bit;
    }
    return into;
}
