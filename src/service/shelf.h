/* shelf: what anybody may fetch: CRLs, CA certificates, EST's cacerts and csrattrs.
 *
 * The desk makes the documents, the door carries them to the front in parts, and the front hands
 * them out by itself. Each that is put here gets the next number; a reader's cursor tells up to
 * which number it has taken all.
 * Thread rule: any thread.
 */
#ifndef SG_SERVICE_SHELF_H
#define SG_SERVICE_SHELF_H

#include <pthread.h>

#include "base/slice.h"

/* Texts but the path are constants. */
struct sg_document {
    char *path; /* of its URL */
    const char *media_type;
    const char *encoding; /* Content-Transfer-Encoding, or NULL */
    int64_t modified;
    int64_t max_age_s;
    struct sg_buf bytes;
    uint64_t number;
};

struct sg_shelf {
    pthread_mutex_t lock;
    struct sg_document *items;
    size_t num;
    uint64_t last_number;
};

struct sg_shelf_cursor {
    uint64_t taken;   /* all documents up to this number */
    uint64_t current; /* the one that is being taken, */
    size_t offset;    /* up to here */
};

void sg_shelf_init(struct sg_shelf *shelf);
void sg_shelf_done(struct sg_shelf *shelf);

/* sg_shelf_put adds a document or replaces the one of its path; all but path is copied or a
 * constant. bytes' contents are taken over on success. */
SG_MUST_USE bool sg_shelf_put(struct sg_shelf *shelf, const struct sg_document *document,
                              struct sg_buf *bytes, struct sg_error *error);

/* sg_shelf_take makes the DOCUMENT message with the next part that the cursor has not had.
 * frame    left empty when there is none. */
SG_MUST_USE bool sg_shelf_take(struct sg_shelf *shelf, struct sg_shelf_cursor *cursor,
                               struct sg_buf *frame, struct sg_error *error);

#endif
