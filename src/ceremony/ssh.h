/* ssh: keys and signatures in the forms of OpenSSH, checked by OpenSSL.
 *
 * People have SSH keys at hand. Their signatures (`ssh-keygen -Y sign`, OpenSSH's PROTOCOL.sshsig)
 * are read here and not handed to ssh-keygen, as a ceremony's machine has none: its package brings
 * the network client along.
 * Does not: know keys in hardware (sk-…) or certificates of OpenSSH, or sign.
 */
#ifndef SG_CEREMONY_SSH_H
#define SG_CEREMONY_SSH_H

#include "model/scheme.h"

/* sg_ssh_is_key: is this, by its first word, a public key as it stands in a .pub file? */
bool sg_ssh_is_key(struct sg_slice line);

/* sg_ssh_read_key fills an empty key from such a line: "ssh-ed25519 BASE64 COMMENT".
 * Follows: RFC 4253 6.6 (ssh-rsa), RFC 5656 3.1 (ecdsa-sha2-nistp256, 384, 521), RFC 8709 4.
 * Fails: SG_INVALID, also on a kind of key that is not read here. */
SG_MUST_USE bool sg_ssh_read_key(struct sg_slice line, struct sg_public_key *key,
                                 struct sg_error *error);

/* sg_ssh_is_signature: does it begin as the armour of a signature? */
bool sg_ssh_is_signature(struct sg_slice bytes);

/* sg_ssh_check_namespace: what the signature was made for, whoever made it.
 * Fails: SG_MALFORMED when it is no signature in the form that ssh-keygen gives it, byte for byte;
 * SG_POSSESSION on another namespace. */
SG_MUST_USE bool sg_ssh_check_namespace(struct sg_slice armoured, const char *namespace,
                                        struct sg_error *error);

/* sg_ssh_verify: is this key's signature, for the namespace, over bytes? RSA signs with SHA-512 or
 * SHA-256 (RFC 8332), never with SHA-1. Fails: as sg_ssh_check_namespace; SG_POSSESSION. */
SG_MUST_USE bool sg_ssh_verify(const struct sg_public_key *key, const char *namespace,
                               struct sg_slice bytes, struct sg_slice armoured,
                               struct sg_error *error);

#endif
