#include "plan.h"

void sg_plan_done(struct sg_plan *plan)
{
    sg_name_done(&plan->subject);
    sg_sans_done(&plan->sans);
    sg_oids_done(&plan->purposes);
    sg_extensions_done(&plan->extensions);
    *plan = (struct sg_plan){0};
}
