/* A PKCS#11 module that is SoftHSM, but behaves like a PIV card by its usual modules:
 *
 * - There is one session.
 * - Keys are made and certificates written by the security officer alone, and signatures by the
 * user alone. SoftHSM wants it the other way round, so the user's PIN is in CARD_PIN.
 * - A key has one of four places, told by its id 01 to 04, and a label of the card's own, and what
 * was in the place before is gone. The key in 02 wants the PIN for each signature.
 *
 * With CARD_WARY it is another one: as SoftHSM is, but for keys that decrypt, which want the PIN
 * for each time.
 *
 * CARD_LOG names a file that gets a line for each login: "user", "officer", or "signature" when a
 * key wanted the PIN.
 */
#include <dlfcn.h>
#include <p11-kit/pkcs11.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../fault/functions.h"

enum { MAX_ATTRIBUTES = 32, PIN_FOR_EACH = 2, NUM_PLACES = 4 };

static CK_FUNCTION_LIST *real;
static unsigned num_sessions;
static bool is_officer;

#define FORWARD(name, parameters, arguments)                                                       \
    static CK_RV forward_##name parameters                                                         \
    {                                                                                              \
        return real->name arguments;                                                               \
    }
FUNCTIONS(FORWARD)

static void write_login(CK_USER_TYPE user)
{
    FILE *log = fopen(getenv("CARD_LOG"), "ae");

    if (log == NULL)
        abort();
    fprintf(log, "%s\n", user == CKU_SO ? "officer" : user == CKU_USER ? "user" : "signature");
    fclose(log);
}

static CK_RV card_open_session(CK_SLOT_ID slot, CK_FLAGS flags, void *application, CK_NOTIFY notify,
                               CK_SESSION_HANDLE *session)
{
    CK_RV rv;

    if (num_sessions > 0)
        return CKR_SESSION_COUNT;
    rv = real->C_OpenSession(slot, flags, application, notify, session);
    num_sessions += rv == CKR_OK;
    return rv;
}

static CK_RV card_close_session(CK_SESSION_HANDLE session)
{
    CK_RV rv = real->C_CloseSession(session);

    num_sessions -= rv == CKR_OK;
    is_officer = false;
    return rv;
}

static CK_RV card_login(CK_SESSION_HANDLE session, CK_USER_TYPE user, CK_BYTE *pin, CK_ULONG len)
{
    char user_pin[64];
    CK_RV rv;

    write_login(user);
    rv = real->C_Login(session, user, pin, len);
    if (rv != CKR_OK || user != CKU_SO)
        return rv;
    is_officer = true;
    snprintf(user_pin, sizeof user_pin, "%s", getenv("CARD_PIN"));
    real->C_Logout(session);
    return real->C_Login(session, CKU_USER, (CK_BYTE *)user_pin, strlen(user_pin));
}

static CK_RV card_logout(CK_SESSION_HANDLE session)
{
    is_officer = false;
    return real->C_Logout(session);
}

static CK_RV card_get_session_info(CK_SESSION_HANDLE session, CK_SESSION_INFO *info)
{
    CK_RV rv = real->C_GetSessionInfo(session, info);

    if (rv == CKR_OK && is_officer)
        info->state = CKS_RW_SO_FUNCTIONS;
    return rv;
}

static CK_RV card_sign_init(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism,
                            CK_OBJECT_HANDLE key)
{
    return is_officer ? CKR_USER_NOT_LOGGED_IN : real->C_SignInit(session, mechanism, key);
}

/* ---- places ---- */

/* The place that a template's id names, or 0. */
static unsigned place_of(const CK_ATTRIBUTE *attributes, CK_ULONG num)
{
    for (CK_ULONG i = 0; i < num; i++)
        if (attributes[i].type == CKA_ID && attributes[i].ulValueLen == 1) {
            unsigned place = *(CK_BYTE *)attributes[i].pValue;

            return place <= NUM_PLACES ? place : 0;
        }
    return 0;
}

static bool has_label(const CK_ATTRIBUTE *attributes, CK_ULONG num)
{
    for (CK_ULONG i = 0; i < num; i++)
        if (attributes[i].type == CKA_LABEL)
            return true;
    return false;
}

static void empty_place(CK_SESSION_HANDLE session, CK_OBJECT_CLASS class, unsigned place)
{
    CK_BYTE id = (CK_BYTE)place;
    CK_ATTRIBUTE wanted[] = {{CKA_CLASS, &class, sizeof class}, {CKA_ID, &id, 1}};
    CK_OBJECT_HANDLE objects[8];
    CK_ULONG num = 0;

    if (real->C_FindObjectsInit(session, wanted, 2) != CKR_OK)
        return;
    real->C_FindObjects(session, objects, 8, &num);
    real->C_FindObjectsFinal(session);
    for (CK_ULONG i = 0; i < num; i++)
        real->C_DestroyObject(session, objects[i]);
}

/* Copies a template and adds the card's own label. */
static CK_ULONG add_label(const CK_ATTRIBUTE *attributes, CK_ULONG num, const char *what,
                          unsigned place, char label[64], CK_ATTRIBUTE *copy)
{
    CK_ULONG copied = 0;

    snprintf(label, 64, "%s in place %u", what, place);
    for (CK_ULONG i = 0; i < num; i++)
        if (attributes[i].type != CKA_LABEL)
            copy[copied++] = attributes[i];
    copy[copied++] = (CK_ATTRIBUTE){CKA_LABEL, label, strlen(label)};
    return copied;
}

