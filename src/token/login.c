#include <string.h>

#include "base/limits.h"
#include "handle.h"
#include "rv.h"

static bool fail_as_locked(const struct sg_token_info *info, struct sg_error *error)
{
    return sg_fail_rv(error, SG_PIN, CKR_PIN_LOCKED,
                      "the user PIN of token %s is locked; unlock it as security officer with the "
                      "tool of its maker",
                      info->label);
}

/* What the token says before anyone tries a PIN. */
static bool check_token(const struct sg_token_info *info, struct sg_error *error)
{
    if (!info->initialized)
        return sg_fail(error, SG_TOKEN, NULL,
                       "token %s is not initialised; `signet token init` does it", info->label);
    if (info->pin_locked)
        return fail_as_locked(info, error);
    if (!info->pin_initialized)
        return sg_fail_rv(error, SG_PIN, CKR_USER_PIN_NOT_INITIALIZED,
                          "token %s has no user PIN yet; set one as security officer", info->label);
    if (info->pin_final_try)
        return sg_fail(error, SG_PIN, NULL,
                       "token %s has a single try left before its PIN is locked, and Signet leaves "
                       "it alone; log in once with the tool of its maker, which resets the count",
                       info->label);
    return true;
}

/* Another handle of this process may have logged in: then all of its sessions are. */
static bool session_is_logged_in(struct sg_token *token, bool *is_logged_in, struct sg_error *error)
{
    CK_SESSION_INFO session = {0};
    CK_RV rv = token->module.functions->C_GetSessionInfo(token->session, &session);

    if (rv != CKR_OK)
        return sg_fail_token(error, SG_TOKEN, token, rv, "lost the session with token %s",
                             token->info.label);
    if (session.state == CKS_RW_SO_FUNCTIONS)
        return sg_fail(error, SG_TOKEN, NULL,
                       "this process is logged in to token %s as security officer",
                       token->info.label);
    *is_logged_in =
        session.state == CKS_RO_USER_FUNCTIONS || session.state == CKS_RW_USER_FUNCTIONS;
    return true;
}

static bool check_length(const struct sg_token *token, const CK_TOKEN_INFO *raw, size_t len,
                         struct sg_error *error)
{
    unsigned long max = SG_LIMIT_PIN;

    if (raw->ulMaxPinLen != 0 && raw->ulMaxPinLen < max)
        max = raw->ulMaxPinLen;
    if (token->profile.max_pin != 0 && (unsigned long)token->profile.max_pin < max)
        max = (unsigned long)token->profile.max_pin;
    if (len < raw->ulMinPinLen || len > max)
        return sg_fail_rv(error, SG_PIN, CKR_PIN_LEN_RANGE,
                          "the PIN for token %s is not tried: it has a length that the token can't "
                          "have (%lu to %lu bytes)",
                          token->info.label, raw->ulMinPinLen, max);
    return true;
}

/* Nobody here knows what was typed on a token's own pad. */
static bool refused_on_pad(const struct sg_token *token, CK_RV rv, struct sg_error *error)
{
    return sg_fail_token(error, SG_PIN, token, rv,
                         "token %s refused the PIN that was typed on its pad", token->info.label);
}

/* The refusal is on disk before anyone hears of it. */
static bool refused(struct sg_token *token, struct sg_secret *pin, CK_RV rv, struct sg_error *error)
{
    struct sg_error cause = {0};

    if (sg_pin_remember_refusal(token->refusals, token->info.serial_number, pin, &cause))
        return sg_fail_token(error, SG_PIN, token, rv,
                             "token %s refused the PIN, which will not be tried again; correct its "
                             "source",
                             token->info.label);
    return sg_fail_token(
        error, SG_PIN, token, rv,
        "token %s refused the PIN. Do not try it again, as that could not be recorded "
        "(%.200s)",
        token->info.label, cause.text);
}

/* pin   NULL: it was typed on the token's pad. */
static bool judge_login(struct sg_token *token, struct sg_secret *pin, CK_RV rv,
                        struct sg_error *error)
{
    struct sg_error ignored = {0};

    switch (rv) {
    case CKR_OK:
        /* What stays in the record after a failure here are PINs that are wrong all the same. */
        (void)!sg_pin_forget_refusals(token->refusals, token->info.serial_number, &ignored);
        return true;
    case CKR_USER_ALREADY_LOGGED_IN:
        return true;
    case CKR_PIN_INCORRECT:
    case CKR_PIN_INVALID:
    case CKR_PIN_LEN_RANGE:
        return pin != NULL ? refused(token, pin, rv, error) : refused_on_pad(token, rv, error);
    case CKR_PIN_LOCKED:
        sg_tally_count(token->tally, rv);
        return fail_as_locked(&token->info, error);
    case CKR_FUNCTION_CANCELED:
    case CKR_PIN_EXPIRED:
    case CKR_USER_PIN_NOT_INITIALIZED:
        return sg_fail_token(error, SG_PIN, token, rv, "cannot log in to token %s",
                             token->info.label);
    default:
        return sg_fail_token(error, SG_TOKEN, token, rv, "cannot log in to token %s",
                             token->info.label);
    }
}

