#include "certs_only.h"

#include <openssl/asn1.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/limits.h"

/* All around the certificates is the same each time, but for lengths. OpenSSL's objects for it took
 * a twentieth of what issuing a certificate takes. */
static const uint8_t SIGNED_DATA[] = {V_ASN1_OBJECT, 9,    0x2a, 0x86, 0x48, 0x86,
                                      0xf7,          0x0d, 1,    7,    2};
static const uint8_t BEFORE[] = {V_ASN1_INTEGER,
                                 1,
                                 1, /* version */
                                 V_ASN1_SET | V_ASN1_CONSTRUCTED,
                                 0, /* digestAlgorithms: none */
                                 V_ASN1_SEQUENCE | V_ASN1_CONSTRUCTED,
                                 11, /* encapContentInfo: data, and none of it */
                                 V_ASN1_OBJECT,
                                 9,
                                 0x2a,
                                 0x86,
                                 0x48,
                                 0x86,
                                 0xf7,
                                 0x0d,
                                 1,
                                 7,
                                 1};
static const uint8_t BEHIND[] = {V_ASN1_SET | V_ASN1_CONSTRUCTED, 0}; /* signerInfos: none */

enum { MOST_HEADER = 8 }; /* octets of a tag with its length */

bool sg_certs_only(struct sg_slice certificates, struct sg_buf *der, struct sg_error *error)
{
    const int num = certificates.len <= SG_LIMIT_BODY ? (int)certificates.len : SG_LIMIT_BODY;
    const int content = (int)sizeof BEFORE + ASN1_object_size(1, num, 0) + (int)sizeof BEHIND;
    const int explicit = ASN1_object_size(1, content, V_ASN1_SEQUENCE);
    const int whole = (int)sizeof SIGNED_DATA + ASN1_object_size(1, explicit, 0);
    uint8_t head[4 * MOST_HEADER + sizeof SIGNED_DATA + sizeof BEFORE], *at = head;
    sg_auto(sg_buf) struct sg_buf fresh = {0};

    ASN1_put_object(&at, 1, whole, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL);
    at = mempcpy(at, SIGNED_DATA, sizeof SIGNED_DATA);
    ASN1_put_object(&at, 1, explicit, 0, V_ASN1_CONTEXT_SPECIFIC);
    ASN1_put_object(&at, 1, content, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL);
    at = mempcpy(at, BEFORE, sizeof BEFORE);
    ASN1_put_object(&at, 1, num, 0, V_ASN1_CONTEXT_SPECIFIC);
    if (!sg_buf_append(&fresh, head, (size_t)(at - head), SG_LIMIT_BODY, error) ||
        !sg_buf_append(&fresh, certificates.data, certificates.len, SG_LIMIT_BODY, error) ||
        !sg_buf_append(&fresh, BEHIND, sizeof BEHIND, SG_LIMIT_BODY, error))
        return false;
    *der = fresh;
    fresh = (struct sg_buf){0};
    return true;
}
