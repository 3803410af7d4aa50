#include "ask.h"

#include <string.h>

char *sg_cli_read_line(FILE *in, const char *unanswered, struct sg_error *error)
{
    sg_auto(malloc) char *line = NULL;
    size_t size = 0;
    ssize_t len = getline(&line, &size, in);

    if (len < 0) {
        sg_fail(error, SG_USAGE, NULL, "the questions were not all answered; %s", unanswered);
        return NULL;
    }
    for (ssize_t i = 0; i < len; i++)
        if (line[i] == '\0')
            line[i] = '\x01';
    line[strcspn(line, "\r\n")] = '\0';
    return SG_TAKE(line);
}
