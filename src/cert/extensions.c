#include "extensions.h"

#include <limits.h>
#include <openssl/err.h>
#include <string.h>

#include "attach.h"

SG_DEFINE_CLEANUP(ACCESS_DESCRIPTION, ACCESS_DESCRIPTION_free)
SG_DEFINE_CLEANUP(AUTHORITY_INFO_ACCESS, AUTHORITY_INFO_ACCESS_free)
SG_DEFINE_CLEANUP(CRL_DIST_POINTS, CRL_DIST_POINTS_free)
SG_DEFINE_CLEANUP(GENERAL_NAME, GENERAL_NAME_free)

struct inputs {
    const struct sg_plan *plan;
    const struct sg_issuer_facts *issuer;
    const struct sg_public_key *key;
};

static bool has(struct sg_slice list, struct sg_slice oid)
{
    struct sg_der extension, name;

    while (sg_der_next(&list, &extension))
        if (sg_der_next(&extension.content, &name) && sg_slice_equal(name.whole, oid))
            return true;
    return false;
}

/* An Extension of RFC 5280 4.1, put together of what OpenSSL encodes: the list of OpenSSL's own
 * objects took twice as long to make and three times to encode. */
static bool append(struct sg_buf *list, const ASN1_OBJECT *oid, bool critical,
                   struct sg_slice value, struct sg_error *error)
{
    static const uint8_t CRITICAL[] = {SG_DER_BOOLEAN, 1, 0xff}; /* left out when FALSE */
    sg_auto(openssl_bytes) uint8_t *name = NULL;
    sg_auto(sg_buf) struct sg_buf content = {0};
    int name_len = i2d_ASN1_OBJECT(oid, &name);

    if (name_len <= 0)
        return sg_fail_openssl(error, SG_INTERNAL, NULL, "can't encode an extension");
    if (has(sg_buf_slice(list), sg_slice_of(name, (size_t)name_len)))
        return sg_fail(error, SG_INTERNAL, "RFC 5280 4.2", "an extension is planned twice");
    return sg_buf_append(&content, name, (size_t)name_len, INT_MAX, error) &&
           (!critical || sg_buf_append(&content, CRITICAL, sizeof CRITICAL, INT_MAX, error)) &&
           sg_signed_append_header(&content, SG_DER_OCTET_STRING, value.len, INT_MAX, error) &&
           sg_buf_append(&content, value.data, value.len, INT_MAX, error) &&
           sg_signed_append_header(list, SG_DER_SEQUENCE, content.len, INT_MAX, error) &&
           sg_buf_append(list, content.data, content.len, INT_MAX, error);
}

static bool encode(struct sg_buf *list, int nid, bool critical, const void *value,
                   const ASN1_ITEM *item, struct sg_error *error)
{
    sg_auto(openssl_bytes) uint8_t *bytes = NULL;
    int len = ASN1_item_i2d(value, &bytes, item);

    if (len <= 0)
        return sg_fail_openssl(error, SG_INTERNAL, NULL, "can't encode an extension");
    return append(list, OBJ_nid2obj(nid), critical, sg_slice_of(bytes, (size_t)len), error);
}

/* RFC 5280 4.2.1.9. Also for end entities, where cA is FALSE and so left out: some verifiers take a
 * version 3 certificate without it for a CA's. */
static bool add_basic_constraints(const struct inputs *in, struct sg_buf *list,
                                  struct sg_error *error)
{
    sg_auto(BASIC_CONSTRAINTS) BASIC_CONSTRAINTS *constraints = BASIC_CONSTRAINTS_new();

    if (constraints == NULL)
        return sg_fail_memory(error);
    constraints->ca = in->plan->ca ? 0xff : 0;
    if (in->plan->path_length >= 0) {
        constraints->pathlen = ASN1_INTEGER_new();
        if (constraints->pathlen == NULL ||
            !ASN1_INTEGER_set(constraints->pathlen, in->plan->path_length))
            return sg_fail_memory(error);
    }
    return encode(list, NID_basic_constraints, true, constraints, ASN1_ITEM_rptr(BASIC_CONSTRAINTS),
                  error);
}

