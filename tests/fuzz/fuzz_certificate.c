#include "cert/cert.h"
#include "cert/crl.h"
#include "cert/show.h"

#include "target.h"

/* An abort is a finding. */
static void expect(bool truth)
{
    if (!truth)
        abort();
}

/* What is shown can't steer a terminal. */
static void expect_printable(const struct sg_buf *text)
{
    for (size_t i = 0; i < text->len; i++)
        expect(text->data[i] >= ' ' || text->data[i] == '\n');
}

static void expect_refusal(const struct sg_error *error)
{
    expect(error->code == SG_MALFORMED && error->text[0] != '\0');
}

/* The certificate as if it were about to be signed, by itself and by another. */
static void lint(X509 *certificate)
{
    sg_auto(openssl_bytes) uint8_t *tbs = NULL;
    int len = i2d_re_X509_tbs(certificate, &tbs);
    struct sg_issuer_facts issuer = {.scheme = SG_ECDSA_SHA256, .path_length = -1};

    for (int i = 0; len > 0 && i < 2; i++) {
        struct sg_error error = {0};

        if (!sg_lint(sg_slice_of(tbs, (size_t)len), &issuer, &error))
            expect(error.code == SG_INTERNAL && error.text[0] != '\0');
        issuer.certificate = certificate;
    }
}

static void try_certificate(struct sg_slice bytes)
{
    sg_auto(X509) X509 *certificate = NULL;
    sg_auto(sg_buf) struct sg_buf text = {0};
    struct sg_error error = {0};
    struct sg_serial serial;
    int64_t not_before, not_after;

    if (!sg_cert_read(bytes, "fuzz", &certificate, &error)) {
        expect_refusal(&error);
        return;
    }
    expect(sg_show_certificate(certificate, 0, &text, &error));
    expect_printable(&text);
    if (!sg_cert_serial(certificate, &serial, &error))
        expect_refusal(&error);
    sg_error_clear(&error);
    if (!sg_cert_validity(certificate, &not_before, &not_after, &error))
        expect_refusal(&error);
    expect(sg_cert_path_length(certificate) >= -1);
    lint(certificate);
}

static void try_crl(struct sg_slice bytes)
{
    sg_auto(X509_CRL) X509_CRL *crl = NULL;
    sg_auto(sg_buf) struct sg_buf text = {0};
    struct sg_error error = {0};

    if (!sg_crl_read(bytes, "fuzz", &crl, &error)) {
        expect_refusal(&error);
        return;
    }
    expect(sg_show_crl(crl, 0, SG_SHOW_CRL_ENTRIES, &text, &error));
    expect_printable(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    try_certificate(sg_slice_of(data, size));
    try_crl(sg_slice_of(data, size));
    return 0;
}
