#include "parcel_fixture.h"

#include <openssl/err.h>

#include "base/limits.h"

/* Who packs, and whom it is for. */
static struct {
    struct holder packer, rsa, other_rsa, p256, other_p256, p384;
    EVP_PKEY *key; /* that is on its way */
} people;

static int make_people(void **state)
{
    (void)state;
    people.packer = make_holder("P-256", "digitalSignature");
    people.rsa = make_holder("RSA-2048", "keyEncipherment");
    people.other_rsa = make_holder("RSA-2048", "keyEncipherment");
    people.p256 = make_holder("P-256", "keyAgreement");
    people.other_p256 = make_holder("P-256", "keyAgreement");
    people.p384 = make_holder("P-384", "keyAgreement");
    people.key = make_key("P-256");
    return 0;
}

static int free_people(void **state)
{
    (void)state;
    holder_done(&people.packer);
    holder_done(&people.rsa);
    holder_done(&people.other_rsa);
    holder_done(&people.p256);
    holder_done(&people.other_p256);
    holder_done(&people.p384);
    EVP_PKEY_free(people.key);
    return 0;
}

static struct sg_packer packer_of(const struct holder *holder)
{
    return (struct sg_packer){holder->certificate, holder->pkey, EVP_sha256()};
}

static void pack(const EVP_PKEY *key, const struct holder *by, struct sg_plain *signed_data)
{
    const struct sg_packer packer = packer_of(by);
    struct sg_error error = {0};

    expect_success("pack", sg_parcel_pack(key, &packer, signed_data, &error), &error);
}

/* As it is sent. */
static void seal(struct sg_slice plain, const EVP_CIPHER *cipher, int type,
                 const struct holder *recipient, struct sg_plain *der)
{
    const struct sg_sealing how = {cipher, EVP_sha1(), type, true};
    sg_auto(CMS_ContentInfo) CMS_ContentInfo *cms = NULL;
    struct sg_error error = {0};

    expect_success("seal", sg_parcel_seal(plain, &how, recipient->certificate, &cms, &error),
                   &error);
    encode(cms, der);
}

static bool open_by(const struct holder *holder, struct sg_slice der, struct sg_plain *signed_data,
                    struct sg_error *error)
{
    const struct sg_opener opener = {holder->pkey, NULL};

    return sg_parcel_open(der, &opener, signed_data, error);
}

static bool unpack_of(const struct holder *signer, struct sg_slice signed_data, EVP_PKEY **key,
                      struct sg_error *error)
{
    STACK_OF(X509) *signers = sk_X509_new_null();
    bool verdict;

    if (signer != NULL)
        assert_true(sk_X509_push(signers, signer->certificate) > 0);
    verdict = sg_parcel_unpack(signed_data, signers, key, error);
    sk_X509_free(signers);
    return verdict;
}

/* ---- there and back ---- */

static void go_round(const EVP_PKEY *key, const EVP_CIPHER *cipher, const struct holder *holder)
{
    sg_auto(sg_plain) struct sg_plain packed = {0}, sealed = {0}, opened = {0};
    sg_auto(EVP_PKEY) EVP_PKEY *found = NULL;
    struct sg_error error = {0};

    pack(key, &people.packer, &packed);
    seal(sg_plain_slice(&packed), cipher, NID_pkcs7_signed, holder, &sealed);
    expect_success("open", open_by(holder, sg_plain_slice(&sealed), &opened, &error), &error);
    assert_int_equal(opened.len, packed.len);
    assert_memory_equal(opened.data, packed.data, packed.len);
    expect_success("unpack", unpack_of(&people.packer, sg_plain_slice(&opened), &found, &error),
                   &error);
    assert_int_equal(EVP_PKEY_eq(found, key), 1);
}

