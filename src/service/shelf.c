#include "shelf.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "wire/wire.h"

void sg_shelf_init(struct sg_shelf *shelf)
{
    *shelf = (struct sg_shelf){0};
    pthread_mutex_init(&shelf->lock, NULL);
}

void sg_shelf_done(struct sg_shelf *shelf)
{
    for (size_t i = 0; i < shelf->num; i++) {
        free(shelf->items[i].path);
        sg_buf_free(&shelf->items[i].bytes);
    }
    free(shelf->items);
    pthread_mutex_destroy(&shelf->lock);
}

/* The document of that path, or a new one. */
static struct sg_document *place_for(struct sg_shelf *shelf, const char *path)
{
    struct sg_document *grown;
    char *copy;

    for (size_t i = 0; i < shelf->num; i++)
        if (strcmp(shelf->items[i].path, path) == 0)
            return &shelf->items[i];
    grown = reallocarray(shelf->items, shelf->num + 1, sizeof *grown);
    if (grown != NULL)
        shelf->items = grown;
    copy = strdup(path);
    if (grown == NULL || copy == NULL) {
        free(copy);
        return NULL;
    }
    grown[shelf->num] = (struct sg_document){.path = copy};
    return &grown[shelf->num++];
}

bool sg_shelf_put(struct sg_shelf *shelf, const struct sg_document *document, struct sg_buf *bytes,
                  struct sg_error *error)
{
    struct sg_document *place;

    pthread_mutex_lock(&shelf->lock);
    place = place_for(shelf, document->path);
    if (place != NULL) {
        char *path = place->path;

        sg_buf_free(&place->bytes);
        *place = *document;
        place->path = path;
        place->bytes = *bytes;
        *bytes = (struct sg_buf){0};
        place->number = ++shelf->last_number;
    }
    pthread_mutex_unlock(&shelf->lock);
    return place != NULL || sg_fail_memory(error);
}

static const struct sg_document *next_of(const struct sg_shelf *shelf, uint64_t taken)
{
    const struct sg_document *next = NULL;

    for (size_t i = 0; i < shelf->num; i++)
        if (shelf->items[i].number > taken &&
            (next == NULL || shelf->items[i].number < next->number))
            next = &shelf->items[i];
    return next;
}

/* A document that was replaced while it was being taken has another number: it begins anew. */
static bool take_part(const struct sg_document *document, struct sg_shelf_cursor *cursor,
                      struct sg_buf *frame, struct sg_error *error)
{
    const size_t from = cursor->current == document->number ? cursor->offset : 0;
    const size_t left = document->bytes.len - from;
    const size_t part = left < SG_LIMIT_BODY ? left : SG_LIMIT_BODY;
    struct sg_message message = {.type = SG_WIRE_DOCUMENT};

    sg_message_set_text(&message, SG_WIRE_PATH, document->path);
    sg_message_set_text(&message, SG_WIRE_MEDIA_TYPE, document->media_type);
    sg_message_set_text(&message, SG_WIRE_ENCODING, document->encoding);
    sg_message_set_number(&message, SG_WIRE_MODIFIED, (uint64_t)document->modified);
    sg_message_set_number(&message, SG_WIRE_MAX_AGE, (uint64_t)document->max_age_s);
    sg_message_set_number(&message, SG_WIRE_TOTAL, document->bytes.len);
    sg_message_set_number(&message, SG_WIRE_OFFSET, from);
    sg_message_set_bytes(&message, SG_WIRE_BODY, sg_slice_of(document->bytes.data + from, part));
    if (!sg_message_encode(&message, SG_WIRE_ISSUER, frame, error))
        return false;
    cursor->current = document->number;
    cursor->offset = from + part;
    if (cursor->offset == document->bytes.len)
        cursor->taken = document->number;
    return true;
}

bool sg_shelf_take(struct sg_shelf *shelf, struct sg_shelf_cursor *cursor, struct sg_buf *frame,
                   struct sg_error *error)
{
    const struct sg_document *next;
    bool taken = true;

    pthread_mutex_lock(&shelf->lock);
    next = next_of(shelf, cursor->taken);
    if (next != NULL)
        taken = take_part(next, cursor, frame, error);
    pthread_mutex_unlock(&shelf->lock);
    return taken;
}
