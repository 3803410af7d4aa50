#include <openssl/asn1.h>

#include "lint_rules.h"

static bool has_critical_constraints_if_ca(struct sg_lint_view *view)
{
    return !sg_lint_is_ca(view) || sg_lint_critical(view, NID_basic_constraints) == 1;
}

/* OpenSSL takes any octet but zero, and writes the same again. */
static bool has_der_ca_flag(struct sg_lint_view *view)
{
    return !sg_lint_is_ca(view) || view->constraints->ca == 0xff;
}

static bool has_path_length_only_if_ca(struct sg_lint_view *view)
{
    if (view->constraints == NULL || view->constraints->pathlen == NULL)
        return true;
    return sg_lint_is_ca(view) && (sg_lint_usage(view) & SG_KU_KEY_CERT_SIGN) != 0;
}

static bool has_no_negative_path_length(struct sg_lint_view *view)
{
    return view->constraints == NULL || view->constraints->pathlen == NULL ||
           ASN1_INTEGER_get(view->constraints->pathlen) >= 0;
}

/* A CA below one whose path ends there would never be valid. */
static bool is_no_ca_past_the_path(struct sg_lint_view *view)
{
    return !sg_lint_is_ca(view) || view->issuer->certificate == NULL ||
           view->issuer->path_length != 0;
}

/* No keyUsage at all allows everything. */
static bool is_by_a_certificate_signer(struct sg_lint_view *view)
{
    X509 *issuer = view->issuer->certificate;

    return issuer == NULL || ((X509_get_extension_flags(issuer) & EXFLAG_CA) != 0 &&
                              (X509_get_key_usage(issuer) & KU_KEY_CERT_SIGN) != 0);
}

static bool has_key_usage(struct sg_lint_view *view)
{
    return view->key_usage != NULL;
}

static bool has_critical_key_usage(struct sg_lint_view *view)
{
    return sg_lint_critical(view, NID_key_usage) == 1;
}

static bool has_some_key_usage(struct sg_lint_view *view)
{
    return sg_lint_usage(view) != 0;
}

/* DER cuts the zero bits at the end of a list of named bits, and nine have names. */
static bool has_minimal_key_usage(struct sg_lint_view *view)
{
    sg_auto(ASN1_STRING) ASN1_STRING *minimal = ASN1_BIT_STRING_new();
    sg_auto(openssl_bytes) uint8_t *wanted = NULL;
    sg_auto(openssl_bytes) uint8_t *found = NULL;
    int wanted_len, found_len;

    for (int bit = 0; bit <= 8; bit++)
        if (ASN1_BIT_STRING_get_bit(view->key_usage, bit) &&
            !ASN1_BIT_STRING_set_bit(minimal, bit, 1))
            return false;
    wanted_len = i2d_ASN1_BIT_STRING(minimal, &wanted);
    found_len = i2d_ASN1_BIT_STRING(view->key_usage, &found);
    return wanted_len > 0 && found_len > 0 &&
           sg_slice_equal(sg_slice_of(wanted, (size_t)wanted_len),
                          sg_slice_of(found, (size_t)found_len));
}

static bool signs_certificates_exactly_if_ca(struct sg_lint_view *view)
{
    return sg_lint_is_ca(view) == ((sg_lint_usage(view) & SG_KU_KEY_CERT_SIGN) != 0);
}

/* Every CA of ours makes its own CRLs, and nobody else makes any. */
static bool signs_crls_exactly_if_ca(struct sg_lint_view *view)
{
    return sg_lint_is_ca(view) == ((sg_lint_usage(view) & SG_KU_CRL_SIGN) != 0);
}

static bool has_only_bits_with_key_agreement(struct sg_lint_view *view)
{
    unsigned usage = sg_lint_usage(view);

    return (usage & (SG_KU_ENCIPHER_ONLY | SG_KU_DECIPHER_ONLY)) == 0 ||
           (usage & SG_KU_KEY_AGREEMENT) != 0;
}

/* What each kind of key can never do: RFC 8813 3, RFC 3279 2.3.1, RFC 8410 5, RFC 9881 5. */
static bool has_key_usage_of_its_key(struct sg_lint_view *view)
{
    enum {
        ONLY_SIGNS = SG_KU_KEY_ENCIPHERMENT | SG_KU_DATA_ENCIPHERMENT | SG_KU_KEY_AGREEMENT,
    };
    static const struct {
        const char *name; /* as OpenSSL calls the algorithm of the key */
        unsigned never;
    } KINDS[] = {
        {"EC", SG_KU_KEY_ENCIPHERMENT | SG_KU_DATA_ENCIPHERMENT},
        {"RSA", SG_KU_KEY_AGREEMENT},
        {"ED25519", ONLY_SIGNS},
        {"ML-DSA-44", ONLY_SIGNS},
        {"ML-DSA-65", ONLY_SIGNS},
        {"ML-DSA-87", ONLY_SIGNS},
    };
    char words[SG_LINT_FOUND_SIZE];

    for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++)
        if ((sg_lint_usage(view) & KINDS[i].never) != 0 &&
            EVP_PKEY_is_a(view->key.pkey, KINDS[i].name)) /* the slower question last */
            return sg_lint_saw(
                view, "%s",
                sg_key_usage_text(sg_lint_usage(view) & KINDS[i].never, words, sizeof words));
    return true;
}

