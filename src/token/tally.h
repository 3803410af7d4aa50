/* tally: what those who watch a service are told of a token: how many sessions are open, and which
 * calls of its module have failed, by CK_RV.
 *
 * Whoever opens a token may give it one; it outlives the token, and several may have the same.
 * Thread rule: thread-safe, and nobody waits for anybody. Zero-initialised is empty.
 */
#ifndef SG_TOKEN_TALLY_H
#define SG_TOKEN_TALLY_H

#include <stdatomic.h>
#include <stdint.h>

/* A token gives few different errors. Past these all others are counted together. */
enum { SG_TALLY_ROWS = 32, SG_TALLY_NAME_SIZE = 48 };

struct sg_tally {
    _Atomic long num_sessions;
    _Atomic long max_sessions; /* as many as Signet may open; 0: the engine opens them itself */
    struct sg_tally_row {
        _Atomic unsigned long rv; /* 0, CKR_OK, while the row is free */
        _Atomic uint64_t num;
    } rows[SG_TALLY_ROWS];
};

/* sg_tally_count adds one failure. tally   NULL: nobody counts. */
void sg_tally_count(struct sg_tally *tally, unsigned long rv);

/* sg_tally_add_sessions: so many more are open, or fewer. tally   NULL: nobody counts. */
void sg_tally_add_sessions(struct sg_tally *tally, long num);

/* sg_tally_take tells how many failures a row has had since it was taken last; none: 0.
 * name     gets "CKR_DEVICE_ERROR", "0x80000012" where there is no name, or "other" in the last
 *          row. */
uint64_t sg_tally_take(struct sg_tally *tally, unsigned row, char name[SG_TALLY_NAME_SIZE]);

#endif
