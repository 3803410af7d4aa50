#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>

#include "base/clock.h"
#include "cert.h"
#include "crl.h"
#include "model/undecoded.h"

static bool has_pem(struct sg_slice bytes)
{
    static const char MARK[] = "-----BEGIN ";

    return memmem(bytes.data, bytes.len, MARK, sizeof MARK - 1) != NULL;
}

/* A SEQUENCE with a long length, which no text begins with. */
static bool is_der(struct sg_slice bytes)
{
    return bytes.len >= 2 && bytes.data[0] == 0x30 && bytes.data[1] >= 0x80;
}

/* What can be read, by the labels of RFC 7468 5 and 6 and the older one that OpenSSL knows. */
static const struct kind {
    const char *label, *old_label, *name;
    size_t limit;
} CERTIFICATE = {PEM_STRING_X509, PEM_STRING_X509_OLD, "X.509 certificate", SG_LIMIT_CERTIFICATE},
  CRL = {PEM_STRING_X509_CRL, PEM_STRING_X509_CRL, "CRL", SG_LIMIT_CRL};

/* The one block of a PEM file. */
static bool read_pem(const struct kind *kind, struct sg_slice bytes, const char *path,
                     struct sg_buf *der, struct sg_error *error)
{
    sg_auto(BIO) BIO *file = BIO_new_mem_buf(bytes.data, (int)bytes.len);
    sg_auto(openssl_bytes) char *label = NULL;
    sg_auto(openssl_bytes) char *header = NULL;
    sg_auto(openssl_bytes) uint8_t *data = NULL;
    struct sg_slice rest = {0};
    long len = 0;

    if (file == NULL)
        return sg_fail_memory(error);
    if (!PEM_read_bio(file, &label, &header, &data, &len))
        return sg_fail_openssl(error, SG_MALFORMED, "RFC 7468 2", "%s: the PEM block can't be read",
                               path);
    if (strcmp(label, kind->label) != 0 && strcmp(label, kind->old_label) != 0)
        return sg_fail(error, SG_MALFORMED, "RFC 7468 4", "%s: holds a %.40s where a %s is wanted",
                       path, label, kind->label);
    rest.len = (size_t)BIO_get_mem_data(file, (void *)&rest.data);
    if (has_pem(rest))
        return sg_fail(error, SG_MALFORMED, "RFC 7468 2",
                       "%s: holds more than one PEM block; give each its own file", path);
    return sg_buf_set(der, sg_slice_of(data, (size_t)len), error);
}

/* Makes der of bytes, whichever form they have. */
static bool read_der(const struct kind *kind, struct sg_slice bytes, const char *path,
                     struct sg_buf *der, struct sg_error *error)
{
    if (bytes.len == 0)
        return sg_fail(error, SG_MALFORMED, NULL, "%s: is empty", path);
    if (bytes.len > kind->limit)
        return sg_fail(error, SG_MALFORMED, NULL, "%s: has %zu bytes, %zu are the limit", path,
                       bytes.len, kind->limit);
    if (is_der(bytes) || !has_pem(bytes))
        return sg_buf_set(der, bytes, error);
    return read_pem(kind, bytes, path, der, error);
}

/* Judges what d2i made of der: object, having read up to at. */
static bool check_decoded(const struct kind *kind, const void *object, const struct sg_buf *der,
                          const uint8_t *at, const char *path, struct sg_error *error)
{
    if (object == NULL)
        return sg_fail_openssl(error, SG_MALFORMED, "RFC 5280", "%s: is no %s", path, kind->name);
    /* d2i leaves reports of keys that it can't decode, which is not this room's business. */
    ERR_clear_error();
    if (at != der->data + der->len)
        return sg_fail(error, SG_MALFORMED, "RFC 5280", "%s: %zu bytes follow the end of the %s",
                       path, (size_t)(der->data + der->len - at), kind->name);
    return true;
}

static X509 *decode_all(const uint8_t **at, long len)
{
    return d2i_X509(NULL, at, len);
}