/* RFC 5280 4.2.1.3. */
static bool add_key_usage(const struct inputs *in, struct sg_buf *list, struct sg_error *error)
{
    sg_auto(ASN1_STRING) ASN1_STRING *bits = ASN1_BIT_STRING_new();

    if (in->plan->key_usage == 0)
        return sg_fail(error, SG_INTERNAL, "RFC 5280 4.2.1.3", "the plan has no key usage");
    for (int bit = 0; bit <= 8; bit++)
        if ((in->plan->key_usage & 1U << bit) != 0 &&
            (bits == NULL || !ASN1_BIT_STRING_set_bit(bits, bit, 1)))
            return sg_fail_memory(error);
    return encode(list, NID_key_usage, true, bits, ASN1_ITEM_rptr(ASN1_BIT_STRING), error);
}

/* RFC 5280 4.2.1.12. Critical only if the plan insists: verifiers that know every purpose named
 * here still trip over it. */
static bool add_purposes(const struct inputs *in, struct sg_buf *list, struct sg_error *error)
{
    sg_auto(EXTENDED_KEY_USAGE) EXTENDED_KEY_USAGE *purposes = NULL;

    if (in->plan->purposes.num == 0)
        return true;
    purposes = sk_ASN1_OBJECT_new_null();
    for (size_t i = 0; i < in->plan->purposes.num; i++) {
        sg_auto(ASN1_OBJECT) ASN1_OBJECT *oid = OBJ_txt2obj(in->plan->purposes.items[i], 1);

        if (oid == NULL)
            return sg_fail_openssl(error, SG_INTERNAL, NULL, "key purpose %s is no OID",
                                   in->plan->purposes.items[i]);
        if (sk_ASN1_OBJECT_push(purposes, oid) <= 0)
            return sg_fail_memory(error);
        oid = NULL; /* purposes' own now */
    }
    return encode(list, NID_ext_key_usage, in->plan->critical_purposes, purposes,
                  ASN1_ITEM_rptr(EXTENDED_KEY_USAGE), error);
}

/* RFC 5280 4.2.1.2 (1). */
static bool key_id(const struct sg_public_key *key, ASN1_OCTET_STRING **id, struct sg_error *error)
{
    uint8_t bytes[20];
    sg_auto(ASN1_OCTET_STRING) ASN1_OCTET_STRING *fresh = ASN1_OCTET_STRING_new();

    if (!sg_public_key_id(key, bytes, error))
        return false;
    if (fresh == NULL || !ASN1_OCTET_STRING_set(fresh, bytes, sizeof bytes))
        return sg_fail_memory(error);
    *id = SG_TAKE(fresh);
    return true;
}

bool sg_issuer_key_id(const struct sg_issuer_facts *issuer, ASN1_OCTET_STRING **id,
                      struct sg_error *error)
{
    ASN1_OCTET_STRING *own = NULL;

    if (issuer->certificate != NULL)
        own = X509_get_ext_d2i(issuer->certificate, NID_subject_key_identifier, NULL, NULL);
    if (own == NULL)
        return key_id(&issuer->key, id, error);
    *id = own;
    return true;
}

/* RFC 5280 4.2.1.2. */
static bool add_subject_key_id(const struct inputs *in, struct sg_buf *list, struct sg_error *error)
{
    sg_auto(ASN1_OCTET_STRING) ASN1_OCTET_STRING *id = NULL;

    return key_id(in->key, &id, error) && encode(list, NID_subject_key_identifier, false, id,
                                                 ASN1_ITEM_rptr(ASN1_OCTET_STRING), error);
}

bool sg_issuer_authority(const struct sg_issuer_facts *issuer, AUTHORITY_KEYID **authority,
                         struct sg_error *error)
{
    sg_auto(AUTHORITY_KEYID) AUTHORITY_KEYID *fresh = AUTHORITY_KEYID_new();

    if (fresh == NULL)
        return sg_fail_memory(error);
    if (!sg_issuer_key_id(issuer, &fresh->keyid, error))
        return false;
    *authority = SG_TAKE(fresh);
    return true;
}

/* RFC 5280 4.2.1.1: the key identifier alone, as issuer and serial would tie the certificate to one
 * certificate of an issuer that may be renewed. Also in self-signed ones, where it may be left out:
 * every verifier takes it, and some path builders look for it. */
static bool add_authority_key_id(const struct inputs *in, struct sg_buf *list,
                                 struct sg_error *error)
{
    sg_auto(AUTHORITY_KEYID) AUTHORITY_KEYID *authority = NULL;

    return sg_issuer_authority(in->issuer, &authority, error) &&
           encode(list, NID_authority_key_identifier, false, authority,
                  ASN1_ITEM_rptr(AUTHORITY_KEYID), error);
}