static void keys_come_out_as_they_went_in(void **state)
{
    const EVP_CIPHER *const ciphers[] = {EVP_aes_128_cbc(), EVP_aes_192_cbc(), EVP_aes_256_cbc()};
    const struct holder *const holders[] = {&people.rsa, &people.p256, &people.p384};
    EVP_PKEY *const keys[] = {people.key, people.p384.pkey, people.rsa.pkey};

    (void)state;
    for (size_t i = 0; i < NUM(ciphers) * NUM(holders) * NUM(keys); i++)
        go_round(keys[i % 3], ciphers[i / 3 % 3], holders[i / 9]);
}

/* A signer whose certificate is of another key signs nothing. */
static void a_packer_has_their_own_certificate(void **state)
{
    const struct sg_packer packer = {people.packer.certificate, people.p256.pkey, EVP_sha256()};
    struct sg_plain untouched = {0};
    struct sg_error error = {0};

    (void)state;
    expect_failure("another key", sg_parcel_pack(people.key, &packer, &untouched, &error), &error,
                   SG_TOKEN, "the package of the key is not signed");
    assert_null(untouched.data);
}

static void pkcs8_is_read_by_others(void **state)
{
    sg_auto(sg_plain) struct sg_plain pkcs8 = {0};
    sg_auto(EVP_PKEY) EVP_PKEY *read = NULL;
    struct sg_error error = {0};
    const uint8_t *at;

    (void)state;
    expect_success("PKCS #8", sg_parcel_pkcs8(people.key, &pkcs8, &error), &error);
    at = pkcs8.data;
    read = d2i_AutoPrivateKey(NULL, &at, (long)pkcs8.len);
    assert_non_null(read);
    assert_ptr_equal(at, pkcs8.data + pkcs8.len);
    assert_int_equal(EVP_PKEY_eq(read, people.key), 1);
}

/* ---- what is encrypted ---- */

static void expect_closed(const char *name, const struct holder *holder, struct sg_slice der,
                          enum sg_code code, const char *complaint)
{
    struct sg_plain untouched = {0};
    struct sg_error error = {0};

    expect_failure(name, open_by(holder, der, &untouched, &error), &error, code, complaint);
    assert_null(untouched.data);
    assert_int_equal(ERR_peek_error(), 0);
}

static void what_is_no_parcel_is_malformed(void **state)
{
    sg_auto(sg_plain) struct sg_plain packed = {0}, sealed = {0}, other = {0}, longer = {0};
    const struct sg_slice junk = sg_slice_text("no DER at all");

    (void)state;
    pack(people.key, &people.packer, &packed);
    seal(sg_plain_slice(&packed), EVP_aes_256_cbc(), NID_pkcs7_signed, &people.rsa, &sealed);
    longer = (struct sg_plain){OPENSSL_zalloc(SG_LIMIT_BODY + 1), SG_LIMIT_BODY + 1};
    memcpy(longer.data, sealed.data, sealed.len);
    expect_closed("junk", &people.rsa, junk, SG_MALFORMED, "is not in EnvelopedData");
    expect_closed("nothing", &people.rsa, sg_slice_of("", 0), SG_MALFORMED,
                  "is not in EnvelopedData");
    expect_closed("cut", &people.rsa, sg_slice_of(sealed.data, sealed.len - 1), SG_MALFORMED,
                  "is not in EnvelopedData");
    expect_closed("an octet behind it", &people.rsa, sg_slice_of(longer.data, sealed.len + 1),
                  SG_MALFORMED, "is not in EnvelopedData");
    expect_closed("only signed", &people.rsa, sg_plain_slice(&packed), SG_MALFORMED,
                  "is not in EnvelopedData");
    expect_closed("too long", &people.rsa, sg_plain_slice(&longer), SG_MALFORMED,
                  "too long to be one");
    seal(sg_plain_slice(&packed), EVP_aes_256_cbc(), NID_pkcs7_data, &people.rsa, &other);
    expect_closed("unsigned", &people.rsa, sg_plain_slice(&other), SG_MALFORMED,
                  "is not SignedData, so nobody answers for it");
}

