#include "expect.h"

#include <string.h>

#include "service/tls_key.h"

static const char CONTEXT[] = "TLS 1.3, server CertificateVerify";

/* As the protocols have it; the cases spoil it. */
static size_t make_certificate_verify(uint8_t bytes[256], size_t hash)
{
    memset(bytes, ' ', 64);
    memcpy(bytes + 64, CONTEXT, sizeof CONTEXT);
    memset(bytes + 64 + sizeof CONTEXT, 0xab, hash);
    return 64 + sizeof CONTEXT + hash;
}

static size_t make_server_key_exchange(uint8_t bytes[256], size_t point)
{
    memset(bytes, 0x5a, 64);
    bytes[64] = 3;
    bytes[65] = 0;
    bytes[66] = 29;
    bytes[67] = (uint8_t)point;
    memset(bytes + 68, 0xab, point);
    return 68 + point;
}

static void expect(const char *name, bool wanted, const uint8_t *bytes, size_t len)
{
    if (sg_tls_is_handshake(sg_slice_of(bytes, len)) != wanted)
        fail_msg("%s: %s", name, wanted ? "not taken for a handshake" : "taken for a handshake");
}

static void what_a_server_signs_is_known(void **state)
{
    uint8_t bytes[256];

    (void)state;
    expect("TLS 1.3, SHA-256", true, bytes, make_certificate_verify(bytes, 32));
    expect("TLS 1.3, SHA-384", true, bytes, make_certificate_verify(bytes, 48));
    expect("TLS 1.2, X25519", true, bytes, make_server_key_exchange(bytes, 32));
    expect("TLS 1.2, P-256", true, bytes, make_server_key_exchange(bytes, 65));
    expect("TLS 1.2, P-521", true, bytes, make_server_key_exchange(bytes, 133));
}

static void nothing_else_is(void **state)
{
    static const uint8_t CERTIFICATE[] = {0x30, 0x82, 0x01, 0x00, 0xa0, 0x03, 0x02, 0x01, 0x02};
    uint8_t bytes[256];
    size_t len = make_certificate_verify(bytes, 32);

    (void)state;
    expect("nothing", false, bytes, 0);
    expect("a certificate's beginning", false, CERTIFICATE, sizeof CERTIFICATE);
    expect("without its end", false, bytes, len - 1);
    expect("with more", false, bytes, len + 1);
    for (size_t i = 0; i < 64 + sizeof CONTEXT; i++) {
        bytes[i] ^= 1;
        expect("one octet changed", false, bytes, len);
        bytes[i] ^= 1;
    }
    memcpy(bytes + 64, "TLS 1.3, client CertificateVerify", sizeof CONTEXT);
    expect("a client's", false, bytes, len);

    len = make_server_key_exchange(bytes, 32);
    expect("the randoms alone", false, bytes, 64);
    expect("the point cut off", false, bytes, len - 1);
    expect("more than the point", false, bytes, len + 1);
    bytes[64] = 1;
    expect("a curve of its own making", false, bytes, len);
    expect("a point too long", false, bytes, make_server_key_exchange(bytes, 134));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_server_signs_is_known),
        cmocka_unit_test(nothing_else_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
