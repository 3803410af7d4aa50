/* Keys and signatures of OpenSSH. What ssh-keygen 9.2 wrote: `ssh-keygen -Y sign -n
 * signet-ceremony` over "the plan\n". */
#include "expect.h"

#include "ceremony/ssh.h"

#define ED25519                                                                                    \
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIPc3YMhVyKphKnqC449YOZoY59Z5/6PKOxkMMrBeHCF"             \
    " ada@example\n"

#define ED25519_SIGNATURE                                                                          \
    "-----BEGIN SSH SIGNATURE-----\n"                                                              \
    "U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAgg9zdgyFXIqmEqeoLjj1g5mhjn1\n"                     \
    "nn/o8o7GQwysF4cIUAAAAPc2lnbmV0LWNlcmVtb255AAAAAAAAAAZzaGE1MTIAAABTAAAA\n"                     \
    "C3NzaC1lZDI1NTE5AAAAQIFsPRTAhFHvcv6oyka1ulgJ+aurIqzGiBZz5JmH6684UDSe0y\n"                     \
    "ZptmUh+WcTP2j+cfaYb1DV7PjAovSsNlcIaAw=\n"                                                     \
    "-----END SSH SIGNATURE-----\n"

#define P256                                                                                       \
    "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBKMO72T+"             \
    "f5OR8Iy2sAO6bvbOPC1UzBcx9vJnUu7j/vbBySwxakINkBq/yaE+usyL+WPNIv2qmO8YyfOXhRs5eKs="             \
    " ada@example\n"

#define P256_SIGNATURE                                                                             \
    "-----BEGIN SSH SIGNATURE-----\n"                                                              \
    "U1NIU0lHAAAAAQAAAGgAAAATZWNkc2Etc2hhMi1uaXN0cDI1NgAAAAhuaXN0cDI1NgAAAE\n"                     \
    "EEow7vZP5/k5HwjLawA7pu9s48LVTMFzH28mdS7uP+9sHJLDFqQg2QGr/JoT66zIv5Y80i\n"                     \
    "/aqY7xjJ85eFGzl4qwAAAA9zaWduZXQtY2VyZW1vbnkAAAAAAAAABnNoYTUxMgAAAGMAAA\n"                     \
    "ATZWNkc2Etc2hhMi1uaXN0cDI1NgAAAEgAAAAgCE289YDtfX56Kh1Ejp0X9OObvByWKQyY\n"                     \
    "aQrqXDKbv8AAAAAgcsRG69l4r//pZfota9dPcQgI/mNXH8BgHkjDABaXXiI=\n"                               \
    "-----END SSH SIGNATURE-----\n"

#define P384                                                                                       \
    "ecdsa-sha2-nistp384 AAAAE2VjZHNhLXNoYTItbmlzdHAzODQAAAAIbmlzdHAzODQAAABhBFM3M+ns"             \
    "tgZphRobb7QoiCzGUvjJZ5IlRkhUQ4XUkh6l58EZkm26PjXtajrGhiXdgL5srkl00fQORFwikhQWL91p"             \
    "nw30uuPFay9gTKKYEa9gLoEZvJm6wvSU7IG3kjnv7g== ada@example\n"

#define P384_SIGNATURE                                                                             \
    "-----BEGIN SSH SIGNATURE-----\n"                                                              \
    "U1NIU0lHAAAAAQAAAIgAAAATZWNkc2Etc2hhMi1uaXN0cDM4NAAAAAhuaXN0cDM4NAAAAG\n"                     \
    "EEUzcz6ey2BmmFGhtvtCiILMZS+MlnkiVGSFRDhdSSHqXnwRmSbbo+Ne1qOsaGJd2Avmyu\n"                     \
    "SXTR9A5EXCKSFBYv3WmfDfS648VrL2BMopgRr2AugRm8mbrC9JTsgbeSOe/uAAAAD3NpZ2\n"                     \
    "5ldC1jZXJlbW9ueQAAAAAAAAAGc2hhNTEyAAAAhAAAABNlY2RzYS1zaGEyLW5pc3RwMzg0\n"                     \
    "AAAAaQAAADBY85dE6L9k3op2jP0N2yJNw20I2BMyIdS0g/fw7UorBFELTca9Iyd6a6wqsJ\n"                     \
    "RmT+QAAAAxANsJBOHKZk6KSH+471oo+kcCMEx9AXQrNgE7gICWA7x4PWnEq59FVuzF3+QN\n"                     \
    "jN3rqQ==\n"                                                                                   \
    "-----END SSH SIGNATURE-----\n"

