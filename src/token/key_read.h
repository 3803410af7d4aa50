/* key_read: keys as a token tells them. Private to the room; callers hold the token's lock. */
#ifndef SG_TOKEN_KEY_READ_H
#define SG_TOKEN_KEY_READ_H

#include "object.h"
#include "uri.h"

/* sg_key_read_private reads a private key and, from wherever the token tells it, its public half:
 * the public key beside it, its own attributes, or the certificate beside it.
 * key is empty before; its public half stays empty when the token tells none. */
SG_MUST_USE bool sg_key_read_private(struct sg_token *token, CK_OBJECT_HANDLE object,
                                     struct sg_key *key, struct sg_error *error);

/* sg_key_read_public reads a public key that has no private one. */
SG_MUST_USE bool sg_key_read_public(struct sg_token *token, CK_OBJECT_HANDLE object,
                                    struct sg_key *key, struct sg_error *error);

/* sg_public_key_of_object builds the public key that an object's attributes say; empty when it has
 * none of them. Fails: SG_TOKEN when they make no key. */
SG_MUST_USE bool sg_public_key_of_object(struct sg_token *token, CK_OBJECT_HANDLE object,
                                         struct sg_public_key *key, struct sg_error *error);

/* sg_key_check_free: neither the label nor the id is a private key's, as a key is found by either.
 * On a model with fixed ids the label does not count. Fails: SG_TOKEN. */
SG_MUST_USE bool sg_key_check_free(struct sg_token *token, const char *label, struct sg_slice id,
                                   struct sg_error *error);

/* sg_key_curve: the name of a kind's curve in DER, as CKA_EC_PARAMS has it; from OpenSSL. */
SG_MUST_USE bool sg_key_curve(struct sg_key_kind kind, uint8_t **der, size_t *der_len,
                              struct sg_error *error);

/* sg_key_check_token: does a key's URI, as far as it says which token, mean this one? text is the
 * URI for messages. Fails: SG_TOKEN. */
SG_MUST_USE bool sg_key_check_token(struct sg_token *token, P11KitUri *uri, const char *text,
                                    struct sg_error *error);

/* sg_key_put_public puts the public half of a key from elsewhere on the token: key's label and
 * public half, and that id. Fails: SG_TOKEN. */
SG_MUST_USE bool sg_key_put_public(struct sg_token *to, const struct sg_key *key,
                                   struct sg_slice id, CK_OBJECT_HANDLE *object,
                                   struct sg_error *error);

/* sg_key_name is how messages call a key: "'label' (id 01ab)". Returns into. */
enum { SG_KEY_NAME_SIZE = 160 };
const char *sg_key_name(const struct sg_key *key, char into[SG_KEY_NAME_SIZE]);

#endif