static void a_parcel_has_one_recipient(void **state)
{
    sg_auto(sg_plain) struct sg_plain packed = {0}, both = {0};
    const struct sg_sealing how = {EVP_aes_256_cbc(), EVP_sha1(), NID_pkcs7_signed, true};
    sg_auto(CMS_ContentInfo) CMS_ContentInfo *two = CMS_EnvelopedData_create(how.cipher);
    BIO *plain;

    (void)state;
    pack(people.key, &people.packer, &packed);
    plain = BIO_new_mem_buf(packed.data, (int)packed.len);
    assert_int_equal(CMS_set1_eContentType(two, OBJ_nid2obj(NID_pkcs7_signed)), 1);
    assert_non_null(CMS_add1_recipient_cert(two, people.rsa.certificate, 0));
    assert_non_null(CMS_add1_recipient_cert(two, people.other_rsa.certificate, 0));
    assert_int_equal(CMS_set_detached(two, 0), 1);
    assert_int_equal(CMS_final(two, plain, NULL, CMS_BINARY), 1);
    encode(two, &both);
    expect_closed("two", &people.rsa, sg_plain_slice(&both), SG_MALFORMED,
                  "not encrypted to exactly one recipient");
    BIO_free(plain);
}

static void another_key_opens_nothing(void **state)
{
    const struct {
        const char *name;
        const struct holder *recipient, *opener;
        const char *complaint;
    } cases[] = {
        {"RSA by another one", &people.rsa, &people.other_rsa, "this key does not open it"},
        {"EC by another one", &people.p256, &people.other_p256, "this key does not open it"},
        {"another curve", &people.p256, &people.p384, "this key does not open it"},
        {"RSA by EC", &people.rsa, &people.p256, "another kind of key"},
        {"EC by RSA", &people.p256, &people.rsa, "another kind of key"},
    };
    sg_auto(sg_plain) struct sg_plain packed = {0};

    (void)state;
    pack(people.key, &people.packer, &packed);
    for (size_t i = 0; i < NUM(cases); i++) {
        sg_auto(sg_plain) struct sg_plain sealed = {0};

        seal(sg_plain_slice(&packed), EVP_aes_128_cbc(), NID_pkcs7_signed, cases[i].recipient,
             &sealed);
        expect_closed(cases[i].name, cases[i].opener, sg_plain_slice(&sealed), SG_REFUSED,
                      cases[i].complaint);
    }
}

/* Where the one value of a kind begins: behind these octets. */
static uint8_t *behind(const struct sg_plain *der, const char *octets, size_t len)
{
    uint8_t *found = memmem(der->data, der->len, octets, len);

    assert_non_null(found);
    return found + len;
}

/* The cipher's OID, and the header of the IV, by which the first block can be changed at will. */
static uint8_t *iv_of(const struct sg_plain *sealed)
{
    static const char AES_256_CBC[] = "\x60\x86\x48\x01\x65\x03\x04\x01\x2a\x04\x10";

    return behind(sealed, AES_256_CBC, sizeof AES_256_CBC - 1);
}

/* Neither the content's key nor its padding is what it was. */
static void what_was_changed_on_its_way_stays_closed(void **state)
{
    const ASN1_OCTET_STRING *key_id = X509_get0_subject_key_id(people.p256.certificate);
    sg_auto(sg_plain) struct sg_plain packed = {0}, sealed = {0}, short_one = {0};

    (void)state;
    pack(people.key, &people.packer, &packed);
    seal(sg_plain_slice(&packed), EVP_aes_256_cbc(), NID_pkcs7_signed, &people.rsa, &sealed);
    behind(&sealed, "\x04\x82\x01\x00", 4)[100] ^= 1; /* of 256 octets */
    expect_closed("the encrypted key", &people.rsa, sg_plain_slice(&sealed), SG_REFUSED,
                  "this key does not open it");
    sg_plain_done(&sealed);
    seal(sg_plain_slice(&packed), EVP_aes_256_cbc(), NID_pkcs7_signed, &people.p256, &sealed);
    behind(&sealed, (const char *)ASN1_STRING_get0_data(key_id), 20)[2 + 20] ^= 1;
    expect_closed("the wrapped key", &people.p256, sg_plain_slice(&sealed), SG_REFUSED,
                  "this key does not open it");
    /* one block, whose padding is known: 15 octets of content and 1 */
    seal(sg_slice_text("fifteen octets!"), EVP_aes_256_cbc(), NID_pkcs7_signed, &people.rsa,
         &short_one);
    iv_of(&short_one)[15] ^= 0xff;
    expect_closed("the padding", &people.rsa, sg_plain_slice(&short_one), SG_REFUSED,
                  "this key does not open it");
}