#define P521                                                                                       \
    "ecdsa-sha2-nistp521 AAAAE2VjZHNhLXNoYTItbmlzdHA1MjEAAAAIbmlzdHA1MjEAAACFBAFDJ/yH"             \
    "sFLvmC/XQIygCu+7EOPoB0/TKmtLA+TwBKedC89W/ZepcfnrKvJ/XY6rj/54RrRgxPADU8Yy4kQFgY2x"             \
    "aQHqLc3VZaNW4GkBtSkyNT3UCYt+vCXyI33SoZR2l01eIHKTEPfUS+MpEmtjrdHcruvVxpn6na3S0RNT"             \
    "vqUp9y5Oww== ada@example\n"

#define P521_SIGNATURE                                                                             \
    "-----BEGIN SSH SIGNATURE-----\n"                                                              \
    "U1NIU0lHAAAAAQAAAKwAAAATZWNkc2Etc2hhMi1uaXN0cDUyMQAAAAhuaXN0cDUyMQAAAI\n"                     \
    "UEAUMn/IewUu+YL9dAjKAK77sQ4+gHT9Mqa0sD5PAEp50Lz1b9l6lx+esq8n9djquP/nhG\n"                     \
    "tGDE8ANTxjLiRAWBjbFpAeotzdVlo1bgaQG1KTI1PdQJi368JfIjfdKhlHaXTV4gcpMQ99\n"                     \
    "RL4ykSa2Ot0dyu69XGmfqdrdLRE1O+pSn3Lk7DAAAAD3NpZ25ldC1jZXJlbW9ueQAAAAAA\n"                     \
    "AAAGc2hhNTEyAAAApwAAABNlY2RzYS1zaGEyLW5pc3RwNTIxAAAAjAAAAEIBW14EGOXzJo\n"                     \
    "MLgThi7wbi6il23pTH6uhwpdOy7UWeA8Ta/+RlBwzwIUcACVJ7iEW4ub4GFAvSX0QKeAI/\n"                     \
    "mtI2WKIAAABCARTlIZL17mrIKMfMrmu9e/NzKFpgtUQSV1xfqSr13kktr9ANTvZtVsmC5f\n"                     \
    "ZOv9yYBMdAu7N6Yivr1qPcfM9AsKjz\n"                                                             \
    "-----END SSH SIGNATURE-----\n"

#define RSA                                                                                        \
    "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQCr78l49jOLjYarycl01OnhVC19xWbha7dYbyf7COLi"             \
    "lVTq5q9gCC/Ymc3t7RWbbk8HsEqBVOgzzlInFYoNbe6jZgfhBLz/8JM2RpjzaSyb5PeM9l56aCK7fJBT"             \
    "NKJxQryCaIHCOzxqVHaYxnxA8BheJBYK+kRK6VwQwL2Fc716bRNuZ+cGB6qMEBrI/sgkyaNWBNjpRwjj"             \
    "Qt/Omnfwi627afIHY8LP3Nv+Ez4zxAu97j7Sd7h30AlrgE/f0zFE8hmg8QmRPRjWDirK1uFIiGKglUq9"             \
    "hiaIMTBRixu0Q9fcNBEBLJwUkA1MPtat+9LZXbaQ4SDFKvCM/qkJpCbsq0Rd ada@example\n"

