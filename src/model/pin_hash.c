#include "pin_hash.h"

#include <openssl/evp.h>
#include <string.h>

/* 128 × N × r bytes of memory and a little beside it. */
enum { N = 32768, R = 8, P = 1, MAX_MEMORY = 64 * 1024 * 1024 };

bool sg_pin_hash(const char *user, const struct sg_secret *pin, uint8_t hash[SG_PIN_HASH_LEN],
                 struct sg_error *error)
{
    const struct sg_slice bytes = sg_secret_slice(pin);

    if (bytes.len < SG_PIN_MIN_LEN)
        return sg_fail(error, SG_INVALID, "PIN", "a PIN has %d characters at least",
                       SG_PIN_MIN_LEN);
    if (EVP_PBE_scrypt((const char *)bytes.data, bytes.len, (const unsigned char *)user,
                       strlen(user), N, R, P, MAX_MEMORY, hash, SG_PIN_HASH_LEN) != 1)
        return sg_fail_openssl(error, SG_FAILED, NULL, "a PIN can't be hashed");
    return true;
}
