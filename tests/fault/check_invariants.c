/* check_invariants HOME LOG [CERTIFICATE…]: did a home keep its two promises?
 *
 *  - What the issuer's key signed, according to the LOG that signet-wrap wrote, was noted durably
 *    before: a claim, a CRL's number, or the issuer's own request.
 *  - Each CERTIFICATE that was handed out is in the store, with the very same bytes.
 *
 * Prints "claims N, certificates N, orphans N, signatures N" (claims count all three kinds; orphans
 * are claims without a certificate whose process is gone). Exit status: 0 kept, 1 broken, naming
 * what breaks it, 2 usage.
 */
#include <openssl/crypto.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "cert/cert.h"
#include "home/home.h"

static const char SIGNATURES[] = "signatures of the log";

struct counts {
    size_t claims, certificates, orphans, signatures;
};

/* ---- signatures ---- */

static bool is_issuer_label(struct sg_home *home, const char *label, bool *is,
                            struct sg_error *error)
{
    const struct sg_config *config = sg_home_config(home);

    *is = false;
    for (size_t i = 0; i < config->num_issuers && !*is; i++) {
        sg_auto(malloc) char *issuer_label = NULL;
        sg_auto(sg_buf) struct sg_buf id = {0};

        if (!sg_key_uri_parts(config->issuers[i].key, &issuer_label, &id, error))
            return false;
        *is = strcmp(issuer_label, label) == 0;
    }
    return true;
}

/* "C_Sign CKM_ECDSA 3b0c… issuing"; other lines are no signatures. */
static bool check_line(struct sg_home *home, const char *line, struct counts *counts,
                       struct sg_error *error)
{
    char function[20], mechanism[40], hex[129], label[65];
    uint8_t digest[64];
    size_t len = 0;
    bool is_issuers = false, found = false;

    if (strncmp(line, "C_Sign", 6) != 0)
        return true;
    if (sscanf(line, "%19s %39s %128s %64[^\n]", function, mechanism, hex, label) != 4)
        return sg_fail(error, SG_INVALID, SIGNATURES, "can't read '%s'", line);
    if (!is_issuer_label(home, label, &is_issuers, error))
        return false;
    if (!is_issuers)
        return true;
    counts->signatures++;
    if (!sg_hex_parse(hex, digest, sizeof digest, &len, error))
        return sg_error_prefix(error, "'%s' does not tell what was signed", line);
    if (!sg_store_has_intent(sg_home_store(home), sg_slice_of(digest, len), &found, error))
        return false;
    return found || sg_fail(error, SG_INTERNAL, SIGNATURES,
                            "key %s signed %s without a durable intent", label, hex);
}

static bool check_signatures(struct sg_home *home, const char *path, struct counts *counts,
                             struct sg_error *error)
{
    sg_auto(FILE) FILE *log = fopen(path, "re");
    sg_auto(malloc) char *line = NULL;
    size_t size = 0;
    ssize_t len;

    if (log == NULL)
        return sg_fail_errno(error, "cannot open %s", path);
    while ((len = getline(&line, &size, log)) > 0) {
        if (line[len - 1] == '\n')
            line[len - 1] = '\0';
        if (!check_line(home, line, counts, error))
            return false;
    }
    return true;
}

/* ---- certificates ---- */

/* A certificate that was handed out, to be compared with the record of its serial number. */
struct wanted {
    struct sg_slice der;
    bool found;
};

static bool compare(const struct sg_certificate *certificate, void *context, struct sg_error *error)
{
    struct wanted *wanted = context;

    (void)error;
    if (certificate->der.len > 0 && sg_slice_equal(sg_buf_slice(&certificate->der), wanted->der))
        wanted->found = true;
    return true;
}

static bool check_certificate(struct sg_home *home, const char *path, struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf bytes = {0};
    sg_auto(X509) X509 *certificate = NULL;
    sg_auto(openssl_bytes) unsigned char *der = NULL;
    const struct sg_clock clock = {0};
    struct sg_serial serial;
    struct wanted wanted = {0};

    if (!sg_file_read(path, SG_LIMIT_CERTIFICATE, &bytes, error) ||
        !sg_cert_read(sg_buf_slice(&bytes), path, &certificate, error) ||
        !sg_cert_serial(certificate, &serial, error))
        return false;
    int len = i2d_X509(certificate, &der);
    if (len <= 0)
        return sg_fail_openssl(error, SG_INTERNAL, NULL, "%s can't be encoded", path);
    wanted.der = sg_slice_of(der, (size_t)len);
    const struct sg_certificate_filter filter = {.serial = &serial, .now = sg_clock_now(&clock)};
    if (!sg_store_each_certificate(sg_home_store(home), &filter, compare, &wanted, error))
        return false;
    return wanted.found || sg_fail(error, SG_INTERNAL, "certificates that left",
                                   "%s was handed out and the store does not hold it", path);
}

static bool count(const struct sg_certificate *certificate, void *context, struct sg_error *error)
{
    struct counts *counts = context;

    (void)error;
    counts->claims++;
    counts->certificates += certificate->der.len > 0;
    counts->orphans += certificate->status == SG_STATUS_ORPHANED;
    return true;
}

static bool check(char **words, int num_words, struct counts *counts, struct sg_error *error)
{
    sg_auto(sg_home) struct sg_home *home = NULL;
    const struct sg_clock clock = {0};
    const struct sg_certificate_filter all = {.now = sg_clock_now(&clock)};

    if (!sg_home_open(words[0], SG_STORE_READ_ONLY, &home, error) ||
        !sg_store_each_certificate(sg_home_store(home), &all, count, counts, error) ||
        !check_signatures(home, words[1], counts, error))
        return false;
    for (int i = 2; i < num_words; i++)
        if (!check_certificate(home, words[i], error))
            return false;
    return true;
}

int main(int argc, char **argv)
{
    struct sg_error error = {0};
    struct counts counts = {0};

    OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
    if (argc < 3) {
        fprintf(stderr, "usage: check_invariants HOME LOG [CERTIFICATE…]\n");
        return 2;
    }
    bool kept = check(argv + 1, argc - 1, &counts, &error);
    if (!kept)
        fprintf(stderr, "check_invariants: %s: %s\n", error.rule, error.text);
    printf("claims %zu, certificates %zu, orphans %zu, signatures %zu\n", counts.claims,
           counts.certificates, counts.orphans, counts.signatures);
    return kept ? 0 : 1;
}
