/* wrap: a PKCS#11 module around another one, that tests put between Signet and a token.
 *
 * It forwards every call, writes down what was signed, and fails on command:
 *   SIGNET_WRAP_MODULE  path of the module that does the work (default: SoftHSM's)
 *   SIGNET_WRAP_LOG     a file that gets a line for every signature made and every login tried:
 *                           C_Sign CKM_ECDSA 3b0c… issuing     the digest, the key's label
 *                           C_Login CKR_PIN_INCORRECT
 *                           delay C_Sign                       a delay has begun
 *   SIGNET_WRAP_FAULT   faults, separated by spaces: FUNCTION:NTH:WHAT[:always], for the NTH call
 *                       in this process or for all from it on. WHAT is
 *                           CKR_…       that is returned and the call is not forwarded
 *                           delay=MS    the call waits for so many milliseconds first
 *                           corrupt     one bit of the signature is flipped (C_Sign)
 *                           empty       there are no slots (C_GetSlotList)
 *                           kill        SIGKILL once the call is done and written down
 *
 *   SIGNET_WRAP_LIVE    the path of a file of faults that may come and go while the process runs:
 *                       FUNCTION:WHAT, separated by white space; each holds for every call that is
 *                       made while it stands there
 *
 * A call that only asks how long a signature will be does not count. A fault that can't be read
 * ends the process: a test must not pass because of a typing mistake. p11-kit and OpenSSL's engine
 * load the module in the same process; it stays loaded (nodelete), so they share its counters.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <p11-kit/pkcs11.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "functions.h"

enum { MAX_FAULTS = 16, MAX_SESSIONS = 256, LABEL_SIZE = 65, LINE_SIZE = 1024 };

static CK_FUNCTION_LIST *real;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
static void die(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    fprintf(stderr, "signet-wrap: ");
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    abort();
}

/* ---- names ---- */

enum function {
#define ENUMERATE(name, parameters, arguments) FN_##name,
    FUNCTIONS(ENUMERATE) NUM_FUNCTIONS
};

static const char *const FUNCTION_NAMES[NUM_FUNCTIONS] = {
#define NAME(name, parameters, arguments) [FN_##name] = #name,
    FUNCTIONS(NAME)};

static const struct {
    CK_RV rv;
    const char *name;
} RETURN_VALUES[] = {
#define RETURN_VALUE(name)                                                                         \
    {                                                                                              \
        name, #name                                                                                \
    }
    RETURN_VALUE(CKR_OK),
    RETURN_VALUE(CKR_HOST_MEMORY),
    RETURN_VALUE(CKR_GENERAL_ERROR),
    RETURN_VALUE(CKR_FUNCTION_FAILED),
    RETURN_VALUE(CKR_DEVICE_ERROR),
    RETURN_VALUE(CKR_DEVICE_MEMORY),
    RETURN_VALUE(CKR_DEVICE_REMOVED),
    RETURN_VALUE(CKR_KEY_HANDLE_INVALID),
    RETURN_VALUE(CKR_PIN_INCORRECT),
    RETURN_VALUE(CKR_PIN_EXPIRED),
    RETURN_VALUE(CKR_PIN_LOCKED),
    RETURN_VALUE(CKR_SESSION_CLOSED),
    RETURN_VALUE(CKR_SESSION_COUNT),
    RETURN_VALUE(CKR_SESSION_HANDLE_INVALID),
    RETURN_VALUE(CKR_OPERATION_ACTIVE),
    RETURN_VALUE(CKR_TOKEN_NOT_PRESENT),
    RETURN_VALUE(CKR_TOKEN_NOT_RECOGNIZED),
    RETURN_VALUE(CKR_USER_ALREADY_LOGGED_IN),
    RETURN_VALUE(CKR_USER_NOT_LOGGED_IN),
    RETURN_VALUE(CKR_USER_PIN_NOT_INITIALIZED),
    RETURN_VALUE(CKR_CRYPTOKI_NOT_INITIALIZED),
};
enum { NUM_RETURN_VALUES = sizeof RETURN_VALUES / sizeof RETURN_VALUES[0] };

