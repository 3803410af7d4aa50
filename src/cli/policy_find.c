#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "policies.h"

bool sg_cli_is_policy_file(const char *name)
{
    return strchr(name, '/') != NULL || strchr(name, '.') != NULL;
}

bool sg_cli_policy_path(const struct sg_cli *cli, const char *name, char **path,
                        struct sg_error *error)
{
    if (sg_cli_is_policy_file(name))
        return sg_path_join("", name, path, error);
    if (cli->home == NULL)
        return sg_fail(error, SG_USAGE, NULL,
                       "'%s' is looked for in a CA home; use -C DIR, or give the policy's file",
                       name);
    if (asprintf(path, "%s/policies/%s.yaml", cli->home, name) < 0) {
        *path = NULL;
        return sg_fail_memory(error);
    }
    return true;
}

bool sg_cli_find_policy(struct sg_home *home, const char *name, struct sg_policy **own,
                        const struct sg_policy **policy, struct sg_error *error)
{
    if (!sg_cli_is_policy_file(name))
        return sg_home_policy(home, name, policy, error);
    if (!sg_policy_load(name, own, error))
        return false;
    *policy = *own;
    return true;
}

bool sg_cli_note_fields(const struct sg_config *config, const struct sg_policy *policy,
                        struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf notes = {0};
    char *rest = NULL;

    if (!sg_policy_note_fields(policy, &config->device, &config->user, &notes, error))
        return false;
    for (char *line = notes.len > 0 ? strtok_r((char *)notes.data, "\n", &rest) : NULL;
         line != NULL; line = strtok_r(NULL, "\n", &rest))
        fprintf(stderr, "signet: note: %s\n", line);
    return true;
}