/* RFC 5280 4.2.1.6. */
static bool add_alternative_names(const struct inputs *in, struct sg_buf *list,
                                  struct sg_error *error)
{
    sg_auto(GENERAL_NAMES) GENERAL_NAMES *names = NULL;

    if (in->plan->sans.num == 0)
        return true;
    return sg_sans_encode(&in->plan->sans, &names, error) &&
           encode(list, NID_subject_alt_name, in->plan->subject.num == 0, names,
                  ASN1_ITEM_rptr(GENERAL_NAMES), error);
}

/* A URL of the issuer's `publish` as a GeneralName. what is its key in signet.yaml. */
static bool url_name(const struct inputs *in, const char *url, const char *what,
                     GENERAL_NAME **name, struct sg_error *error)
{
    sg_auto(GENERAL_NAME) GENERAL_NAME *fresh = NULL;
    sg_auto(ASN1_STRING) ASN1_STRING *text = NULL;

    if (url == NULL)
        return sg_fail(error, SG_INTERNAL, NULL,
                       "the plan publishes %s, for which issuer %s has no URL", what,
                       in->issuer->name != NULL ? in->issuer->name : "?");
    fresh = GENERAL_NAME_new();
    text = ASN1_IA5STRING_new();
    if (fresh == NULL || text == NULL || !ASN1_STRING_set(text, url, (int)strlen(url)))
        return sg_fail_memory(error);
    GENERAL_NAME_set0_value(fresh, GEN_URI, SG_TAKE(text));
    *name = SG_TAKE(fresh);
    return true;
}

/* Puts name, which is taken, into the only distribution point of points. */
static bool push_distribution_point(CRL_DIST_POINTS *points, GENERAL_NAME **name)
{
    DIST_POINT *point = DIST_POINT_new();

    if (point == NULL || sk_DIST_POINT_push(points, point) <= 0) {
        DIST_POINT_free(point);
        return false;
    }
    point->distpoint = DIST_POINT_NAME_new();
    if (point->distpoint == NULL)
        return false;
    point->distpoint->type = 0; /* fullName */
    point->distpoint->name.fullname = GENERAL_NAMES_new();
    if (point->distpoint->name.fullname == NULL ||
        sk_GENERAL_NAME_push(point->distpoint->name.fullname, *name) <= 0)
        return false;
    *name = NULL;
    return true;
}

/* RFC 5280 4.2.1.13. */
static bool add_crl_points(const struct inputs *in, struct sg_buf *list, struct sg_error *error)
{
    sg_auto(CRL_DIST_POINTS) CRL_DIST_POINTS *points = NULL;
    sg_auto(GENERAL_NAME) GENERAL_NAME *name = NULL;

    if (!in->plan->publish_crl)
        return true;
    if (!url_name(in, in->issuer->crl_url, "crl", &name, error))
        return false;
    points = CRL_DIST_POINTS_new();
    if (points == NULL || !push_distribution_point(points, &name))
        return sg_fail_memory(error);
    return encode(list, NID_crl_distribution_points, false, points, ASN1_ITEM_rptr(CRL_DIST_POINTS),
                  error);
}

static bool push_access(AUTHORITY_INFO_ACCESS *access, int method, GENERAL_NAME **name,
                        struct sg_error *error)
{
    sg_auto(ACCESS_DESCRIPTION) ACCESS_DESCRIPTION *description = ACCESS_DESCRIPTION_new();

    if (access == NULL || description == NULL)
        return sg_fail_memory(error);
    description->method = OBJ_nid2obj(method);
    GENERAL_NAME_free(description->location);
    description->location = SG_TAKE(*name);
    if (sk_ACCESS_DESCRIPTION_push(access, description) <= 0)
        return sg_fail_memory(error);
    description = NULL; /* access's own now */
    return true;
}

/* RFC 5280 4.2.2.1. */
static bool add_information_access(const struct inputs *in, struct sg_buf *list,
                                   struct sg_error *error)
{
    const struct {
        bool wanted;
        int method;
        const char *url, *what;
    } PLACES[] = {
        {in->plan->publish_ocsp, NID_ad_OCSP, in->issuer->ocsp_url, "ocsp"},
        {in->plan->publish_ca_issuers, NID_ad_ca_issuers, in->issuer->ca_issuers_url, "ca_issuers"},
    };
    sg_auto(AUTHORITY_INFO_ACCESS) AUTHORITY_INFO_ACCESS *access = NULL;

