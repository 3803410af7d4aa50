/* pins: the PIN that a user has for all devices, and proves each request with.
 *
 * Signet gets sg_pin_hash of it (model/pin_hash.h), salts and hashes that again, and keys the
 * result with an HMAC key on a token: only that is kept (store/pins.h).
 */
#ifndef SG_ISSUE_PINS_H
#define SG_ISSUE_PINS_H

#include "home/home.h"
#include "model/pin_hash.h"
#include "store/pins.h"

/* Whose PIN, and what was made of it. Borrowed. */
struct sg_pin_order {
    const char *user;
    const char *device;  /* where it is chosen; NULL: not told */
    const uint8_t *hash; /* SG_PIN_HASH_LEN bytes */
    int64_t now;
};

/* sg_pin_choose keeps a user's PIN, who has none yet. mac  the home's, sg_home_pins.
 * Fails: SG_REFUSED when there is one, SG_UNAUTHENTICATED when the user is unknown or disabled,
 * SG_TOKEN, SG_STORE. */
SG_MUST_USE bool sg_pin_choose(struct sg_store *store, struct sg_mac *mac,
                               const struct sg_pin_order *order, struct sg_error *error);

/* sg_pin_choose_by_ticket is the same for the user whom an open ticket is for; the ticket is not
 * spent. Of order, hash and now count.
 * Fails also: SG_UNAUTHENTICATED when the ticket is none, is not open, or wants no PIN. */
SG_MUST_USE bool sg_pin_choose_by_ticket(struct sg_store *store, struct sg_mac *mac,
                                         const char *ticket, const struct sg_pin_order *order,
                                         struct sg_error *error);

/* sg_pin_check compares a hash with what is kept of the user's PIN; count tries before.
 * Fails: SG_UNAUTHENTICATED (rule "PIN") when the user has none; SG_INVALID when
 * the kept one was made with another key than mac; SG_TOKEN, SG_STORE. */
SG_MUST_USE bool sg_pin_check(struct sg_store *store, struct sg_mac *mac, const char *user,
                              const uint8_t hash[SG_PIN_HASH_LEN], bool *is_right,
                              struct sg_error *error);

#endif