static bool try_secret(struct sg_token *token, const CK_TOKEN_INFO *raw, CK_USER_TYPE user,
                       struct sg_secret *pin, struct sg_error *error)
{
    CK_RV rv;

    if (!check_length(token, raw, sg_secret_len(pin), error) ||
        !sg_pin_check_not_refused(token->refusals, token->info.serial_number, pin, error))
        return false;
    rv = token->module.functions->C_Login(token->session, user, sg_secret_data(pin),
                                          sg_secret_len(pin));
    return judge_login(token, pin, rv, error);
}

static bool try_pad(struct sg_token *token, const CK_TOKEN_INFO *raw, struct sg_error *error)
{
    if ((raw->flags & CKF_PROTECTED_AUTHENTICATION_PATH) == 0)
        return sg_fail(error, SG_PIN, NULL, "token %s has no pad of its own to type a PIN on",
                       token->info.label);
    return judge_login(token, NULL,
                       token->module.functions->C_Login(token->session, CKU_USER, NULL, 0), error);
}

/* The PIN comes from the token's source. */
static bool try_pin(struct sg_token *token, const CK_TOKEN_INFO *raw, CK_USER_TYPE user,
                    const char *what, struct sg_error *error)
{
    sg_auto(sg_secret) struct sg_secret *pin = NULL;

    if (token->pin == NULL)
        return sg_fail(error, SG_PIN, NULL,
                       "token %s needs its PIN, and no source of it is named (pin: file:, env:, "
                       "credential: or prompt)",
                       token->info.label);
    return sg_pin_read(token->pin, token->folder, what, &pin, error) &&
           try_secret(token, raw, user, pin, error);
}

/* Where a login's PIN is. */
enum from { FROM_SOURCE, FROM_CALLER, FROM_PAD };

static bool prove(struct sg_token *token, const CK_TOKEN_INFO *raw, enum from from,
                  struct sg_secret *given, struct sg_error *error)
{
    switch (from) {
    case FROM_CALLER:
        return try_secret(token, raw, CKU_USER, given, error);
    case FROM_PAD:
        return try_pad(token, raw, error);
    default:
        return try_pin(token, raw, CKU_USER, token->info.label, error);
    }
}

/* given    the PIN, FROM_CALLER. */
static bool login_locked(struct sg_token *token, enum from from, struct sg_secret *given,
                         struct sg_error *error)
{
    struct sg_token_info info;
    CK_TOKEN_INFO raw;

    if (token->is_logged_in)
        return true;
    if (!session_is_logged_in(token, &token->is_logged_in, error))
        return false;
    if (token->is_logged_in)
        return true;
    if (!sg_token_info_read(&token->module, token->info.slot, &raw, &info, error))
        return false;
    if (info.login_required &&
        (!check_token(&info, error) || !prove(token, &raw, from, given, error)))
        return false;
    token->is_logged_in = true;
    return true;
}

bool sg_token_login_locked(struct sg_token *token, struct sg_error *error)
{
    return login_locked(token, FROM_SOURCE, NULL, error);
}

bool sg_token_authenticate_locked(struct sg_token *token, const char *key, struct sg_error *error)
{
    struct sg_token_info info;
    CK_TOKEN_INFO raw;
    char what[192];

    snprintf(what, sizeof what, "%.32s, for a signature with key '%.100s'", token->info.label, key);
    return sg_token_info_read(&token->module, token->info.slot, &raw, &info, error) &&
           check_token(&info, error) && try_pin(token, &raw, CKU_CONTEXT_SPECIFIC, what, error);
}

/* ---- the security officer ---- */

/* The officer's refusals are on record under a name of their own. */
static bool fail_as_officer(const struct sg_token *token, const char *record, struct sg_secret *pin,
                            CK_RV rv, struct sg_error *error)
{
    struct sg_error ignored = {0};
    bool is_refused = rv == CKR_PIN_INCORRECT || rv == CKR_PIN_INVALID || rv == CKR_PIN_LEN_RANGE;
    bool is_recorded =
        is_refused && sg_pin_remember_refusal(token->refusals, record, pin, &ignored);

    return sg_fail_token(error, is_refused || rv == CKR_PIN_LOCKED ? SG_PIN : SG_TOKEN, token, rv,
                         "cannot log in to token %s as security officer%s", token->info.label,
                         !is_refused   ? ""
                         : is_recorded ? "; this PIN will not be tried again"
                                       : "; do not try this PIN again");
}

static bool check_officer(const struct sg_token *token, struct sg_error *error)
{
    struct sg_token_info info;
    CK_TOKEN_INFO raw;

    if (token->so_pin == NULL)
        return sg_fail(error, SG_PIN, NULL,
                       "token %s lets only its security officer write, and no source of that PIN "
                       "is named (--so-pin)",
                       token->info.label);
    if (!sg_token_info_read(&token->module, token->info.slot, &raw, &info, error))
        return false;
    if ((raw.flags & (CKF_SO_PIN_LOCKED | CKF_SO_PIN_FINAL_TRY)) != 0)
        return sg_fail(error, SG_PIN, NULL,
                       "the security officer's PIN of token %s is locked or has a single try left; "
                       "use the tool of its maker",
                       token->info.label);
    return true;
}

