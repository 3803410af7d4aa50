#include "policy/policy.h"

#include <stdlib.h>
#include <string.h>

#include "target.h"

/* A refusal says where in the file; an abort is a finding. */
static void expect_place(const struct sg_error *error)
{
    if (error->code != SG_INVALID || strncmp(error->text, "fuzz.yaml:", 10) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    sg_auto(sg_policy) struct sg_policy *policy = NULL;
    struct sg_error error = {0};

    if (!sg_policy_parse("fuzz.yaml", sg_slice_of(data, size), &policy, &error))
        expect_place(&error);
    return 0;
}
