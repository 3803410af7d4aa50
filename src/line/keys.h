/* keys: for devices that can't make their own: a key and its request, kept where the certificate
 * will be before it is asked for.
 *
 * NAME.key in the output's folder holds the request, and the private key encrypted to whoever takes
 * it to the device. It is written once, whole and synced. A run that goes on finds it there, so
 * that no certificate is ever without its key. Does not: see a private key; whoever makes them
 * encrypts them. Thread rule: the reader's thread.
 */
#ifndef SG_LINE_KEYS_H
#define SG_LINE_KEYS_H

#include "item.h"

/* Who makes keys. Borrowed. */
struct sg_line_keys {
    /* make makes a key for the device.
     * request  gains a request (DER) that is signed by it.
     * sealed   gains the private key, encrypted, as PEM: CMS EnvelopedData.
     * Fails: SG_TOKEN, SG_PIN, SG_FAILED and the like, which would be everybody's; anything else is
     * this device's fault. */
    bool (*make)(void *context, const struct sg_record *device, struct sg_buf *request,
                 struct sg_buf *sealed, struct sg_error *error);
    void *context;
    const char *folder; /* the output's */
};

/* sg_keys_fill gives an item that brought no request one of its own; with an error of the item when
 * it can't have one. Fails: nobody could have one. */
SG_MUST_USE bool sg_keys_fill(const struct sg_line_keys *keys, struct sg_item *item,
                              struct sg_error *error);

#endif
