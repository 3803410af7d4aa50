/* Lists, a page at a time. */
#include <stdio.h>
#include <string.h>

#include "api.h"
#include "base/limits.h"

enum { DEFAULT_LIMIT = 100 };

void sg_api_page_done(struct sg_api_page *page)
{
    json_decref(page->items);
    free(page->next);
}

bool sg_api_number(const char *text, int64_t least, int64_t most, int64_t *number)
{
    char *end = NULL;
    const size_t digits = strspn(text, "0123456789");

    if (digits == 0 || digits > 18 || text[digits] != '\0' || (text[0] == '0' && digits > 1))
        return false;
    *number = strtoll(text, &end, 10);
    return *number >= least && *number <= most;
}

bool sg_api_after(const struct sg_api_call *call, int64_t *after, struct sg_error *error)
{
    const char *text = sg_api_query(call, "after");

    return text == NULL || sg_api_number(text, 0, INT64_MAX, after) ||
           sg_fail(error, SG_USAGE, "query after", "after has to be the `next` of another page");
}

bool sg_api_page_begin(const struct sg_api_call *call, struct sg_api_page *page,
                       struct sg_error *error)
{
    const char *text = sg_api_query(call, "limit");
    int64_t limit = DEFAULT_LIMIT;

    if (text != NULL && !sg_api_number(text, 1, SG_LIMIT_LISTED, &limit))
        return sg_fail(error, SG_USAGE, "query limit", "limit has to be from 1 to %d",
                       SG_LIMIT_LISTED);
    page->limit = (size_t)limit;
    page->items = json_array();
    return page->items != NULL || sg_fail_memory(error);
}

static bool note_next(struct sg_api_page *page, const char *mark, struct sg_error *error)
{
    free(page->next);
    page->next = strdup(mark);
    return page->next != NULL || sg_fail_memory(error);
}

/* The first item is always taken: one of them has its own limit, below this one. */
bool sg_api_page_add(struct sg_api_page *page, json_t *item, const char *mark,
                     struct sg_error *error)
{
    const size_t len = item != NULL ? json_dumpb(item, NULL, 0, JSON_COMPACT) : 0;

    if (item == NULL)
        return sg_fail_memory(error);
    page->has_more = page->has_more || json_array_size(page->items) == page->limit ||
                     (page->len > 0 && page->len + len > SG_LIMIT_JSON);
    if (page->has_more) {
        json_decref(item);
        return true;
    }
    page->len += len;
    if (json_array_append_new(page->items, item) != 0)
        return sg_fail_memory(error);
    return note_next(page, mark, error);
}

bool sg_api_page_reply(struct sg_api_call *call, struct sg_api_page *page, const char *noun,
                       struct sg_error *error)
{
    return sg_api_reply(call, 200,
                        json_pack("{s:o, s:o}", noun, SG_TAKE(page->items), "next",
                                  sg_json_text_or_null(page->has_more ? page->next : NULL)),
                        error);
}
