#include "template.h"

#include <string.h>

static const struct {
    const char *kind, *text;
} TEMPLATES[] = {
    {
        "root",
#include "root.yaml.inc"
    },
    {
        "root-and-issuing",
#include "root-and-issuing.yaml.inc"
    },
    {
        "yearly",
#include "yearly.yaml.inc"
    },
    {
        "restore-drill",
#include "restore-drill.yaml.inc"
    },
};

bool sg_ceremony_template(const char *kind, const char **text, struct sg_error *error)
{
    for (size_t i = 0; i < sizeof TEMPLATES / sizeof TEMPLATES[0]; i++)
        if (strcmp(kind, TEMPLATES[i].kind) == 0) {
            *text = TEMPLATES[i].text;
            return true;
        }
    return sg_fail(error, SG_USAGE, NULL,
                   "there is no template '%s'; there are root, root-and-issuing, yearly and "
                   "restore-drill",
                   kind);
}
