/* papers: the documents that the issuer has told of, and that anybody may fetch. */
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "parts.h"

/* A reply may still be sending what a newer version has replaced. */
struct sg_paper_body {
    unsigned num_users;
    struct sg_buf bytes;
};

static void let_go(struct sg_paper_body *body)
{
    if (body == NULL || --body->num_users > 0)
        return;
    sg_buf_free(&body->bytes);
    free(body);
}

static void note_sent(const void *data, size_t len, void *body)
{
    (void)data;
    (void)len;
    let_go(body);
}

/* ---- coming ---- */

static void free_paper(struct sg_paper *paper)
{
    LIST_REMOVE(paper, in_list);
    let_go(paper->body);
    sg_buf_free(&paper->coming);
    free(paper->path);
    free(paper->media_type);
    free(paper->encoding);
    free(paper);
}

static struct sg_paper *find(const struct sg_front *front, const char *path)
{
    struct sg_paper *paper;

    LIST_FOREACH(paper, &front->papers, in_list)
    {
        if (strcmp(paper->path, path) == 0)
            return paper;
    }
    return NULL;
}

static struct sg_paper *find_or_add(struct sg_front *front, const char *path)
{
    struct sg_paper *paper = find(front, path);

    if (paper != NULL)
        return paper;
    paper = calloc(1, sizeof *paper);
    if (paper == NULL)
        return NULL;
    paper->path = strdup(path);
    if (paper->path == NULL) {
        free(paper);
        return NULL;
    }
    LIST_INSERT_HEAD(&front->papers, paper, in_list);
    return paper;
}

static void describe(struct sg_paper *paper, const struct sg_message *message)
{
    const char *encoding = sg_message_text(message, SG_WIRE_ENCODING);

    free(paper->media_type);
    free(paper->encoding);
    paper->media_type = strdup(sg_message_text(message, SG_WIRE_MEDIA_TYPE));
    paper->encoding = encoding != NULL ? strdup(encoding) : NULL;
    paper->max_age_s = (int64_t)sg_message_number(message, SG_WIRE_MAX_AGE);
    paper->modified_at = (int64_t)sg_message_number(message, SG_WIRE_MODIFIED);
    sg_fresh_date(paper->modified_at, paper->modified);
    sg_fresh_tag(sg_buf_slice(&paper->body->bytes), paper->etag);
}

/* The last part has come: from now on it is what clients get. */
static bool put_in_place(struct sg_paper *paper, const struct sg_message *message,
                         struct sg_error *error)
{
    struct sg_paper_body *body = calloc(1, sizeof *body);

    if (body == NULL)
        return sg_fail_memory(error);
    body->num_users = 1;
    body->bytes = paper->coming;
    paper->coming = (struct sg_buf){0};
    let_go(paper->body);
    paper->body = body;
    paper->is_stale = false;
    describe(paper, message);
    return true;
}

struct sg_slice sg_paper_bytes(const struct sg_front *front, const char *path)
{
    const struct sg_paper *paper = sg_paper_find(front, path);

    return paper != NULL ? sg_buf_slice(&paper->body->bytes) : (struct sg_slice){0};
}

bool sg_paper_take(struct sg_front *front, const struct sg_message *message, struct sg_error *error)
{
    const struct sg_slice part = message->bytes[SG_WIRE_BODY];
    const uint64_t total = sg_message_number(message, SG_WIRE_TOTAL);
    const uint64_t offset = sg_message_number(message, SG_WIRE_OFFSET);
    struct sg_paper *paper = find_or_add(front, sg_message_text(message, SG_WIRE_PATH));

    if (paper == NULL)
        return sg_fail_memory(error);
    if (offset == 0) {
        sg_buf_free(&paper->coming);
        paper->total = (size_t)total;
    }
    if (total > SG_LIMIT_CRL || total != paper->total || offset != paper->coming.len ||
        part.len > total - offset)
        return sg_fail(error, SG_MALFORMED, "wire", "a part of %s does not belong where it says",
                       paper->path);
    if (!sg_buf_append(&paper->coming, part.data, part.len, SG_LIMIT_CRL, error))
        return false;
    if (paper->coming.len < paper->total)
        return true;
    if (!put_in_place(paper, message, error))
        return false;
    if (strcmp(paper->path, SG_WIRE_TLS_PATH) == 0)
        sg_tls_take(front);
    return true;
}

void sg_papers_doubt(struct sg_front *front)
{
    struct sg_paper *paper;

    LIST_FOREACH(paper, &front->papers, in_list)
    {
        paper->is_stale = true;
    }
}

void sg_papers_settle(struct sg_front *front)
{
    struct sg_paper *next;

    for (struct sg_paper *paper = LIST_FIRST(&front->papers); paper != NULL; paper = next) {
        next = LIST_NEXT(paper, in_list);
        if (paper->is_stale)
            free_paper(paper);
    }
}

void sg_papers_free(struct sg_front *front)
{
    while (!LIST_EMPTY(&front->papers))
        free_paper(LIST_FIRST(&front->papers));
}

/* ---- going ---- */

const struct sg_paper *sg_paper_find(const struct sg_front *front, const char *path)
{
    const struct sg_paper *paper = find(front, path);

    return paper != NULL && paper->body != NULL ? paper : NULL;
}

void sg_paper_serve(struct sg_exchange *exchange, const struct sg_paper *paper)
{
    struct evbuffer *body = evbuffer_new();
    char cache[48];
    struct sg_reply reply = {
        .media_type = paper->media_type,
        .encoding = paper->encoding,
        .etag = paper->etag,
        .modified = paper->modified,
        .cache = cache,
        .body = body,
    };

    snprintf(cache, sizeof cache, "max-age=%lld", (long long)paper->max_age_s);
    if (body == NULL)
        sg_reply_busy(exchange, "out of memory");
    else if (sg_fresh_is_had(exchange, paper->etag, paper->modified_at))
        sg_reply_send(exchange, 304, &reply);
    else {
        paper->body->num_users++;
        if (evbuffer_add_reference(body, paper->body->bytes.data, paper->body->bytes.len, note_sent,
                                   paper->body) != 0)
            let_go(paper->body);
        sg_reply_send(exchange, 200, &reply);
    }
    if (body != NULL)
        evbuffer_free(body);
}
