/* dump: all that a store holds, as lines of text that say the same whichever engine stands below,
 * and a new store made of such lines.
 *
 * A line is one row of one table: a JSON array of its columns, in which bytes are base64. Tables
 * come in the order in which they can be filled. Thread rule: that of the store.
 */
#ifndef SG_STORE_DUMP_H
#define SG_STORE_DUMP_H

#include "store.h"

/* Return false to stop (fill error). line has no line end; it is borrowed for the call. */
typedef bool sg_dump_sink(const char *table, struct sg_slice line, void *context,
                          struct sg_error *error);

/* sg_store_dump hands out every row as of one moment; others may write meanwhile.
 * Fails: SG_STORE, also for a store of an earlier version; as sink does. */
SG_MUST_USE bool sg_store_dump(struct sg_store *store, sg_dump_sink *sink, void *context,
                               struct sg_error *error);

/* sg_store_load makes a store and fills it: nobody sees it before all of it is durable. */
struct sg_loader {
    /* fills store by the functions below, and by no other that writes */
    bool (*fill)(struct sg_store *store, void *context, struct sg_error *error);
    /* is called when all is in it, right before it is there for others; NULL: nothing is to do */
    bool (*settle)(void *context, struct sg_error *error);
    void *context;
};
/* Fails: SG_STORE when a store is there already, or can't be made; as fill and settle do. There is
 * no store then. */
SG_MUST_USE bool sg_store_load(const char *location, const char *folder,
                               const struct sg_loader *loader, struct sg_error *error);

/* sg_load_row adds a row. Fails: SG_INVALID on a line that is none of the table's; SG_STORE. */
SG_MUST_USE bool sg_load_row(struct sg_store *store, const char *table, struct sg_slice line,
                             struct sg_error *error);

/* ---- what happened after the lines were written ---- */

/* How many revocations were added: of certificates that the lines know, and of others. */
struct sg_load_kept {
    size_t num_known, num_unknown;
};

/* sg_load_keep_revoked adds a revocation, or makes the one that is there say what is worse. A
 * serial number that was never claimed here is claimed with it, for good, without a certificate.
 * spki_sha256  of the issuer's key; found is false when the store has no such issuer. */
SG_MUST_USE bool sg_load_keep_revoked(struct sg_store *store,
                                      const uint8_t spki_sha256[SG_SHA256_LEN],
                                      const struct sg_revoked *revoked, struct sg_load_kept *kept,
                                      struct sg_error *error);

/* sg_load_keep_crl takes a CRL that was published: its number, and its bytes, when the store knows
 * no later one. The issuer is added, under name, when there is none of that key. */
SG_MUST_USE bool sg_load_keep_crl(struct sg_store *store, const char *name,
                                  const uint8_t spki_sha256[SG_SHA256_LEN],
                                  const struct sg_stored_crl *crl, struct sg_slice to_be_signed,
                                  struct sg_error *error);

/* sg_load_keep_from adds what another store knows of revocations, with the certificates that they
 * are of, and the numbers of its CRLs. */
SG_MUST_USE bool sg_load_keep_from(struct sg_store *store, struct sg_store *other,
                                   struct sg_load_kept *kept, struct sg_error *error);

/* sg_load_raise_crl_numbers leaves out step CRL numbers of every issuer, and all below least;
 * visit, or NULL, is told the next one. */
typedef bool sg_number_visitor(const char *issuer, int64_t next, void *context,
                               struct sg_error *error);
SG_MUST_USE bool sg_load_raise_crl_numbers(struct sg_store *store, int64_t step, int64_t least,
                                           int64_t now, sg_number_visitor *visit, void *context,
                                           struct sg_error *error);

/* sg_load_note writes down what was done, for `signet store show`. */
SG_MUST_USE bool sg_load_note(struct sg_store *store, int64_t now, const char *what,
                              struct sg_error *error);

#endif
