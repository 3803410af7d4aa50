#include "pin.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/limits.h"

enum place { IN_FILE, IN_ENVIRONMENT, IN_CREDENTIAL, ON_TERMINAL };

static const struct {
    const char *prefix;
    enum place place;
} PLACES[] = {
    {"file:", IN_FILE},
    {"env:", IN_ENVIRONMENT},
    {"credential:", IN_CREDENTIAL},
};

/* What a secret is for, as messages say it. */
struct purpose {
    const char *noun;  /* "PIN" */
    const char *owner; /* "token issuing" */
};

/* Splits a source into its place and the name there. What is not a source may be a PIN that was
 * written in the wrong field, so the message does not repeat it. */
static bool split(const char *source, const char *noun, enum place *place, const char **name,
                  struct sg_error *error)
{
    if (strcmp(source, "prompt") == 0) {
        *place = ON_TERMINAL;
        *name = "";
        return true;
    }
    for (size_t i = 0; i < sizeof PLACES / sizeof *PLACES; i++) {
        size_t len = strlen(PLACES[i].prefix);

        if (strncmp(source, PLACES[i].prefix, len) != 0)
            continue;
        if (source[len] == '\0')
            return sg_fail(error, SG_USAGE, NULL, "the %s source '%s' names nothing", noun, source);
        *place = PLACES[i].place;
        *name = source + len;
        if (*place == IN_CREDENTIAL && strchr(*name, '/') != NULL)
            return sg_fail(error, SG_USAGE, NULL,
                           "the %s source '%s' has a '/'; a credential is a plain name", noun,
                           source);
        return true;
    }
    return sg_fail(error, SG_USAGE, NULL,
                   "a %s source is file:PATH, env:NAME, credential:NAME or prompt; a %s itself is "
                   "not written there",
                   noun, noun);
}

bool sg_pin_check_source(const char *source, struct sg_error *error)
{
    enum place place;
    const char *name;

    return split(source, "PIN", &place, &name, error);
}

bool sg_pin_check_other_source(const char *source, const char *noun, struct sg_error *error)
{
    enum place place;
    const char *name;

    return split(source, noun, &place, &name, error);
}

bool sg_pin_check_passphrase_source(const char *source, struct sg_error *error)
{
    return sg_pin_check_other_source(source, "passphrase", error);
}

/* A PIN that can't be had is SG_PIN, whatever the machine's reason. */
static bool fail_as_pin(const struct sg_error *cause, struct sg_error *error)
{
    sg_fail(error, SG_PIN, NULL, "%s", cause->text);
    return false;
}

static bool read_descriptor(int fd, const char *what, struct sg_secret **pin,
                            struct sg_error *error)
{
    struct sg_error cause = {0};

    return sg_secret_read(fd, what, pin, &cause) ? true : fail_as_pin(&cause, error);
}

static bool fail_to_open(const char *what, const struct purpose *purpose, struct sg_error *error)
{
    return sg_fail(error, SG_PIN, NULL, "cannot open the %s for %s: %s", what, purpose->owner,
                   strerror(errno));
}

static bool check_mode(int fd, const char *what, const char *path, struct sg_error *error)
{
    struct stat status;

    if (fstat(fd, &status) != 0)
        return sg_fail(error, SG_PIN, NULL, "cannot look at the %s: %s", what, strerror(errno));
    if ((status.st_mode & 077) != 0)
        return sg_fail(error, SG_PIN, NULL,
                       "the %s has mode %03o, so others can get at it; `chmod 600 %s` mends that",
                       what, status.st_mode & 0777U, path);
    return true;
}

static bool read_file(const char *name, const char *folder, const struct purpose *purpose,
                      struct sg_secret **pin, struct sg_error *error)
{
    sg_auto(malloc) char *path = NULL;
    sg_auto(fd) int file = -1;
    char what[SG_LIMIT_PATH + 32];

    if (!sg_path_join(folder != NULL ? folder : ".", name, &path, error))
        return false;
    snprintf(what, sizeof what, "%s file %s", purpose->noun, path);
    file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return fail_to_open(what, purpose, error);
    if (!check_mode(file, what, path, error))
        return false;
    return read_descriptor(file, what, pin, error);
}