/* CBC says nothing of a first block that was changed; what is inside does. */
static void a_changed_content_is_no_package(void **state)
{
    sg_auto(sg_plain) struct sg_plain packed = {0}, sealed = {0}, opened = {0};
    EVP_PKEY *untouched = NULL;
    struct sg_error error = {0};

    (void)state;
    pack(people.key, &people.packer, &packed);
    seal(sg_plain_slice(&packed), EVP_aes_256_cbc(), NID_pkcs7_signed, &people.rsa, &sealed);
    *iv_of(&sealed) ^= 1;
    expect_success("open", open_by(&people.rsa, sg_plain_slice(&sealed), &opened, &error), &error);
    expect_failure("unpack", unpack_of(&people.packer, sg_plain_slice(&opened), &untouched, &error),
                   &error, SG_MALFORMED, "no signed package of a key");
    assert_null(untouched);
}

/* ---- what is signed ---- */

static void expect_packed(const char *name, const struct holder *signer,
                          struct sg_slice signed_data, enum sg_code code, const char *complaint)
{
    EVP_PKEY *untouched = NULL;
    struct sg_error error = {0};

    expect_failure(name, unpack_of(signer, signed_data, &untouched, &error), &error, code,
                   complaint);
    assert_null(untouched);
    ERR_clear_error();
}

/* SignedData over anything, of any type: what stands in the ContentInfo. */
static void sign_anything(struct sg_slice content, const char *type, struct sg_plain *signed_data)
{
    CMS_ContentInfo *cms = CMS_sign(NULL, NULL, NULL, NULL, CMS_PARTIAL | CMS_BINARY);
    ASN1_OBJECT *oid = OBJ_txt2obj(type, 1);
    BIO *in = BIO_new_mem_buf(content.data, (int)content.len);
    struct sg_plain whole = {0};
    const uint8_t *at;
    long len;
    int tag, class;

    assert_int_equal(CMS_set1_eContentType(cms, oid), 1);
    assert_non_null(
        CMS_add1_signer(cms, people.packer.certificate, people.packer.pkey, EVP_sha256(), 0));
    assert_int_equal(CMS_set_detached(cms, 0), 1);
    assert_int_equal(CMS_final(cms, in, NULL, CMS_BINARY), 1);
    encode(cms, &whole);
    at = whole.data;
    (void)ASN1_get_object(&at, &len, &tag, &class, (long)whole.len);
    (void)ASN1_get_object(&at, &len, &tag, &class, len);
    at += len;
    (void)ASN1_get_object(&at, &len, &tag, &class, (long)(whole.data + whole.len - at));
    *signed_data = (struct sg_plain){OPENSSL_memdup(at, (size_t)len), (size_t)len};
    sg_plain_done(&whole);
    BIO_free(in);
    ASN1_OBJECT_free(oid);
    CMS_ContentInfo_free(cms);
}

static void only_the_named_signer_counts(void **state)
{
    sg_auto(sg_plain) struct sg_plain packed = {0}, foreign = {0};

    (void)state;
    pack(people.key, &people.packer, &packed);
    expect_packed("nobody", NULL, sg_plain_slice(&packed), SG_REFUSED,
                  "not signed by whose certificate was named");
    expect_packed("somebody else", &people.p256, sg_plain_slice(&packed), SG_REFUSED,
                  "not signed by whose certificate was named");
    /* whose certificate is inside, and is believed no more for that */
    pack(people.key, &people.p256, &foreign);
    expect_packed("their own", &people.packer, sg_plain_slice(&foreign), SG_REFUSED,
                  "not signed by whose certificate was named");
}