static const char *return_value_name(CK_RV rv)
{
    for (size_t i = 0; i < NUM_RETURN_VALUES; i++)
        if (RETURN_VALUES[i].rv == rv)
            return RETURN_VALUES[i].name;
    return "CKR_OTHER";
}

/* What a mechanism's input is: the digest, a DigestInfo that ends in it, or a message to be
 * digested. */
enum form { OTHER, DIGEST, DIGEST_INFO, MESSAGE };

struct mechanism {
    CK_MECHANISM_TYPE type;
    const char *name;
    enum form form;
    const char *digest; /* of a MESSAGE */
};

static const struct mechanism MECHANISMS[] = {
    {CKM_ECDSA, "CKM_ECDSA", DIGEST, NULL},
    {CKM_ECDSA_SHA256, "CKM_ECDSA_SHA256", MESSAGE, "SHA256"},
    {CKM_ECDSA_SHA384, "CKM_ECDSA_SHA384", MESSAGE, "SHA384"},
    {CKM_ECDSA_SHA512, "CKM_ECDSA_SHA512", MESSAGE, "SHA512"},
    {CKM_RSA_PKCS, "CKM_RSA_PKCS", DIGEST_INFO, NULL},
    {CKM_SHA256_RSA_PKCS, "CKM_SHA256_RSA_PKCS", MESSAGE, "SHA256"},
    {CKM_SHA384_RSA_PKCS, "CKM_SHA384_RSA_PKCS", MESSAGE, "SHA384"},
    {CKM_SHA512_RSA_PKCS, "CKM_SHA512_RSA_PKCS", MESSAGE, "SHA512"},
    {CKM_RSA_PKCS_PSS, "CKM_RSA_PKCS_PSS", DIGEST, NULL},
    {CKM_SHA256_RSA_PKCS_PSS, "CKM_SHA256_RSA_PKCS_PSS", MESSAGE, "SHA256"},
    {CKM_SHA384_RSA_PKCS_PSS, "CKM_SHA384_RSA_PKCS_PSS", MESSAGE, "SHA384"},
    {CKM_SHA512_RSA_PKCS_PSS, "CKM_SHA512_RSA_PKCS_PSS", MESSAGE, "SHA512"},
    {CKM_EDDSA, "CKM_EDDSA", MESSAGE, "SHA256"}, /* for the log alone: it signs the message */
};

static const struct mechanism *find_mechanism(CK_MECHANISM_TYPE type)
{
    static const struct mechanism UNKNOWN = {0, "CKM_OTHER", OTHER, NULL};

    for (size_t i = 0; i < sizeof MECHANISMS / sizeof MECHANISMS[0]; i++)
        if (MECHANISMS[i].type == type)
            return &MECHANISMS[i];
    return &UNKNOWN;
}

/* ---- the log ---- */

/* One write for each line, so that processes and threads do not mix theirs. */
static void write_line(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void write_line(const char *format, ...)
{
    const char *path = getenv("SIGNET_WRAP_LOG");
    char line[LINE_SIZE];
    va_list arguments;

    if (path == NULL)
        return;
    va_start(arguments, format);
    int len = vsnprintf(line, sizeof line - 1, format, arguments);
    va_end(arguments);
    if (len < 0 || (size_t)len >= sizeof line - 1)
        die("a line for the log is too long: %s", line);
    line[len++] = '\n';
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, line, (size_t)len) != len)
        die("cannot write to %s", path);
    close(fd);
}

/* ---- faults ---- */

struct fault {
    enum function function;
    unsigned long nth;
    bool always;
    CK_RV rv;
    unsigned delay_ms;
    bool corrupt, empty, kill;
};

static struct fault faults[MAX_FAULTS];
static size_t num_faults;
static unsigned long calls[NUM_FUNCTIONS];

static enum function parse_function(const char *word)
{
    for (size_t i = 0; i < NUM_FUNCTIONS; i++)
        if (strcmp(FUNCTION_NAMES[i], word) == 0)
            return (enum function)i;
    die("SIGNET_WRAP_FAULT: there is no function %s", word);
}

