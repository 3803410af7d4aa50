/* wire: what signetd's two processes say to each other over their Unix socket.
 *
 * A message is a header and fields, in one table (table.c): which fields a type must have and may
 * have, which side sends it, what kind and how long each field is at most. What the table does not
 * know is not a message. Both sides have the same version, as they are one program; another version
 * is refused, and systemd restarts both after an upgrade.
 *
 *     octets   header
 *     1        version (SG_WIRE_VERSION)
 *     1        type
 *     2        zero
 *     4        octets of the fields, big-endian
 *     8        id: an answer has the id of what it answers; else 0
 *
 * Then the fields, by ascending number, none twice: its number (1 octet), its length (4 octets,
 * big-endian), its value. A number is 8 octets, big-endian; a text ends with a zero octet that
 * counts.
 *
 * Does not: read or write sockets, or know what a message is about.
 * Thread rule: none; a message borrows its fields.
 */
#ifndef SG_WIRE_WIRE_H
#define SG_WIRE_WIRE_H

#include "base/slice.h"

enum { SG_WIRE_VERSION = 1, SG_WIRE_HEADER = 16 };

enum sg_wire_side { SG_WIRE_FRONT, SG_WIRE_ISSUER };

/* Never renumbered. */
enum sg_wire_type {
    SG_WIRE_HELLO = 1, /* front: here I am */
    SG_WIRE_WELCOME,   /* issuer: documents follow */
    SG_WIRE_DOCUMENT,  /* issuer: a part of what anybody may fetch */
    SG_WIRE_PUBLISHED, /* issuer: those were all documents; earlier ones are gone */
    SG_WIRE_ENROLL,    /* front: a request for a certificate */
    SG_WIRE_REENROLL,  /* front: a request to renew the certificate that is presented */
    SG_WIRE_HEALTH,    /* front: are you well? */
    SG_WIRE_FIGURES,   /* front: your figures, for the metrics */
    SG_WIRE_ANSWER,    /* issuer: what the client gets, and what the log says */
    SG_WIRE_OCSP,      /* front: how do these certificates stand? */
    SG_WIRE_CALL,      /* front: a request to the API */
    SG_WIRE_KEY_HELLO, /* front: here I am, and use the key of TLS alone */
    SG_WIRE_TLS_SIGN,  /* front: have that key sign this of a handshake */
    SG_WIRE_SERVERKEYGEN, /* front: a request for a certificate and its key */
    SG_WIRE_TOKEN_ERRORS, /* issuer: calls of a token's module failed, for the metrics */
    SG_WIRE_END_OF_TYPES,
};

enum sg_wire_field {
    SG_WIRE_PROGRAM = 1,   /* text: the program's version */
    SG_WIRE_PEER,          /* text: the client's address */
    SG_WIRE_LABEL,         /* text: of EST; absent: none */
    SG_WIRE_AUTHORIZATION, /* text: the Authorization header, a secret */
    SG_WIRE_CLIENT,        /* octets: the certificate whose key the client used in TLS, DER */
    SG_WIRE_BODY,          /* octets: as received, or to be sent */
    SG_WIRE_STATUS,        /* number: of HTTP */
    SG_WIRE_MEDIA_TYPE,    /* text */
    SG_WIRE_ENCODING,      /* text: Content-Transfer-Encoding */
    SG_WIRE_MAX_AGE,       /* number: seconds for which it may be kept */
    SG_WIRE_RETRY_AFTER,   /* number: seconds */
    SG_WIRE_RULE,          /* text: what was broken, for the client and the log */
    SG_WIRE_TEXT,          /* text: what happened, for the log alone */
    SG_WIRE_SERIAL,        /* text: of the certificate that was issued, for the log */
    SG_WIRE_PATH,          /* text: of a document's URL */
    SG_WIRE_MODIFIED,      /* number: the moment it was made */
    SG_WIRE_TOTAL,         /* number: octets of the whole document */
    SG_WIRE_OFFSET,        /* number: where in it this part belongs */
    SG_WIRE_EXPIRES,       /* number: the moment from which it may no longer be kept */
    SG_WIRE_METHOD,        /* text: of HTTP */
    SG_WIRE_TARGET,        /* text: the URL's path and query, as they came */
    SG_WIRE_ALLOW,         /* text: the methods that there are */
    SG_WIRE_DETAIL,        /* text: what happened, for the client too */
    SG_WIRE_SCHEME,        /* text: of a signature, sg_scheme_text */
    SG_WIRE_TOKEN,         /* text: its name in signet.yaml */
    SG_WIRE_RV,            /* text: a CK_RV by its name, or in hex */
    SG_WIRE_TIMES,         /* number: how often it happened */
    SG_WIRE_GENERATION,    /* number: of answers by OCSP; what has the same one holds together */
    SG_WIRE_END_OF_FIELDS,
};

