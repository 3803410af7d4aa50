#include <arpa/inet.h>
#include <openssl/err.h>
#include <string.h>

#include "base/text.h"
#include "known_oids.h"
#include "show_parts.h"

/* A name that sg_sans_decode knows as text; false leaves it to OpenSSL's words. */
static bool known_name(const GENERAL_NAME *name, struct sg_sans *sans)
{
    GENERAL_NAMES *one = sk_GENERAL_NAME_new_null();
    GENERAL_NAME *copy = GENERAL_NAME_dup(name);
    bool known;

    if (one == NULL || copy == NULL || sk_GENERAL_NAME_push(one, copy) <= 0) {
        GENERAL_NAME_free(copy);
        sk_GENERAL_NAME_free(one);
        return false;
    }
    known =
        sg_sans_decode(one, sans, NULL) && sans->num == 1 && sans->items[0].kind != SG_SAN_OTHER;
    GENERAL_NAMES_free(one);
    ERR_clear_error();
    return known;
}

/* What an otherName's type-id stands for, or NULL. */
static const char *type_name(const GENERAL_NAME *name)
{
    char oid[SG_LIMIT_OID];

    return name->type == GEN_OTHERNAME ? sg_known_oid(sg_oid_text(name->d.otherName->type_id, oid))
                                       : NULL;
}

static bool add_name(json_t *lines, const char *prefix, GENERAL_NAME *name)
{
    sg_auto(sg_sans) struct sg_sans sans = {0};
    sg_auto(BIO) BIO *memory = NULL;
    char text[SG_SHOW_TEXT];
    int len;

    if (known_name(name, &sans) && type_name(name) != NULL)
        return sg_show_add(lines, "%s%s:%s (%s)", prefix, sg_san_kind_word(sans.items[0].kind),
                           sans.items[0].value, type_name(name));
    if (sans.num > 0 && sans.items[0].kind != SG_SAN_OTHER)
        return sg_show_add(lines, "%s%s:%s", prefix, sg_san_kind_word(sans.items[0].kind),
                           sans.items[0].value);
    if (name->type == GEN_DIRNAME)
        return sg_show_add(lines, "%sdirname:%s", prefix, sg_show_name(name->d.dirn, text));
    memory = BIO_new(BIO_s_mem());
    if (memory == NULL || GENERAL_NAME_print(memory, name) <= 0)
        return sg_show_add(lines, "%s(unreadable name)", prefix);
    len = BIO_read(memory, text, sizeof text - 1);
    text[len > 0 ? len : 0] = '\0';
    return sg_show_add(lines, "%s%s", prefix, text);
}

static bool add_names(json_t *lines, const char *prefix, const GENERAL_NAMES *names)
{
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++)
        if (!add_name(lines, prefix, sk_GENERAL_NAME_value(names, i)))
            return false;
    return true;
}

static bool describe_names(void *value, json_t *lines)
{
    return add_names(lines, "", value);
}

static bool describe_basic_constraints(void *value, json_t *lines)
{
    const BASIC_CONSTRAINTS *constraints = value;

    if (!constraints->ca)
        return sg_show_add(lines, "not a CA");
    if (constraints->pathlen == NULL)
        return sg_show_add(lines, "CA");
    return sg_show_add(lines, "CA, path length %ld", ASN1_INTEGER_get(constraints->pathlen));
}

static bool describe_key_usage(void *value, json_t *lines)
{
    char word[64];

    for (int bit = 0; bit <= 8; bit++)
        if (ASN1_BIT_STRING_get_bit(value, bit) &&
            !sg_show_add(lines, "%s", sg_key_usage_text(1U << bit, word, sizeof word)))
            return false;
    return true;
}

static bool describe_purposes(void *value, json_t *lines)
{
    const EXTENDED_KEY_USAGE *purposes = value;
    char oid[SG_LIMIT_OID], text[SG_SHOW_OID];

    for (int i = 0; i < sk_ASN1_OBJECT_num(purposes); i++) {
        sg_oid_text(sk_ASN1_OBJECT_value(purposes, i), oid);
        if (!sg_show_add(lines, "%s", sg_show_known_oid(sg_oid_purpose_word(oid), oid, text)))
            return false;
    }
    return true;
}

