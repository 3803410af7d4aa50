#include <openssl/asn1.h>
#include <openssl/err.h>

#include "attach.h"
#include "crl.h"
#include "lint_rules.h"

enum { CRL_VERSION_2 = 1, UNUSED_REASON = 7 /* RFC 5280 5.3.1 */ };

static void view_done(struct sg_crl_lint_view *view)
{
    X509_CRL_free(view->crl);
    AUTHORITY_KEYID_free(view->authority_key_id);
    ASN1_INTEGER_free(view->number);
}

SG_DEFINE_CLEANUP_IN_PLACE(sg_crl_lint_view, view_done)

static bool re_encodes_to_itself(struct sg_crl_lint_view *view)
{
    sg_auto(openssl_bytes) uint8_t *bytes = NULL;
    int len = i2d_re_X509_CRL_tbs(view->crl, &bytes);

    return len > 0 && sg_slice_equal(view->tbs, sg_slice_of(bytes, (size_t)len));
}

static bool is_version_2(struct sg_crl_lint_view *view)
{
    return X509_CRL_get_version(view->crl) == CRL_VERSION_2;
}

/* OpenSSL 3.0 has no way to the inner algorithm of an X509_CRL: it is the second element. */
static bool is_signed_as_the_issuer_signs(struct sg_crl_lint_view *view)
{
    const uint8_t *at = view->tbs.data;
    ASN1_SEQUENCE_ANY *elements = d2i_ASN1_SEQUENCE_ANY(NULL, &at, (long)view->tbs.len);
    const ASN1_TYPE *second =
        sk_ASN1_TYPE_num(elements) > 1 ? sk_ASN1_TYPE_value(elements, 1) : NULL;
    sg_auto(X509_ALGOR) X509_ALGOR *algorithm = NULL;

    if (second != NULL && second->type == V_ASN1_SEQUENCE)
        algorithm = ASN1_item_unpack(second->value.sequence, ASN1_ITEM_rptr(X509_ALGOR));
    sk_ASN1_TYPE_pop_free(elements, ASN1_TYPE_free);
    return algorithm != NULL && sg_lint_scheme_is(algorithm, view->issuer->scheme);
}

static bool has_the_issuers_name(struct sg_crl_lint_view *view)
{
    const uint8_t *own = NULL, *wanted = NULL;
    size_t own_len = 0, wanted_len = 0;

    return X509_NAME_get0_der(X509_CRL_get_issuer(view->crl), &own, &own_len) &&
           X509_NAME_get0_der(X509_get_subject_name(view->issuer->certificate), &wanted,
                              &wanted_len) &&
           sg_slice_equal(sg_slice_of(own, own_len), sg_slice_of(wanted, wanted_len));
}

static bool has_a_next_update(struct sg_crl_lint_view *view)
{
    return X509_CRL_get0_nextUpdate(view->crl) != NULL;
}

static bool has_right_times(struct sg_crl_lint_view *view)
{
    return sg_lint_time_is_right(X509_CRL_get0_lastUpdate(view->crl)) &&
           sg_lint_time_is_right(X509_CRL_get0_nextUpdate(view->crl));
}

static bool ends_after_it_begins(struct sg_crl_lint_view *view)
{
    return ASN1_TIME_compare(X509_CRL_get0_lastUpdate(view->crl),
                             X509_CRL_get0_nextUpdate(view->crl)) == -1;
}

static bool has_no_empty_list(struct sg_crl_lint_view *view)
{
    const STACK_OF(X509_REVOKED) *entries = X509_CRL_get_REVOKED(view->crl);

    return entries == NULL || sk_X509_REVOKED_num(entries) > 0;
}

static bool every_entry(struct sg_crl_lint_view *view, bool (*check)(const X509_REVOKED *entry))
{
    const STACK_OF(X509_REVOKED) *entries = X509_CRL_get_REVOKED(view->crl);

    for (int i = 0; i < sk_X509_REVOKED_num(entries); i++)
        if (!check(sk_X509_REVOKED_value(entries, i)))
            return false;
    return true;
}

static bool entry_has_a_serial(const X509_REVOKED *entry)
{
    const ASN1_INTEGER *serial = X509_REVOKED_get0_serialNumber(entry);
    struct sg_slice bytes = sg_lint_string(serial);
    size_t sign = bytes.len > 0 && (bytes.data[0] & 0x80) != 0;

    return ASN1_STRING_type(serial) == V_ASN1_INTEGER && bytes.len + sign <= SG_LIMIT_SERIAL &&
           (bytes.len > 1 || (bytes.len == 1 && bytes.data[0] != 0));
}