struct sg_message {
    enum sg_wire_type type;
    uint64_t id;
    unsigned has; /* SG_WIRE_HAS(field) bits */
    /* By field: a text without its zero octet, which is there all the same. */
    struct sg_slice bytes[SG_WIRE_END_OF_FIELDS];
    uint64_t numbers[SG_WIRE_END_OF_FIELDS];
};

#define SG_WIRE_HAS(field) (1U << (field))

/* Fill a message that is to be sent; what is given is borrowed until it is encoded. */
void sg_message_set_bytes(struct sg_message *message, enum sg_wire_field field,
                          struct sg_slice bytes);
/* NULL leaves the field out. */
void sg_message_set_text(struct sg_message *message, enum sg_wire_field field, const char *text);
void sg_message_set_number(struct sg_message *message, enum sg_wire_field field, uint64_t number);

/* Of a decoded message: NULL when the field is absent. */
const char *sg_message_text(const struct sg_message *message, enum sg_wire_field field);
/* Of either: 0 when the field is absent. */
uint64_t sg_message_number(const struct sg_message *message, enum sg_wire_field field);

/* sg_message_encode makes the whole frame, in one allocation, so that no copy of a secret is left
 * behind by one that grows. The caller wipes it (sg_wire_wipe) when it holds one.
 * frame    empty; filled on success.
 * Fails:   SG_INTERNAL when from does not send such a message, or a field is missing, too many, too
 *          long, or no text. */
SG_MUST_USE bool sg_message_encode(const struct sg_message *message, enum sg_wire_side from,
                                   struct sg_buf *frame, struct sg_error *error);

/* sg_wire_frame_len tells how long the frame is that begins with bytes: 0 while there is less than
 * a header. At most SG_WIRE_FRAME_MAX.
 * Fails: SG_MALFORMED, rule "wire", on a header that from would not send. */
SG_MUST_USE bool sg_wire_frame_len(struct sg_slice bytes, enum sg_wire_side from, size_t *len,
                                   struct sg_error *error);

/* sg_message_decode reads one whole frame; message borrows from it, and is untouched on failure.
 * Fails: SG_MALFORMED, rule "wire". */
SG_MUST_USE bool sg_message_decode(struct sg_slice frame, enum sg_wire_side from,
                                   struct sg_message *message, struct sg_error *error);

/* sg_wire_wipe overwrites what buf holds and releases it. */
void sg_wire_wipe(struct sg_buf *buf);

/* ---- the table ---- */

enum sg_wire_kind { SG_WIRE_IS_NUMBER, SG_WIRE_IS_TEXT, SG_WIRE_IS_BYTES };

struct sg_wire_field_row {
    const char *name;
    enum sg_wire_kind kind;
    size_t limit; /* octets, a text's zero octet included */
};

struct sg_wire_type_row {
    const char *name;
    enum sg_wire_side from;
    bool has_id;        /* it is or has an answer */
    unsigned must, may; /* SG_WIRE_HAS bits */
};

/* NULL for what is not in the table. */
const struct sg_wire_field_row *sg_wire_field_row(unsigned field);
const struct sg_wire_type_row *sg_wire_type_row(unsigned type);

/* sg_wire_max: octets of the fields of the longest message of a type. */
size_t sg_wire_max(unsigned type);

/* Where the issuer tells the TLS certificate that it has made, with its chain, in PEM: among the
 * documents, but this path is no URL's. */
#define SG_WIRE_TLS_PATH "(tls)"

/* Octets of the longest frame of all: a DOCUMENT or an ANSWER. */
enum { SG_WIRE_FRAME_MAX = 512 * 1024 };

#endif
