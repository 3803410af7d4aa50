/* listing: pieces of text put one after the other into a caller's room; what does not fit is cut
 * between two characters and shown as "…". Used inside this room by the _text functions.
 */
#ifndef SG_MODEL_LISTING_H
#define SG_MODEL_LISTING_H

#include <stdbool.h>
#include <stddef.h>

struct sg_listing {
    char *into;
    size_t size, len;
    bool cut;
};

/* sg_listing_start: into holds "" from here on; size is in bytes, its zero byte included. */
struct sg_listing sg_listing_start(char *into, size_t size);
/* sg_listing_add appends text; nothing more once something was cut. */
void sg_listing_add(struct sg_listing *listing, const char *text);
/* sg_listing_add_escaped puts a backslash before each character out of special (ASCII). */
void sg_listing_add_escaped(struct sg_listing *listing, const char *text, const char *special);

#endif
