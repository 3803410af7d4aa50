/* expect: what the unit tests share: verdicts that name their case, and a folder of one's own. */
#ifndef SG_TEST_EXPECT_H
#define SG_TEST_EXPECT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"

#define NUM(array) (sizeof(array) / sizeof(array)[0])

/* The case has no cause recorded, and verdict says the same. */
static inline void expect_success(const char *name, bool verdict, const struct sg_error *error)
{
    if (!verdict || error->code != SG_OK)
        fail_msg("%s: should succeed, but: %s: %s", name, sg_code_name(error->code), error->text);
}

/* The case failed with this code, and its message contains part. */
static inline void expect_failure(const char *name, bool verdict, const struct sg_error *error,
                                  enum sg_code code, const char *part)
{
    if (verdict)
        fail_msg("%s: should fail", name);
    if (error->code != code)
        fail_msg("%s: should be %s, is %s: %s", name, sg_code_name(code), sg_code_name(error->code),
                 error->text);
    if (strstr(error->text, part) == NULL)
        fail_msg("%s: should say '%s', says: %s", name, part, error->text);
}

/* make_folder makes an empty folder. Removed, with all in it, by remove_folder. */
static inline void make_folder(char into[64])
{
    strcpy(into, "/tmp/signet-unit-XXXXXX");
    if (mkdtemp(into) == NULL)
        fail_msg("no folder for the test");
}

static inline int remove_entry(const char *path, const struct stat *status, int kind,
                               struct FTW *where)
{
    (void)status;
    (void)kind;
    (void)where;
    return remove(path);
}

static inline void remove_folder(const char *folder)
{
    nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

#endif