#define RSA_SIGNATURE                                                                              \
    "-----BEGIN SSH SIGNATURE-----\n"                                                              \
    "U1NIU0lHAAAAAQAAARcAAAAHc3NoLXJzYQAAAAMBAAEAAAEBAKvvyXj2M4uNhqvJyXTU6e\n"                     \
    "FULX3FZuFrt1hvJ/sI4uKVVOrmr2AIL9iZze3tFZtuTwewSoFU6DPOUicVig1t7qNmB+EE\n"                     \
    "vP/wkzZGmPNpLJvk94z2XnpoIrt8kFM0onFCvIJogcI7PGpUdpjGfEDwGF4kFgr6RErpXB\n"                     \
    "DAvYVzvXptE25n5wYHqowQGsj+yCTJo1YE2OlHCONC386ad/CLrbtp8gdjws/c2/4TPjPE\n"                     \
    "C73uPtJ3uHfQCWuAT9/TMUTyGaDxCZE9GNYOKsrW4UiIYqCVSr2GJogxMFGLG7RD19w0EQ\n"                     \
    "EsnBSQDUw+1q370tldtpDhIMUq8Iz+qQmkJuyrRF0AAAAPc2lnbmV0LWNlcmVtb255AAAA\n"                     \
    "AAAAAAZzaGE1MTIAAAEUAAAADHJzYS1zaGEyLTUxMgAAAQCKyjSwkY6Xj5BsM6OSIioitp\n"                     \
    "XrvRdI4D7WXym4b+bhBjmJDtzKksO/mmZvWurJ+Ypjz3Un4r2UfVQ8EX8PbXnGE84i4vGt\n"                     \
    "862PcWvd15RfKJEh0q6ZtLgDxXez+KPk9nNuZBAjacQy2yIZu8wYDUU4m8zduW0S/x1GDr\n"                     \
    "uRZJdzcde82yatWpoChZK6JIHrCKg6q+HtxudJ1/+sNo8P10ykU+LYIBqHzDtU1dMKyHa/\n"                     \
    "7YreAqJ5d5DBi6UROksVUEePd/SxpnOBXl84D9Hx5hRAejKNf2M0Ro9Sp0WlLacHyr0gbm\n"                     \
    "tSB9tmFXy1PwjIaDX4QG2YuwBkTmHwvcq/SPG9\n"                                                     \
    "-----END SSH SIGNATURE-----\n"

#define RSA_OF_SHA256                                                                              \
    "-----BEGIN SSH SIGNATURE-----\n"                                                              \
    "U1NIU0lHAAAAAQAAARcAAAAHc3NoLXJzYQAAAAMBAAEAAAEBAKvvyXj2M4uNhqvJyXTU6e\n"                     \
    "FULX3FZuFrt1hvJ/sI4uKVVOrmr2AIL9iZze3tFZtuTwewSoFU6DPOUicVig1t7qNmB+EE\n"                     \
    "vP/wkzZGmPNpLJvk94z2XnpoIrt8kFM0onFCvIJogcI7PGpUdpjGfEDwGF4kFgr6RErpXB\n"                     \
    "DAvYVzvXptE25n5wYHqowQGsj+yCTJo1YE2OlHCONC386ad/CLrbtp8gdjws/c2/4TPjPE\n"                     \
    "C73uPtJ3uHfQCWuAT9/TMUTyGaDxCZE9GNYOKsrW4UiIYqCVSr2GJogxMFGLG7RD19w0EQ\n"                     \
    "EsnBSQDUw+1q370tldtpDhIMUq8Iz+qQmkJuyrRF0AAAAPc2lnbmV0LWNlcmVtb255AAAA\n"                     \
    "AAAAAAZzaGEyNTYAAAEUAAAADHJzYS1zaGEyLTUxMgAAAQBOc7xB3Wosz9hRXr+hjF5bw/\n"                     \
    "TSoyaa/mKOFMHzmayVX9NxKCIEQBaj2AmvHNk3e/DUQb1QJTKJFvgIBD9IsHqh3DpN9L8J\n"                     \
    "2y7RoPEcuAfE8HbgQTrOZthalu9khubDefsbfIdc1z4CF21HZYov3x0oJZQHk26BP3jOSM\n"                     \
    "zvlwXLO3qlgnYaC1QZeDP612wW2pZJsaNGw+gN61BsABxfRHmvVMgzTjufRbFgbvaSaGQx\n"                     \
    "9oJou57403Vz4duYol6nYKrvg+rzFgOtXM9/nxdq1GNmykS6BSsJB7WdbpB+Px4D6w3EfG\n"                     \
    "9Xp5b1UEPxzuxiPmmIIT/RSM6jAJZ0mG7oKLck\n"                                                     \
    "-----END SSH SIGNATURE-----\n"

#define OTHER_NAMESPACE                                                                            \
    "-----BEGIN SSH SIGNATURE-----\n"                                                              \
    "U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAgg9zdgyFXIqmEqeoLjj1g5mhjn1\n"                     \
    "nn/o8o7GQwysF4cIUAAAAEZmlsZQAAAAAAAAAGc2hhNTEyAAAAUwAAAAtzc2gtZWQyNTUx\n"                     \
    "OQAAAECV9eFB47UAyeLeWBp2Hx9GK7kL+HULKVp32ixjWPTzr4GQLhQrN4JBBF7Wn1LNBV\n"                     \
    "MDI60GAirzg1tFSf4b9XcD\n"                                                                     \
    "-----END SSH SIGNATURE-----\n"

