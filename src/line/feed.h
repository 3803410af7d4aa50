/* feed: a file or a stream, a piece at a time, in memory that does not grow with it.
 *
 * Thread rule: one feed belongs to one thread; whoever wants its reading to end writes to the other
 * end of stop.
 */
#ifndef SG_LINE_FEED_H
#define SG_LINE_FEED_H

#include "base/cleanup.h"
#include "base/slice.h"

struct sg_feed {
    const char *path; /* for messages; borrowed */
    int fd;
    int stop; /* reading ends when this can be read from; -1: nobody stops it */
    uint8_t *bytes;
    size_t from, to; /* what of bytes is unread */
    size_t line;     /* of its first byte, from 1 */
    bool at_end;
};

/* sg_feed_open opens path, "-" for standard input; path is borrowed. Fails: SG_FAILED. */
SG_MUST_USE bool sg_feed_open(const char *path, int stop, struct sg_feed *feed,
                              struct sg_error *error);
void sg_feed_close(struct sg_feed *feed);
SG_DEFINE_CLEANUP_IN_PLACE(sg_feed, sg_feed_close)

/* sg_feed_peek tells the first byte that is unread, and waits for it; EOF at the end. */
SG_MUST_USE bool sg_feed_peek(struct sg_feed *feed, int *byte, struct sg_error *error);

/* sg_feed_next takes the next piece.
 * measure  how long the first piece of a text is, 0 when its end is not there; what is left at the
 *          end of the file is a piece, too.
 * piece    lives until the next call; empty at the end. line: where it begins.
 * Fails: SG_FAILED when it can't be read, SG_INVALID on a piece of more than SG_LIMIT_FEED. */
SG_MUST_USE bool sg_feed_next(struct sg_feed *feed, size_t (*measure)(struct sg_slice text),
                              struct sg_slice *piece, size_t *line, struct sg_error *error);

/* sg_feed_line measures a line, with its line break. */
size_t sg_feed_line(struct sg_slice text);

#endif
