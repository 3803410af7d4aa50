/* rv: PKCS#11 return values by name. Private to the room. */
#ifndef SG_TOKEN_RV_H
#define SG_TOKEN_RV_H

#include <p11-kit/pkcs11.h>

#include "base/error.h"

enum { SG_RV_TEXT_SIZE = 64 };

/* sg_rv_text: "CKR_PIN_INCORRECT (0xA0)"; "CKR_VENDOR_DEFINED + 0x12 (0x80000012)" and
 * "unknown CK_RV (0x7777)" for the others. Returns into. */
const char *sg_rv_text(CK_RV rv, char into[SG_RV_TEXT_SIZE]);

/* sg_rv_name: "CKR_PIN_INCORRECT"; NULL for those that have no name here. */
const char *sg_rv_name(CK_RV rv);

/* sg_rv_is_loss: the session, the login or the connection to the token is gone, and a new one may
 * do. A PIN that was refused is none of these. */
bool sg_rv_is_loss(CK_RV rv);

/* sg_fail_rv is sg_fail with rv in detail and its name after the message. */
bool sg_fail_rv(struct sg_error *error, enum sg_code code, CK_RV rv, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