/* systemd makes the folder unreadable to others; the files' modes say nothing, as it uses ACLs. */
static bool read_credential(const char *name, const struct purpose *purpose, struct sg_secret **pin,
                            struct sg_error *error)
{
    const char *folder = secure_getenv("CREDENTIALS_DIRECTORY");
    sg_auto(malloc) char *path = NULL;
    sg_auto(fd) int file = -1;
    char what[SG_LIMIT_PATH + 16];

    if (folder == NULL)
        return sg_fail(error, SG_PIN, NULL,
                       "the %s of %s is the credential %s, but CREDENTIALS_DIRECTORY is not "
                       "set; systemd sets it for a unit with LoadCredential=%s:…",
                       purpose->noun, purpose->owner, name, name);
    if (!sg_path_join(folder, name, &path, error))
        return false;
    snprintf(what, sizeof what, "credential %s", path);
    file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return fail_to_open(what, purpose, error);
    return read_descriptor(file, what, pin, error);
}

static bool read_environment(const char *name, const struct purpose *purpose,
                             struct sg_secret **pin, struct sg_error *error)
{
    const char *value = getenv(name);
    struct sg_error cause = {0};
    size_t len;

    if (value == NULL || value[0] == '\0')
        return sg_fail(error, SG_PIN, NULL, "the environment variable %s, the %s of %s, is %s",
                       name, purpose->noun, purpose->owner, value == NULL ? "not set" : "empty");
    len = strlen(value);
    if (len > SG_LIMIT_PIN)
        return sg_fail(error, SG_PIN, NULL, "the %s in the variable %s is longer than %d bytes",
                       purpose->noun, name, SG_LIMIT_PIN);
    if (!sg_secret_new(len, pin, &cause))
        return fail_as_pin(&cause, error);
    memcpy(sg_secret_data(*pin), value, len);
    return true;
}

static bool ask(const struct purpose *purpose, struct sg_secret **pin, struct sg_error *error)
{
    struct sg_error cause = {0};
    char prompt[160];

    snprintf(prompt, sizeof prompt, "%s of %.110s: ", purpose->noun, purpose->owner);
    return sg_secret_prompt(prompt, pin, &cause) ? true : fail_as_pin(&cause, error);
}

static bool read_for(const char *source, const char *folder, const struct purpose *purpose,
                     struct sg_secret **pin, struct sg_error *error)
{
    enum place place = ON_TERMINAL;
    const char *name = NULL;

    if (!split(source, purpose->noun, &place, &name, error))
        return false;
    switch (place) {
    case IN_FILE:
        return read_file(name, folder, purpose, pin, error);
    case IN_ENVIRONMENT:
        return read_environment(name, purpose, pin, error);
    case IN_CREDENTIAL:
        return read_credential(name, purpose, pin, error);
    case ON_TERMINAL:
        return ask(purpose, pin, error);
    }
    return sg_fail(error, SG_INTERNAL, NULL, "a %s source without a place", purpose->noun);
}

bool sg_pin_read(const char *source, const char *folder, const char *what, struct sg_secret **pin,
                 struct sg_error *error)
{
    char owner[256];
    const struct purpose purpose = {"PIN", owner};

    snprintf(owner, sizeof owner, "token %s", what);
    return read_for(source, folder, &purpose, pin, error);
}

bool sg_pin_read_other(const char *source, const char *noun, const char *owner,
                       struct sg_secret **secret, struct sg_error *error)
{
    const struct purpose purpose = {noun, owner};
    struct sg_error cause = {0};

    if (read_for(source, NULL, &purpose, secret, &cause))
        return true;
    /* No token has a part in it. */
    return sg_fail(error, cause.code == SG_PIN ? SG_FAILED : cause.code, cause.rule, "%s",
                   cause.text);
}

bool sg_pin_read_passphrase(const char *source, const char *what, struct sg_secret **passphrase,
                            struct sg_error *error)
{
    return sg_pin_read_other(source, "passphrase", what, passphrase, error);
}
