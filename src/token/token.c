#include <string.h>

#include "base/limits.h"
#include "engine.h"
#include "handle.h"
#include "pool.h"
#include "rv.h"
#include "uri.h"

bool sg_fail_token(struct sg_error *error, enum sg_code code, const struct sg_token *token,
                   CK_RV rv, const char *format, ...)
{
    char message[SG_ERROR_TEXT_SIZE];
    va_list arguments;

    sg_tally_count(token->tally, rv);
    va_start(arguments, format);
    if (vsnprintf(message, sizeof message, format, arguments) < 0)
        message[0] = '\0';
    va_end(arguments);
    return sg_fail_rv(error, code, rv, "%s", message);
}

static bool copy(const char *text, char **into, struct sg_error *error)
{
    if (text == NULL)
        return true;
    *into = strdup(text);
    return *into != NULL ? true : sg_fail_memory(error);
}

static bool token_new(const struct sg_token_config *config, struct sg_token **token,
                      struct sg_error *error)
{
    sg_auto(sg_token) struct sg_token *fresh = calloc(1, sizeof *fresh);

    if (fresh == NULL)
        return sg_fail_memory(error);
    pthread_mutex_init(&fresh->lock, NULL);
    fresh->signer = sg_signer_settle(config->signer);
    fresh->tally = config->tally;
    fresh->sessions = config->sessions != 0 ? config->sessions : SG_DEFAULT_SESSIONS;
    if (config->pin != NULL && !sg_pin_check_source(config->pin, error))
        return false;
    if (config->so_pin != NULL && !sg_pin_check_source(config->so_pin, error))
        return false;
    if (!copy(config->pin, &fresh->pin, error) || !copy(config->so_pin, &fresh->so_pin, error) ||
        !copy(config->folder, &fresh->folder, error) ||
        !copy(config->refusals, &fresh->refusals, error))
        return false;
    if (fresh->pin != NULL && fresh->refusals == NULL &&
        !sg_pin_refusals_default(&fresh->refusals, error))
        return false;
    *token = SG_TAKE(fresh);
    return true;
}

/* What is there, looked at once: the tokens, and which of them the URI means. */
struct candidates {
    struct sg_token_info *tokens;
    size_t num;
    size_t num_matching;
    size_t match; /* the last one that matches */
};

static void candidates_done(struct candidates *candidates)
{
    free(candidates->tokens);
}
SG_DEFINE_CLEANUP_IN_PLACE(candidates, candidates_done)

static bool look(const struct sg_module *module, P11KitUri *uri, struct candidates *candidates,
                 struct sg_error *error)
{
    sg_auto(malloc) CK_SLOT_ID *slots = NULL;
    size_t num_slots;

    if (!sg_module_slots(module, &slots, &num_slots, error))
        return false;
    candidates->tokens = calloc(num_slots + 1, sizeof *candidates->tokens);
    if (candidates->tokens == NULL)
        return sg_fail_memory(error);
    for (size_t i = 0; i < num_slots; i++) {
        struct sg_token_info *info = &candidates->tokens[candidates->num];
        CK_TOKEN_INFO raw;

        /* A slot that can't be looked at must not stand in the way of the others. */
        if (!sg_token_info_read(module, slots[i], &raw, info, NULL))
            continue;
        if (info->initialized && p11_kit_uri_match_token_info(uri, &raw)) {
            candidates->match = candidates->num;
            candidates->num_matching++;
        }
        candidates->num++;
    }
    return true;
}

/* SoftHSM leaves out a token whose file was cut short, as a crash in a login can do. */
static const char *explain_loss(const struct sg_module *module)
{
    return strstr(module->path, "softhsm") == NULL
               ? ""
               : ". If it was there before: SOFTHSM2_CONF may name another folder, or a crash may "
                 "have emptied its token.object, which a back-up of the folder brings back";
}

