/* template: commented files to begin a ceremony.yaml with. */
#ifndef SG_CEREMONY_TEMPLATE_H
#define SG_CEREMONY_TEMPLATE_H

#include "base/error.h"

/* sg_ceremony_template: the text of a kind, const. Fails: SG_USAGE, naming the kinds. */
SG_MUST_USE bool sg_ceremony_template(const char *kind, const char **text, struct sg_error *error);

#endif