#define OTHER                                                                                      \
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJlHWGZANdV9090RPKQ4GL0UNuCi7NaAzXDJcha1cxrQ"             \
    " other\n"

#define WEAK                                                                                       \
    "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQDOwpW5WQfhCjF00MNGpWmC8+tWQSJkOXaHbvQywmaP"             \
    "8ezsYcaT9D/kX3X8r+KX3rsjfKUh5ti9h8ZtWPpCnbwHmFCPLENVpv+dMPZRNe+Vx8Pb8UeyHO7FXn77"             \
    "6bhc1gSGDtm9XzfXjX/+JBiU0JrzEbpdfBFNIl4bS5sXgg1tmw== weak\n"

static const char NAMESPACE[] = "signet-ceremony", PLAN[] = "the plan\n";

static struct sg_slice text(const char *of)
{
    return sg_slice_text(of);
}

/* ---- keys ---- */

static void keys_are_read(void **state)
{
    static const struct {
        const char *key, *kind, *sha256; /* of what ssh-keygen -e -m PKCS8 says */
    } CASES[] = {
        {ED25519, "Ed25519", "ca150b1d48ec6c7b493268ae03fe620c29033537608f2aeba9653d971470c98d"},
        {P256, "P-256", "6e3003ecd28cd057352a48b803765f9017ffa1538ca7a8c295dd79baf11777af"},
        {P384, "P-384", "96c17b85bed12010de4d0531c876afe6495223db4e32af2287cff37b9c97f01e"},
        {P521, "P-521", "84be9ae20ea4b952a5a6011a5da7eba380fd1682de387a7c879ffb82156a9e1d"},
        {RSA, "RSA-2048", "fbe07880797612a5a2896c671571fe3c0cd27cb3036bbf2a545a045d334f9c81"},
    };

    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++) {
        sg_auto(sg_public_key) struct sg_public_key key = {0};
        char kind[SG_KEY_KIND_TEXT_SIZE], hex[SG_SHA256_HEX_SIZE];
        struct sg_error error = {0};

        assert_true(sg_ssh_is_key(text(CASES[i].key)));
        expect_success(CASES[i].kind, sg_ssh_read_key(text(CASES[i].key), &key, &error), &error);
        assert_string_equal(sg_key_kind_text(key.kind, kind), CASES[i].kind);
        assert_string_equal(sg_hex(sg_slice_of(key.sha256, sizeof key.sha256), hex, sizeof hex),
                            CASES[i].sha256);
    }
}

#define ED25519_BASE64 "AAAAC3NzaC1lZDI1NTE5AAAAIIPc3YMhVyKphKnqC449YOZoY59Z5/6PKOxkMMrBeHCF"

