#include "plan.h"

#include <string.h>

void sg_plan_done(struct sg_plan *plan)
{
    sg_name_done(&plan->subject);
    sg_sans_done(&plan->sans);
    sg_oids_done(&plan->purposes);
    sg_extensions_done(&plan->extensions);
    *plan = (struct sg_plan){0};
}

bool sg_plan_signs_ocsp(const struct sg_plan *plan)
{
    for (size_t i = 0; i < plan->purposes.num; i++)
        if (strcmp(plan->purposes.items[i], "1.3.6.1.5.5.7.3.9") == 0)
            return true;
    return false;
}

bool sg_plan_renews(const struct sg_plan *plan, int64_t not_after, int64_t now)
{
    return plan->renewable && now >= not_after - plan->renewal_window_s &&
           plan->not_after > not_after;
}
