/* file_key_parts: what the files about file keys share. */
#ifndef SG_ENROLL_FILE_KEY_PARTS_H
#define SG_ENROLL_FILE_KEY_PARTS_H

#include "file_key.h"

struct sg_file_key {
    EVP_PKEY *pkey;
    struct sg_public_key public;
    bool was_encrypted;
};

#endif