static bool has_some_purpose(struct sg_lint_view *view)
{
    return view->purposes == NULL || sk_ASN1_OBJECT_num(view->purposes) > 0;
}

static bool has_any_purpose_not_critical(struct sg_lint_view *view)
{
    return sg_lint_critical(view, NID_ext_key_usage) != 1 ||
           !sg_lint_has_purpose(view, NID_anyExtendedKeyUsage);
}

static bool has_no_purpose_twice(struct sg_lint_view *view)
{
    for (int i = 0; i < sk_ASN1_OBJECT_num(view->purposes); i++)
        for (int j = 0; j < i; j++)
            if (OBJ_cmp(sk_ASN1_OBJECT_value(view->purposes, i),
                        sk_ASN1_OBJECT_value(view->purposes, j)) == 0)
                return false;
    return true;
}

static bool has_any_purpose_alone(struct sg_lint_view *view)
{
    return !sg_lint_has_purpose(view, NID_anyExtendedKeyUsage) ||
           sk_ASN1_OBJECT_num(view->purposes) == 1;
}

/* RFC 5280 4.2.1.12: what each purpose needs of key usage. A CA's purposes limit those of the
 * certificates below it, and say nothing about its own key. */
static bool has_key_usage_for_its_purposes(struct sg_lint_view *view)
{
    static const struct {
        int purpose;
        unsigned one_of;
    } PURPOSES[] = {
        {NID_server_auth, SG_KU_DIGITAL_SIGNATURE | SG_KU_KEY_ENCIPHERMENT | SG_KU_KEY_AGREEMENT},
        {NID_client_auth, SG_KU_DIGITAL_SIGNATURE | SG_KU_KEY_AGREEMENT},
        {NID_code_sign, SG_KU_DIGITAL_SIGNATURE},
        {NID_time_stamp, SG_KU_DIGITAL_SIGNATURE | SG_KU_NON_REPUDIATION},
        {NID_OCSP_sign, SG_KU_DIGITAL_SIGNATURE | SG_KU_NON_REPUDIATION},
    };

    for (size_t i = 0; !sg_lint_is_ca(view) && i < sizeof PURPOSES / sizeof *PURPOSES; i++)
        if (sg_lint_has_purpose(view, PURPOSES[i].purpose) &&
            (sg_lint_usage(view) & PURPOSES[i].one_of) == 0)
            return sg_lint_saw(view, "%s", OBJ_nid2sn(PURPOSES[i].purpose));
    return true;
}

const struct sg_lint_rule SG_LINT_USAGE[] = {
    {"RFC 5280 4.2.1.9", "a CA's basicConstraints must be critical",
     has_critical_constraints_if_ca},
    {"X.690 11.1", "cA must be DER: TRUE is 0xff", has_der_ca_flag},
    {"RFC 5280 4.2.1.9", "a path length needs a CA that signs certificates",
     has_path_length_only_if_ca},
    {"RFC 5280 4.2.1.9", "a path length must not be negative", has_no_negative_path_length},
    {"RFC 5280 6.1.4 (l)", "there can be no CA below an issuer with path length 0",
     is_no_ca_past_the_path},
    {"RFC 5280 6.1.4 (k), (n)", "the issuer must be a CA whose keyUsage has keyCertSign",
     is_by_a_certificate_signer},
    {"RFC 5280 4.2.1.3", "keyUsage must be there", has_key_usage},
    {"RFC 5280 4.2.1.3", "keyUsage must be critical", has_critical_key_usage},
    {"RFC 5280 4.2.1.3", "keyUsage must have a bit set", has_some_key_usage},
    {"X.690 11.2.2", "keyUsage must have no zero bits at its end and no bits without a name",
     has_minimal_key_usage},
    {"RFC 5280 4.2.1.9", "keyCertSign must be there exactly if it is a CA",
     signs_certificates_exactly_if_ca},
    {"RFC 5280 4.2.1.3", "cRLSign must be there exactly if it is a CA", signs_crls_exactly_if_ca},
    {"RFC 5280 4.2.1.3", "encipherOnly and decipherOnly need keyAgreement",
     has_only_bits_with_key_agreement},
    {"RFC 8813 3", "keyUsage must suit the kind of key", has_key_usage_of_its_key},
    {"RFC 5280 4.2.1.12", "extendedKeyUsage must not be empty", has_some_purpose},
    {"RFC 5280 4.2.1.12", "anyExtendedKeyUsage must not be critical", has_any_purpose_not_critical},
    {"RFC 5280 4.2.1.12", "no key purpose may be there twice", has_no_purpose_twice},
    {"RFC 5280 4.2.1.12", "anyExtendedKeyUsage must stand alone", has_any_purpose_alone},
    {"RFC 5280 4.2.1.12", "keyUsage must suit the key purposes", has_key_usage_for_its_purposes},
    {0},
};
