/* transcript: the record of a ceremony, one line of JSON for each thing that happened.
 *
 * Every line carries the SHA-256 of the line before it, the first one the plan's, so that the last
 * one's digest stands for all of them. A line is on the disk before what comes next is begun; what
 * a ceremony needs to be taken up again after the power went is in these lines and nowhere else.
 * Thread rule: one writer, who holds a lock on the file.
 */
#ifndef SG_CEREMONY_TRANSCRIPT_H
#define SG_CEREMONY_TRANSCRIPT_H

#include <jansson.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/hex.h"

struct sg_transcript {
    int fd; /* -1: it is only read */
    json_t *entries;
    char head[SG_SHA256_HEX_SIZE]; /* digest of the last line; the plan's while there is none */
    size_t torn;                   /* bytes of a last line that was cut off */
    struct sg_clock clock;
    void (*after_append)(void *context); /* NULL but in tests */
    void *append_context;
};

/* sg_transcript_open opens or makes the file and takes its lock. A last line that a crash left
 * half-written is cut off; torn tells.
 * Fails: SG_FAILED, also when another process has it; SG_INVALID when the chain is broken. */
SG_MUST_USE bool sg_transcript_open(const char *path, const char *plan_sha256,
                                    struct sg_transcript *transcript, struct sg_error *error);
/* sg_transcript_read reads whole lines from memory. Fails: SG_INVALID naming the line. */
SG_MUST_USE bool sg_transcript_read(struct sg_slice bytes, const char *plan_sha256,
                                    struct sg_transcript *transcript, struct sg_error *error);
void sg_transcript_done(struct sg_transcript *transcript);
SG_DEFINE_CLEANUP_IN_PLACE(sg_transcript, sg_transcript_done)

/* sg_transcript_append writes one entry, durably. data is taken over; NULL: memory ran out. */
SG_MUST_USE bool sg_transcript_append(struct sg_transcript *transcript, const char *event,
                                      json_t *data, struct sg_error *error);

/* sg_transcript_next: the data of the next entry of an event from *place on, which moves behind it;
 * NULL when there is none. */
const json_t *sg_transcript_next(const struct sg_transcript *transcript, const char *event,
                                 size_t *place);
/* sg_transcript_first: of the first one. */
const json_t *sg_transcript_first(const struct sg_transcript *transcript, const char *event);
/* sg_transcript_of_act: of the last one of an act (counted from 0), and, when file is not NULL, of
 * that output. */
const json_t *sg_transcript_of_act(const struct sg_transcript *transcript, const char *event,
                                   size_t act, const char *file);
size_t sg_transcript_count(const struct sg_transcript *transcript, const char *event);

#endif
