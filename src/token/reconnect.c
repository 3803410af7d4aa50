#include <string.h>

#include "handle.h"
#include "rv.h"

/* A token that was pulled out and put back may be in another slot. */
static bool find_slot(struct sg_token *token, struct sg_error *error)
{
    sg_auto(malloc) CK_SLOT_ID *slots = NULL;
    size_t num = 0;

    if (!sg_module_slots(&token->module, &slots, &num, error))
        return false;
    for (size_t i = 0; i < num; i++) {
        struct sg_token_info info;
        CK_TOKEN_INFO raw;

        if (sg_token_info_read(&token->module, slots[i], &raw, &info, NULL) && info.initialized &&
            strcmp(info.serial_number, token->info.serial_number) == 0 &&
            strcmp(info.label, token->info.label) == 0 &&
            strcmp(info.manufacturer, token->info.manufacturer) == 0 &&
            strcmp(info.model, token->info.model) == 0) {
            token->info.slot = slots[i];
            return true;
        }
    }
    return sg_fail(error, SG_TOKEN, NULL, "token %s (serial %s) is not there any more",
                   token->info.label, token->info.serial_number);
}

bool sg_token_reconnect_locked(struct sg_token *token, bool restart, struct sg_error *error)
{
    sg_token_close_session_locked(token);
    token->is_logged_in = false;
    if (restart && !sg_module_restart(&token->module, error))
        return false;
    return find_slot(token, error) && sg_token_open_session_locked(token, error) &&
           sg_token_login_locked(token, error);
}