static CK_RV card_generate_key_pair(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism,
                                    CK_ATTRIBUTE *public, CK_ULONG num_public,
                                    CK_ATTRIBUTE *private, CK_ULONG num_private,
                                    CK_OBJECT_HANDLE *public_key, CK_OBJECT_HANDLE *private_key)
{
    CK_ATTRIBUTE public_copy[MAX_ATTRIBUTES + 2], private_copy[MAX_ATTRIBUTES + 2];
    char public_label[64], private_label[64];
    unsigned place = place_of(private, num_private);
    CK_BBOOL yes = CK_TRUE;

    if (!is_officer)
        return CKR_USER_NOT_LOGGED_IN;
    if (place == 0 || place != place_of(public, num_public) || has_label(private, num_private))
        return CKR_TEMPLATE_INCONSISTENT;
    if (num_public > MAX_ATTRIBUTES || num_private > MAX_ATTRIBUTES)
        return CKR_HOST_MEMORY;
    empty_place(session, CKO_PRIVATE_KEY, place);
    empty_place(session, CKO_PUBLIC_KEY, place);
    num_public = add_label(public, num_public, "Public key", place, public_label, public_copy);
    num_private =
        add_label(private, num_private, "Private key", place, private_label, private_copy);
    if (place == PIN_FOR_EACH)
        private_copy[num_private++] = (CK_ATTRIBUTE){CKA_ALWAYS_AUTHENTICATE, &yes, sizeof yes};
    return real->C_GenerateKeyPair(session, mechanism, public_copy, num_public, private_copy,
                                   num_private, public_key, private_key);
}

static CK_RV card_create_object(CK_SESSION_HANDLE session, CK_ATTRIBUTE *attributes, CK_ULONG num,
                                CK_OBJECT_HANDLE *object)
{
    CK_ATTRIBUTE copy[MAX_ATTRIBUTES + 1];
    unsigned place = place_of(attributes, num);
    char label[64];

    if (!is_officer)
        return CKR_USER_NOT_LOGGED_IN;
    if (place == 0 || num > MAX_ATTRIBUTES)
        return CKR_TEMPLATE_INCONSISTENT;
    empty_place(session, CKO_CERTIFICATE, place);
    num = add_label(attributes, num, "Certificate", place, label, copy);
    return real->C_CreateObject(session, copy, num, object);
}

static CK_RV card_destroy_object(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object)
{
    return is_officer ? real->C_DestroyObject(session, object) : CKR_USER_NOT_LOGGED_IN;
}

/* ---- the wary one ---- */

static CK_RV wary_login(CK_SESSION_HANDLE session, CK_USER_TYPE user, CK_BYTE *pin, CK_ULONG len)
{
    write_login(user);
    return real->C_Login(session, user, pin, len);
}

static bool decrypts(const CK_ATTRIBUTE *attributes, CK_ULONG num)
{
    for (CK_ULONG i = 0; i < num; i++)
        if (attributes[i].type == CKA_DECRYPT)
            return *(CK_BBOOL *)attributes[i].pValue == CK_TRUE;
    return false;
}

static CK_RV wary_generate_key_pair(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism,
                                    CK_ATTRIBUTE *public, CK_ULONG num_public,
                                    CK_ATTRIBUTE *private, CK_ULONG num_private,
                                    CK_OBJECT_HANDLE *public_key, CK_OBJECT_HANDLE *private_key)
{
    CK_ATTRIBUTE copy[MAX_ATTRIBUTES + 1];
    CK_BBOOL yes = CK_TRUE;

    if (num_private > MAX_ATTRIBUTES)
        return CKR_HOST_MEMORY;
    memcpy(copy, private, num_private * sizeof *copy);
    if (decrypts(private, num_private))
        copy[num_private++] = (CK_ATTRIBUTE){CKA_ALWAYS_AUTHENTICATE, &yes, sizeof yes};
    return real->C_GenerateKeyPair(session, mechanism, public, num_public, copy, num_private,
                                   public_key, private_key);
}

/* ---- the module ---- */

static CK_FUNCTION_LIST card = {
#define MEMBER(name, parameters, arguments) .name = forward_##name,
    FUNCTIONS(MEMBER)};

CK_RV C_GetFunctionList(CK_FUNCTION_LIST **list);

__attribute__((visibility("default"))) CK_RV C_GetFunctionList(CK_FUNCTION_LIST **list)
{
    const char *path = getenv("CARD_MODULE");
    void *library = path != NULL ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : NULL;
    CK_C_GetFunctionList get = NULL;

    if (library != NULL)
        *(void **)&get = dlsym(library, "C_GetFunctionList");
    if (get == NULL || get(&real) != CKR_OK)
        return CKR_GENERAL_ERROR;
    card.version = real->version;
    card.C_GetFunctionList = C_GetFunctionList;
    *list = &card;
    if (getenv("CARD_WARY") != NULL) {
        card.C_Login = wary_login;
        card.C_GenerateKeyPair = wary_generate_key_pair;
        return CKR_OK;
    }
    card.C_OpenSession = card_open_session;
    card.C_CloseSession = card_close_session;
    card.C_Login = card_login;
    card.C_Logout = card_logout;
    card.C_GetSessionInfo = card_get_session_info;
    card.C_SignInit = card_sign_init;
    card.C_GenerateKeyPair = card_generate_key_pair;
    card.C_CreateObject = card_create_object;
    card.C_DestroyObject = card_destroy_object;
    return CKR_OK;
}
