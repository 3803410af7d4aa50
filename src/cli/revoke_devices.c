#include <string.h>

#include "base/text.h"
#include "open.h"
#include "output.h"
#include "revoke.h"
#include "status/status.h"
#include "tell.h"

struct returns {
    struct sg_buf text; /* the file, each line ended by a zero byte */
    size_t num;
    size_t revoked, before,
        without; /* certificates; devices whose are all revoked; that have none */
};

static void returns_done(struct returns *returns)
{
    sg_buf_free(&returns->text);
}
SG_DEFINE_CLEANUP_IN_PLACE(returns, returns_done)

/* Spaces around an id, and a CR, are nobody's. */
static char *trim(char *line)
{
    size_t len;

    line += strspn(line, " \t");
    for (len = strlen(line); len > 0 && strchr(" \t\r", line[len - 1]) != NULL;)
        line[--len] = '\0';
    return line;
}

static bool check_lines(struct returns *returns, const char *path, struct sg_error *error)
{
    size_t line = 0;

    if (returns->text.len > 0 && memchr(returns->text.data, '\0', returns->text.len) != NULL)
        return sg_fail(error, SG_INVALID, NULL, "%s has a zero byte; it should be text", path);
    for (char *rest = (char *)returns->text.data, *id; rest != NULL;) {
        struct sg_error why = {0};

        line++;
        id = trim(strsep(&rest, "\n"));
        returns->num += id[0] != '\0';
        if (id[0] != '\0' && !sg_text_check(sg_slice_text(id), "the id", &why))
            return sg_fail(error, SG_INVALID, NULL, "%s:%zu: %s", path, line, why.text);
    }
    return returns->num > 0 ||
           sg_fail(error, SG_INVALID, NULL, "%s names no device; one a line", path);
}

static bool revoke_one(struct returns *returns, const char *id, enum sg_reason reason,
                       sg_cli_revoke_device *revoke, void *context, struct sg_error *error)
{
    struct sg_cli_returned returned = {0};

    if (!revoke(id, reason, context, &returned, error))
        return false;
    if (returned.has_none)
        fprintf(stderr, "%s has no certificate\n", id);
    returns->revoked += returned.num;
    returns->before += returned.num == 0 && !returned.has_none;
    returns->without += returned.has_none;
    return true;
}

/* The lines are ended by zero bytes by now. */
static bool revoke_each(struct returns *returns, enum sg_reason reason,
                        sg_cli_revoke_device *revoke, void *context, struct sg_error *error)
{
    char *at = (char *)returns->text.data, *end = at + returns->text.len;

    for (; at <= end; at += strlen(at) + 1) {
        const char *id = at + strspn(at, " \t");

        if (id[0] != '\0' && !revoke_one(returns, id, reason, revoke, context, error))
            return sg_error_prefix(error, "device %s", id);
    }
    return true;
}

static bool tell(struct sg_cli *cli, const struct returns *returns, struct sg_error *error)
{
    cli->answered = cli->json;
    if (!cli->json)
        printf("%zu certificates are revoked, %zu devices had theirs revoked before%s\n",
               returns->revoked, returns->before, sg_cli_tell_crl(cli));
    else if (!sg_cli_print_json(json_pack("{s:I, s:I, s:I}", "revoked",
                                          (json_int_t)returns->revoked, "revoked_before",
                                          (json_int_t)returns->before, "without_certificate",
                                          (json_int_t)returns->without),
                                error))
        return false;
    return returns->without == 0 ||
           sg_fail(error, SG_REFUSED, NULL, "%zu of %zu devices have no certificate",
                   returns->without, returns->num);
}

static bool read_list(const struct sg_cli *cli, struct returns *returns, struct sg_error *error)
{
    const char *path = sg_cli_text(cli, "devices");

    return sg_file_read(path, SG_LIMIT_IMPORT, &returns->text, error) &&
           sg_buf_append(&returns->text, "", 0, SG_LIMIT_IMPORT, error) &&
           check_lines(returns, path, error);
}

bool sg_cli_revoke_listed(struct sg_cli *cli, enum sg_reason reason, sg_cli_revoke_device *revoke,
                          void *context, struct sg_error *error)
{
    sg_auto(returns) struct returns returns = {0};

    return read_list(cli, &returns, error) &&
           revoke_each(&returns, reason, revoke, context, error) && tell(cli, &returns, error);
}

/* The home in hand. */
struct hand {
    struct sg_home *home;
    int64_t now;
};

static bool revoke_here(const char *id, enum sg_reason reason, void *context,
                        struct sg_cli_returned *returned, struct sg_error *error)
{
    const struct hand *hand = context;
    const struct sg_certificate_filter filter = {.device = id, .now = hand->now};
    struct sg_error why = {0};

    if (sg_status_revoke(sg_home_store(hand->home), &filter, reason, hand->now, &returned->num,
                         &why))
        return true;
    returned->has_none = why.code == SG_USAGE;
    return why.code == SG_USAGE || why.code == SG_REFUSED || sg_error_pass(error, &why);
}

bool sg_cli_revoke_devices(struct sg_cli *cli, enum sg_reason reason, struct sg_error *error)
{
    sg_auto(sg_home) struct sg_home *home = NULL;

    if (!sg_cli_open_home(cli, SG_STORE_OPEN, &home, error))
        return false;
    struct hand hand = {home, sg_clock_now(&cli->clock)};
    return sg_cli_revoke_listed(cli, reason, revoke_here, &hand, error);
}