static void a_key_that_was_exchanged_is_not_signed(void **state)
{
    static const char SCALAR[] = "\x02\x01\x01\x04\x20"; /* version, and the header of 32 octets */
    sg_auto(sg_plain) struct sg_plain packed = {0};

    (void)state;
    pack(people.key, &people.packer, &packed);
    behind(&packed, SCALAR, 5)[7] ^= 1;
    expect_packed("changed", &people.packer, sg_plain_slice(&packed), SG_REFUSED,
                  "not signed by whose certificate was named");
}

/* An AsymmetricKeyPackage of num keys. */
static void make_package(unsigned num, struct sg_plain *package)
{
    sg_auto(sg_plain) struct sg_plain pkcs8 = {0};
    uint8_t *at;

    assert_true(sg_parcel_pkcs8(people.key, &pkcs8, NULL));
    package->len = (size_t)ASN1_object_size(1, (int)(num * pkcs8.len), V_ASN1_SEQUENCE);
    package->data = at = OPENSSL_malloc(package->len);
    ASN1_put_object(&at, 1, (int)(num * pkcs8.len), V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL);
    for (unsigned i = 0; i < num; i++, at += pkcs8.len)
        memcpy(at, pkcs8.data, pkcs8.len);
}

static void a_package_has_one_key(void **state)
{
    (void)state;
    for (unsigned num = 0; num < 3; num++) {
        sg_auto(sg_plain) struct sg_plain package = {0}, signed_data = {0};
        sg_auto(EVP_PKEY) EVP_PKEY *found = NULL;
        struct sg_error error = {0};

        make_package(num, &package);
        sign_anything(sg_plain_slice(&package), SG_OID_KEY_PACKAGE, &signed_data);
        if (num == 1)
            expect_success("one",
                           unpack_of(&people.packer, sg_plain_slice(&signed_data), &found, &error),
                           &error);
        else
            expect_packed("none, or two", &people.packer, sg_plain_slice(&signed_data),
                          SG_MALFORMED, "no package of one private key");
    }
}

static void other_things_that_are_signed_are_no_package(void **state)
{
    static const struct {
        const char *name, *type, *complaint;
    } CASES[] = {
        {"data", "1.2.840.113549.1.7.1", "no signed package of a key"},
        {"no package inside", SG_OID_KEY_PACKAGE, "no package of one private key"},
    };

    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++) {
        sg_auto(sg_plain) struct sg_plain signed_data = {0};

        sign_anything(sg_slice_text("a text"), CASES[i].type, &signed_data);
        expect_packed(CASES[i].name, &people.packer, sg_plain_slice(&signed_data), SG_MALFORMED,
                      CASES[i].complaint);
    }
    expect_packed("junk", &people.packer, sg_slice_text("no DER at all"), SG_MALFORMED,
                  "no signed package of a key");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_come_out_as_they_went_in),
        cmocka_unit_test(a_packer_has_their_own_certificate),
        cmocka_unit_test(pkcs8_is_read_by_others),
        cmocka_unit_test(what_is_no_parcel_is_malformed),
        cmocka_unit_test(a_parcel_has_one_recipient),
        cmocka_unit_test(another_key_opens_nothing),
        cmocka_unit_test(what_was_changed_on_its_way_stays_closed),
        cmocka_unit_test(a_changed_content_is_no_package),
        cmocka_unit_test(only_the_named_signer_counts),
        cmocka_unit_test(a_key_that_was_exchanged_is_not_signed),
        cmocka_unit_test(a_package_has_one_key),
        cmocka_unit_test(other_things_that_are_signed_are_no_package),
    };

    return cmocka_run_group_tests(tests, make_people, free_people);
}
