/* reader: a thread that reads a source ahead of the run, a few groups at most. */
#ifndef SG_LINE_READER_H
#define SG_LINE_READER_H

#include "input.h"
#include "keys.h"

struct sg_reader;

/* sg_reader_start takes the source over.
 * keys     for items without a request; NULL: they have none. Borrowed.
 * eager    the items are wanted one by one as they come, as from a stream, and not by the group.
 * limit    how many at most; 0: all.
 * wake     called, on the reader's thread, when there is something new to take. */
SG_MUST_USE bool sg_reader_start(struct sg_input *source, const struct sg_line_keys *keys,
                                 bool eager, uint64_t limit, void (*wake)(void *context),
                                 void *context, struct sg_reader **reader, struct sg_error *error);

/* sg_reader_take moves up to max items into items, without waiting.
 * end      set when no more will come. Fails: as the source did, once what came before is taken. */
SG_MUST_USE bool sg_reader_take(struct sg_reader *reader, size_t max, struct sg_items *items,
                                bool *end, struct sg_error *error);

/* sg_reader_stop ends the thread. A source that waits for input has to be told so before, by its
 * stop. */
void sg_reader_stop(struct sg_reader *reader);

typedef struct sg_reader sg_reader;
SG_DEFINE_CLEANUP(sg_reader, sg_reader_stop)

#endif
