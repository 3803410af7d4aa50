/* error: the one way in which Signet's functions fail.
 *
 * A function that can fail returns bool (must-use) and takes a struct sg_error last, owned by the
 * caller. The first cause wins: sg_fail on an error that already holds a cause changes nothing, so
 * callers on the way up can only add where it happened (sg_error_prefix). No allocation, no
 * thread-locals, no logging: the program prints the error once, at the top.
 *
 * Thread rule: an sg_error belongs to one thread.
 */
#ifndef SG_BASE_ERROR_H
#define SG_BASE_ERROR_H

#include <stdarg.h>
#include <stdbool.h>

/* Each code is a different thing for the caller to do. Never renumbered. */
enum sg_code {
    SG_OK = 0,
    SG_FAILED,          /* the machine: files, memory, an output that exists */
    SG_USAGE,           /* the caller asked for something that has no meaning */
    SG_INVALID,         /* a file of the operator's (policy, signet.yaml, manifest) is wrong */
    SG_MALFORMED,       /* the request is not what its format says */
    SG_POSSESSION,      /* the request's signature is not by the key inside it */
    SG_KEY_QUALITY,     /* the key is too weak, or of a kind nobody certifies */
    SG_UNAUTHENTICATED, /* nobody, an unknown or a disabled device or user is asking */
    SG_REFUSED,         /* the policy, or a rule of the store such as uniqueness, says no */
    SG_TOKEN,           /* the token is missing, busy, or failed; detail is the CK_RV */
    SG_PIN,             /* the PIN was refused or may not be tried; detail is the CK_RV */
    SG_STORE,           /* the store can't be read or written */
    SG_INTERNAL,        /* a defect of Signet's; nothing the caller can mend */
};

enum { SG_ERROR_RULE_SIZE = 96, SG_ERROR_TEXT_SIZE = 640 };

struct sg_error {
    enum sg_code code;
    long detail;                   /* CK_RV, errno or line, by code; 0 when there is none */
    char rule[SG_ERROR_RULE_SIZE]; /* what was broken: "RFC 2986 4.2", "policy device-mtls: subject.CN" */
    char text[SG_ERROR_TEXT_SIZE]; /* what was wrong, where, and what to do; one line, no secrets */
};

#define SG_MUST_USE __attribute__((warn_unused_result))

/* sg_fail records a cause and returns false, so that `return sg_fail(…);` is the whole handling.
 *
 * rule     copied; NULL or "" when no rule beyond the text applies. Cut to its field.
 * format   one line without a newline; control bytes in the result become '?', so that a hostile
 *          value cannot write to a terminal.
 * A cause that is already there stays. error may be NULL: then only the verdict is wanted. */
bool sg_fail(struct sg_error *error, enum sg_code code, const char *rule, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
bool sg_failv(struct sg_error *error, enum sg_code code, const char *rule, const char *format,
              va_list arguments) __attribute__((format(printf, 4, 0)));

/* sg_fail_errno is sg_fail(SG_FAILED) with errno in detail and its text after the message. */
bool sg_fail_errno(struct sg_error *error, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* sg_fail_openssl is sg_fail with the reason on top of OpenSSL's error queue after the message,
 * and empties the queue. */
bool sg_fail_openssl(struct sg_error *error, enum sg_code code, const char *rule,
                     const char *format, ...) __attribute__((format(printf, 4, 5)));

/* sg_fail_memory says that memory ran out. */
bool sg_fail_memory(struct sg_error *error);

/* sg_error_prefix puts "prefix: " before the text, to say where. Returns false, as sg_fail does. */
bool sg_error_prefix(struct sg_error *error, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* sg_error_pass records another error's cause, as sg_fail does. Returns false. */
bool sg_error_pass(struct sg_error *error, const struct sg_error *cause);

/* sg_error_clear makes error hold no cause. */
void sg_error_clear(struct sg_error *error);

/* sg_code_name: "refused", "token", …: what a script sees in --json. Never NULL. */
const char *sg_code_name(enum sg_code code);

/* sg_code_is_refusal: the request, not the machine, is at fault. */
bool sg_code_is_refusal(enum sg_code code);

#endif
