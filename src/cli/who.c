#include "who.h"

#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/text.h"

bool sg_cli_who(const struct sg_cli *cli, const char **name, struct sg_error *error)
{
    const char *told = sg_cli_text(cli, "as");
    const struct passwd *user;

    if (told == NULL) {
        user = getpwuid(getuid());
        *name = user != NULL ? user->pw_name : "operator";
        return true;
    }
    if (told[0] == '\0' || strlen(told) > SG_LIMIT_PERSON ||
        !sg_text_check(sg_slice_text(told), "--as", NULL))
        return sg_fail(error, SG_USAGE, NULL, "--as takes a name of 1 to %d bytes",
                       SG_LIMIT_PERSON);
    *name = told;
    return true;
}
