/* request: what somebody asked for, whatever the format it came in. Evidence, never instruction. */
#ifndef SG_MODEL_REQUEST_H
#define SG_MODEL_REQUEST_H

#include "extension.h"
#include "key.h"
#include "name.h"
#include "san.h"

enum sg_request_format {
    SG_REQUEST_PKCS10,
    SG_REQUEST_SPKAC,     /* Netscape's SignedPublicKeyAndChallenge: a key, and no name */
    SG_REQUEST_OWN_KEY,   /* an issuer's own key, for its self-signed certificate: the certificate's
                             signature is the proof of possession */
    SG_REQUEST_FORGOTTEN, /* that of a certificate which was issued long ago: its key is known, and
                             its subject is taken to have been the certificate's; what else it said
                             is not, and nothing is held against it */
};

struct sg_request {
    enum sg_request_format format;
    struct sg_buf der;      /* the whole request */
    long version;           /* as it is written: 0 is v1; SPKAC has none and says 0 */
    struct sg_name subject; /* may be empty */
    struct sg_public_key key;
    char digest[16]; /* of the request's own signature, "SHA2-256"; "" for Ed25519, ML-DSA */
    bool has_sans;
    struct sg_sans sans;
    unsigned key_usage;      /* SG_KU_* mask, 0 when not asked for */
    struct sg_oids purposes; /* extendedKeyUsage, empty when not asked for */
    bool has_basic_constraints;
    bool ca;
    long path_length;                /* -1 when not asked for */
    struct sg_extensions extensions; /* all of them, those above included */
    bool has_challenge;              /* a challengePassword, or an SPKAC's challenge, is there */
    struct sg_buf challenge;         /* in UTF-8. Wiped in the end, as der is, which holds it too;
                                        for comparing only, never shown */
    X509_REQ *pkcs10;                /* for possession; one of these, or, for SG_REQUEST_OWN_KEY, */
    NETSCAPE_SPKI *spkac;            /* none of them */
};

/* sg_request_forget_decoded releases OpenSSL's objects, the key's too. What was read of them stays.
 */
void sg_request_forget_decoded(struct sg_request *request);
void sg_request_done(struct sg_request *request);
SG_DEFINE_CLEANUP_IN_PLACE(sg_request, sg_request_done)

#endif