static bool fail_to_choose(const struct sg_token_config *config, const struct sg_module *module,
                           const struct candidates *candidates, struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf list = {0};

    if (!sg_token_infos_text(candidates->tokens, candidates->num, &list, error))
        return false;
    if (candidates->num_matching == 0)
        return sg_fail(error, SG_TOKEN, NULL, "no token matches %s; %s has %s%s", config->uri,
                       module->path, (const char *)list.data, explain_loss(module));
    return sg_fail(error, SG_TOKEN, NULL,
                   "%zu tokens match %s, and it must be one: add serial= to it; %s has %s",
                   candidates->num_matching, config->uri, module->path, (const char *)list.data);
}

static bool find_token(const struct sg_token_config *config, P11KitUri *uri, struct sg_token *token,
                       struct sg_error *error)
{
    sg_auto(candidates) struct candidates candidates = {0};

    if (!look(&token->module, uri, &candidates, error))
        return false;
    if (candidates.num_matching != 1)
        return fail_to_choose(config, &token->module, &candidates, error);
    token->info = candidates.tokens[candidates.match];
    return true;
}

bool sg_token_open_session_locked(struct sg_token *token, struct sg_error *error)
{
    CK_FUNCTION_LIST *functions = token->module.functions;
    CK_RV rv = CKR_TOKEN_WRITE_PROTECTED;

    if (!token->info.write_protected)
        rv = functions->C_OpenSession(token->info.slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL,
                                      NULL, &token->session);
    if (rv == CKR_TOKEN_WRITE_PROTECTED) {
        token->is_read_only = true;
        rv = functions->C_OpenSession(token->info.slot, CKF_SERIAL_SESSION, NULL, NULL,
                                      &token->session);
    }
    if (rv != CKR_OK)
        return sg_fail_token(error, SG_TOKEN, token, rv, "cannot open a session with token %s",
                             token->info.label);
    token->has_session = true;
    sg_tally_add_sessions(token->tally, 1);
    return true;
}

void sg_token_close_session_locked(struct sg_token *token)
{
    if (!token->has_session)
        return;
    token->module.functions->C_CloseSession(token->session);
    sg_tally_add_sessions(token->tally, -1);
    token->session = CK_INVALID_HANDLE;
    token->has_session = false;
}

bool sg_token_open(const struct sg_token_config *config, struct sg_token **token,
                   struct sg_error *error)
{
    sg_auto(sg_token) struct sg_token *fresh = NULL;
    sg_auto(P11KitUri) P11KitUri *uri = NULL;

    if (!sg_uri_parse(config->uri, SG_URI_ANY, &uri, error) || !token_new(config, &fresh, error) ||
        !sg_module_open(config->profile, config->module, &fresh->profile, &fresh->module, error) ||
        !find_token(config, uri, fresh, error) || !sg_token_open_session_locked(fresh, error))
        return false;
    /* Looking at a token needs no engine; sg_signer_open says so when one is missing. */
    if (!sg_engine_open(fresh->module.path, &fresh->engine, NULL))
        fresh->engine = NULL;
    sg_module_end_turn(&fresh->module);
    *token = SG_TAKE(fresh);
    return true;
}

const char *sg_token_label(const struct sg_token *token)
{
    return token->info.label;
}

const char *sg_token_serial_number(const struct sg_token *token)
{
    return token->info.serial_number;
}

const char *sg_token_model(const struct sg_token *token)
{
    return token->info.model;
}

const char *sg_token_module_path(const struct sg_token *token)
{
    return token->module.path;
}

void sg_token_close(struct sg_token *token)
{
    if (token == NULL)
        return;
    sg_pool_free(token->pool);
    /* Nobody logs out: that would end the login of every other user of the token in this process.
     * PKCS#11 does it when the last session closes. */
    sg_token_close_session_locked(token);
    sg_engine_close(token->engine);
    sg_module_close(&token->module);
    sg_profile_done(&token->profile);
    free(token->pin);
    free(token->so_pin);
    free(token->folder);
    free(token->refusals);
    pthread_mutex_destroy(&token->lock);
    free(token);
}