static struct sg_slice string_bytes(const ASN1_STRING *string)
{
    return sg_slice_of(ASN1_STRING_get0_data(string), (size_t)ASN1_STRING_length(string));
}

static bool describe_key_id(void *value, json_t *lines)
{
    return sg_show_add_hex(lines, "", string_bytes(value), SG_SHOW_HEX_BYTES);
}

static bool describe_authority_key_id(void *value, json_t *lines)
{
    const AUTHORITY_KEYID *authority = value;

    return (authority->keyid == NULL ||
            sg_show_add_hex(lines, "", string_bytes(authority->keyid), SG_SHOW_HEX_BYTES)) &&
           add_names(lines, "issuer ", authority->issuer) &&
           (authority->serial == NULL ||
            sg_show_add_hex(lines, "serial ", string_bytes(authority->serial), SG_SHOW_HEX_BYTES));
}

static bool describe_point(const DIST_POINT *point, json_t *lines)
{
    if (point->distpoint == NULL)
        return add_names(lines, "CRL issuer ", point->CRLissuer);
    if (point->distpoint->type != 0)
        return sg_show_add(lines, "(a name below its issuer's)");
    return add_names(lines, "", point->distpoint->name.fullname);
}

static bool describe_crl_points(void *value, json_t *lines)
{
    const CRL_DIST_POINTS *points = value;

    for (int i = 0; i < sk_DIST_POINT_num(points); i++)
        if (!describe_point(sk_DIST_POINT_value(points, i), lines))
            return false;
    return true;
}

static bool describe_access(void *value, json_t *lines)
{
    const AUTHORITY_INFO_ACCESS *places = value;
    char oid[SG_LIMIT_OID], prefix[SG_LIMIT_OID + 2];

    for (int i = 0; i < sk_ACCESS_DESCRIPTION_num(places); i++) {
        const ACCESS_DESCRIPTION *place = sk_ACCESS_DESCRIPTION_value(places, i);
        int method = OBJ_obj2nid(place->method);

        snprintf(prefix, sizeof prefix, "%s ",
                 method == NID_ad_OCSP         ? "OCSP"
                 : method == NID_ad_ca_issuers ? "CA issuers"
                                               : sg_oid_text(place->method, oid));
        if (!add_name(lines, prefix, place->location))
            return false;
    }
    return true;
}

static bool describe_number(void *value, json_t *lines)
{
    sg_auto(BIGNUM) BIGNUM *number = ASN1_INTEGER_to_BN(value, NULL);
    sg_auto(openssl_bytes) char *text = NULL;

    if (number == NULL || BN_num_bits(number) > 8 * SG_SHOW_HEX_BYTES)
        return sg_show_add_hex(lines, "0x", string_bytes(value), SG_SHOW_HEX_BYTES);
    text = BN_bn2dec(number);
    return text != NULL && sg_show_add(lines, "%s", text);
}

/* Extensions in our words; the others are OpenSSL's, named by the types inside, or cut hex. */
static const struct {
    int nid;
    bool (*describe)(void *value, json_t *lines);
} DESCRIBED[] = {
    {NID_basic_constraints, describe_basic_constraints},
    {NID_key_usage, describe_key_usage},
    {NID_ext_key_usage, describe_purposes},
    {NID_subject_key_identifier, describe_key_id},
    {NID_authority_key_identifier, describe_authority_key_id},
    {NID_subject_alt_name, describe_names},
    {NID_issuer_alt_name, describe_names},
    {NID_crl_distribution_points, describe_crl_points},
    {NID_freshest_crl, describe_crl_points},
    {NID_info_access, describe_access},
    {NID_sinfo_access, describe_access},
    {NID_crl_number, describe_number},
    {NID_delta_crl, describe_number},
    {NID_certificate_policies, sg_show_certificate_policies},
    {NID_name_constraints, sg_show_name_constraints},
    {NID_policy_constraints, sg_show_policy_constraints},
    {NID_inhibit_any_policy, sg_show_inhibit_any_policy},
};

