#include "merkle.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

/* A prefix byte keeps leaves and nodes apart, RFC 9162 2.1.1. */
static void hash_with(uint8_t prefix, struct sg_slice a, struct sg_slice b,
                      uint8_t hash[SG_SHA256_LEN])
{
    sg_auto(EVP_MD_CTX) EVP_MD_CTX *context = EVP_MD_CTX_new();

    /* as sg_sha256: this can't fail short of a broken OpenSSL */
    if (context == NULL || EVP_DigestInit_ex(context, EVP_sha256(), NULL) != 1 ||
        EVP_DigestUpdate(context, &prefix, 1) != 1 ||
        EVP_DigestUpdate(context, a.data, a.len) != 1 ||
        EVP_DigestUpdate(context, b.data, b.len) != 1 ||
        EVP_DigestFinal_ex(context, hash, NULL) != 1)
        abort();
}

static void join(const uint8_t left[SG_SHA256_LEN], const uint8_t right[SG_SHA256_LEN],
                 uint8_t node[SG_SHA256_LEN])
{
    hash_with(1, sg_slice_of(left, SG_SHA256_LEN), sg_slice_of(right, SG_SHA256_LEN), node);
}

void sg_merkle_leaf(struct sg_slice entry, uint8_t hash[SG_SHA256_LEN])
{
    hash_with(0, entry, sg_slice_of("", 0), hash);
}

void sg_merkle_add(struct sg_merkle *merkle, const uint8_t leaf[SG_SHA256_LEN])
{
    uint8_t node[SG_SHA256_LEN];
    size_t level = 0;

    memcpy(node, leaf, sizeof node);
    for (; (merkle->num >> level) & 1; level++)
        join(merkle->complete[level], node, node);
    memcpy(merkle->complete[level], node, sizeof node);
    merkle->num++;
}

/* The largest complete tree is on the left of all, so the joining begins with the smallest. */
void sg_merkle_root(const struct sg_merkle *merkle, uint8_t root[SG_SHA256_LEN])
{
    bool begun = false;

    if (merkle->num == 0)
        sg_sha256(sg_slice_of("", 0), root);
    for (size_t level = 0; level < SG_MERKLE_DEPTH; level++) {
        if (!((merkle->num >> level) & 1))
            continue;
        if (begun)
            join(merkle->complete[level], root, root);
        else
            memcpy(root, merkle->complete[level], SG_SHA256_LEN);
        begun = true;
    }
}