static void parse_what(const char *word, struct fault *fault)
{
    fault->corrupt = strcmp(word, "corrupt") == 0 && fault->function == FN_C_Sign;
    fault->empty = strcmp(word, "empty") == 0 && fault->function == FN_C_GetSlotList;
    fault->kill = strcmp(word, "kill") == 0;
    if (sscanf(word, "delay=%u", &fault->delay_ms) == 1 || fault->corrupt || fault->empty ||
        fault->kill)
        return;
    for (size_t i = 0; i < NUM_RETURN_VALUES; i++)
        if (strcmp(RETURN_VALUES[i].name, word) == 0) {
            fault->rv = RETURN_VALUES[i].rv;
            return;
        }
    die("SIGNET_WRAP_FAULT: %s can't be done to %s", word, FUNCTION_NAMES[fault->function]);
}

static void parse_fault(const char *text)
{
    char function[40], what[60], always[10] = "";
    unsigned long nth;
    int num = sscanf(text, "%39[^:]:%lu:%59[^:]:%9s", function, &nth, what, always);

    if (num < 3 || nth == 0 || (num == 4 && strcmp(always, "always") != 0) ||
        num_faults == MAX_FAULTS)
        die("SIGNET_WRAP_FAULT: can't read %s", text);
    struct fault *fault = &faults[num_faults++];
    *fault = (struct fault){.function = parse_function(function), .nth = nth, .always = num == 4};
    parse_what(what, fault);
}

static void parse_faults(void)
{
    const char *text = getenv("SIGNET_WRAP_FAULT");
    char copy[LINE_SIZE], *rest = NULL;

    if (text == NULL)
        return;
    if (strlen(text) >= sizeof copy)
        die("SIGNET_WRAP_FAULT is too long");
    strcpy(copy, text);
    for (char *word = strtok_r(copy, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest))
        parse_fault(word);
}

static void add_live_fault(enum function function, struct fault *fault)
{
    const char *path = getenv("SIGNET_WRAP_LIVE");
    FILE *file = path != NULL ? fopen(path, "re") : NULL;
    char name[40], what[60];

    if (file == NULL)
        return;
    while (fscanf(file, " %39[^:]:%59s", name, what) == 2)
        if (parse_function(name) == function) {
            *fault = (struct fault){.function = function};
            parse_what(what, fault);
        }
    fclose(file);
}

/* Counts a call and tells what shall happen to it; waits if it shall. */
static struct fault begin(enum function function)
{
    struct fault fault = {0};

    pthread_mutex_lock(&mutex);
    unsigned long nth = ++calls[function];
    for (size_t i = 0; i < num_faults; i++)
        if (faults[i].function == function &&
            (faults[i].nth == nth || (faults[i].always && faults[i].nth < nth)))
            fault = faults[i];
    pthread_mutex_unlock(&mutex);
    add_live_fault(function, &fault);
    if (fault.delay_ms > 0) {
        write_line("delay %s", FUNCTION_NAMES[function]);
        usleep(fault.delay_ms * 1000);
    }
    return fault;
}

static CK_RV end(const struct fault *fault, CK_RV rv)
{
    if (fault->kill)
        raise(SIGKILL);
    return rv;
}

