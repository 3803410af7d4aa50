/* pins: what is kept of users' PINs. Part of store.h's contract.
 *
 * A user has one PIN for all devices. Kept is what the HMAC key on a token made of it, which tells
 * nobody the PIN who has not that key.
 */
#ifndef SG_STORE_PINS_H
#define SG_STORE_PINS_H

#include "store.h"

enum { SG_PIN_SALT_LEN = 16 };

struct sg_pin {
    char *device; /* where it was chosen; NULL: not told */
    int64_t chosen;
    uint8_t salt[SG_PIN_SALT_LEN];
    uint8_t verifier[SG_SHA256_LEN];
    uint8_t key_check[SG_SHA256_LEN]; /* tells the HMAC key that made it from others */
};
void sg_pin_done(struct sg_pin *pin);
SG_DEFINE_CLEANUP_IN_PLACE(sg_pin, sg_pin_done)

/* sg_store_put_pin keeps a user's PIN. Fails: SG_REFUSED when the user has one; SG_UNAUTHENTICATED
 * when the user is not registered or disabled. */
SG_MUST_USE bool sg_store_put_pin(struct sg_store *store, const char *user,
                                  const struct sg_pin *pin, struct sg_error *error);

/* sg_store_find_pin: found is false, and pin untouched, when the user has none. */
SG_MUST_USE bool sg_store_find_pin(struct sg_store *store, const char *user, bool *found,
                                   struct sg_pin *pin, struct sg_error *error);

/* sg_store_clear_pin lets the user choose anew. Fails: SG_REFUSED when the user has none. */
SG_MUST_USE bool sg_store_clear_pin(struct sg_store *store, const char *user,
                                    struct sg_error *error);

#endif
