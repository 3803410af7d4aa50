#include "mac.h"

#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/text.h"
#include "key_read.h"
#include "pool.h"
#include "rv.h"

static const CK_BBOOL YES = CK_TRUE, NO = CK_FALSE;
static const CK_OBJECT_CLASS CLASS = CKO_SECRET_KEY;
static const CK_KEY_TYPE TYPE = CKK_GENERIC_SECRET;
static const CK_ULONG VALUE_LEN = SG_SHA256_LEN;

enum { ID_LEN = 20, MAX_ID_LEN = 100 };

struct sg_mac {
    struct sg_token *token;
    char *uri;
    /* A handle is good for one connection to the token. */
    pthread_mutex_t mutex;
    CK_OBJECT_HANDLE object;
    unsigned long connection;
};

/* ---- making ---- */

/* What must read back, whatever the token did with its template. The first are its own to say. */
static const struct {
    const char *name;
    CK_ATTRIBUTE_TYPE type;
    bool wanted, is_stated;
} FLAGS[] = {
    {"CKA_LOCAL", CKA_LOCAL, true, false},
    {"CKA_ALWAYS_SENSITIVE", CKA_ALWAYS_SENSITIVE, true, false},
    {"CKA_NEVER_EXTRACTABLE", CKA_NEVER_EXTRACTABLE, true, false},
    {"CKA_TOKEN", CKA_TOKEN, true, true},
    {"CKA_PRIVATE", CKA_PRIVATE, true, true},
    {"CKA_SENSITIVE", CKA_SENSITIVE, true, true},
    {"CKA_EXTRACTABLE", CKA_EXTRACTABLE, false, true},
    {"CKA_MODIFIABLE", CKA_MODIFIABLE, false, true},
    {"CKA_SIGN", CKA_SIGN, true, true},
    {"CKA_VERIFY", CKA_VERIFY, false, true},
    {"CKA_ENCRYPT", CKA_ENCRYPT, false, true},
    {"CKA_DECRYPT", CKA_DECRYPT, false, true},
    {"CKA_WRAP", CKA_WRAP, false, true},
    {"CKA_UNWRAP", CKA_UNWRAP, false, true},
    {"CKA_DERIVE", CKA_DERIVE, false, true},
};
enum { NUM_FLAGS = sizeof FLAGS / sizeof FLAGS[0] };

static bool check_names(const struct sg_token *token, const char *label, struct sg_slice id,
                        struct sg_error *error)
{
    size_t len = strlen(label);

    if (token->profile.num_ids > 0)
        return sg_fail(error, SG_USAGE, NULL,
                       "tokens of the profile %s have places for key pairs alone, and none for an "
                       "HMAC key",
                       token->profile.name);
    if (len == 0 || len > SG_LIMIT_VALUE)
        return sg_fail(error, SG_USAGE, NULL, "a key's label has 1 to %d bytes; add object=LABEL",
                       SG_LIMIT_VALUE);
    if (id.len > MAX_ID_LEN)
        return sg_fail(error, SG_USAGE, NULL, "a key's id has at most %d bytes", MAX_ID_LEN);
    return sg_text_check(sg_slice_text(label), "key label", error);
}

static bool check_free(struct sg_token *token, const char *label, struct sg_slice id,
                       struct sg_error *error)
{
    sg_auto(sg_objects) struct sg_objects of_label = {0}, of_id = {0};

    if (!sg_objects_find_named(token, CLASS, (struct sg_slice){0}, label, &of_label, error) ||
        !sg_objects_find_named(token, CLASS, id, label, &of_id, error))
        return false;
    return (of_label.num == 0 && of_id.num == 0) ||
           sg_fail(error, SG_TOKEN, NULL,
                   "token %s has a secret key '%s' already; choose another label and id",
                   token->info.label, label);
}

static bool generate(struct sg_token *token, const char *label, struct sg_slice id,
                     CK_OBJECT_HANDLE *object, struct sg_error *error)
{
    CK_MECHANISM mechanism = {CKM_GENERIC_SECRET_KEY_GEN, NULL, 0};
    CK_ATTRIBUTE template[NUM_FLAGS + 5];
    CK_ULONG num = 0;
    CK_RV rv;

    template[num++] = sg_attribute(CKA_CLASS, &CLASS, sizeof CLASS);
    template[num++] = sg_attribute(CKA_KEY_TYPE, &TYPE, sizeof TYPE);
    template[num++] = sg_attribute(CKA_VALUE_LEN, &VALUE_LEN, sizeof VALUE_LEN);
    template[num++] = sg_attribute(CKA_LABEL, label, strlen(label));
    template[num++] = sg_attribute(CKA_ID, id.data, id.len);
    for (size_t i = 0; i < NUM_FLAGS; i++)
        if (FLAGS[i].is_stated)
            template[num++] = sg_attribute(FLAGS[i].type, FLAGS[i].wanted ? &YES : &NO, sizeof YES);
    rv = token->module.functions->C_GenerateKey(token->session, &mechanism, template, num, object);
    return rv == CKR_OK || sg_fail_token(error, SG_TOKEN, token, rv, "token %s makes no HMAC key",
                                         token->info.label);
}

