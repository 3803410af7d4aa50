/* A PKCS#11 module that is SoftHSM, except for what the environment says, looked at in each call:
 *
 *     ODD_INITIALIZE_RV   what C_Initialize returns
 *     ODD_SESSION_RV      what C_OpenSession returns for a read/write session
 *     ODD_TOKEN_FLAGS     bits added to every token's flags
 *     ODD_MIN_PIN         ulMinPinLen
 *     ODD_LOGIN_RV        what C_Login returns, without logging in
 *     ODD_ATTRIBUTE       "TYPE=VALUE": what this CK_BBOOL reads as; ABSENT as the value hides it
 *     ODD_REFUSES         an attribute that C_GenerateKeyPair does not know
 *     ODD_VALUE           CKA_VALUE does not read back as it was written
 *     ODD_SIGN_RV         what C_SignInit returns
 *     ODD_SIGN_RV_ONCE    the same, for one call
 *     ODD_CLOSE_ALL       before one C_SignInit, all of the slot's sessions are closed
 *     ODD_FINALIZE        before one C_SignInit, the module is finalised
 *     ODD_POOL_RV         what C_OpenSession returns for a session that can't write
 *     ODD_SIGNATURE       a bit of every signature is wrong
 *     ODD_PAD             tokens have a pad of their own, on which somebody types this PIN
 *     ODD_PAD_NEW         the new PIN that is typed there when it is changed, and ODD_PAD from then
 * on
 *
 * It counts in the environment, too: ODD_LOGINS is the number of calls of C_Login.
 */
#include <dlfcn.h>
#include <p11-kit/pkcs11.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static CK_FUNCTION_LIST *real;
static CK_FUNCTION_LIST odd;

/* The number in a variable, and whether it is there at all. */
static int has_number(const char *name, unsigned long *number)
{
    const char *text = getenv(name);

    if (text == NULL)
        return 0;
    *number = strtoul(text, NULL, 0);
    return 1;
}

static CK_RV odd_initialize(void *arguments)
{
    unsigned long rv;

    return has_number("ODD_INITIALIZE_RV", &rv) ? rv : real->C_Initialize(arguments);
}

static CK_RV odd_open_session(CK_SLOT_ID slot, CK_FLAGS flags, void *application, CK_NOTIFY notify,
                              CK_SESSION_HANDLE *session)
{
    unsigned long rv;

    if ((flags & CKF_RW_SESSION) != 0 && has_number("ODD_SESSION_RV", &rv))
        return rv;
    if ((flags & CKF_RW_SESSION) == 0 && has_number("ODD_POOL_RV", &rv))
        return rv;
    return real->C_OpenSession(slot, flags, application, notify, session);
}

static CK_RV odd_get_token_info(CK_SLOT_ID slot, CK_TOKEN_INFO *info)
{
    CK_RV rv = real->C_GetTokenInfo(slot, info);
    unsigned long flags;

    if (rv == CKR_OK && has_number("ODD_TOKEN_FLAGS", &flags))
        info->flags |= flags;
    if (rv == CKR_OK)
        has_number("ODD_MIN_PIN", &info->ulMinPinLen);
    if (rv == CKR_OK && getenv("ODD_PAD") != NULL)
        info->flags |= CKF_PROTECTED_AUTHENTICATION_PATH;
    return rv;
}

static CK_RV odd_login(CK_SESSION_HANDLE session, CK_USER_TYPE user, unsigned char *pin,
                       unsigned long len)
{
    unsigned long rv, num_logins = 0;
    char text[24], *typed = getenv("ODD_PAD");

    has_number("ODD_LOGINS", &num_logins);
    snprintf(text, sizeof text, "%lu", num_logins + 1);
    setenv("ODD_LOGINS", text, 1);
    if (has_number("ODD_LOGIN_RV", &rv))
        return rv;
    if (pin == NULL && typed != NULL)
        return real->C_Login(session, user, (unsigned char *)typed, strlen(typed));
    return real->C_Login(session, user, pin, len);
}

static CK_RV odd_set_pin(CK_SESSION_HANDLE session, unsigned char *old_pin, unsigned long old_len,
                         unsigned char *new_pin, unsigned long new_len)
{
    char *old = getenv("ODD_PAD"), *new = getenv("ODD_PAD_NEW");
    CK_RV rv;

    if (old_pin != NULL || old == NULL || new == NULL)
        return real->C_SetPIN(session, old_pin, old_len, new_pin, new_len);
    rv = real->C_SetPIN(session, (unsigned char *)old, strlen(old), (unsigned char *)new,
                        strlen(new));
    if (rv == CKR_OK)
        setenv("ODD_PAD", new, 1);
    return rv;
}

