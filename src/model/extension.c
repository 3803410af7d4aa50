#include "extension.h"

#include <string.h>

#include "listing.h"

const struct sg_extension *sg_extensions_find(const struct sg_extensions *list, const char *oid)
{
    for (size_t i = 0; i < list->num; i++) {
        if (strcmp(list->items[i].oid, oid) == 0)
            return &list->items[i];
    }
    return NULL;
}

static bool check_new_extension(const struct sg_extensions *list, const char *oid,
                                struct sg_error *error)
{
    if (!sg_oid_is_valid(oid))
        return sg_fail(error, SG_MALFORMED, NULL, "\"%.60s\" is no OID of an extension", oid);
    if (sg_extensions_find(list, oid) != NULL)
        return sg_fail(error, SG_MALFORMED, "RFC 5280 4.2", "the extension %s is there twice",
                       sg_oid_extension_word(oid));
    if (list->num >= SG_LIMIT_EXTENSIONS)
        return sg_fail(error, SG_MALFORMED, NULL, "more than %d extensions", SG_LIMIT_EXTENSIONS);
    return true;
}

bool sg_extensions_add(struct sg_extensions *list, const char *oid, bool critical,
                       struct sg_slice value, struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf copy = {0};
    struct sg_extension *items = NULL;

    if (!check_new_extension(list, oid, error) || !sg_buf_set(&copy, value, error))
        return false;
    items = reallocarray(list->items, list->num + 1, sizeof *items);
    if (items == NULL)
        return sg_fail_memory(error);
    list->items = items;
    items[list->num] = (struct sg_extension){.critical = critical, .value = copy};
    copy = (struct sg_buf){0}; /* now owned by the list */
    snprintf(items[list->num].oid, sizeof items->oid, "%s", oid);
    list->num++;
    return true;
}

void sg_extensions_done(struct sg_extensions *list)
{
    for (size_t i = 0; i < list->num; i++)
        sg_buf_free(&list->items[i].value);
    free(list->items);
    *list = (struct sg_extensions){0};
}

bool sg_oids_contain(const struct sg_oids *list, const char *oid)
{
    for (size_t i = 0; i < list->num; i++) {
        if (strcmp(list->items[i], oid) == 0)
            return true;
    }
    return false;
}

bool sg_oids_add(struct sg_oids *list, const char *oid, struct sg_error *error)
{
    char(*items)[SG_LIMIT_OID] = NULL;

    if (!sg_oid_is_valid(oid))
        return sg_fail(error, SG_MALFORMED, NULL, "\"%.60s\" is no OID", oid);
    if (sg_oids_contain(list, oid))
        return sg_fail(error, SG_MALFORMED, NULL, "%s is there twice", sg_oid_purpose_word(oid));
    if (list->num >= SG_LIMIT_EKUS)
        return sg_fail(error, SG_MALFORMED, NULL, "more than %d OIDs in a list", SG_LIMIT_EKUS);
    items = reallocarray(list->items, list->num + 1, sizeof *items);
    if (items == NULL)
        return sg_fail_memory(error);
    list->items = items;
    snprintf(items[list->num++], sizeof *items, "%s", oid);
    return true;
}

/* Neither list holds an OID twice, so this is enough. */
bool sg_oids_equal(const struct sg_oids *a, const struct sg_oids *b)
{
    if (a->num != b->num)
        return false;
    for (size_t i = 0; i < a->num; i++) {
        if (!sg_oids_contain(b, a->items[i]))
            return false;
    }
    return true;
}

const char *sg_oids_purposes_text(const struct sg_oids *list, char *into, size_t size)
{
    struct sg_listing listing = sg_listing_start(into, size);

    for (size_t i = 0; i < list->num; i++) {
        sg_listing_add(&listing, i == 0 ? "" : ", ");
        sg_listing_add(&listing, sg_oid_purpose_word(list->items[i]));
    }
    return into;
}

void sg_oids_done(struct sg_oids *list)
{
    free(list->items);
    *list = (struct sg_oids){0};
}
