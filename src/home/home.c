#include "home_parts.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/limits.h"
#include "examples.h"

/* A folder without signet.yaml is told apart from a signet.yaml that is wrong. */
static bool check_is_home(const char *dir, const char *path, struct sg_error *error)
{
    struct stat status;

    if (stat(path, &status) == 0)
        return true;
    if (errno == ENOENT || errno == ENOTDIR)
        return sg_fail(error, SG_FAILED, NULL,
                       "%s is no CA home, as %s is not there; `signet init DIR` makes one, -C DIR "
                       "or SIGNET_HOME names one",
                       dir, path);
    return sg_fail_errno(error, "cannot open %s", path);
}

static bool open_parts(struct sg_home *home, enum sg_store_mode mode, struct sg_error *error)
{
    sg_auto(malloc) char *path = NULL;

    if (!sg_path_join(home->dir, "signet.yaml", &path, error) ||
        !check_is_home(home->dir, path, error) || !sg_config_load(path, &home->config, error))
        return false;
    home->tokens = calloc(home->config.num_tokens, sizeof *home->tokens);
    home->tallies = calloc(home->config.num_tokens, sizeof *home->tallies);
    home->issuers = calloc(home->config.num_issuers, sizeof *home->issuers);
    home->certifying = calloc(home->config.num_issuers, sizeof *home->certifying);
    home->responders = calloc(home->config.num_issuers, sizeof *home->responders);
    if (home->tokens == NULL || home->tallies == NULL || home->issuers == NULL ||
        home->certifying == NULL || home->responders == NULL)
        return sg_fail_memory(error);
    return sg_store_open(home->config.store, home->dir, mode, &home->store, error);
}

bool sg_home_open(const char *dir, enum sg_store_mode mode, struct sg_home **home,
                  struct sg_error *error)
{
    sg_auto(sg_home) struct sg_home *fresh = calloc(1, sizeof *fresh);

    if (fresh == NULL || (fresh->dir = strdup(dir)) == NULL)
        return sg_fail_memory(error);
    if (!open_parts(fresh, mode, error))
        return false;
    *home = SG_TAKE(fresh);
    return true;
}

bool sg_home_open_registry(const struct sg_home *home, struct sg_store **store,
                           struct sg_error *error)
{
    return sg_store_open(home->config.store, home->dir, SG_STORE_OPEN, store, error);
}

/* Signers and keys go before their tokens. */
void sg_home_close(struct sg_home *home)
{
    if (home == NULL)
        return;
    for (size_t i = 0; home->issuers != NULL && i < home->config.num_issuers; i++)
        sg_issuer_free(home->issuers[i]);
    for (size_t i = 0; home->certifying != NULL && i < home->config.num_issuers; i++)
        sg_issuer_free(home->certifying[i]);
    for (size_t i = 0; home->responders != NULL && i < home->config.num_issuers; i++)
        sg_responder_free(home->responders[i]);
    sg_mac_close(home->pins);
    for (size_t i = 0; home->tokens != NULL && i < home->config.num_tokens; i++)
        sg_token_close(home->tokens[i]);
    for (size_t i = 0; i < home->num_policies; i++)
        sg_policy_free(home->policies[i]);
    free(home->issuers);
    free(home->certifying);
    free(home->responders);
    free(home->tokens);
    free(home->tallies);
    free(home->policies);
    sg_store_close(home->store);
    sg_config_done(&home->config);
    free(home->dir);
    free(home);
}

const char *sg_home_dir(const struct sg_home *home)
{
    return home->dir;
}

const struct sg_config *sg_home_config(const struct sg_home *home)
{
    return &home->config;
}

struct sg_store *sg_home_store(struct sg_home *home)
{
    return home->store;
}

static bool is_policy_file(const struct dirent *entry, size_t *len)
{
    static const char SUFFIX[] = ".yaml";
    size_t full = strlen(entry->d_name);

    if (full <= strlen(SUFFIX) || entry->d_name[0] == '.' ||
        strcmp(entry->d_name + full - strlen(SUFFIX), SUFFIX) != 0)
        return false;
    *len = full - strlen(SUFFIX);
    return true;
}

static bool list_policies(struct dirent **entries, int num, struct sg_buf *list,
                          struct sg_error *error)
{
    size_t len;

    for (int i = 0; i < num; i++)
        if (is_policy_file(entries[i], &len) &&
            !sg_buf_printf(list, SG_LIMIT_YAML, error, "%s%.*s", list->len > 0 ? ", " : "",
                           (int)len, entries[i]->d_name))
            return false;
    return true;
}

static bool fail_as_no_policy(const char *folder, const char *name, struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf list = {0};
    struct dirent **entries = NULL;
    int num = scandir(folder, &entries, NULL, alphasort);
    bool is_listed;

    if (num < 0)
        return sg_fail_errno(error, "cannot look for policies in %s", folder);
    is_listed = list_policies(entries, num, &list, error);
    for (int i = 0; i < num; i++)
        free(entries[i]);
    free(entries);
    return is_listed &&
           sg_fail(error, SG_USAGE, NULL, "there is no policy '%s' in %s; there are: %s", name,
                   folder, list.len > 0 ? (const char *)list.data : "none");
}

static bool check_examples(const struct sg_policy *policy, const char *folder, const char *path,
                           struct sg_error *error)
{
    sg_auto(malloc) struct sg_example_result *results = NULL;