#define FORWARD(name, parameters, arguments)                                                       \
    static CK_RV forward_##name parameters                                                         \
    {                                                                                              \
        struct fault fault = begin(FN_##name);                                                     \
        return end(&fault, fault.rv != CKR_OK ? fault.rv : real->name arguments);                  \
    }
FUNCTIONS(FORWARD)

/* ---- sessions that are signing ---- */

struct signing {
    bool used;
    CK_SESSION_HANDLE session;
    const struct mechanism *mechanism;
    char label[LABEL_SIZE];
    EVP_MD_CTX *parts; /* C_SignUpdate's, for a MESSAGE */
};

static struct signing signings[MAX_SESSIONS];

/* The entry of a session; entries are not given up, as sessions are few. */
static struct signing *find_signing(CK_SESSION_HANDLE session)
{
    struct signing *found = NULL;

    pthread_mutex_lock(&mutex);
    for (size_t i = 0; found == NULL && i < MAX_SESSIONS; i++)
        if (!signings[i].used || signings[i].session == session)
            found = &signings[i];
    if (found == NULL)
        die("more than %d sessions", MAX_SESSIONS);
    found->used = true;
    found->session = session;
    pthread_mutex_unlock(&mutex);
    return found;
}

static void start_signing(CK_SESSION_HANDLE session, CK_MECHANISM_TYPE type, CK_OBJECT_HANDLE key)
{
    struct signing *signing = find_signing(session);
    CK_ATTRIBUTE label = {CKA_LABEL, signing->label, LABEL_SIZE - 1};

    memset(signing->label, 0, LABEL_SIZE);
    if (real->C_GetAttributeValue(session, key, &label, 1) != CKR_OK || signing->label[0] == '\0')
        strcpy(signing->label, "?");
    signing->mechanism = find_mechanism(type);
    EVP_MD_CTX_free(signing->parts);
    signing->parts = NULL;
}

static void write_signature(const char *function, const struct signing *signing,
                            const CK_BYTE *digest, size_t len)
{
    char hex[2 * EVP_MAX_MD_SIZE + 1] = "";

    if (len > EVP_MAX_MD_SIZE)
        len = 0; /* no digest; the line says so by having none */
    for (size_t i = 0; i < len; i++)
        sprintf(hex + 2 * i, "%02x", digest[i]);
    write_line("%s %s %s %s", function, signing->mechanism->name, hex[0] != '\0' ? hex : "unknown",
               signing->label);
}

/* Finds the digest in what was given to C_Sign. */
static void write_single(const struct signing *signing, const CK_BYTE *in, size_t len)
{
    enum { DIGEST_INFO_PREFIX = 19 }; /* RFC 8017 9.2, note 1, for SHA-256, SHA-384 and SHA-512 */
    unsigned char digest[EVP_MAX_MD_SIZE];
    size_t digest_len = 0;

    switch (signing->mechanism->form) {
    case DIGEST:
        write_signature("C_Sign", signing, in, len);
        return;
    case DIGEST_INFO:
        write_signature("C_Sign", signing, in + DIGEST_INFO_PREFIX,
                        len > DIGEST_INFO_PREFIX ? len - DIGEST_INFO_PREFIX : 0);
        return;
    case MESSAGE:
        if (!EVP_Q_digest(NULL, signing->mechanism->digest, NULL, in, len, digest, &digest_len))
            die("no %s", signing->mechanism->digest);
        write_signature("C_Sign", signing, digest, digest_len);
        return;
    case OTHER:
        write_signature("C_Sign", signing, NULL, 0);
        return;
    }
}

static void add_part(struct signing *signing, const CK_BYTE *in, size_t len)
{
    if (signing->mechanism->form != MESSAGE)
        return;
    if (signing->parts == NULL) {
        signing->parts = EVP_MD_CTX_new();
        const EVP_MD *digest = EVP_get_digestbyname(signing->mechanism->digest);
        if (digest == NULL || !EVP_DigestInit_ex(signing->parts, digest, NULL))
            die("no %s", signing->mechanism->digest);
    }
    if (!EVP_DigestUpdate(signing->parts, in, len))
        die("%s failed", signing->mechanism->digest);
}

static void write_parts(struct signing *signing)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;

    if (signing->parts != NULL && !EVP_DigestFinal_ex(signing->parts, digest, &len))
        die("%s failed", signing->mechanism->digest);
    write_signature("C_SignFinal", signing, digest, len);
    EVP_MD_CTX_free(signing->parts);
    signing->parts = NULL;
}

/* ---- the functions that do more than forward ---- */

static CK_RV watch_C_SignInit(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism,
                              CK_OBJECT_HANDLE key)
{
    start_signing(session, mechanism->mechanism, key);
    return forward_C_SignInit(session, mechanism, key);
}

