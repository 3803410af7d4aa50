#include "sans.h"

#include <string.h>

bool sg_cli_sans(const struct sg_cli *cli, struct sg_sans *sans, struct sg_error *error)
{
    const char *text;

    for (size_t i = 0; (text = sg_cli_nth(cli, "san", i)) != NULL; i++) {
        const char *colon = strchr(text, ':');
        char word[32] = "";
        enum sg_san_kind kind;
        if (colon == NULL || (size_t)(colon - text) >= sizeof word)
            return sg_fail(error, SG_USAGE, NULL,
                           "--san '%s': write KIND:VALUE, as in uri:urn:example:1", text);
        memcpy(word, text, (size_t)(colon - text));
        if (!sg_san_kind_parse(word, &kind, error) || !sg_sans_add(sans, kind, colon + 1, error))
            return false;
    }
    return true;
}