/* The name of the first attribute that does not read as is wanted, or NULL. */
static bool find_difference(struct sg_token *token, CK_OBJECT_HANDLE object, const char **name,
                            struct sg_error *error)
{
    *name = NULL;
    for (size_t i = 0; i < NUM_FLAGS && *name == NULL; i++) {
        bool value = false;

        if (!sg_object_flag(token, object, FLAGS[i].type, !FLAGS[i].wanted, &value, error))
            return false;
        if (value != FLAGS[i].wanted)
            *name = FLAGS[i].name;
    }
    return true;
}

static bool read_back(struct sg_token *token, const char *label, CK_OBJECT_HANDLE object,
                      struct sg_error *error)
{
    const char *difference;

    if (!find_difference(token, object, &difference, error))
        return false;
    return difference == NULL ||
           sg_fail(error, SG_TOKEN, NULL,
                   "token %s made the key '%s' with another %s than was stated", token->info.label,
                   label, difference);
}

static bool destroy(struct sg_token *token, CK_OBJECT_HANDLE object, struct sg_error *error)
{
    CK_RV rv = token->module.functions->C_DestroyObject(token->session, object);

    return sg_error_prefix(error, rv == CKR_OK
                                      ? "the new key was destroyed"
                                      : "the new key is unusable and could not be destroyed");
}

static bool make(struct sg_token *token, const char *label, struct sg_slice id,
                 struct sg_error *error)
{
    CK_OBJECT_HANDLE object = CK_INVALID_HANDLE;

    return generate(token, label, id, &object, error) &&
           (read_back(token, label, object, error) || destroy(token, object, error));
}

bool sg_mac_create(struct sg_token *token, const char *label, struct sg_slice id,
                   struct sg_error *error)
{
    uint8_t drawn[ID_LEN];
    bool is_made;
    SG_TOKEN_LOCK(token);

    if (!check_names(token, label, id, error) || !sg_random_fill(drawn, sizeof drawn, error))
        return false;
    if (id.len == 0)
        id = sg_slice_of(drawn, sizeof drawn);
    if (!sg_token_login_locked(token, error) || !check_free(token, label, id, error) ||
        !sg_token_begin_writing_locked(token, error))
        return false;
    is_made = make(token, label, id, error);
    sg_token_end_writing_locked(token);
    return is_made;
}

/* ---- finding ---- */

static bool search(struct sg_token *token, P11KitUri *uri, struct sg_objects *objects,
                   struct sg_error *error)
{
    static const CK_ATTRIBUTE_TYPE NAMES[] = {CKA_LABEL, CKA_ID};
    CK_ATTRIBUTE wanted[4] = {sg_attribute(CKA_CLASS, &CLASS, sizeof CLASS),
                              sg_attribute(CKA_KEY_TYPE, &TYPE, sizeof TYPE)};
    size_t num = 2;

    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        const CK_ATTRIBUTE *name = p11_kit_uri_get_attribute(uri, NAMES[i]);

        if (name != NULL)
            wanted[num++] = *name;
    }
    return sg_objects_find(token, wanted, num, objects, error);
}

/* A key that could be read out, by whoever has the PIN, would be no key of the token's. */
static bool check_stays(struct sg_token *token, const char *uri, CK_OBJECT_HANDLE object,
                        struct sg_error *error)
{
    bool is_sensitive = false, is_extractable = true;

    if (!sg_object_flag(token, object, CKA_SENSITIVE, false, &is_sensitive, error) ||
        !sg_object_flag(token, object, CKA_EXTRACTABLE, true, &is_extractable, error))
        return false;
    return (is_sensitive && !is_extractable) ||
           sg_fail(error, SG_TOKEN, NULL,
                   "the key %s can be read out of token %s (CKA_SENSITIVE, CKA_EXTRACTABLE): make "
                   "another with `signet key create --type HMAC`",
                   uri, token->info.label);
}

