/* item: one input of a line on its way from the source to the report. */
#ifndef SG_LINE_ITEM_H
#define SG_LINE_ITEM_H

#include "base/slice.h"
#include "model/requester.h"

struct sg_item {
    struct sg_item *next; /* in whichever queue it stands */
    uint64_t number;      /* of the input, from 1 */
    size_t line;          /* where it begins in its file; 0: it is a file of its own */
    char *input;          /* what the report calls it: "device-AB12.csr", "devices.csv:17" */
    char *name;           /* what its certificate's file is called, without ".pem"; NULL: as its
                             device is */
    bool has_device;
    struct sg_record device; /* as the input describes it, maybe in part */
    struct sg_buf request;
    struct sg_error error; /* why it can't even be asked for */
    bool has_no_request;   /* and that is what the error says */
    bool is_admitted;      /* nothing in this input keeps it from being asked for */
    bool was_issued;       /* in this run, before the token failed on another */
};

/* sg_item_new makes an item; input is copied. */
SG_MUST_USE bool sg_item_new(const char *input, struct sg_item **item, struct sg_error *error);
/* sg_item_name_after names it after a request's file, without folder and ending. */
SG_MUST_USE bool sg_item_name_after(struct sg_item *item, const char *file, struct sg_error *error);
void sg_item_free(struct sg_item *item);

typedef struct sg_item sg_item;
SG_DEFINE_CLEANUP(sg_item, sg_item_free)

/* sg_item_is_request_name: does a file's name look like a request's? Others, and hidden files, are
 * passed over. */
bool sg_item_is_request_name(const char *file);

/* First in, first out. Zero-initialised is empty. */
struct sg_items {
    struct sg_item *first, *last;
    size_t num;
};
void sg_items_put(struct sg_items *items, struct sg_item *item);
struct sg_item *sg_items_take(struct sg_items *items); /* NULL: none */
void sg_items_done(struct sg_items *items);
SG_DEFINE_CLEANUP_IN_PLACE(sg_items, sg_items_done)

#endif
