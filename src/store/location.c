#include "location.h"

#include <string.h>

/* ---- files ---- */

static bool check_file(const char *location, const char *rest, struct sg_error *error)
{
    return *rest != '\0' ||
           sg_fail(error, SG_USAGE, NULL, "store \"%s\" names no file: use sqlite:FILE", location);
}

/* ---- URLs ---- */

static bool has_parameter(const char *parameters, const char *name)
{
    const size_t len = strlen(name);
    for (const char *at = parameters; at != NULL; at = strchr(at, '&')) {
        at += *at == '&' || *at == '?';
        if (strncmp(at, name, len) == 0 && at[len] == '=')
            return true;
    }
    return false;
}

/* signet.yaml is read by more people than may write to the store. */
static bool check_url(const char *location, const char *rest, struct sg_error *error)
{
    const size_t len = strcspn(rest, "/?");
    const char *at = memrchr(rest, '@', len);
    const char *parameters = strchr(rest, '?');
    const bool secret = (at != NULL && memchr(rest, ':', (size_t)(at - rest)) != NULL) ||
                        has_parameter(parameters, "password") ||
                        has_parameter(parameters, "sslpassword");
    if (secret)
        return sg_fail(error, SG_USAGE, NULL,
                       "the URL of the store has a password in it, which others could read: put it "
                       "into a passfile (passfile=FILE) or a service file (service=NAME), or let "
                       "the server recognise the user by its Unix account (peer)");
#ifndef SG_HAS_POSTGRES
    return sg_fail(error, SG_USAGE, NULL,
                   "store \"%s\" is in PostgreSQL, and this Signet was built without it", location);
#else
    (void)location;
    return true;
#endif
}

#ifdef SG_HAS_POSTGRES
#define POSTGRES_ENGINE &sg_postgres_engine
#else
#define POSTGRES_ENGINE NULL
#endif

static const struct {
    const char *scheme;
    const struct sg_engine *engine;
    bool (*check)(const char *location, const char *rest, struct sg_error *error);
} KINDS[] = {
    {"sqlite:", &sg_sqlite_engine, check_file},
    {"postgresql://", POSTGRES_ENGINE, check_url},
    {"postgres://", POSTGRES_ENGINE, check_url},
};

bool sg_location_engine(const char *location, const struct sg_engine **engine,
                        struct sg_error *error)
{
    for (size_t i = 0; i < sizeof KINDS / sizeof KINDS[0]; i++) {
        const size_t len = strlen(KINDS[i].scheme);
        if (strncmp(location, KINDS[i].scheme, len) != 0)
            continue;
        if (!KINDS[i].check(location, location + len, error))
            return false;
        *engine = KINDS[i].engine;
        return true;
    }
    return sg_fail(error, SG_USAGE, NULL,
                   "store \"%s\" is of a kind that this program doesn't know: use sqlite:FILE or "
                   "postgresql://HOST/DATABASE",
                   location);
}

bool sg_store_check_location(const char *location, struct sg_error *error)
{
    const struct sg_engine *engine = NULL;
    return sg_location_engine(location, &engine, error);
}
