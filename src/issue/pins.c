#include "pins.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>

#include "base/clock.h"
#include "tickets.h"

static const char RULE[] = "PIN";

/* What the key's two uses begin with, so that neither can stand for the other. */
static const char VERIFIER[] = "signet PIN verifier 1";
static const char KEY_CHECK[] = "signet PIN key check 1";

/* The user's id and the salt make equal PINs different; no id has a zero byte in it. */
static bool make_verifier(struct sg_mac *mac, const char *user, const uint8_t salt[SG_PIN_SALT_LEN],
                          const uint8_t hash[SG_PIN_HASH_LEN], uint8_t verifier[SG_SHA256_LEN],
                          struct sg_error *error)
{
    sg_auto(EVP_MD_CTX) EVP_MD_CTX *context = EVP_MD_CTX_new();
    uint8_t digest[SG_SHA256_LEN];
    bool made;

    if (context == NULL || EVP_DigestInit_ex(context, EVP_sha256(), NULL) != 1 ||
        EVP_DigestUpdate(context, VERIFIER, sizeof VERIFIER) != 1 ||
        EVP_DigestUpdate(context, user, strlen(user) + 1) != 1 ||
        EVP_DigestUpdate(context, salt, SG_PIN_SALT_LEN) != 1 ||
        EVP_DigestUpdate(context, hash, SG_PIN_HASH_LEN) != 1 ||
        EVP_DigestFinal_ex(context, digest, NULL) != 1)
        return sg_fail_openssl(error, SG_FAILED, NULL, "a PIN can't be hashed");
    made = sg_mac_compute(mac, sg_slice_of(digest, sizeof digest), verifier, error);
    OPENSSL_cleanse(digest, sizeof digest);
    return made;
}

static bool make_key_check(struct sg_mac *mac, uint8_t check[SG_SHA256_LEN], struct sg_error *error)
{
    return sg_mac_compute(mac, sg_slice_of(KEY_CHECK, sizeof KEY_CHECK), check, error);
}

bool sg_pin_choose(struct sg_store *store, struct sg_mac *mac, const struct sg_pin_order *order,
                   struct sg_error *error)
{
    sg_auto(sg_pin) struct sg_pin pin = {.chosen = order->now};

    if (order->device != NULL && (pin.device = strdup(order->device)) == NULL)
        return sg_fail_memory(error);
    return sg_random_fill(pin.salt, sizeof pin.salt, error) &&
           make_verifier(mac, order->user, pin.salt, order->hash, pin.verifier, error) &&
           make_key_check(mac, pin.key_check, error) &&
           sg_store_put_pin(store, order->user, &pin, error);
}

bool sg_pin_choose_by_ticket(struct sg_store *store, struct sg_mac *mac, const char *text,
                             const struct sg_pin_order *order, struct sg_error *error)
{
    sg_auto(sg_ticket) struct sg_ticket ticket = {0};
    struct sg_pin_order whole = *order;

    if (!sg_ticket_find(store, text, &ticket, error))
        return false;
    if (sg_ticket_state(&ticket, order->now) != SG_TICKET_OPEN)
        return sg_fail(error, SG_UNAUTHENTICATED, "ticket", "this ticket is %s",
                       sg_ticket_state_word(sg_ticket_state(&ticket, order->now)));
    if (!ticket.wants_pin)
        return sg_fail(error, SG_UNAUTHENTICATED, "ticket", "this ticket wants no PIN");
    whole.user = ticket.user;
    whole.device = ticket.device;
    return sg_pin_choose(store, mac, &whole, error);
}

static bool compare(struct sg_mac *mac, const char *user, const struct sg_pin *pin,
                    const uint8_t hash[SG_PIN_HASH_LEN], bool *is_right, struct sg_error *error)
{
    uint8_t verifier[SG_SHA256_LEN], check[SG_SHA256_LEN];

    if (!make_key_check(mac, check, error) ||
        !make_verifier(mac, user, pin->salt, hash, verifier, error))
        return false;
    if (memcmp(check, pin->key_check, sizeof check) != 0)
        return sg_fail(error, SG_INVALID, RULE,
                       "the PIN of user %s is kept under another key than the one that `pins` in "
                       "signet.yaml names: put that back, or `signet user pin %s --clear`",
                       user, user);
    *is_right = CRYPTO_memcmp(verifier, pin->verifier, sizeof verifier) == 0;
    return true;
}

bool sg_pin_check(struct sg_store *store, struct sg_mac *mac, const char *user,
                  const uint8_t hash[SG_PIN_HASH_LEN], bool *is_right, struct sg_error *error)
{
    sg_auto(sg_pin) struct sg_pin pin = {0};
    bool found = false;

    if (!sg_store_find_pin(store, user, &found, &pin, error))
        return false;
    if (!found)
        return sg_fail(error, SG_UNAUTHENTICATED, RULE,
                       "user %s has no PIN yet; one has to be chosen first", user);
    return compare(mac, user, &pin, hash, is_right, error);
}