static bool read_certificate(struct sg_slice bytes, const char *path,
                             X509 *(*decode)(const uint8_t **at, long len), X509 **certificate,
                             struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf der = {0};
    sg_auto(X509) X509 *decoded = NULL;
    const uint8_t *at;

    if (!read_der(&CERTIFICATE, bytes, path, &der, error))
        return false;
    at = der.data;
    decoded = decode(&at, (long)der.len);
    if (!check_decoded(&CERTIFICATE, decoded, &der, at, path, error))
        return false;
    *certificate = SG_TAKE(decoded);
    return true;
}

bool sg_cert_read(struct sg_slice bytes, const char *path, X509 **certificate,
                  struct sg_error *error)
{
    return read_certificate(bytes, path, decode_all, certificate, error);
}

bool sg_cert_read_serial(struct sg_slice bytes, const char *path, struct sg_serial *serial,
                         struct sg_error *error)
{
    sg_auto(X509) X509 *certificate = NULL;

    return read_certificate(bytes, path, sg_undecoded_certificate, &certificate, error) &&
           sg_cert_serial(certificate, serial, error);
}

bool sg_crl_read(struct sg_slice bytes, const char *path, X509_CRL **crl, struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf der = {0};
    sg_auto(X509_CRL) X509_CRL *decoded = NULL;
    const uint8_t *at;

    if (!read_der(&CRL, bytes, path, &der, error))
        return false;
    at = der.data;
    decoded = d2i_X509_CRL(NULL, &at, (long)der.len);
    if (!check_decoded(&CRL, decoded, &der, at, path, error))
        return false;
    *crl = SG_TAKE(decoded);
    return true;
}

bool sg_cert_pem(struct sg_slice der, const char *label, struct sg_buf *pem, struct sg_error *error)
{
    sg_auto(BIO) BIO *memory = BIO_new(BIO_s_mem());
    char *text = NULL;
    long len;

    if (memory == NULL || PEM_write_bio(memory, label, "", der.data, (long)der.len) <= 0)
        return sg_fail_openssl(error, SG_FAILED, NULL, "can't write PEM");
    len = BIO_get_mem_data(memory, &text);
    return sg_buf_append(pem, text, (size_t)len, 2 * (size_t)SG_LIMIT_CRL, error);
}

static bool moment_of(const ASN1_TIME *time, const char *what, int64_t *moment,
                      struct sg_error *error)
{
    struct tm tm;

    if (time == NULL || !ASN1_TIME_to_tm(time, &tm))
        return sg_fail_openssl(error, SG_MALFORMED, "RFC 5280 4.1.2.5",
                               "%s of the certificate is no moment", what);
    *moment = timegm(&tm);
    return true;
}

bool sg_cert_validity(const X509 *certificate, int64_t *not_before, int64_t *not_after,
                      struct sg_error *error)
{
    int64_t begin = 0, end = 0;

    if (!moment_of(X509_get0_notBefore(certificate), "notBefore", &begin, error) ||
        !moment_of(X509_get0_notAfter(certificate), "notAfter", &end, error))
        return false;
    *not_before = begin;
    *not_after = end;
    return true;
}

long sg_cert_path_length(X509 *certificate)
{
    return X509_check_ca(certificate) == 1 ? X509_get_pathlen(certificate) : -1;
}

bool sg_cert_serial(const X509 *certificate, struct sg_serial *serial, struct sg_error *error)
{
    sg_auto(BIGNUM) BIGNUM *number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), NULL);
    struct sg_serial read = {0};
    int len;

    if (number == NULL)
        return sg_fail_openssl(error, SG_MALFORMED, "RFC 5280 4.1.2.2",
                               "the serial number can't be read");
    if (BN_is_negative(number) || BN_is_zero(number))
        return sg_fail(error, SG_MALFORMED, "RFC 5280 4.1.2.2",
                       "the serial number is not positive");
    /* One octet more for the sign when the first bit is set. */
    len = BN_num_bits(number) / 8 + 1;
    if (len > SG_LIMIT_SERIAL)
        return sg_fail(error, SG_MALFORMED, "RFC 5280 4.1.2.2",
                       "the serial number has %d octets, %d are the limit", len, SG_LIMIT_SERIAL);
    if (BN_bn2binpad(number, read.bytes, len) != len)
        return sg_fail_openssl(error, SG_INTERNAL, NULL, "the serial number can't be written");
    read.len = (size_t)len;
    *serial = read;
    return true;
}
