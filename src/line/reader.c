#include "reader.h"

#include <pthread.h>
#include <string.h>

#include "base/limits.h"

enum { MOST = 3 * SG_LIMIT_GROUP };

struct sg_reader {
    struct sg_input *source;
    const struct sg_line_keys *keys; /* NULL: none are made */
    bool eager;
    uint64_t limit;
    void (*wake)(void *context);
    void *context;
    pthread_t thread;
    bool is_started;

    pthread_mutex_t lock;
    pthread_cond_t room;
    struct sg_items items;
    bool is_stopped, at_end;
    struct sg_error error; /* why it ended, when that was no end */
};

/* Hands an item over, when there is room; NULL is the end. False when nobody wants more. */
static bool put(struct sg_reader *reader, struct sg_item *item)
{
    bool is_stopped, is_news;

    pthread_mutex_lock(&reader->lock);
    while (item != NULL && reader->items.num >= MOST && !reader->is_stopped)
        pthread_cond_wait(&reader->room, &reader->lock);
    is_stopped = reader->is_stopped;
    if (item == NULL)
        reader->at_end = true;
    else
        sg_items_put(&reader->items, item);
    is_news = item == NULL || reader->eager || reader->items.num == SG_LIMIT_GROUP;
    pthread_mutex_unlock(&reader->lock);
    if (is_news)
        reader->wake(reader->context);
    return !is_stopped;
}

static bool next(const struct sg_reader *reader, struct sg_item **item, struct sg_error *error)
{
    sg_auto(sg_item) struct sg_item *fresh = NULL;

    if (!sg_input_next(reader->source, &fresh, error) ||
        (fresh != NULL && reader->keys != NULL && !sg_keys_fill(reader->keys, fresh, error)))
        return false;
    *item = SG_TAKE(fresh);
    return true;
}

static void *read_all(void *argument)
{
    struct sg_reader *reader = argument;
    struct sg_error error = {0};

    for (uint64_t number = 1; reader->limit == 0 || number <= reader->limit; number++) {
        struct sg_item *item = NULL;

        if (!next(reader, &item, &error)) {
            pthread_mutex_lock(&reader->lock);
            reader->error = error;
            pthread_mutex_unlock(&reader->lock);
            break;
        }
        if (item == NULL)
            break;
        item->number = number;
        if (!put(reader, item))
            break;
    }
    put(reader, NULL);
    return NULL;
}

bool sg_reader_start(struct sg_input *source, const struct sg_line_keys *keys, bool eager,
                     uint64_t limit, void (*wake)(void *context), void *context,
                     struct sg_reader **reader, struct sg_error *error)
{
    struct sg_reader *fresh = calloc(1, sizeof *fresh);
    int failure;

    if (fresh == NULL) {
        sg_input_close(source);
        return sg_fail_memory(error);
    }
    *fresh = (struct sg_reader){.source = source,
                                .keys = keys,
                                .eager = eager,
                                .limit = limit,
                                .wake = wake,
                                .context = context};
    pthread_mutex_init(&fresh->lock, NULL);
    pthread_cond_init(&fresh->room, NULL);
    failure = pthread_create(&fresh->thread, NULL, read_all, fresh);
    fresh->is_started = failure == 0;
    if (failure != 0) {
        sg_reader_stop(fresh);
        return sg_fail(error, SG_FAILED, NULL, "a thread can't be started: %s", strerror(failure));
    }
    *reader = fresh;
    return true;
}

bool sg_reader_take(struct sg_reader *reader, size_t max, struct sg_items *items, bool *end,
                    struct sg_error *error)
{
    bool read = true;

    pthread_mutex_lock(&reader->lock);
    if (reader->eager || reader->at_end || reader->items.num >= SG_LIMIT_GROUP)
        while (items->num < max && reader->items.num > 0)
            sg_items_put(items, sg_items_take(&reader->items));
    *end = reader->at_end && reader->items.num == 0;
    if (*end && reader->error.code != SG_OK && items->num == 0) {
        *error = reader->error;
        read = false;
    } else if (reader->error.code != SG_OK) {
        *end = false; /* the failure comes next */
    }
    pthread_cond_signal(&reader->room);
    pthread_mutex_unlock(&reader->lock);
    return read;
}

void sg_reader_stop(struct sg_reader *reader)
{
    if (reader == NULL)
        return;
    pthread_mutex_lock(&reader->lock);
    reader->is_stopped = true;
    pthread_cond_signal(&reader->room);
    pthread_mutex_unlock(&reader->lock);
    if (reader->is_started)
        pthread_join(reader->thread, NULL);
    sg_input_close(reader->source);
    sg_items_done(&reader->items);
    pthread_cond_destroy(&reader->room);
    pthread_mutex_destroy(&reader->lock);
    free(reader);
}