static CK_RV watch_C_Sign(CK_SESSION_HANDLE session, CK_BYTE *in, CK_ULONG in_len, CK_BYTE *out,
                          CK_ULONG *out_len)
{
    if (out == NULL)
        return real->C_Sign(session, in, in_len, out, out_len);
    struct fault fault = begin(FN_C_Sign);
    CK_RV rv = real->C_Sign(session, in, in_len, out, out_len);

    /* Only this way does the session forget the operation, as it does after a failure. */
    if (fault.rv != CKR_OK) {
        memset(out, 0, *out_len);
        rv = fault.rv;
    }
    if (rv == CKR_OK) {
        write_single(find_signing(session), in, in_len);
        if (fault.corrupt)
            out[*out_len / 2] ^= 1;
    }
    return end(&fault, rv);
}

static CK_RV watch_C_SignUpdate(CK_SESSION_HANDLE session, CK_BYTE *in, CK_ULONG in_len)
{
    CK_RV rv = forward_C_SignUpdate(session, in, in_len);

    if (rv == CKR_OK)
        add_part(find_signing(session), in, in_len);
    return rv;
}

static CK_RV watch_C_SignFinal(CK_SESSION_HANDLE session, CK_BYTE *out, CK_ULONG *out_len)
{
    if (out == NULL)
        return real->C_SignFinal(session, out, out_len);
    struct fault fault = begin(FN_C_SignFinal);
    CK_RV rv = fault.rv != CKR_OK ? fault.rv : real->C_SignFinal(session, out, out_len);

    if (rv == CKR_OK)
        write_parts(find_signing(session));
    return end(&fault, rv);
}

static CK_RV watch_C_Login(CK_SESSION_HANDLE session, CK_USER_TYPE user, CK_BYTE *pin,
                           CK_ULONG pin_len)
{
    struct fault fault = begin(FN_C_Login);
    CK_RV rv = fault.rv != CKR_OK ? fault.rv : real->C_Login(session, user, pin, pin_len);

    write_line("C_Login %s", return_value_name(rv));
    return end(&fault, rv);
}

static CK_RV watch_C_GetSlotList(CK_BBOOL present, CK_SLOT_ID *slots, CK_ULONG *num)
{
    struct fault fault = begin(FN_C_GetSlotList);

    if (fault.empty) {
        *num = 0;
        return CKR_OK;
    }
    return end(&fault, fault.rv != CKR_OK ? fault.rv : real->C_GetSlotList(present, slots, num));
}

/* ---- the module ---- */

static void load_real(void)
{
    static const char *const USUAL[] = {"/usr/lib/softhsm/libsofthsm2.so",
                                        "/usr/lib64/softhsm/libsofthsm2.so",
                                        "/usr/local/lib/softhsm/libsofthsm2.so"};
    const char *path = getenv("SIGNET_WRAP_MODULE");
    CK_C_GetFunctionList get_function_list;

    for (size_t i = 0; path == NULL && i < sizeof USUAL / sizeof USUAL[0]; i++)
        if (access(USUAL[i], R_OK) == 0)
            path = USUAL[i];
    void *module = path != NULL ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : NULL;
    if (module == NULL)
        die("can't load %s: set SIGNET_WRAP_MODULE", path != NULL ? path : "SoftHSM");
    *(void **)&get_function_list = dlsym(module, "C_GetFunctionList");
    if (get_function_list == NULL || get_function_list(&real) != CKR_OK)
        die("%s is no PKCS#11 module", path);
}

static CK_FUNCTION_LIST wrapped = {
#define MEMBER(name, parameters, arguments) .name = forward_##name,
    FUNCTIONS(MEMBER)};

static void set_up(void)
{
    load_real();
    parse_faults();
    wrapped.version = real->version;
    wrapped.C_GetFunctionList = C_GetFunctionList;
    wrapped.C_GetSlotList = watch_C_GetSlotList;
    wrapped.C_Login = watch_C_Login;
    wrapped.C_SignInit = watch_C_SignInit;
    wrapped.C_Sign = watch_C_Sign;
    wrapped.C_SignUpdate = watch_C_SignUpdate;
    wrapped.C_SignFinal = watch_C_SignFinal;
}

__attribute__((visibility("default"))) CK_RV C_GetFunctionList(CK_FUNCTION_LIST **list)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, set_up);
    *list = &wrapped;
    return CKR_OK;
}
