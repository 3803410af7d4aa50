#include <openssl/asn1.h>

#include "base/der.h"
#include "base/text.h"
#include "lint_rules.h"

enum { ANY_TEXT = B_ASN1_PRINTABLESTRING | B_ASN1_UTF8STRING | B_ASN1_IA5STRING };
enum { DIRECTORY_STRING = B_ASN1_PRINTABLESTRING | B_ASN1_UTF8STRING };
enum { NO_BOUND = 0 };

/* RFC 5280 appendix A.1: the upper bound in characters, and the string types. */
static const struct attribute {
    int nid;
    size_t most;
    unsigned long types;
} ATTRIBUTES[] = {
    {NID_commonName, 64, DIRECTORY_STRING},
    {NID_organizationName, 64, DIRECTORY_STRING},
    {NID_organizationalUnitName, 64, DIRECTORY_STRING},
    {NID_countryName, 2, B_ASN1_PRINTABLESTRING},
    {NID_stateOrProvinceName, 128, DIRECTORY_STRING},
    {NID_localityName, 128, DIRECTORY_STRING},
    {NID_serialNumber, 64, B_ASN1_PRINTABLESTRING},
    {NID_dnQualifier, NO_BOUND, B_ASN1_PRINTABLESTRING},
    {NID_title, 64, DIRECTORY_STRING},
    {NID_surname, 32768, DIRECTORY_STRING},
    {NID_givenName, 32768, DIRECTORY_STRING},
    {NID_initials, 32768, DIRECTORY_STRING},
    {NID_generationQualifier, 32768, DIRECTORY_STRING},
    {NID_name, 32768, DIRECTORY_STRING},
    {NID_pseudonym, 128, DIRECTORY_STRING},
    {NID_domainComponent, NO_BOUND, B_ASN1_IA5STRING},
    {NID_pkcs9_emailAddress, 255, B_ASN1_IA5STRING},
};

static const struct attribute *attribute_of(X509_NAME_ENTRY *entry)
{
    static const struct attribute OTHER = {NID_undef, NO_BOUND, ANY_TEXT};
    int nid = OBJ_obj2nid(X509_NAME_ENTRY_get_object(entry));

    for (size_t i = 0; i < sizeof ATTRIBUTES / sizeof *ATTRIBUTES; i++)
        if (ATTRIBUTES[i].nid == nid)
            return &ATTRIBUTES[i];
    return &OTHER;
}

static const X509_NAME *directory_name(const GENERAL_NAME *name, int *nth)
{
    return name->type == GEN_DIRNAME && (*nth)-- == 0 ? name->d.directoryName : NULL;
}

const X509_NAME *sg_lint_directory_name(const struct sg_lint_view *view, int nth)
{
    const NAME_CONSTRAINTS *constraints = view->name_constraints;
    const X509_NAME *found = NULL;

    for (int i = 0; found == NULL && i < sk_GENERAL_NAME_num(view->alternative_names); i++)
        found = directory_name(sk_GENERAL_NAME_value(view->alternative_names, i), &nth);
    for (int list = 0; constraints != NULL && list < 2; list++) {
        const STACK_OF(GENERAL_SUBTREE) *trees =
            list == 0 ? constraints->permittedSubtrees : constraints->excludedSubtrees;

        for (int i = 0; found == NULL && i < sk_GENERAL_SUBTREE_num(trees); i++)
            found = directory_name(sk_GENERAL_SUBTREE_value(trees, i)->base, &nth);
    }
    return found;
}

static bool every_attribute_of(const X509_NAME *name, struct sg_lint_view *view,
                               bool (*check)(X509_NAME_ENTRY *entry, const struct attribute *))
{
    for (int i = 0; i < X509_NAME_entry_count(name); i++) {
        X509_NAME_ENTRY *entry = X509_NAME_get_entry(name, i);
        char oid[SG_LIMIT_OID];

        if (!check(entry, attribute_of(entry)))
            return sg_lint_saw(
                view, "%s at place %d",
                sg_oid_attribute_word(sg_oid_text(X509_NAME_ENTRY_get_object(entry), oid)), i + 1);
    }
    return true;
}

/* Applies one check to every attribute of the subject, and of the directory names elsewhere. */
static bool every_attribute(struct sg_lint_view *view,
                            bool (*check)(X509_NAME_ENTRY *entry, const struct attribute *))
{
    const X509_NAME *name = X509_get_subject_name(view->certificate);

    for (int nth = 0; name != NULL; nth++) {
        if (!every_attribute_of(name, view, check))
            return false;
        name = sg_lint_directory_name(view, nth);
    }
    return true;
}

static struct sg_slice name_bytes(const X509_NAME *name)
{
    struct sg_slice bytes = {0};

    return X509_NAME_get0_der(name, &bytes.data, &bytes.len) ? bytes : (struct sg_slice){0};
}

/* Whether an X509_NAME that is made afresh has the same bytes. */
static bool encodes_to_itself(const X509_NAME *name)
{
    sg_auto(X509_NAME) X509_NAME *fresh = X509_NAME_new();
    struct sg_slice bytes = name_bytes(name);
    int set = -1;

    for (int i = 0; i < X509_NAME_entry_count(name); i++) {
        X509_NAME_ENTRY *entry = X509_NAME_get_entry(name, i);
        bool continues = X509_NAME_ENTRY_set(entry) == set;

        set = X509_NAME_ENTRY_set(entry);
        if (!X509_NAME_add_entry(fresh, entry, -1, continues ? -1 : 0))
            return false;
    }
    return bytes.len > 0 && sg_slice_equal(bytes, name_bytes(fresh));
}