    for (size_t i = 0; i < sizeof PLACES / sizeof *PLACES; i++) {
        sg_auto(GENERAL_NAME) GENERAL_NAME *name = NULL;

        if (!PLACES[i].wanted)
            continue;
        if (access == NULL)
            access = AUTHORITY_INFO_ACCESS_new();
        if (!url_name(in, PLACES[i].url, PLACES[i].what, &name, error) ||
            !push_access(access, PLACES[i].method, &name, error))
            return false;
    }
    return access == NULL || encode(list, NID_info_access, false, access,
                                    ASN1_ITEM_rptr(AUTHORITY_INFO_ACCESS), error);
}

static bool add_one_by_oid(const struct sg_extension *planned, struct sg_buf *list,
                           struct sg_error *error)
{
    sg_auto(ASN1_OBJECT) ASN1_OBJECT *oid = OBJ_txt2obj(planned->oid, 1);

    if (oid == NULL)
        return sg_fail_openssl(error, SG_INTERNAL, NULL, "extension %s has no valid OID",
                               planned->oid);
    if (!append(list, oid, planned->critical, sg_buf_slice(&planned->value), error))
        return sg_error_prefix(error, "extension %s", planned->oid);
    return true;
}

static bool add_planned(const struct inputs *in, struct sg_buf *list, struct sg_error *error)
{
    for (size_t i = 0; i < in->plan->extensions.num; i++)
        if (!add_one_by_oid(&in->plan->extensions.items[i], list, error))
            return false;
    return true;
}

/* In the order of the certificate; and which part of the plan each of them writes. */
static const struct row {
    int nid;
    bool (*add)(const struct inputs *, struct sg_buf *, struct sg_error *);
    enum sg_part part;
    enum sg_many many;
    const char *fixed; /* of those that no plan decides */
} EXTENSIONS[] = {
    {NID_basic_constraints, add_basic_constraints, SG_PART_CA, SG_ALL_ONE, NULL},
    {NID_key_usage, add_key_usage, SG_PART_KEY_USAGE, SG_ALL_ONE, NULL},
    {NID_ext_key_usage, add_purposes, SG_PART_PURPOSE, SG_ONE_EACH, NULL},
    {NID_subject_key_identifier, add_subject_key_id, SG_PART_NONE, SG_ALL_ONE,
     "RFC 5280 4.2.1.2: the digest of the key"},
    {NID_authority_key_identifier, add_authority_key_id, SG_PART_NONE, SG_ALL_ONE,
     "RFC 5280 4.2.1.1: the key identifier of the issuer's certificate"},
    {NID_subject_alt_name, add_alternative_names, SG_PART_SAN, SG_ONE_EACH, NULL},
    {NID_crl_distribution_points, add_crl_points, SG_PART_CRL, SG_ALL_ONE, NULL},
    {NID_info_access, add_information_access, SG_PART_ACCESS, SG_ONE_EACH, NULL},
    {NID_undef, add_planned, SG_PART_EXTENSION, SG_ALL_ONE, NULL},
};
enum { NUM_EXTENSIONS = sizeof EXTENSIONS / sizeof *EXTENSIONS };

bool sg_cert_extensions(const struct sg_plan *plan, const struct sg_issuer_facts *issuer,
                        const struct sg_public_key *key, struct sg_buf *extensions,
                        struct sg_error *error)
{
    const struct inputs in = {plan, issuer, key};
    sg_auto(sg_buf) struct sg_buf content = {0}, list = {0};

    for (size_t i = 0; i < NUM_EXTENSIONS; i++)
        if (!EXTENSIONS[i].add(&in, &content, error))
            return false;
    if (!sg_signed_append_header(&list, SG_DER_SEQUENCE, content.len, INT_MAX, error) ||
        !sg_buf_append(&list, content.data, content.len, INT_MAX, error))
        return false;
    sg_buf_free(extensions);
    *extensions = list;
    list = (struct sg_buf){0};
    return true;
}

enum sg_many sg_extension_source(const ASN1_OBJECT *oid, enum sg_part *part, const char **fixed)
{
    int nid = OBJ_obj2nid(oid);
    const struct row *row = EXTENSIONS;

    while (row < EXTENSIONS + NUM_EXTENSIONS - 1 && row->nid != nid)
        row++;
    *part = row->part;
    *fixed = row->fixed;
    return row->many;
}