static bool entry_has_a_right_time(const X509_REVOKED *entry)
{
    return sg_lint_time_is_right(X509_REVOKED_get0_revocationDate(entry));
}

/* Nothing but reasonCode, not critical, and never to say that nothing is said. */
static bool entry_has_a_right_reason(const X509_REVOKED *entry)
{
    int critical = -1;
    sg_auto(ASN1_STRING) ASN1_STRING *reason = NULL;
    long code;

    if (X509_REVOKED_get_ext_count(entry) == 0)
        return true;
    reason = X509_REVOKED_get_ext_d2i(entry, NID_crl_reason, &critical, NULL);
    if (reason == NULL || critical != 0 || X509_REVOKED_get_ext_count(entry) != 1)
        return false;
    code = ASN1_ENUMERATED_get(reason);
    return code > SG_REASON_UNSPECIFIED && code <= SG_REASON_AA_COMPROMISE &&
           code != SG_REASON_REMOVE_FROM_CRL && code != UNUSED_REASON;
}

static bool has_right_serials(struct sg_crl_lint_view *view)
{
    return every_entry(view, entry_has_a_serial);
}

static bool has_right_revocation_times(struct sg_crl_lint_view *view)
{
    return every_entry(view, entry_has_a_right_time);
}

static bool has_right_reasons(struct sg_crl_lint_view *view)
{
    return every_entry(view, entry_has_a_right_reason);
}

static int compare_serials(const X509_REVOKED *const *a, const X509_REVOKED *const *b)
{
    return ASN1_INTEGER_cmp(X509_REVOKED_get0_serialNumber(*a), X509_REVOKED_get0_serialNumber(*b));
}

static bool has_no_serial_twice(struct sg_crl_lint_view *view)
{
    STACK_OF(X509_REVOKED) *sorted = sk_X509_REVOKED_dup(X509_CRL_get_REVOKED(view->crl));
    bool unique = true;

    if (sorted == NULL)
        return false;
    sk_X509_REVOKED_set_cmp_func(sorted, compare_serials);
    sk_X509_REVOKED_sort(sorted);
    for (int i = 1; unique && i < sk_X509_REVOKED_num(sorted); i++) {
        const X509_REVOKED *before = sk_X509_REVOKED_value(sorted, i - 1);
        const X509_REVOKED *entry = sk_X509_REVOKED_value(sorted, i);

        unique = compare_serials(&before, &entry) != 0;
    }
    sk_X509_REVOKED_free(sorted);
    return unique;
}

static bool has_only_its_extensions(struct sg_crl_lint_view *view)
{
    for (int i = 0; i < X509_CRL_get_ext_count(view->crl); i++) {
        X509_EXTENSION *extension = X509_CRL_get_ext(view->crl, i);
        int nid = OBJ_obj2nid(X509_EXTENSION_get_object(extension));

        if ((nid != NID_authority_key_identifier && nid != NID_crl_number) ||
            X509_EXTENSION_get_critical(extension) || !sg_lint_extension_is_der(extension))
            return false;
    }
    return X509_CRL_get_ext_count(view->crl) == 2;
}

static bool has_the_issuers_key_id(struct sg_crl_lint_view *view)
{
    return view->authority_key_id != NULL && view->authority_key_id->keyid != NULL &&
           sg_lint_is_key_id_of(view->authority_key_id->keyid, view->issuer->certificate);
}

/* Issuer and serial number, the other method, are left out as in certificates. */
static bool has_a_key_id_alone(struct sg_crl_lint_view *view)
{
    return view->authority_key_id == NULL ||
           (view->authority_key_id->issuer == NULL && view->authority_key_id->serial == NULL);
}

/* No keyUsage at all allows everything. */
static bool is_by_a_crl_signer(struct sg_crl_lint_view *view)
{
    return (X509_get_key_usage(view->issuer->certificate) & KU_CRL_SIGN) != 0;
}