bool sg_lint_name_is_der(const X509_NAME *name)
{
    return sg_der_is_strict(name_bytes(name), NULL) || encodes_to_itself(name);
}

static bool names_are_der(struct sg_lint_view *view)
{
    return sg_lint_name_is_der(X509_get_issuer_name(view->certificate)) &&
           sg_lint_name_is_der(X509_get_subject_name(view->certificate));
}

static bool has_an_issuer(struct sg_lint_view *view)
{
    return X509_NAME_entry_count(X509_get_issuer_name(view->certificate)) > 0;
}

static bool has_the_issuers_name(struct sg_lint_view *view)
{
    const X509 *names_it =
        view->issuer->certificate != NULL ? view->issuer->certificate : view->certificate;

    return sg_slice_equal(name_bytes(X509_get_issuer_name(view->certificate)),
                          name_bytes(X509_get_subject_name(names_it)));
}

static bool has_a_subject_if_ca(struct sg_lint_view *view)
{
    return !sg_lint_is_ca(view) ||
           X509_NAME_entry_count(X509_get_subject_name(view->certificate)) > 0;
}

static bool has_a_name_at_all(struct sg_lint_view *view)
{
    return X509_NAME_entry_count(X509_get_subject_name(view->certificate)) > 0 ||
           sg_lint_critical(view, NID_subject_alt_name) == 1;
}

static bool has_a_value(X509_NAME_ENTRY *entry, const struct attribute *attribute)
{
    (void)attribute;
    return ASN1_STRING_length(X509_NAME_ENTRY_get_data(entry)) > 0;
}

static bool has_its_string_type(X509_NAME_ENTRY *entry, const struct attribute *attribute)
{
    int type = ASN1_STRING_type(X509_NAME_ENTRY_get_data(entry));

    return (ASN1_tag2bit(type) & attribute->types) != 0;
}

/* Text without control characters, and only characters that the string type has. */
static bool has_its_characters(X509_NAME_ENTRY *entry, const struct attribute *attribute)
{
    const ASN1_STRING *value = X509_NAME_ENTRY_get_data(entry);
    struct sg_slice text = sg_lint_string(value);

    (void)attribute;
    if (!sg_text_check(text, "", NULL))
        return false;
    if (ASN1_STRING_type(value) == V_ASN1_UTF8STRING)
        return true;
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] > 0x7f)
            return false;
    return ASN1_STRING_type(value) != V_ASN1_PRINTABLESTRING ||
           ASN1_PRINTABLE_type(text.data, (int)text.len) == V_ASN1_PRINTABLESTRING;
}

static bool keeps_its_bound(X509_NAME_ENTRY *entry, const struct attribute *attribute)
{
    struct sg_slice text = sg_lint_string(X509_NAME_ENTRY_get_data(entry));
    size_t characters = 0;

    for (size_t i = 0; i < text.len; i++)
        characters += (text.data[i] & 0xc0) != 0x80; /* not a UTF-8 continuation */
    return attribute->most == NO_BOUND || characters <= attribute->most;
}

static bool is_no_odd_country(X509_NAME_ENTRY *entry, const struct attribute *attribute)
{
    struct sg_slice text = sg_lint_string(X509_NAME_ENTRY_get_data(entry));

    if (attribute->nid != NID_countryName)
        return true;
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] < 'A' || text.data[i] > 'Z')
            return false;
    return text.len == 2;
}

static bool has_values(struct sg_lint_view *view)
{
    return every_attribute(view, has_a_value);
}

static bool has_string_types(struct sg_lint_view *view)
{
    return every_attribute(view, has_its_string_type);
}

static bool has_text(struct sg_lint_view *view)
{
    return every_attribute(view, has_its_characters);
}

static bool has_short_values(struct sg_lint_view *view)
{
    return every_attribute(view, keeps_its_bound);
}

static bool has_a_country_code(struct sg_lint_view *view)
{
    return every_attribute(view, is_no_odd_country);
}

const struct sg_lint_rule SG_LINT_NAMES[] = {
    {"X.690 10", "issuer and subject must be DER without empty RDNs", names_are_der},
    {"RFC 5280 4.1.2.4", "the issuer's name must not be empty", has_an_issuer},
    {"RFC 5280 4.1.2.4", "the issuer must be named by its own certificate's subject, byte for byte",
     has_the_issuers_name},
    {"RFC 5280 4.1.2.6", "a CA's subject must not be empty", has_a_subject_if_ca},
    {"RFC 5280 4.2.1.6", "an empty subject needs a critical subjectAltName", has_a_name_at_all},
    {"RFC 5280 4.1.2.4", "no attribute of a name may be empty", has_values},
    {"RFC 5280 A.1", "every attribute of a name must have its string type", has_string_types},
    {"RFC 5280 4.1.2.6", "names must have no control characters and keep to their string types",
     has_text},
    {"RFC 5280 A.1", "no value in a name may be longer than its upper bound", has_short_values},
    {"RFC 5280 A.1", "C must be two capital letters (ISO 3166)", has_a_country_code},
    {0},
};
