#include "item.h"

#include <string.h>

#include "base/text.h"

bool sg_item_new(const char *input, struct sg_item **item, struct sg_error *error)
{
    sg_auto(sg_item) struct sg_item *fresh = calloc(1, sizeof *fresh);

    if (fresh == NULL || (fresh->input = strdup(input)) == NULL)
        return sg_fail_memory(error);
    sg_text_make_printable(fresh->input);
    *item = SG_TAKE(fresh);
    return true;
}

static const char *last_component(const char *file)
{
    const char *slash = strrchr(file, '/');

    return slash != NULL ? slash + 1 : file;
}

bool sg_item_name_after(struct sg_item *item, const char *file, struct sg_error *error)
{
    const char *name = last_component(file), *dot = strrchr(name, '.');
    size_t len = dot != NULL && dot != name ? (size_t)(dot - name) : strlen(name);

    item->name = strndup(name, len);
    return item->name != NULL || sg_fail_memory(error);
}

void sg_item_free(struct sg_item *item)
{
    if (item == NULL)
        return;
    free(item->input);
    free(item->name);
    sg_record_done(&item->device);
    sg_buf_free(&item->request);
    free(item);
}

bool sg_item_is_request_name(const char *file)
{
    static const char *const ENDINGS[] = {".csr", ".req", ".p10", ".pem", ".der"};
    const char *name = last_component(file), *dot = strrchr(name, '.');

    if (dot == NULL || name[0] == '.')
        return false;
    for (size_t i = 0; i < sizeof ENDINGS / sizeof ENDINGS[0]; i++)
        if (strcasecmp(dot, ENDINGS[i]) == 0)
            return true;
    return false;
}

void sg_items_put(struct sg_items *items, struct sg_item *item)
{
    item->next = NULL;
    if (items->last != NULL)
        items->last->next = item;
    else
        items->first = item;
    items->last = item;
    items->num++;
}

struct sg_item *sg_items_take(struct sg_items *items)
{
    struct sg_item *item = items->first;

    if (item == NULL)
        return NULL;
    items->first = item->next;
    if (items->first == NULL)
        items->last = NULL;
    items->num--;
    item->next = NULL;
    return item;
}

void sg_items_done(struct sg_items *items)
{
    for (struct sg_item *item; (item = sg_items_take(items)) != NULL;)
        sg_item_free(item);
}