/* done is false when nobody here has words for the extension. */
static bool describe_known(X509_EXTENSION *extension, json_t *lines, bool *done)
{
    int nid = OBJ_obj2nid(X509_EXTENSION_get_object(extension));
    const X509V3_EXT_METHOD *method = X509V3_EXT_get_nid(nid);
    void *value;
    bool added;

    for (size_t i = 0; i < sizeof DESCRIBED / sizeof *DESCRIBED; i++) {
        if (DESCRIBED[i].nid != nid || method == NULL || method->it == NULL)
            continue;
        value = X509V3_EXT_d2i(extension);
        if (value == NULL)
            return true;
        added = DESCRIBED[i].describe(value, lines);
        ASN1_item_free(value, ASN1_ITEM_ptr(method->it));
        *done = true;
        return added;
    }
    return true;
}

/* Extensions by the bytes of their value; OpenSSL has no structure for them. */
static const struct {
    const char *oid;
    bool (*describe)(struct sg_slice value, json_t *lines, bool *done);
} BY_OID[] = {
    {"1.3.6.1.4.1.311.25.2", sg_show_sid},
    {"1.3.6.1.4.1.311.20.2", sg_show_der}, /* the template's name, which newer OpenSSLs dump */
    {"1.3.6.1.4.1.311.21.7", sg_show_ms_template},
    {"1.3.6.1.4.1.311.21.10", sg_show_ms_purposes},
    {"2.16.840.1.101.3.6.9.1", sg_show_piv_check},
};

static bool describe_by_oid(X509_EXTENSION *extension, struct sg_slice value, json_t *lines,
                            bool *done)
{
    char oid[SG_LIMIT_OID];

    sg_oid_text(X509_EXTENSION_get_object(extension), oid);
    for (size_t i = 0; i < sizeof BY_OID / sizeof *BY_OID; i++)
        if (strcmp(BY_OID[i].oid, oid) == 0)
            return BY_OID[i].describe(value, lines, done);
    return true;
}

static bool describe_by_openssl(X509_EXTENSION *extension, json_t *lines, bool *done)
{
    sg_auto(BIO) BIO *memory = BIO_new(BIO_s_mem());

    if (memory == NULL)
        return false;
    if (X509V3_EXT_get(extension) == NULL || !X509V3_EXT_print(memory, extension, 0, 0))
        return true;
    *done = true;
    return sg_show_add_lines(lines, memory);
}

static bool describe(X509_EXTENSION *extension, json_t *lines)
{
    struct sg_slice value = string_bytes(X509_EXTENSION_get_data(extension));
    bool done = false;

    return describe_known(extension, lines, &done) &&
           (done || describe_by_oid(extension, value, lines, &done)) &&
           (done || describe_by_openssl(extension, lines, &done)) &&
           (done || sg_show_der(value, lines, &done)) &&
           (done || sg_show_add_hex(lines, "DER ", value, SG_SHOW_HEX_BYTES));
}

bool sg_show_extension(X509_EXTENSION *extension, json_t **described)
{
    char oid[SG_LIMIT_OID];
    const char *name = NULL;
    sg_auto(json_t) json_t *object = json_object();
    json_t *lines = json_array(); /* object's own after the last line here */

    sg_oid_text(X509_EXTENSION_get_object(extension), oid);
    name = sg_oid_extension_word(oid);
    if (name == oid && sg_known_oid(oid) != NULL)
        name = sg_known_oid(oid);
    if (!sg_show_put(object, "name", "%s", name) || !sg_show_put(object, "oid", "%s", oid) ||
        json_object_set_new(object, "critical",
                            json_boolean(X509_EXTENSION_get_critical(extension) != 0)) != 0 ||
        !describe(extension, lines)) {
        json_decref(lines);
        return false;
    }
    ERR_clear_error();
    if (json_object_set_new(object, "value", lines) != 0)
        return false;
    *described = SG_TAKE(object);
    return true;
}
