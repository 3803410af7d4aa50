/* file_key_parts: what the files about file keys share. */
#ifndef SG_ENROLL_FILE_KEY_PARTS_H
#define SG_ENROLL_FILE_KEY_PARTS_H

#include "file_key.h"

struct sg_file_key {
    EVP_PKEY *pkey;
    struct sg_public_key public;
    bool was_encrypted;
};

/* sg_file_key_of takes a private key over, on success, and looks at its public half.
 * what     begins messages: "ada.key". */
SG_MUST_USE bool sg_file_key_of(EVP_PKEY **pkey, const char *what, struct sg_file_key **key,
                                struct sg_error *error);

#endif
