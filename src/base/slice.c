#include "slice.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"

struct sg_slice sg_slice_of(const void *data, size_t len)
{
    return (struct sg_slice){.data = data, .len = len};
}

struct sg_slice sg_slice_text(const char *text)
{
    return sg_slice_of(text, text != NULL ? strlen(text) : 0);
}

struct sg_slice sg_buf_slice(const struct sg_buf *buf)
{
    return sg_slice_of(buf->data, buf->len);
}

bool sg_slice_equal(struct sg_slice a, struct sg_slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

enum { SMALLEST_CAPACITY = 64 };

/* Makes room for more bytes and the zero byte behind them. */
static bool reserve(struct sg_buf *buf, size_t more, size_t limit, struct sg_error *error)
{
    size_t needed, capacity;
    uint8_t *data;

    if (more > limit || buf->len > limit - more || limit > SIZE_MAX / 2)
        return sg_fail(error, SG_FAILED, NULL, "more than %zu bytes, which is the limit here",
                       limit);
    needed = buf->len + more + 1;
    if (needed <= buf->capacity)
        return true;
    capacity = buf->capacity * 2 > needed ? buf->capacity * 2 : needed;
    if (capacity < SMALLEST_CAPACITY)
        capacity = SMALLEST_CAPACITY;
    data = realloc(buf->data, capacity);
    if (data == NULL)
        return sg_fail_memory(error);
    buf->data = data;
    buf->capacity = capacity;
    return true;
}

bool sg_buf_append(struct sg_buf *buf, const void *data, size_t len, size_t limit,
                   struct sg_error *error)
{
    if (!reserve(buf, len, limit, error))
        return false;
    if (len > 0)
        memcpy(buf->data + buf->len, data, len);
    buf->len += len;
    buf->data[buf->len] = 0;
    return true;
}

bool sg_buf_vprintf(struct sg_buf *buf, size_t limit, struct sg_error *error, const char *format,
                    va_list arguments)
{
    sg_auto(malloc) char *text = NULL;
    int len = vasprintf(&text, format, arguments);

    if (len < 0) {
        text = NULL; /* vasprintf leaves it undefined */
        return sg_fail_memory(error);
    }
    return sg_buf_append(buf, text, (size_t)len, limit, error);
}

bool sg_buf_printf(struct sg_buf *buf, size_t limit, struct sg_error *error, const char *format,
                   ...)
{
    va_list arguments;

    va_start(arguments, format);
    bool done = sg_buf_vprintf(buf, limit, error, format, arguments);
    va_end(arguments);
    return done;
}

bool sg_buf_set(struct sg_buf *buf, struct sg_slice bytes, struct sg_error *error)
{
    struct sg_buf fresh = {0};

    if (!sg_buf_append(&fresh, bytes.data, bytes.len, bytes.len, error))
        return false;
    sg_buf_free(buf);
    *buf = fresh;
    return true;
}

uint8_t *sg_buf_take(struct sg_buf *buf)
{
    uint8_t *data = buf->data;

    *buf = (struct sg_buf){0};
    return data;
}

void sg_buf_free(struct sg_buf *buf)
{
    if (buf == NULL)
        return;
    free(buf->data);
    *buf = (struct sg_buf){0};
}
