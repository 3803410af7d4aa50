/* delivery: what EST serverkeygen has brought (RFC 7030 4.4.2), and how it gets onto a card.
 *
 * Does not: take a key that comes as it is, unencrypted.
 * Thread rule: that of the token.
 */
#ifndef SG_ENROLL_DELIVERY_H
#define SG_ENROLL_DELIVERY_H

#include "parcel/parcel.h"
#include "token/signer.h"

/* The parts of an answer. Release with sg_delivery_done. */
struct sg_delivery {
    struct sg_buf enveloped;       /* EnvelopedData, DER */
    STACK_OF(X509) * certificates; /* those that came with it */
};
void sg_delivery_done(struct sg_delivery *delivery);
SG_DEFINE_CLEANUP_IN_PLACE(sg_delivery, sg_delivery_done)

/* sg_delivery_is: does it begin as an answer of serverkeygen does? */
bool sg_delivery_is(struct sg_slice bytes);

/* sg_delivery_read takes the multipart/mixed body apart. Fails: SG_MALFORMED; SG_REFUSED when the
 * key in it is not encrypted. */
SG_MUST_USE bool sg_delivery_read(struct sg_slice bytes, struct sg_delivery *delivery,
                                  struct sg_error *error);

/* How it is opened, and where it goes. Borrowed. */
struct sg_delivery_place {
    struct sg_token *token;
    const char *decrypt_key;  /* URI of the key on the token that it is encrypted to */
    STACK_OF(X509) * signers; /* whose word counts that the service has made the key */
    const char *label;        /* of the new key */
    struct sg_slice id;       /* of the new key; empty: by its public half */
};

/* sg_delivery_import opens a delivery with the card's key, verifies who signed it, finds the
 * certificate of the key, and puts both on the card under one CKA_ID; then the key signs there, and
 * the certificate is read back. The copy of the key in this process is wiped.
 * key      as the token tells it. was_there is set when an earlier call had brought it already.
 * Fails: SG_MALFORMED, SG_REFUSED as sg_parcel_open and sg_parcel_unpack do, and when no
 * certificate is the key's; SG_TOKEN, SG_PIN. */
SG_MUST_USE bool sg_delivery_import(const struct sg_delivery *delivery,
                                    const struct sg_delivery_place *place, struct sg_key *key,
                                    bool *was_there, struct sg_error *error);

#endif