static CK_RV odd_get_attribute_value(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object,
                                     CK_ATTRIBUTE *attributes, unsigned long num)
{
    CK_RV rv = real->C_GetAttributeValue(session, object, attributes, num);
    const char *odd_one = getenv("ODD_ATTRIBUTE");
    unsigned long type;
    char *value;

    if (num == 1 && attributes->type == CKA_VALUE && attributes->pValue != NULL &&
        getenv("ODD_VALUE") != NULL)
        *(unsigned char *)attributes->pValue ^= 1;
    if (odd_one == NULL || num != 1)
        return rv;
    type = strtoul(odd_one, &value, 0);
    if (attributes->type != type)
        return rv;
    if (strcmp(value, "=ABSENT") == 0) {
        attributes->ulValueLen = CK_UNAVAILABLE_INFORMATION;
        return CKR_ATTRIBUTE_TYPE_INVALID;
    }
    *(CK_BBOOL *)attributes->pValue = strcmp(value, "=1") == 0;
    attributes->ulValueLen = 1;
    return CKR_OK;
}

static CK_RV odd_generate_key_pair(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism,
                                   CK_ATTRIBUTE *public, unsigned long num_public,
                                   CK_ATTRIBUTE *private, unsigned long num_private,
                                   CK_OBJECT_HANDLE *public_key, CK_OBJECT_HANDLE *private_key)
{
    unsigned long type;

    if (has_number("ODD_REFUSES", &type))
        for (unsigned long i = 0; i < num_private; i++)
            if (private[i].type == type)
                return CKR_ATTRIBUTE_TYPE_INVALID;
    return real->C_GenerateKeyPair(session, mechanism, public, num_public, private, num_private,
                                   public_key, private_key);
}

/* Is the variable set? It is not from then on, for whoever else asks. */
static int take(const char *name, unsigned long *number)
{
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    int is_there;

    pthread_mutex_lock(&mutex);
    is_there = has_number(name, number);
    if (is_there)
        unsetenv(name);
    pthread_mutex_unlock(&mutex);
    return is_there;
}

static void lose(CK_SESSION_HANDLE session)
{
    CK_SESSION_INFO info;
    unsigned long ignored;

    if (take("ODD_CLOSE_ALL", &ignored) && real->C_GetSessionInfo(session, &info) == CKR_OK)
        real->C_CloseAllSessions(info.slotID);
    if (take("ODD_FINALIZE", &ignored))
        real->C_Finalize(NULL);
}

/* There when the program was built with AddressSanitizer. */
__attribute__((weak)) void __lsan_disable(void);
__attribute__((weak)) void __lsan_enable(void);

/* SoftHSM 2.6.1 leaks in C_SignInit with an Ed25519 key. */
static void forgive_leaks(int yes)
{
    static _Thread_local int forgiving;

    if (forgiving && !yes && __lsan_enable != NULL)
        __lsan_enable();
    if (yes && __lsan_disable != NULL)
        __lsan_disable();
    forgiving = yes;
}

static CK_RV odd_sign_init(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
    unsigned long rv;

    if (take("ODD_SIGN_RV_ONCE", &rv))
        return rv;
    lose(session);

    if (has_number("ODD_SIGN_RV", &rv))
        return rv;
    forgive_leaks(mechanism->mechanism == CKM_EDDSA);
    rv = real->C_SignInit(session, mechanism, key);
    forgive_leaks(0);
    return rv;
}

static CK_RV odd_sign(CK_SESSION_HANDLE session, unsigned char *data, unsigned long len,
                      unsigned char *signature, unsigned long *signature_len)
{
    CK_RV rv = real->C_Sign(session, data, len, signature, signature_len);

    if (rv == CKR_OK && signature != NULL && getenv("ODD_SIGNATURE") != NULL)
        signature[*signature_len - 1] ^= 1;
    return rv;
}

CK_RV C_GetFunctionList(CK_FUNCTION_LIST **list);

CK_RV C_GetFunctionList(CK_FUNCTION_LIST **list)
{
    const char *path = getenv("ODD_WRAPS");
    void *library = path != NULL ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : NULL;
    CK_C_GetFunctionList get = NULL;

    if (real == NULL) {
        if (library == NULL)
            return CKR_GENERAL_ERROR;
        *(void **)&get = dlsym(library, "C_GetFunctionList");
        if (get == NULL || get(&real) != CKR_OK)
            return CKR_GENERAL_ERROR;
        odd = *real;
        odd.C_Initialize = odd_initialize;
        odd.C_GetFunctionList = C_GetFunctionList;
        odd.C_OpenSession = odd_open_session;
        odd.C_GetTokenInfo = odd_get_token_info;
        odd.C_Login = odd_login;
        odd.C_SetPIN = odd_set_pin;
        odd.C_GetAttributeValue = odd_get_attribute_value;
        odd.C_GenerateKeyPair = odd_generate_key_pair;
        odd.C_SignInit = odd_sign_init;
        odd.C_Sign = odd_sign;
    }
    *list = &odd;
    return CKR_OK;
}
