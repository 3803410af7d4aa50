/* uri: RFC 7512 URIs of tokens and keys, through p11-kit. Private to the room.
 *
 * A URI says which token or which key, and nothing else: attributes that carry a PIN, choose a
 * module or count slots are refused, each with its own message, and so are unknown ones. No message
 * repeats a value that could be a PIN.
 */
#ifndef SG_TOKEN_URI_H
#define SG_TOKEN_URI_H

#include <p11-kit/p11-kit.h>
#include <p11-kit/uri.h>

#include "base/cleanup.h"

SG_DEFINE_CLEANUP(P11KitUri, p11_kit_uri_free)

enum sg_uri_kind {
    SG_URI_TOKEN, /* token, serial, manufacturer, model */
    SG_URI_KEY,   /* these, and object, id, type=private; object or id must be there */
    SG_URI_ANY,   /* either; for finding the token that a key is on */
};

/* sg_uri_parse reads text; the caller owns uri. Fails: SG_USAGE. */
SG_MUST_USE bool sg_uri_parse(const char *text, enum sg_uri_kind kind, P11KitUri **uri,
                              struct sg_error *error);

/* sg_uri_append writes "name=value" with everything but unreserved characters percent-encoded,
 * after a ';' unless it is the first attribute. */
SG_MUST_USE bool sg_uri_append(struct sg_buf *uri, const char *name, struct sg_slice value,
                               struct sg_error *error);

#endif
