#include <string.h>

#include "base/limits.h"
#include "base/text.h"
#include "handle.h"
#include "rv.h"

/* Copies one of PKCS#11's fixed fields, padded with blanks, or by some modules with zero bytes. */
static void trim(const CK_UTF8CHAR *field, size_t len, char *into)
{
    while (len > 0 && (field[len - 1] == ' ' || field[len - 1] == '\0'))
        len--;
    memcpy(into, field, len);
    into[len] = '\0';
}

static void fill(const CK_TOKEN_INFO *raw, CK_SLOT_ID slot, struct sg_token_info *info)
{
    *info = (struct sg_token_info){
        .slot = slot,
        .initialized = (raw->flags & CKF_TOKEN_INITIALIZED) != 0,
        .login_required = (raw->flags & CKF_LOGIN_REQUIRED) != 0,
        .pin_initialized = (raw->flags & CKF_USER_PIN_INITIALIZED) != 0,
        .pin_count_low = (raw->flags & CKF_USER_PIN_COUNT_LOW) != 0,
        .pin_final_try = (raw->flags & CKF_USER_PIN_FINAL_TRY) != 0,
        .pin_locked = (raw->flags & CKF_USER_PIN_LOCKED) != 0,
        .write_protected = (raw->flags & CKF_WRITE_PROTECTED) != 0,
        .protected_pin_path = (raw->flags & CKF_PROTECTED_AUTHENTICATION_PATH) != 0,
    };
    trim(raw->label, sizeof raw->label, info->label);
    trim(raw->manufacturerID, sizeof raw->manufacturerID, info->manufacturer);
    trim(raw->model, sizeof raw->model, info->model);
    trim(raw->serialNumber, sizeof raw->serialNumber, info->serial_number);
}

bool sg_token_info_read(const struct sg_module *module, CK_SLOT_ID slot, CK_TOKEN_INFO *raw,
                        struct sg_token_info *info, struct sg_error *error)
{
    CK_TOKEN_INFO fresh = {0};
    CK_RV rv = module->functions->C_GetTokenInfo(slot, &fresh);

    if (rv != CKR_OK)
        return sg_fail_rv(error, SG_TOKEN, rv, "cannot look at the token in slot %lu of %s", slot,
                          module->path);
    *raw = fresh;
    fill(&fresh, slot, info);
    return true;
}

bool sg_token_infos_text(const struct sg_token_info *tokens, size_t num, struct sg_buf *into,
                         struct sg_error *error)
{
    for (size_t i = 0; i < num; i++) {
        const char *before = i == 0 ? "" : ", ";
        bool is_written;

        if (tokens[i].initialized)
            is_written = sg_buf_printf(into, SG_LIMIT_SLOTS * 128, error, "%s'%s' (serial %s)",
                                       before, tokens[i].label, tokens[i].serial_number);
        else
            is_written =
                sg_buf_printf(into, SG_LIMIT_SLOTS * 128, error,
                              "%san uninitialised one in slot %lu", before, tokens[i].slot);
        if (!is_written)
            return false;
    }
    return num > 0 ? true : sg_buf_printf(into, SG_LIMIT_SLOTS, error, "no token at all");
}

static bool list_slots(const struct sg_module *module, const CK_SLOT_ID *slots, size_t num_slots,
                       struct sg_token_info *tokens, size_t *num, struct sg_error *error)
{
    for (size_t i = 0; i < num_slots; i++) {
        struct sg_error cause = {0};
        CK_TOKEN_INFO raw;

        if (sg_token_info_read(module, slots[i], &raw, &tokens[*num], &cause)) {
            (*num)++;
            continue;
        }
        /* It was pulled out after the slots were listed. */
        if (cause.detail != CKR_TOKEN_NOT_PRESENT && cause.detail != CKR_TOKEN_NOT_RECOGNIZED) {
            *error = cause;
            return false;
        }
    }
    return true;
}

bool sg_token_list(const char *profile_name, const char *module_path, struct sg_token_info **tokens,
                   size_t *num, struct sg_error *error)
{
    sg_auto(sg_profile) struct sg_profile profile = {0};
    sg_auto(sg_module) struct sg_module module = {0};
    sg_auto(malloc) CK_SLOT_ID *slots = NULL;
    sg_auto(malloc) struct sg_token_info *found = NULL;
    size_t num_slots, num_found = 0;

    if (!sg_module_open(profile_name, module_path, &profile, &module, error) ||
        !sg_module_slots(&module, &slots, &num_slots, error))
        return false;
    found = calloc(num_slots + 1, sizeof *found);
    if (found == NULL)
        return sg_fail_memory(error);
    if (!list_slots(&module, slots, num_slots, found, &num_found, error))
        return false;
    *tokens = SG_TAKE(found);
    *num = num_found;
    return true;
}