static void keys_are_read_strictly(void **state)
{
    static const struct {
        const char *name, *key, *complaint; /* NULL: it is read */
    } CASES[] = {
        {"no comment", "ssh-ed25519 " ED25519_BASE64, NULL},
        {"no comment, a line", "ssh-ed25519 " ED25519_BASE64 "\n", NULL},
        {"as Windows ends lines", "ssh-ed25519 " ED25519_BASE64 "\r\n", NULL},
        {"a comment of words", "ssh-ed25519 " ED25519_BASE64 " Ada, at home\n", NULL},
        {"another kind than it says", "ssh-rsa " ED25519_BASE64, "another kind than it says"},
        {"cut short", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIPc", "is not whole"},
        {"a byte more", "ssh-ed25519 " ED25519_BASE64 "AAAA", "is not whole"},
        {"bits that say nothing", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAB=", "not whole base64"},
        {"no base64", "ssh-ed25519 ????", "not whole base64"},
        {"nothing", "ssh-ed25519 ", "not whole base64"},
        {"two keys", ED25519 OTHER, "one line"},
        {"a key in hardware",
         "sk-ssh-ed25519@openssh.com "
         "AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29tAAAAIIPc3YMhVyKphKnqC449YOZoY59Z5/6PKOxkMMrBeHCF"
         "AAAABHNzaDo=",
         "of no kind that is read here"},
        {"DSA", "ssh-dss AAAAB3NzaC1kc3MAAAABAQ==", "of no kind that is read here"},
        {"another curve",
         "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAzODQ=", "is not whole"},
        {"RSA with a leading zero", "ssh-rsa AAAAB3NzaC1yc2EAAAAEAAEAAQAAAAUA////////",
         "is not whole"},
        {"a negative modulus", "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAABP////8=", "is not whole"},
    };

    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++) {
        sg_auto(sg_public_key) struct sg_public_key key = {0};
        struct sg_error error = {0};
        bool verdict = sg_ssh_read_key(text(CASES[i].key), &key, &error);

        if (CASES[i].complaint == NULL)
            expect_success(CASES[i].name, verdict, &error);
        else if (verdict || strstr(error.text, CASES[i].complaint) == NULL)
            fail_msg("%s: said '%s'", CASES[i].name, error.text);
    }
}

static void what_is_no_key_is_known_as_such(void **state)
{
    static const char *const OTHERS[] = {
        "", "ssh-", "ssh- x", "Ada Example", "ssh-ed25519", "ssh", "-----BEGIN", "sk-key x"};

    (void)state;
    for (size_t i = 0; i < NUM(OTHERS); i++)
        if (sg_ssh_is_key(text(OTHERS[i])))
            fail_msg("'%s' was taken for a key", OTHERS[i]);
}

/* ---- signatures ---- */

static const struct {
    const char *name, *key, *signature;
} SIGNED[] = {
    {"Ed25519", ED25519, ED25519_SIGNATURE},
    {"P-256", P256, P256_SIGNATURE},
    {"P-384", P384, P384_SIGNATURE},
    {"P-521", P521, P521_SIGNATURE},
    {"RSA", RSA, RSA_SIGNATURE},
    {"RSA, over SHA-256", RSA, RSA_OF_SHA256},
};

static void read_key(const char *line, struct sg_public_key *key)
{
    struct sg_error error = {0};

    expect_success(line, sg_ssh_read_key(text(line), key, &error), &error);
}

static void signatures_are_verified(void **state)
{
    (void)state;
    for (size_t i = 0; i < NUM(SIGNED); i++) {
        sg_auto(sg_public_key) struct sg_public_key key = {0}, other = {0};
        struct sg_slice signature = text(SIGNED[i].signature);
        struct sg_error error = {0}, changed = {0}, by = {0}, elsewhere = {0};

        read_key(SIGNED[i].key, &key);
        read_key(OTHER, &other);
        expect_success(SIGNED[i].name,
                       sg_ssh_verify(&key, NAMESPACE, text(PLAN), signature, &error), &error);
        expect_failure(SIGNED[i].name,
                       sg_ssh_verify(&key, NAMESPACE, text("the plot\n"), signature, &changed),
                       &changed, SG_POSSESSION, "is not by this key over this");
        expect_failure(SIGNED[i].name, sg_ssh_verify(&other, NAMESPACE, text(PLAN), signature, &by),
                       &by, SG_POSSESSION, "it is by another key");
        expect_failure(SIGNED[i].name,
                       sg_ssh_verify(&key, "git", text(PLAN), signature, &elsewhere), &elsewhere,
                       SG_POSSESSION, "it was not made for the namespace git");
    }
}

static void a_signature_for_something_else_is_told(void **state)
{
    struct sg_error error = {0};

    (void)state;
    assert_true(sg_ssh_is_signature(text(OTHER_NAMESPACE)));
    assert_false(sg_ssh_is_signature(text("-----BEGIN")));
    expect_failure("file", sg_ssh_check_namespace(text(OTHER_NAMESPACE), NAMESPACE, &error), &error,
                   SG_POSSESSION, "ssh-keygen -Y sign -n signet-ceremony");
}

/* Every bit of the armour counts, and every length of it. */
static void no_other_armour_is_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < NUM(SIGNED); i++) {
        sg_auto(sg_public_key) struct sg_public_key key = {0};
        sg_auto(malloc) char *copy = strdup(SIGNED[i].signature);
        size_t len = strlen(copy);

        read_key(SIGNED[i].key, &key);
        for (size_t at = 0; at < len; at++)
            for (int bit = 0; bit < 8; bit++) {
                copy[at] ^= (char)(1 << bit);
                if (sg_ssh_verify(&key, NAMESPACE, text(PLAN), sg_slice_of(copy, len), NULL))
                    fail_msg("%s: bit %d of byte %zu does not count", SIGNED[i].name, bit, at);
                copy[at] ^= (char)(1 << bit);
            }
        for (size_t shorter = 0; shorter < len; shorter++)
            if (sg_ssh_verify(&key, NAMESPACE, text(PLAN), sg_slice_of(copy, shorter), NULL))
                fail_msg("%s: %zu bytes are enough", SIGNED[i].name, shorter);
    }
}

