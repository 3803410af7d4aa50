/* papers: the documents that the issuer has told of, and that anybody may fetch. */
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
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
    const time_t modified = (time_t)sg_message_number(message, SG_WIRE_MODIFIED);
    uint8_t digest[SG_SHA256_LEN];
    char hex[33];
    struct tm tm;

    free(paper->media_type);
    free(paper->encoding);
    paper->media_type = strdup(sg_message_text(message, SG_WIRE_MEDIA_TYPE));
    paper->encoding = encoding != NULL ? strdup(encoding) : NULL;
    paper->max_age_s = (int64_t)sg_message_number(message, SG_WIRE_MAX_AGE);
    paper->modified_at = (int64_t)modified;
    if (gmtime_r(&modified, &tm) != NULL)
        evutil_date_rfc1123(paper->modified, sizeof paper->modified, &tm);
    sg_sha256(sg_buf_slice(&paper->body->bytes), digest);
    snprintf(paper->etag, sizeof paper->etag, "\"%s\"",
             sg_hex(sg_slice_of(digest, 16), hex, sizeof hex));
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
    return sg_buf_append(&paper->coming, part.data, part.len, SG_LIMIT_CRL, error) &&
           (paper->coming.len < paper->total || put_in_place(paper, message, error));
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

/* RFC 9110 13.2.2: the tag decides where there is one. */
static bool has_it_already(struct sg_exchange *exchange, const struct sg_paper *paper)
{
    struct evkeyvalq *headers = evhttp_request_get_input_headers(exchange->http);
    const char *tags = evhttp_find_header(headers, "If-None-Match");
    const char *since = evhttp_find_header(headers, "If-Modified-Since");
    struct tm tm = {0};

    if (tags != NULL)
        return strstr(tags, paper->etag) != NULL || strcmp(tags, "*") == 0;
    return since != NULL && strptime(since, "%a, %d %b %Y %H:%M:%S GMT", &tm) != NULL &&
           (int64_t)timegm(&tm) >= paper->modified_at;
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
    else if (has_it_already(exchange, paper))
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
