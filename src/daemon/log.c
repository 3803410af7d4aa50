#include "log.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"

enum sg_log_format sg_daemon_log_format(const char *dir, enum sg_log_format otherwise)
{
    sg_auto(sg_config) struct sg_config config = {0};
    sg_auto(malloc) char *path = NULL;
    struct sg_error ignored = {0};

    if (!sg_path_join(dir, "signet.yaml", &path, &ignored) ||
        !sg_config_load(path, &config, &ignored))
        return otherwise;
    return config.service.log;
}

/* rule   NULL: none. */
static void write_json(const char *moment, const char *who, const char *rule, const char *text)
{
    char printable[SG_ERROR_TEXT_SIZE + 128];

    (void)snprintf(printable, sizeof printable, "%s", text);
    sg_text_make_printable(printable);
    sg_auto(json_t) json_t *object =
        json_pack("{s:s, s:s, s:s*}", "time", moment, who, printable, "rule", rule);
    sg_auto(malloc) char *line =
        object != NULL ? json_dumps(object, JSON_COMPACT | JSON_PRESERVE_ORDER) : NULL;

    if (line != NULL)
        fprintf(stderr, "%s\n", line);
}

void sg_daemon_say(enum sg_log_format format, const char *who, const char *text)
{
    const struct sg_clock clock = {0};
    char moment[SG_TIME_TEXT_SIZE];

    sg_time_text(sg_clock_now(&clock), moment);
    if (format == SG_LOG_JSON)
        write_json(moment, who, NULL, text);
    else
        fprintf(stderr, "%s %s: %s\n", moment, who, text);
}

void sg_daemon_say_why(enum sg_log_format format, const char *who, const struct sg_error *error)
{
    const char *rule = error->rule[0] != '\0' ? error->rule : NULL;
    const struct sg_clock clock = {0};
    char moment[SG_TIME_TEXT_SIZE];

    if (format == SG_LOG_JSON)
        write_json(sg_time_text(sg_clock_now(&clock), moment), who, rule, error->text);
    else
        fprintf(stderr, "signetd %s: %s%s%s\n", who, rule != NULL ? rule : "",
                rule != NULL ? ": " : "", error->text);
}
