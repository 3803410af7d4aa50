/* signet.yaml of a new home, from the template signet.yaml.in. */
#include <string.h>

#include "base/limits.h"
#include "base/text.h"
#include "config_parts.h"
#include "init_parts.h"

static const char TEMPLATE[] =
#include "signet.yaml.inc"
    ;

/* What a placeholder of the template stands for; a line whose placeholder has no value is left out.
 */
struct setting {
    const char *name; /* "@ca@" */
    struct sg_buf value;
    bool is_set;
};

enum {
    CA,
    STORE,
    PROFILE,
    MODULE,
    TOKEN,
    PIN,
    SIGNER,
    ISSUER,
    KEY,
    CERTIFICATE,
    SIGNATURE,
    PUBLISH,
    NUM_SETTINGS,
};

struct settings {
    struct setting items[NUM_SETTINGS];
};

static void settings_done(struct settings *settings)
{
    for (size_t i = 0; i < NUM_SETTINGS; i++)
        sg_buf_free(&settings->items[i].value);
}
SG_DEFINE_CLEANUP_IN_PLACE(settings, settings_done)

/* Appends text in single quotes, where YAML knows only one thing to escape. */
static bool append_quoted(struct sg_buf *into, const char *text, struct sg_error *error)
{
    if (!sg_buf_append(into, "'", 1, SG_LIMIT_YAML, error))
        return false;
    for (; *text != '\0'; text++)
        if (!sg_buf_append(into, *text == '\'' ? "''" : text, *text == '\'' ? 2 : 1, SG_LIMIT_YAML,
                           error))
            return false;
    return sg_buf_append(into, "'", 1, SG_LIMIT_YAML, error);
}

/* before and after stand around text in the value. */
static bool set(struct setting *setting, const char *before, const char *text, const char *after,
                struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf whole = {0};

    if (text == NULL)
        return true;
    setting->is_set = true;
    return sg_buf_printf(&whole, SG_LIMIT_YAML, error, "%s%s%s", before, text, after) &&
           append_quoted(&setting->value, (const char *)whole.data, error);
}

static bool set_publish(struct setting *setting, const struct sg_home_spec *spec,
                        struct sg_error *error)
{
    const struct {
        const char *key, *url;
    } urls[] = {
        {"crl", spec->crl_url},
        {"ocsp", spec->ocsp_url},
        {"ca_issuers", spec->ca_issuers_url},
    };

    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        if (urls[i].url == NULL)
            continue;
        if (!sg_buf_printf(&setting->value, SG_LIMIT_YAML, error,
                           "%s%s: ", setting->is_set ? ", " : "{", urls[i].key) ||
            !append_quoted(&setting->value, urls[i].url, error))
            return false;
        setting->is_set = true;
    }
    return !setting->is_set || sg_buf_append(&setting->value, "}", 1, SG_LIMIT_YAML, error);
}

static bool make_settings(const struct sg_home_spec *spec, struct settings *settings,
                          struct sg_error *error)
{
    static const char *const NAMES[NUM_SETTINGS] = {
        [CA] = "@ca@",
        [STORE] = "@store@",
        [PROFILE] = "@profile@",
        [MODULE] = "@module@",
        [TOKEN] = "@token@",
        [PIN] = "@pin@",
        [SIGNER] = "@signer@",
        [ISSUER] = "@issuer@",
        [KEY] = "@key@",
        [CERTIFICATE] = "@certificate@",
        [SIGNATURE] = "@signature@",
        [PUBLISH] = "@publish@",
    };
    struct setting *items = settings->items;
    bool is_direct = sg_signer_settle(spec->signer) == SG_SIGNER_DIRECT;
    const char *scheme = spec->scheme != SG_SCHEME_NONE ? sg_scheme_text(spec->scheme) : NULL;

    for (size_t i = 0; i < NUM_SETTINGS; i++)
        items[i].name = NAMES[i];
    const char *store = spec->store != NULL ? spec->store : "sqlite:signet.db";