static bool log_in_as_officer(struct sg_token *token, struct sg_error *error)
{
    sg_auto(sg_secret) struct sg_secret *pin = NULL;
    char what[64], record[32];
    CK_RV rv;

    snprintf(what, sizeof what, "%.32s, security officer", token->info.label);
    snprintf(record, sizeof record, "%.16s-so", token->info.serial_number);
    if (!sg_pin_read(token->so_pin, token->folder, what, &pin, error) ||
        !sg_pin_check_not_refused(token->refusals, record, pin, error))
        return false;
    token->module.functions->C_Logout(token->session);
    token->is_logged_in = false;
    rv = token->module.functions->C_Login(token->session, CKU_SO, sg_secret_data(pin),
                                          sg_secret_len(pin));
    if (rv != CKR_OK)
        return fail_as_officer(token, record, pin, rv, error);
    return true;
}

bool sg_token_begin_writing_locked(struct sg_token *token, struct sg_error *error)
{
    return token->profile.keygen_login == SG_KEYGEN_AS_USER ||
           (check_officer(token, error) && log_in_as_officer(token, error));
}

void sg_token_end_writing_locked(struct sg_token *token)
{
    if (token->profile.keygen_login == SG_KEYGEN_AS_SO)
        token->module.functions->C_Logout(token->session);
}

/* ---- the user, for everyone ---- */

bool sg_token_login_with(struct sg_token *token, struct sg_secret *pin, struct sg_error *error)
{
    SG_TOKEN_LOCK(token);

    return login_locked(token, FROM_CALLER, pin, error);
}

bool sg_token_has_pad(const struct sg_token *token)
{
    return token->info.protected_pin_path;
}

bool sg_token_login_on_pad(struct sg_token *token, struct sg_error *error)
{
    SG_TOKEN_LOCK(token);

    return login_locked(token, FROM_PAD, NULL, error);
}

bool sg_token_login(struct sg_token *token, struct sg_error *error)
{
    SG_TOKEN_LOCK(token);

    return sg_token_login_locked(token, error);
}

static bool judge_change(struct sg_token *token, struct sg_secret *old_pin, CK_RV rv,
                         struct sg_error *error)
{
    struct sg_error ignored = {0};

    if (rv == CKR_OK) {
        /* One of those that were refused may be the right one now. */
        (void)!sg_pin_forget_refusals(token->refusals, token->info.serial_number, &ignored);
        return true;
    }
    if (rv == CKR_PIN_INCORRECT)
        return old_pin != NULL ? refused(token, old_pin, rv, error)
                               : refused_on_pad(token, rv, error);
    return sg_fail_token(error,
                         rv == CKR_PIN_LEN_RANGE || rv == CKR_PIN_INVALID ? SG_PIN : SG_TOKEN,
                         token, rv, "token %s does not change its PIN", token->info.label);
}

static bool check_change(const struct sg_token *token, const CK_TOKEN_INFO *raw,
                         struct sg_secret *old_pin, struct sg_secret *new_pin,
                         struct sg_error *error)
{
    if (old_pin == NULL || new_pin == NULL)
        return (old_pin == NULL && new_pin == NULL &&
                (raw->flags & CKF_PROTECTED_AUTHENTICATION_PATH) != 0) ||
               sg_fail(error, SG_PIN, NULL, "token %s has no pad of its own to type its PINs on",
                       token->info.label);
    return check_length(token, raw, sg_secret_len(new_pin), error) &&
           sg_pin_check_not_refused(token->refusals, token->info.serial_number, old_pin, error);
}

static uint8_t *bytes_of(struct sg_secret *pin)
{
    return pin != NULL ? sg_secret_data(pin) : NULL;
}

static size_t len_of(const struct sg_secret *pin)
{
    return pin != NULL ? sg_secret_len(pin) : 0;
}

bool sg_token_change_pin(struct sg_token *token, struct sg_secret *old_pin,
                         struct sg_secret *new_pin, struct sg_error *error)
{
    struct sg_token_info info;
    CK_TOKEN_INFO raw;
    CK_RV rv;
    SG_TOKEN_LOCK(token);

    if (token->is_read_only)
        return sg_fail_rv(error, SG_TOKEN, CKR_TOKEN_WRITE_PROTECTED, "token %s takes no new PIN",
                          token->info.label);
    if (!sg_token_info_read(&token->module, token->info.slot, &raw, &info, error) ||
        !check_token(&info, error) || !check_change(token, &raw, old_pin, new_pin, error))
        return false;
    rv = token->module.functions->C_SetPIN(token->session, bytes_of(old_pin), len_of(old_pin),
                                           bytes_of(new_pin), len_of(new_pin));
    return judge_change(token, old_pin, rv, error);
}
