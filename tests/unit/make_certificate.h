/* make_certificate: CAs in memory for tests: keys without a token, and certificates that go through
 * build, lint, sign and attach as real ones do. */
#ifndef SG_TEST_MAKE_CERTIFICATE_H
#define SG_TEST_MAKE_CERTIFICATE_H

#include "expect.h"

#include "base/clock.h"
#include "cert/cert.h"
#include "cert/crl.h"

/* 2026-01-01T00:00:00Z */
enum { TEST_NOW = 1767225600, TEST_DAY = 24 * 3600 };

struct party {
    EVP_PKEY *pkey;
    struct sg_public_key key;
    X509 *certificate;
    struct sg_issuer_facts facts; /* of the party as an issuer */
};

static inline void party_done(struct party *party)
{
    EVP_PKEY_free(party->pkey);
    X509_free(party->certificate);
    sg_public_key_done(&party->key);
    sg_public_key_done(&party->facts.key);
}

static inline void must(bool verdict, const struct sg_error *error)
{
    if (!verdict)
        fail_msg("%s: %s", error->rule, error->text);
}

static inline void decode_key(EVP_PKEY *pkey, struct sg_public_key *key)
{
    uint8_t *spki = NULL;
    int len = i2d_PUBKEY(pkey, &spki);
    struct sg_error error = {0};

    assert_true(len > 0);
    must(sg_public_key_decode(sg_slice_of(spki, (size_t)len), key, &error), &error);
    OPENSSL_free(spki);
}

/* algorithm: "RSA" (2048), "ED25519" or a curve's name. The party is no issuer with a certificate
 * yet: as it stands, it certifies itself. */
static inline void make_party(struct party *party, const char *algorithm, enum sg_scheme scheme)
{
    *party = (struct party){0};
    if (strcmp(algorithm, "RSA") == 0)
        party->pkey = EVP_RSA_gen(2048);
    else if (strcmp(algorithm, "ED25519") == 0)
        party->pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    else
        party->pkey = EVP_EC_gen(algorithm);
    assert_non_null(party->pkey);
    decode_key(party->pkey, &party->key);
    decode_key(party->pkey, &party->facts.key);
    party->facts.name = "test";
    party->facts.scheme = scheme;
    party->facts.not_after = SG_TIME_NEVER;
    party->facts.path_length = -1;
    party->facts.crl_url = "http://pki.example.com/test.crl";
    party->facts.ocsp_url = "http://pki.example.com/ocsp";
    party->facts.ca_issuers_url = "http://pki.example.com/test.cer";
}

static inline void sign(const struct party *signer, struct sg_slice bytes, struct sg_buf *signature)
{
    sg_auto(EVP_MD_CTX) EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY_CTX *parameters = NULL;
    uint8_t made[1024];
    size_t len = sizeof made;

    assert_int_equal(EVP_DigestSignInit(context, &parameters,
                                        sg_scheme_digest(signer->facts.scheme), NULL, signer->pkey),
                     1);
    if (sg_scheme_is_pss(signer->facts.scheme)) {
        assert_true(EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) > 0);
        assert_true(EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, RSA_PSS_SALTLEN_DIGEST) > 0);
    }
    assert_int_equal(EVP_DigestSign(context, made, &len, bytes.data, bytes.len), 1);
    assert_true(sg_buf_set(signature, sg_slice_of(made, len), NULL));
}

/* 16 octets that end with number. */
static inline struct sg_serial make_serial(uint8_t number)
{
    struct sg_serial serial = {.len = 16};

    memset(serial.bytes, 0x5a, 16);
    serial.bytes[15] = number;
    return serial;
}

/* "CN=name,O=Example GmbH", a year from TEST_NOW; a CA without a path length. */
static inline void make_ca_plan(struct sg_plan *plan, const char *name)
{
    *plan = (struct sg_plan){
        .policy = "test-ca",
        .key_usage = SG_KU_KEY_CERT_SIGN | SG_KU_CRL_SIGN,
        .ca = true,
        .path_length = -1,
        .not_before = TEST_NOW,
        .not_after = TEST_NOW + INT64_C(365) * TEST_DAY,
    };
    assert_true(sg_name_add(&plan->subject, "2.5.4.3", name, NULL));
    assert_true(sg_name_add(&plan->subject, "2.5.4.10", "Example GmbH", NULL));
}

/* A TLS client's, with a URI and all that can be published. */
static inline void make_device_plan(struct sg_plan *plan, const char *name)
{
    make_ca_plan(plan, name);
    plan->policy = "test-device";
    plan->key_usage = SG_KU_DIGITAL_SIGNATURE;
    plan->ca = false;
    plan->publish_crl = plan->publish_ocsp = plan->publish_ca_issuers = true;
    assert_true(sg_oids_add(&plan->purposes, "1.3.6.1.5.5.7.3.2", NULL));
    assert_true(sg_sans_add(&plan->sans, SG_SAN_URI, "urn:dev:org:32473-device", NULL));
}

static inline X509 *decode_certificate(struct sg_slice der)
{
    const uint8_t *at = der.data;
    X509 *certificate = d2i_X509(NULL, &at, (long)der.len);

    assert_non_null(certificate);
    assert_ptr_equal(at, der.data + der.len);
    return certificate;
}

/* The whole way: build, lint, sign, attach. */
static inline void issue(const struct sg_plan *plan, const struct party *issuer,
                         struct party *subject, uint8_t number)
{
    sg_auto(sg_buf) struct sg_buf tbs = {0};
    sg_auto(sg_buf) struct sg_buf signature = {0};
    sg_auto(sg_buf) struct sg_buf der = {0};
    struct sg_serial serial = make_serial(number);
    struct sg_error error = {0};

    must(sg_cert_build(plan, &issuer->facts, &subject->key, &serial, &tbs, &error), &error);
    must(sg_lint(sg_buf_slice(&tbs), &issuer->facts, &error), &error);
    sign(issuer, sg_buf_slice(&tbs), &signature);
    must(sg_cert_attach(sg_buf_slice(&tbs), issuer->facts.scheme, sg_buf_slice(&signature), &der,
                        &error),
         &error);
    subject->certificate = decode_certificate(sg_buf_slice(&der));
    if (!plan->ca)
        return;
    subject->facts.certificate = subject->certificate;
    subject->facts.path_length = plan->path_length;
    subject->facts.not_before = plan->not_before;
    subject->facts.not_after = plan->not_after;
}

/* A root: a party that has certified itself. */
static inline void make_root(struct party *root, const char *algorithm, enum sg_scheme scheme)
{
    sg_auto(sg_plan) struct sg_plan plan = {0};

    make_party(root, algorithm, scheme);
    make_ca_plan(&plan, "Example Root");
    plan.not_after = SG_TIME_NEVER;
    issue(&plan, root, root, 1);
}

static inline void make_ca(struct party *ca, const char *algorithm, enum sg_scheme scheme,
                           const struct party *above)
{
    sg_auto(sg_plan) struct sg_plan plan = {0};

    make_party(ca, algorithm, scheme);
    make_ca_plan(&plan, "Example Issuing CA");
    plan.path_length = 0;
    issue(&plan, above, ca, 2);
}

static inline void make_device(struct party *device, const char *algorithm,
                               const struct party *above)
{
    sg_auto(sg_plan) struct sg_plan plan = {0};

    make_party(device, algorithm, SG_SCHEME_NONE);
    make_device_plan(&plan, "device-AB12");
    issue(&plan, above, device, 3);
}

#endif