    return set(&items[CA], "", spec->ca, "", error) && set(&items[STORE], "", store, "", error) &&
           set(&items[PROFILE], "", spec->profile, "", error) &&
           set(&items[MODULE], "", spec->module, "", error) &&
           set(&items[TOKEN], "", spec->token, "", error) &&
           set(&items[PIN], "", spec->pin, "", error) &&
           set(&items[SIGNER], "", is_direct ? "direct" : "engine", "", error) &&
           set(&items[ISSUER], "", spec->issuer, "", error) &&
           set(&items[KEY], "pkcs11:object=", spec->issuer, "", error) &&
           set(&items[CERTIFICATE], "", spec->issuer, ".pem", error) &&
           set(&items[SIGNATURE], "", scheme, "", error) &&
           set_publish(&items[PUBLISH], spec, error);
}

/* A line of the template has one placeholder at most, at its end. */
static bool append_line(const struct settings *settings, struct sg_slice line, struct sg_buf *text,
                        struct sg_error *error)
{
    for (size_t i = 0; i < NUM_SETTINGS; i++) {
        const struct setting *setting = &settings->items[i];
        const uint8_t *at = memmem(line.data, line.len, setting->name, strlen(setting->name));

        if (at == NULL)
            continue;
        return !setting->is_set ||
               (sg_buf_append(text, line.data, (size_t)(at - line.data), SG_LIMIT_YAML, error) &&
                sg_buf_append(text, setting->value.data, setting->value.len, SG_LIMIT_YAML,
                              error) &&
                sg_buf_append(text, "\n", 1, SG_LIMIT_YAML, error));
    }
    return sg_buf_append(text, line.data, line.len, SG_LIMIT_YAML, error);
}

static bool check_texts(const struct sg_home_spec *spec, struct sg_error *error)
{
    const struct {
        const char *what, *text;
    } texts[] = {
        {"the CA's name", spec->ca},      {"the store", spec->store},
        {"the token's URI", spec->token}, {"the profile", spec->profile},
        {"the module", spec->module},     {"the PIN's source", spec->pin},
    };

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct sg_error why = {0};

        if (texts[i].text == NULL)
            continue;
        if (texts[i].text[0] == '\0')
            return sg_fail(error, SG_USAGE, NULL, "%s is empty", texts[i].what);
        if (!sg_text_check(sg_slice_text(texts[i].text), texts[i].what, &why))
            return sg_fail(error, SG_USAGE, NULL, "%s", why.text);
    }
    return true;
}

static bool check_spec(const struct sg_home_spec *spec, struct sg_error *error)
{
    const char *const urls[] = {spec->crl_url, spec->ocsp_url, spec->ca_issuers_url};

    if (spec->ca == NULL || spec->issuer == NULL || spec->token == NULL)
        return sg_fail(error, SG_USAGE, NULL, "a home needs a name, an issuer and a token");
    if (!check_texts(spec, error))
        return false;
    if ((spec->profile == NULL) == (spec->module == NULL))
        return sg_fail(error, SG_USAGE, NULL,
                       "a token is reached by a profile or by a module, one of the two");
    if (!sg_config_name_is_valid(spec->issuer))
        return sg_fail(
            error, SG_USAGE, NULL,
            "'%s' can't name an issuer: letters, digits, '.', '_', '-', beginning with a "
            "letter or digit, 64 at most",
            spec->issuer);
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++)
        if (urls[i] != NULL && !sg_config_check_url(urls[i], error))
            return false;
    return sg_config_check_uri(spec->token, error) &&
           (spec->pin == NULL || sg_pin_check_source(spec->pin, error));
}

bool sg_init_settings(const struct sg_home_spec *spec, struct sg_buf *text, struct sg_error *error)
{
    sg_auto(settings) struct settings settings = {0};
    const char *end;

    if (!check_spec(spec, error) || !make_settings(spec, &settings, error))
        return false;
    for (const char *line = TEMPLATE; *line != '\0'; line = end) {
        end = strchr(line, '\n') + 1;
        if (!append_line(&settings, sg_slice_of(line, (size_t)(end - line)), text, error))
            return false;
    }
    return true;
}