/* ---- what is inside ---- */

static size_t decode(const char *armoured, uint8_t *bytes, size_t size)
{
    char base64[4096] = "";
    size_t len = 0;
    const char *at = strchr(armoured, '\n') + 1;

    for (; *at != '-'; at++)
        if (*at != '\n')
            base64[len++] = *at;
    assert_true(3 * len / 4 <= size);
    int decoded = EVP_DecodeBlock(bytes, (uint8_t *)base64, (int)len);
    assert_true(decoded > 0);
    while (base64[len - 1] == '=')
        len--, decoded--;
    return (size_t)decoded;
}

static char *armour(const uint8_t *bytes, size_t len)
{
    char base64[4096], *into = calloc(1, 8192);

    EVP_EncodeBlock((uint8_t *)base64, bytes, (int)len);
    strcpy(into, "-----BEGIN SSH SIGNATURE-----\n");
    for (size_t at = 0; at < strlen(base64); at += 70)
        sprintf(into + strlen(into), "%.70s\n", base64 + at);
    strcat(into, "-----END SSH SIGNATURE-----\n");
    return into;
}

static void other_contents_are_refused(void **state)
{
    static const struct {
        const char *name, *signature, *old, *new; /* of one length */
        size_t more;                              /* bytes behind */
        const char *complaint;                    /* NULL: it is as it was */
    } CASES[] = {
        {"as it was", RSA_SIGNATURE, "", "", 0, NULL},
        {"another magic", RSA_SIGNATURE, "SSHSIG", "SSHSIH", 0, "no signature of version 1"},
        {"a later version", RSA_SIGNATURE, "SSHSIG\0\0\0\1", "SSHSIG\0\0\0\2", 0,
         "no signature of version 1"},
        {"a byte more", RSA_SIGNATURE, "", "", 1, "no signature of version 1"},
        {"another digest", RSA_SIGNATURE, "\6sha512", "\6sha513", 0, "neither SHA-512 nor SHA-256"},
        {"SHA-1", RSA_SIGNATURE, "\14rsa-sha2-512", "\14rsa-sha1-512", 0, "by no scheme of it"},
        {"another kind's scheme", ED25519_SIGNATURE, "\0\0\0\13ssh-ed25519\0\0\0\100",
         "\0\0\0\13ssh-ed25518\0\0\0\100", 0, "by no scheme of it"},
        {"not two numbers", P256_SIGNATURE, "\0\0\0\110\0\0\0\40", "\0\0\0\110\0\0\0\41", 0,
         "not two numbers"},
    };
    static const size_t LENS[] = {0, 6, 10, 0, 7, 13, 19, 8}; /* of old and new */

    (void)state;
    for (size_t i = 0; i < NUM(CASES); i++) {
        sg_auto(sg_public_key) struct sg_public_key key = {0};
        sg_auto(malloc) char *again = NULL;
        uint8_t bytes[4096] = {0};
        size_t len = decode(CASES[i].signature, bytes, sizeof bytes);
        struct sg_error error = {0};
        uint8_t *at = LENS[i] > 0 ? memmem(bytes, len, CASES[i].old, LENS[i]) : bytes;

        read_key(strcmp(CASES[i].signature, RSA_SIGNATURE) == 0    ? RSA
                 : strcmp(CASES[i].signature, P256_SIGNATURE) == 0 ? P256
                                                                   : ED25519,
                 &key);
        assert_non_null(at);
        memcpy(at, CASES[i].new, LENS[i]);
        again = armour(bytes, len + CASES[i].more);
        if (CASES[i].complaint == NULL)
            assert_string_equal(again, CASES[i].signature);
        bool verdict = sg_ssh_verify(&key, NAMESPACE, text(PLAN), text(again), &error);
        if (CASES[i].complaint == NULL)
            expect_success(CASES[i].name, verdict, &error);
        else if (verdict || strstr(error.text, CASES[i].complaint) == NULL)
            fail_msg("%s: said '%s'", CASES[i].name, error.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_read),
        cmocka_unit_test(keys_are_read_strictly),
        cmocka_unit_test(what_is_no_key_is_known_as_such),
        cmocka_unit_test(signatures_are_verified),
        cmocka_unit_test(a_signature_for_something_else_is_told),
        cmocka_unit_test(no_other_armour_is_read),
        cmocka_unit_test(other_contents_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
