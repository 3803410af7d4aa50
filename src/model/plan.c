#include "plan.h"

#include <stdlib.h>

/* A dozen is what most plans need. */
static bool make_room(struct sg_origins *origins, struct sg_error *error)
{
    enum { STEP = 16 };
    struct sg_origin *items = NULL;

    if (origins->num % STEP != 0)
        return true;
    items = reallocarray(origins->items, origins->num + STEP, sizeof *items);
    if (items == NULL)
        return sg_fail_memory(error);
    origins->items = items;
    return true;
}

bool sg_plan_note(struct sg_plan *plan, const struct sg_origin *origin, struct sg_error *error)
{
    if (!make_room(&plan->origins, error))
        return false;
    plan->origins.items[plan->origins.num++] = *origin;
    return true;
}

const struct sg_origin *sg_plan_origin(const struct sg_plan *plan, enum sg_part part, size_t index)
{
    for (size_t i = 0; i < plan->origins.num; i++) {
        const struct sg_origin *origin = &plan->origins.items[i];

        if (origin->part == part && origin->index == index)
            return origin;
    }
    return NULL;
}

void sg_plan_done(struct sg_plan *plan)
{
    sg_name_done(&plan->subject);
    sg_sans_done(&plan->sans);
    sg_oids_done(&plan->purposes);
    sg_extensions_done(&plan->extensions);
    free(plan->origins.items);
    *plan = (struct sg_plan){0};
}

bool sg_plan_signs_ocsp(const struct sg_plan *plan)
{
    return sg_oids_contain(&plan->purposes, SG_OID_OCSP_SIGNING);
}

bool sg_plan_renews(const struct sg_plan *plan, int64_t not_after, int64_t now)
{
    return plan->renewable && now >= not_after - plan->renewal_window_s &&
           plan->not_after > not_after;
}
