#include <string.h>

#include "base/limits.h"
#include "base/text.h"
#include "handle.h"
#include "rv.h"

enum { LABEL_LEN = 32 }; /* bytes of CK_TOKEN_INFO's label */

static bool check_label(const char *label, struct sg_error *error)
{
    size_t len = strlen(label);

    if (len == 0 || len > LABEL_LEN || label[0] == ' ' || label[len - 1] == ' ')
        return sg_fail(error, SG_USAGE, NULL,
                       "'%s' can't be a token's label: 1 to %d bytes, no blank at either end",
                       label, LABEL_LEN);
    return sg_text_check(sg_slice_text(label), "token label", error);
}

static bool check_pin(const CK_TOKEN_INFO *raw, const char *whose, size_t len,
                      struct sg_error *error)
{
    if (len < raw->ulMinPinLen || (raw->ulMaxPinLen != 0 && len > raw->ulMaxPinLen))
        return sg_fail_rv(error, SG_PIN, CKR_PIN_LEN_RANGE,
                          "the token wants a %s PIN of %lu to %lu bytes", whose, raw->ulMinPinLen,
                          raw->ulMaxPinLen);
    return true;
}

/* An empty slot, and no token that has the label already. */
static bool find_slot(const struct sg_module *module, const char *label, CK_SLOT_ID *slot,
                      CK_TOKEN_INFO *raw, struct sg_error *error)
{
    sg_auto(malloc) CK_SLOT_ID *slots = NULL;
    bool has_empty = false;
    size_t num;

    if (!sg_module_slots(module, &slots, &num, error))
        return false;
    for (size_t i = 0; i < num; i++) {
        struct sg_token_info info;
        CK_TOKEN_INFO seen;

        if (!sg_token_info_read(module, slots[i], &seen, &info, error))
            return false;
        if (info.initialized && strcmp(info.label, label) == 0)
            return sg_fail(error, SG_TOKEN, NULL,
                           "there is a token %s already (serial %s); choose another label", label,
                           info.serial_number);
        if (!info.initialized && !has_empty) {
            has_empty = true;
            *slot = slots[i];
            *raw = seen;
        }
    }
    return has_empty
               ? true
               : sg_fail(error, SG_TOKEN, NULL,
                         "%s has no empty slot; every token in it is initialised", module->path);
}

/* In a session of the security officer, who alone may set the first user PIN. */
static bool set_user_pin(const struct sg_module *module, CK_SESSION_HANDLE session,
                         struct sg_secret *so_pin, struct sg_secret *user_pin,
                         struct sg_error *error)
{
    CK_FUNCTION_LIST *functions = module->functions;
    CK_RV rv = functions->C_Login(session, CKU_SO, sg_secret_data(so_pin), sg_secret_len(so_pin));

    if (rv != CKR_OK)
        return sg_fail_rv(error, SG_TOKEN, rv,
                          "the token was initialised but refuses its security officer");
    rv = functions->C_InitPIN(session, sg_secret_data(user_pin), sg_secret_len(user_pin));
    functions->C_Logout(session);
    if (rv != CKR_OK)
        return sg_fail_rv(error, SG_PIN, rv,
                          "the token was initialised but refuses the user PIN; set one as security "
                          "officer with the tool of its maker");
    return true;
}

static bool init_slot(const struct sg_module *module, CK_SLOT_ID slot, const char *label,
                      struct sg_secret *so_pin, struct sg_secret *user_pin, struct sg_error *error)
{
    CK_FUNCTION_LIST *functions = module->functions;
    CK_SESSION_HANDLE session;
    CK_UTF8CHAR padded[LABEL_LEN];
    bool is_set;
    CK_RV rv;

    memset(padded, ' ', sizeof padded);
    memcpy(padded, label, strlen(label));
    rv = functions->C_InitToken(slot, sg_secret_data(so_pin), sg_secret_len(so_pin), padded);
    if (rv != CKR_OK)
        return sg_fail_rv(error, SG_TOKEN, rv, "cannot initialise the token in slot %lu", slot);
    rv = functions->C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &session);
    if (rv != CKR_OK)
        return sg_fail_rv(error, SG_TOKEN, rv,
                          "the token was initialised but opens no session; it has no user PIN");
    is_set = set_user_pin(module, session, so_pin, user_pin, error);
    functions->C_CloseSession(session);
    return is_set;
}

/* Looks the new token up from the beginning, as a module may move it to another slot. */
static bool find_again(const char *profile, const char *module, const char *label,
                       struct sg_token_info *info, struct sg_error *error)
{
    sg_auto(malloc) struct sg_token_info *tokens = NULL;
    size_t num;

    if (!sg_token_list(profile, module, &tokens, &num, error))
        return false;
    for (size_t i = 0; i < num; i++) {
        if (tokens[i].initialized && strcmp(tokens[i].label, label) == 0) {
            *info = tokens[i];
            return true;
        }
    }
    return sg_fail(error, SG_TOKEN, NULL, "token %s was initialised but is not there now", label);
}

bool sg_token_init(const char *profile_name, const char *module_path, const char *label,
                   struct sg_secret *so_pin, struct sg_secret *user_pin, struct sg_token_info *info,
                   struct sg_error *error)
{
    CK_SLOT_ID slot = 0;
    CK_TOKEN_INFO raw = {0};

    if (!check_label(label, error))
        return false;
    {
        sg_auto(sg_profile) struct sg_profile profile = {0};
        sg_auto(sg_module) struct sg_module module = {0};

        if (!sg_module_open(profile_name, module_path, &profile, &module, error) ||
            !find_slot(&module, label, &slot, &raw, error) ||
            !check_pin(&raw, "security officer", sg_secret_len(so_pin), error) ||
            !check_pin(&raw, "user", sg_secret_len(user_pin), error) ||
            !init_slot(&module, slot, label, so_pin, user_pin, error))
            return false;
    }
    return find_again(profile_name, module_path, label, info, error);
}
