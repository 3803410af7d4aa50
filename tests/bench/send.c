/* send: how fast a server of HTTPS on loopback answers requests that were made before.
 *
 *     send PORT FILE CONNECTIONS
 *
 * FILE has the requests one after the other, each behind a line with its length in octets. They go
 * out on CONNECTIONS connections that are kept. Prints the seconds from the first octet to the last
 * reply's. tools/bench runs it.
 */
#include "client.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/file.h"

enum { MOST = 100000, MOST_OCTETS = 256 * 1024 * 1024 };

static bool parse(struct sg_slice text, struct client_request *requests, size_t *num,
                  struct sg_error *error)
{
    const uint8_t *at = text.data, *end = text.data + text.len;

    for (*num = 0; at < end; ++*num) {
        char *line = NULL;
        const size_t len = strtoul((const char *)at, &line, 10);

        if (*num == MOST || *line != '\n' || len > (size_t)(end - (uint8_t *)line - 1))
            return sg_fail(error, SG_INVALID, NULL, "request %zu has no length", *num);
        requests[*num].message = sg_slice_of((uint8_t *)line + 1, len);
        at = requests[*num].message.data + len;
    }
    return true;
}

static bool run(char **arguments, struct sg_error *error)
{
    static struct client_request requests[MOST];
    sg_auto(sg_buf) struct sg_buf text = {0};
    size_t num = 0;
    double seconds = 0;
    bool sent;

    if (!sg_file_read(arguments[2], MOST_OCTETS, &text, error) ||
        !parse(sg_buf_slice(&text), requests, &num, error))
        return false;
    sent = client_run((unsigned)strtoul(arguments[1], NULL, 10), requests, num,
                      strtoul(arguments[3], NULL, 10), false, &seconds, error);
    for (size_t i = 0; i < num; i++)
        sg_buf_free(&requests[i].reply);
    printf("%.3f\n", seconds);
    return sent;
}

int main(int argc, char **argv)
{
    struct sg_error error = {0};

    if (argc != 4) {
        fprintf(stderr, "usage: %s PORT FILE CONNECTIONS\n", argv[0]);
        return 2;
    }
    if (!run(argv, &error)) {
        fprintf(stderr, "send: %s\n", error.text);
        return 1;
    }
    return 0;
}
