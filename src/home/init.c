#include <sys/stat.h>

#include "base/file.h"
#include "init_parts.h"
#include "workshop.h"

static bool furnish(const char *folder, struct sg_slice text, struct sg_error *error)
{
    sg_auto(malloc) char *settings = NULL;
    sg_auto(malloc) char *policies = NULL;
    sg_auto(sg_config) struct sg_config config = {0};
    sg_auto(sg_store) struct sg_store *store = NULL;

    if (!sg_path_join(folder, "signet.yaml", &settings, error) ||
        !sg_path_join(folder, "policies", &policies, error) ||
        !sg_file_write(settings, text, 0644, SG_KEEP_EXISTING, error))
        return false;
    if (mkdir(policies, 0755) != 0)
        return sg_fail_errno(error, "cannot make %s", policies);
    return sg_init_copy_policies(policies, error) && sg_config_load(settings, &config, error) &&
           sg_store_open(config.store, folder, SG_STORE_CREATE, &store, error);
}

bool sg_home_init(const char *dir, const struct sg_home_spec *spec, struct sg_error *error)
{
    sg_auto(sg_workshop) struct sg_workshop workshop = {0};
    sg_auto(sg_buf) struct sg_buf text = {0};

    return sg_init_settings(spec, &text, error) && sg_workshop_open(dir, &workshop, error) &&
           furnish(workshop.folder, sg_buf_slice(&text), error) &&
           sg_workshop_move_in(&workshop, error);
}
