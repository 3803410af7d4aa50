#include "tokens.h"

#include "base/limits.h"

struct gauge {
    const char *name;
    _Atomic long *(*of)(struct sg_tally *tally);
};

static _Atomic long *num_sessions(struct sg_tally *tally)
{
    return &tally->num_sessions;
}

static _Atomic long *max_sessions(struct sg_tally *tally)
{
    return &tally->max_sessions;
}

static const struct gauge GAUGES[] = {
    {"signet_token_sessions", num_sessions},
    {"signet_token_sessions_limit", max_sessions},
};

/* A token that nobody has opened, or that has no limit of ours, is left out. */
static bool add_gauge(const struct sg_home *home, const struct gauge *gauge, struct sg_buf *text,
                      struct sg_error *error)
{
    const struct sg_config *config = sg_home_config(home);

    if (!sg_buf_printf(text, SG_LIMIT_BODY, error, "# TYPE %s gauge\n", gauge->name))
        return false;
    for (size_t i = 0; i < config->num_tokens; i++) {
        const long value = atomic_load(gauge->of(sg_home_tally(home, i)));

        if (value > 0 && !sg_buf_printf(text, SG_LIMIT_BODY, error, "%s{token=\"%s\"} %ld\n",
                                        gauge->name, config->tokens[i].name, value))
            return false;
    }
    return true;
}

bool sg_tokens_figures(const struct sg_home *home, struct sg_buf *text, struct sg_error *error)
{
    for (size_t i = 0; i < sizeof GAUGES / sizeof GAUGES[0]; i++)
        if (!add_gauge(home, &GAUGES[i], text, error))
            return false;
    return true;
}

static void tell_errors_of(const char *token, struct sg_tally *tally, struct sg_door *door)
{
    for (unsigned row = 0; row < SG_TALLY_ROWS; row++) {
        struct sg_message message = {.type = SG_WIRE_TOKEN_ERRORS};
        char rv[SG_TALLY_NAME_SIZE];
        const uint64_t num = sg_tally_take(tally, row, rv);

        sg_message_set_text(&message, SG_WIRE_TOKEN, token);
        sg_message_set_text(&message, SG_WIRE_RV, rv);
        sg_message_set_number(&message, SG_WIRE_TIMES, num);
        if (num > 0)
            sg_door_tell(door, &message);
    }
}

void sg_tokens_tell_errors(const struct sg_home *home, struct sg_door *door)
{
    const struct sg_config *config = sg_home_config(home);

    for (size_t i = 0; sg_door_has_front(door) && i < config->num_tokens; i++)
        tell_errors_of(config->tokens[i].name, sg_home_tally(home, i), door);
}
