#include "parcel_fixture.h"

#include <openssl/err.h>
#include <openssl/rsa.h>

static void recipients_are_judged(void **state)
{
    static const struct {
        const char *kind, *usage;
        long valid_s;
        const char *rule, *complaint; /* NULL: keys can be encrypted to it */
    } CASES[] = {
        {"RSA-2048", "keyEncipherment", 60, NULL, NULL},
        {"RSA-2048", NULL, 60, NULL, NULL},
        {"RSA-2048", "digitalSignature,keyEncipherment", 60, NULL, NULL},
        {"RSA-2048", "digitalSignature", 60, "RFC 5280 4.2.1.3", "key usage keyEncipherment"},
        {"RSA-2048", "keyAgreement", 60, "RFC 5280 4.2.1.3", "key usage keyEncipherment"},
        {"RSA-2048", "keyEncipherment", -60, "RFC 5280 4.1.2.5", "has expired"},
        {"RSA-1024", "keyEncipherment", 60, "", "too weak"},
        {"P-256", "keyAgreement", 60, NULL, NULL},
        {"P-384", NULL, 60, NULL, NULL},
        {"P-256", "keyEncipherment", 60, "RFC 5280 4.2.1.3", "key usage keyAgreement"},
        {"P-256", "keyAgreement", -60, "RFC 5280 4.1.2.5", "has expired"},
        {"P-192", "keyAgreement", 60, "", "too weak"},
        {"ED25519", "digitalSignature", 60, "RFC 5652 6.2", "an RSA or EC key"},
    };

    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++) {
        EVP_PKEY *pkey = make_key(CASES[i].kind);
        X509 *certificate = certify(pkey, CASES[i].usage, CASES[i].valid_s);
        struct sg_error error = {0};
        const bool verdict = sg_parcel_check_recipient(certificate, &error);

        if (CASES[i].complaint == NULL) {
            expect_success(CASES[i].kind, verdict, &error);
        } else {
            expect_failure(CASES[i].kind, verdict, &error, SG_REFUSED, CASES[i].complaint);
            assert_string_equal(error.rule, CASES[i].rule);
        }
        X509_free(certificate);
        EVP_PKEY_free(pkey);
    }
}

static CMS_RecipientInfo *only_recipient(CMS_ContentInfo *cms)
{
    STACK_OF(CMS_RecipientInfo) *infos = CMS_get0_RecipientInfos(cms);

    assert_int_equal(sk_CMS_RecipientInfo_num(infos), 1);
    return sk_CMS_RecipientInfo_value(infos, 0);
}

static bool is_named_by_key_id(CMS_RecipientInfo *info)
{
    ASN1_OCTET_STRING *key_id = NULL;
    X509_NAME *issuer = NULL;
    ASN1_INTEGER *serial = NULL;
    CMS_RecipientEncryptedKey *key;

    if (CMS_RecipientInfo_type(info) == CMS_RECIPINFO_TRANS) {
        assert_int_equal(CMS_RecipientInfo_ktri_get0_signer_id(info, &key_id, &issuer, &serial), 1);
        return key_id != NULL;
    }
    key = sk_CMS_RecipientEncryptedKey_value(CMS_RecipientInfo_kari_get0_reks(info), 0);
    assert_int_equal(CMS_RecipientEncryptedKey_get0_id(key, &key_id, NULL, NULL, &issuer, &serial),
                     1);
    return key_id != NULL;
}

/* OpenSSL alone opens it again. */
static void what_is_sealed_is_as_it_was_wanted(void **state)
{
    static const char TEXT[] = "octets that nobody else shall see";
    static const struct {
        const char *kind;
        bool by_key_id;
        int type;
    } CASES[] = {
        {"RSA-2048", true, CMS_RECIPINFO_TRANS},
        {"RSA-2048", false, CMS_RECIPINFO_TRANS},
        {"P-256", true, CMS_RECIPINFO_AGREE},
        {"P-384", false, CMS_RECIPINFO_AGREE},
    };

    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++) {
        struct holder holder = make_holder(CASES[i].kind, NULL);
        const struct sg_sealing how = {EVP_aes_192_cbc(), EVP_sha256(), NID_pkcs7_data,
                                       CASES[i].by_key_id};
        sg_auto(CMS_ContentInfo) CMS_ContentInfo *cms = NULL;
        sg_auto(sg_plain) struct sg_plain der = {0};
        BIO *out = BIO_new(BIO_s_mem());
        struct sg_error error = {0};
        char *text = NULL;

        expect_success(CASES[i].kind,
                       sg_parcel_seal(sg_slice_text(TEXT), &how, holder.certificate, &cms, &error),
                       &error);
        encode(cms, &der);
        assert_null(memmem(der.data, der.len, TEXT, strlen(TEXT)));
        assert_int_equal(CMS_RecipientInfo_type(only_recipient(cms)), CASES[i].type);
        assert_int_equal(is_named_by_key_id(only_recipient(cms)), CASES[i].by_key_id);
        assert_int_equal(CMS_decrypt(cms, holder.pkey, holder.certificate, NULL, out, 0), 1);
        assert_int_equal(BIO_get_mem_data(out, &text), strlen(TEXT));
        assert_memory_equal(text, TEXT, strlen(TEXT));
        BIO_free(out);
        holder_done(&holder);
    }
}

static void nothing_is_sealed_to_a_key_that_only_signs(void **state)
{
    struct holder holder = make_holder("ED25519", NULL);
    const struct sg_sealing how = {EVP_aes_256_cbc(), EVP_sha1(), NID_pkcs7_data, true};
    CMS_ContentInfo *untouched = NULL;
    struct sg_error error = {0};

    (void)state;
    expect_failure("Ed25519",
                   sg_parcel_seal(sg_slice_text("x"), &how, holder.certificate, &untouched, &error),
                   &error, SG_FAILED, "can't be encrypted");
    assert_null(untouched);
    holder_done(&holder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recipients_are_judged),
        cmocka_unit_test(what_is_sealed_is_as_it_was_wanted),
        cmocka_unit_test(nothing_is_sealed_to_a_key_that_only_signs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
