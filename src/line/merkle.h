/* merkle: the root of a Merkle tree over a sequence, RFC 9162 2.1.1, in memory that grows with the
 * logarithm of its length. */
#ifndef SG_LINE_MERKLE_H
#define SG_LINE_MERKLE_H

#include "base/hex.h"

enum { SG_MERKLE_DEPTH = 64 };

/* Zero-initialised is the empty tree. complete[i] is the root of the 2^i leaves that are not part
 * of a larger complete tree; it counts when bit i of num is set. */
struct sg_merkle {
    uint64_t num;
    uint8_t complete[SG_MERKLE_DEPTH][SG_SHA256_LEN];
};

/* sg_merkle_leaf hashes one entry: SHA-256(0x00 || entry). */
void sg_merkle_leaf(struct sg_slice entry, uint8_t hash[SG_SHA256_LEN]);
/* sg_merkle_add appends a leaf's hash. */
void sg_merkle_add(struct sg_merkle *merkle, const uint8_t leaf[SG_SHA256_LEN]);
/* sg_merkle_root: SHA-256("") for the empty tree. */
void sg_merkle_root(const struct sg_merkle *merkle, uint8_t root[SG_SHA256_LEN]);

#endif
