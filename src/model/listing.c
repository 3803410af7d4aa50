#include "listing.h"

#include <string.h>

static const char ELLIPSIS[] = "…";

struct sg_listing sg_listing_start(char *into, size_t size)
{
    if (size > 0)
        into[0] = '\0';
    return (struct sg_listing){.into = into, .size = size};
}

static bool continues_character(char byte)
{
    return ((unsigned char)byte & 0xc0) == 0x80;
}

/* Takes characters off the end until the ellipsis fits, and puts it there. */
static void cut(struct sg_listing *listing)
{
    size_t len = listing->len;

    listing->cut = true;
    while (len > 0 && len + sizeof ELLIPSIS > listing->size) {
        len--;
        while (len > 0 && continues_character(listing->into[len]))
            len--;
    }
    if (len + sizeof ELLIPSIS <= listing->size) {
        memcpy(listing->into + len, ELLIPSIS, sizeof ELLIPSIS);
        listing->len = len + sizeof ELLIPSIS - 1;
    }
}

static size_t character_len(const char *text)
{
    size_t len = 1;

    while (continues_character(text[len]))
        len++;
    return len;
}

static void add_character(struct sg_listing *listing, const char *character, size_t len)
{
    if (listing->cut)
        return;
    if (listing->len + len >= listing->size) {
        cut(listing);
        return;
    }
    memcpy(listing->into + listing->len, character, len);
    listing->len += len;
    listing->into[listing->len] = '\0';
}

void sg_listing_add_escaped(struct sg_listing *listing, const char *text, const char *special)
{
    while (*text != '\0' && !listing->cut) {
        size_t len = character_len(text);

        if (len == 1 && strchr(special, *text) != NULL)
            add_character(listing, "\\", 1);
        add_character(listing, text, len);
        text += len;
    }
}

void sg_listing_add(struct sg_listing *listing, const char *text)
{
    sg_listing_add_escaped(listing, text, "");
}
