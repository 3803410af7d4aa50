/* pattern: PCRE2 patterns that must match a whole value.
 *
 * Anchored at both true ends (\A … \z, so a trailing newline does not slip by), UTF, with
 * SG_LIMIT_PATTERN_STEPS as match limit: a value that needs more counts as no match.
 * Thread rule: a compiled pattern is read-only and may be shared.
 */
#ifndef SG_BASE_PATTERN_H
#define SG_BASE_PATTERN_H

#include "cleanup.h"

struct sg_pattern;

/* sg_pattern_new compiles. Fails: SG_INVALID with the place in the pattern. */
SG_MUST_USE bool sg_pattern_new(const char *text, struct sg_pattern **pattern,
                                struct sg_error *error);
bool sg_pattern_matches(const struct sg_pattern *pattern, const char *value);
const char *sg_pattern_text(const struct sg_pattern *pattern);
void sg_pattern_free(struct sg_pattern *pattern);

typedef struct sg_pattern sg_pattern;
SG_DEFINE_CLEANUP(sg_pattern, sg_pattern_free)

#endif