static bool find_locked(struct sg_mac *mac, CK_OBJECT_HANDLE *object, struct sg_error *error)
{
    sg_auto(P11KitUri) P11KitUri *parsed = NULL;
    sg_auto(sg_objects) struct sg_objects objects = {0};
    struct sg_token *token = mac->token;

    if (!sg_uri_parse(mac->uri, SG_URI_KEY, &parsed, error) ||
        !sg_key_check_token(token, parsed, mac->uri, error) ||
        !search(token, parsed, &objects, error))
        return false;
    if (objects.num != 1)
        return sg_fail(error, SG_TOKEN, NULL,
                       objects.num == 0
                           ? "no HMAC key matches %s on token %s; `signet key create --type HMAC` "
                             "makes one"
                           : "more than one HMAC key matches %s on token %s: name it by id= or "
                             "object=",
                       mac->uri, token->info.label);
    *object = objects.handles[0];
    return check_stays(token, mac->uri, *object, error);
}

bool sg_mac_open(struct sg_token *token, const char *uri, struct sg_mac **mac,
                 struct sg_error *error)
{
    sg_auto(sg_mac) struct sg_mac *fresh = calloc(1, sizeof *fresh);
    SG_TOKEN_LOCK(token);

    if (fresh == NULL)
        return sg_fail_memory(error);
    pthread_mutex_init(&fresh->mutex, NULL);
    fresh->token = token;
    fresh->uri = strdup(uri);
    if (fresh->uri == NULL)
        return sg_fail_memory(error);
    if (!sg_token_login_locked(token, error) || !sg_pool_have_locked(token, error) ||
        !find_locked(fresh, &fresh->object, error))
        return false;
    fresh->connection = sg_pool_connection(token->pool);
    *mac = SG_TAKE(fresh);
    return true;
}

void sg_mac_close(struct sg_mac *mac)
{
    if (mac == NULL)
        return;
    pthread_mutex_destroy(&mac->mutex);
    free(mac->uri);
    free(mac);
}

/* ---- using ---- */

/* After a loss the key is found anew. Another of the same name would make other values, which the
 * user of this room notices by a check value. */
static bool find_again(struct sg_mac *mac, const struct sg_pool_session *session,
                       CK_OBJECT_HANDLE *object, struct sg_error *error)
{
    if (session->is_own)
        return find_locked(mac, object, error);
    SG_TOKEN_LOCK(mac->token);
    return find_locked(mac, object, error);
}

static bool take_key(struct sg_mac *mac, const struct sg_pool_session *session,
                     CK_OBJECT_HANDLE *object, struct sg_error *error)
{
    bool is_known;

    pthread_mutex_lock(&mac->mutex);
    is_known = mac->connection == session->connection;
    *object = mac->object;
    pthread_mutex_unlock(&mac->mutex);
    if (is_known)
        return true;
    if (!find_again(mac, session, object, error))
        return false;
    pthread_mutex_lock(&mac->mutex);
    mac->object = *object;
    mac->connection = session->connection;
    pthread_mutex_unlock(&mac->mutex);
    return true;
}

struct computing {
    struct sg_mac *mac;
    struct sg_slice bytes;
    uint8_t value[SG_SHA256_LEN];
};

static bool compute(void *context, const struct sg_pool_session *session, struct sg_error *error)
{
    struct computing *computing = context;
    struct sg_mac *mac = computing->mac;
    CK_FUNCTION_LIST *functions = mac->token->module.functions;
    CK_MECHANISM mechanism = {CKM_SHA256_HMAC, NULL, 0};
    CK_OBJECT_HANDLE object = CK_INVALID_HANDLE;
    /* PKCS#11 has no const, and reads from this all the same. */
    CK_ATTRIBUTE input = sg_attribute(CKA_VALUE, computing->bytes.data, computing->bytes.len);
    CK_ULONG len = sizeof computing->value;
    CK_RV rv;

    if (!take_key(mac, session, &object, error))
        return false;
    rv = functions->C_SignInit(session->handle, &mechanism, object);
    if (rv == CKR_OK)
        rv = functions->C_Sign(session->handle, input.pValue, input.ulValueLen, computing->value,
                               &len);
    if (rv != CKR_OK)
        return sg_fail_token(error, SG_TOKEN, mac->token, rv, "token %s makes no HMAC with key %s",
                             mac->token->info.label, mac->uri);
    return len == sizeof computing->value ||
           sg_fail(error, SG_TOKEN, NULL, "token %s made an HMAC of %lu bytes, %zu are right",
                   mac->token->info.label, len, sizeof computing->value);
}

bool sg_mac_compute(struct sg_mac *mac, struct sg_slice bytes, uint8_t value[SG_SHA256_LEN],
                    struct sg_error *error)
{
    struct computing computing = {.mac = mac, .bytes = bytes};

    if (!sg_pool_use(mac->token, false, compute, &computing, error))
        return false;
    memcpy(value, computing.value, sizeof computing.value);
    return true;
}