    if (!sg_examples_run(policy, folder, &results, error))
        return false;
    for (size_t i = 0; i < sg_policy_num_examples(policy); i++) {
        const struct sg_policy_example *example = results[i].example;

        if (!results[i].as_expected)
            return sg_fail(error, SG_INVALID, "policy examples",
                           "%s:%u: the example %s should be %s%s, but was %s; a policy that "
                           "does not do what its examples say is not used",
                           path, example->line, example->csr,
                           example->accept ? "accepted" : "refused by ",
                           example->accept ? "" : example->refuse, results[i].text);
    }
    return true;
}

static bool keep_policy(struct sg_home *home, struct sg_policy **policy, struct sg_error *error)
{
    struct sg_policy **grown =
        reallocarray(home->policies, home->num_policies + 1, sizeof *home->policies);

    if (grown == NULL)
        return sg_fail_memory(error);
    home->policies = grown;
    home->policies[home->num_policies++] = SG_TAKE(*policy);
    return true;
}

static bool find_policy_file(const struct sg_home *home, const char *name, char **folder,
                             char **path, struct sg_error *error)
{
    size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-");
    sg_auto(malloc) char *file = NULL;

    if (len == 0 || len > 64 || name[len] != '\0')
        return sg_fail(
            error, SG_USAGE, NULL,
            "'%s' can't be a policy: names are made of a-z, 0-9 and '-', and name a file "
            "in policies/ without its .yaml",
            name);
    if (asprintf(&file, "%s.yaml", name) < 0) {
        file = NULL; /* asprintf leaves it undefined */
        return sg_fail_memory(error);
    }
    return sg_path_join(home->dir, "policies", folder, error) &&
           sg_path_join(*folder, file, path, error) &&
           (access(*path, F_OK) == 0 || errno != ENOENT || fail_as_no_policy(*folder, name, error));
}

bool sg_home_read_policy(const struct sg_home *home, const char *name, struct sg_policy **policy,
                         struct sg_error *error)
{
    sg_auto(malloc) char *folder = NULL;
    sg_auto(malloc) char *path = NULL;

    return find_policy_file(home, name, &folder, &path, error) &&
           sg_policy_load(path, policy, error);
}

static bool load_policy(struct sg_home *home, const char *name, struct sg_error *error)
{
    sg_auto(malloc) char *folder = NULL;
    sg_auto(malloc) char *path = NULL;
    sg_auto(sg_policy) struct sg_policy *policy = NULL;

    return find_policy_file(home, name, &folder, &path, error) &&
           sg_policy_load(path, &policy, error) && check_examples(policy, folder, path, error) &&
           keep_policy(home, &policy, error);
}

bool sg_home_policy(struct sg_home *home, const char *name, const struct sg_policy **policy,
                    struct sg_error *error)
{
    for (size_t i = 0; i < home->num_policies; i++)
        if (strcmp(sg_policy_name(home->policies[i]), name) == 0) {
            *policy = home->policies[i];
            return true;
        }
    if (!load_policy(home, name, error))
        return false;
    *policy = home->policies[home->num_policies - 1];
    return true;
}

static bool open_token(const struct sg_home *home, size_t index, struct sg_token **token,
                       struct sg_error *error)
{
    const struct sg_token_entry *entry = &home->config.tokens[index];
    sg_auto(malloc) char *refusals = NULL;

    if (!sg_path_join(home->dir, "refused-pins", &refusals, error))
        return false;
    const struct sg_token_config config = {
        .profile = entry->profile,
        .module = entry->module,
        .uri = entry->uri,
        .pin = entry->pin != NULL ? entry->pin : "prompt",
        .folder = home->dir,
        .refusals = refusals,
        .signer = entry->signer,
        .sessions = (unsigned)entry->sessions,
        .tally = &home->tallies[index],
    };
    return sg_token_open(&config, token, error) || sg_error_prefix(error, "token %s", entry->name);
}

bool sg_home_token(struct sg_home *home, const char *name, struct sg_token **token,
                   struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf list = {0};

    for (size_t i = 0; i < home->config.num_tokens; i++) {
        const struct sg_token_entry *entry = &home->config.tokens[i];

        if (strcmp(entry->name, name) == 0)
            return open_token(home, i, token, error);
        if (!sg_buf_printf(&list, SG_LIMIT_YAML, error, "%s%s", i > 0 ? ", " : "", entry->name))
            return false;
    }
    return sg_fail(error, SG_USAGE, NULL, "there is no token '%s' in signet.yaml; there are: %s",
                   name, (const char *)list.data);
}

struct sg_tally *sg_home_tally(const struct sg_home *home, size_t index)
{
    return &home->tallies[index];
}

bool sg_home_pins(struct sg_home *home, struct sg_mac **mac, struct sg_error *error)
{
    const struct sg_config *config = &home->config;
    struct sg_token *token = NULL;

    if (config->pins_key == NULL)
        return sg_fail(error, SG_USAGE, "pins",
                       "signet.yaml names no key for PINs: add `pins: {token: NAME, key: "
                       "pkcs11:object=LABEL}`, then `signet key create --type HMAC pins` makes it");
    if (home->pins == NULL && (!sg_home_borrow_token(home, config->pins_token, &token, error) ||
                               !sg_mac_open(token, config->pins_key, &home->pins, error)))
        return sg_error_prefix(error, "pins");
    *mac = home->pins;
    return true;
}
