#include "feed.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>

#include "base/limits.h"

bool sg_feed_open(const char *path, int stop, struct sg_feed *feed, struct sg_error *error)
{
    sg_auto(sg_feed) struct sg_feed fresh = {.path = path, .fd = -1, .stop = stop, .line = 1};

    fresh.fd = strcmp(path, "-") == 0 ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0)
                                      : open(path, O_RDONLY | O_CLOEXEC);
    if (fresh.fd < 0)
        return sg_fail_errno(error, "cannot read %s", path);
    if ((fresh.bytes = malloc(SG_LIMIT_FEED)) == NULL)
        return sg_fail_memory(error);
    *feed = fresh;
    fresh = (struct sg_feed){.fd = -1};
    return true;
}

void sg_feed_close(struct sg_feed *feed)
{
    if (feed->bytes != NULL || feed->fd > 0)
        sg_cleanup_fd(&feed->fd);
    free(feed->bytes);
    *feed = (struct sg_feed){.fd = -1};
}

/* False when reading is to end. */
static bool wait_for_bytes(const struct sg_feed *feed)
{
    struct pollfd fds[] = {{.fd = feed->fd, .events = POLLIN},
                           {.fd = feed->stop, .events = POLLIN}};

    while (poll(fds, 2, -1) < 0)
        if (errno != EINTR)
            return true; /* read tells what is wrong */
    return fds[1].revents == 0;
}

static bool refill(struct sg_feed *feed, struct sg_error *error)
{
    ssize_t num;

    memmove(feed->bytes, feed->bytes + feed->from, feed->to - feed->from);
    feed->to -= feed->from;
    feed->from = 0;
    if (feed->to == SG_LIMIT_FEED)
        return sg_fail(error, SG_INVALID, NULL, "%s:%zu: a record of more than %d bytes",
                       feed->path, feed->line, SG_LIMIT_FEED);
    if (!wait_for_bytes(feed)) {
        feed->at_end = true;
        feed->to = 0; /* half a record is none */
        return true;
    }
    do
        num = read(feed->fd, feed->bytes + feed->to, SG_LIMIT_FEED - feed->to);
    while (num < 0 && errno == EINTR);
    if (num < 0)
        return sg_fail_errno(error, "cannot read %s", feed->path);
    feed->to += (size_t)num;
    feed->at_end = num == 0;
    return true;
}

bool sg_feed_peek(struct sg_feed *feed, int *byte, struct sg_error *error)
{
    while (feed->from == feed->to && !feed->at_end)
        if (!refill(feed, error))
            return false;
    *byte = feed->from < feed->to ? feed->bytes[feed->from] : EOF;
    return true;
}

static struct sg_slice take(struct sg_feed *feed, size_t len)
{
    struct sg_slice taken = sg_slice_of(feed->bytes + feed->from, len);

    for (size_t i = 0; i < len; i++)
        feed->line += taken.data[i] == '\n';
    feed->from += len;
    return taken;
}

bool sg_feed_next(struct sg_feed *feed, size_t (*measure)(struct sg_slice text),
                  struct sg_slice *piece, size_t *line, struct sg_error *error)
{
    for (;;) {
        struct sg_slice text = sg_slice_of(feed->bytes + feed->from, feed->to - feed->from);
        size_t len = measure(text);

        *line = feed->line;
        if (len == 0 && feed->at_end)
            len = text.len;
        if (len != 0 || feed->at_end) {
            *piece = take(feed, len);
            return true;
        }
        if (!refill(feed, error))
            return false;
    }
}

size_t sg_feed_line(struct sg_slice text)
{
    const uint8_t *end = text.len > 0 ? memchr(text.data, '\n', text.len) : NULL;

    return end != NULL ? (size_t)(end - text.data) + 1 : 0;
}