static bool has_a_number(struct sg_crl_lint_view *view)
{
    struct sg_slice bytes;

    if (view->number == NULL || ASN1_STRING_type(view->number) != V_ASN1_INTEGER)
        return false;
    bytes = sg_lint_string(view->number);
    return bytes.len + (bytes.len > 0 && (bytes.data[0] & 0x80) != 0) <= SG_LIMIT_CRL_NUMBER;
}

const struct sg_crl_lint_rule SG_CRL_LINT_RULES[] = {
    {"RFC 5280 5.1", "it must be DER: re-encoding must give the same bytes", re_encodes_to_itself},
    {"RFC 5280 5.1.2.1", "it must be version 2", is_version_2},
    {"RFC 5280 5.1.2.2", "the signature algorithm must be the issuer's",
     is_signed_as_the_issuer_signs},
    {"RFC 5280 5.1.2.3", "the issuer must be named by its own certificate's subject, byte for byte",
     has_the_issuers_name},
    {"RFC 5280 6.3.3 (f)", "the issuer's keyUsage must have cRLSign", is_by_a_crl_signer},
    {"RFC 5280 5.1.2.5", "nextUpdate must be there", has_a_next_update},
    {"RFC 5280 5.1.2.4",
     "times must be UTCTime through 2049 and GeneralizedTime from 2050, with seconds and Z",
     has_right_times},
    {"RFC 5280 5.1.2.5", "nextUpdate must come after thisUpdate", ends_after_it_begins},
    {"RFC 5280 5.1.2.6", "an empty list of entries must be left out", has_no_empty_list},
    {"RFC 5280 4.1.2.2", "every entry's serial number must be positive and have at most 20 octets",
     has_right_serials},
    {"RFC 5280 5.1.2.6", "every revocation date must have the right form",
     has_right_revocation_times},
    {"RFC 5280 5.3.1", "an entry may have a reason, not critical and not unspecified",
     has_right_reasons},
    {"RFC 5280 5.1.2.6", "no serial number may be there twice", has_no_serial_twice},
    {"RFC 5280 5.2", "its extensions must be authorityKeyIdentifier and cRLNumber, not critical",
     has_only_its_extensions},
    {"RFC 5280 5.2.1", "authorityKeyIdentifier must be the issuer's subjectKeyIdentifier",
     has_the_issuers_key_id},
    {"RFC 5280 5.2.1", "authorityKeyIdentifier must have no issuer and serial number",
     has_a_key_id_alone},
    {"RFC 5280 5.2.3", "cRLNumber must not be negative and have at most 20 octets", has_a_number},
    {0},
};

static bool decode(struct sg_crl_lint_view *view, struct sg_error *error)
{
    sg_auto(X509_ALGOR) X509_ALGOR *algorithm = NULL;
    sg_auto(sg_buf) struct sg_buf shell = {0};
    const uint8_t *at;

    if (!sg_scheme_algorithm(view->issuer->scheme, &algorithm, error) ||
        !sg_signed_encode(view->tbs, algorithm, sg_slice_of("", 0),
                          SG_LIMIT_CRL + (size_t)SG_LIMIT_SIGNATURE, &shell, error))
        return false;
    at = shell.data;
    view->crl = d2i_X509_CRL(NULL, &at, (long)shell.len);
    if (view->crl == NULL)
        return sg_fail_openssl(error, SG_INTERNAL, "RFC 5280 5.1",
                               "the CRL that was built can't be decoded");
    view->authority_key_id =
        X509_CRL_get_ext_d2i(view->crl, NID_authority_key_identifier, NULL, NULL);
    view->number = X509_CRL_get_ext_d2i(view->crl, NID_crl_number, NULL, NULL);
    return true;
}

bool sg_crl_lint(struct sg_slice tbs, const struct sg_issuer_facts *issuer, struct sg_error *error)
{
    sg_auto(sg_crl_lint_view) struct sg_crl_lint_view view = {.tbs = tbs, .issuer = issuer};

    if (issuer->certificate == NULL)
        return sg_fail(error, SG_INTERNAL, NULL, "an issuer without a certificate makes no CRL");
    if (!decode(&view, error))
        return false;
    for (const struct sg_crl_lint_rule *rule = SG_CRL_LINT_RULES; rule->section != NULL; rule++) {
        bool holds = rule->holds(&view);

        ERR_clear_error();
        if (!holds)
            return sg_fail(error, SG_INTERNAL, rule->section,
                           "the CRL that was built must not be signed: %s", rule->what);
    }
    return true;
}
