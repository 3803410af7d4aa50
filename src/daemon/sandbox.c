#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"

/* A sanitizer looks for leaks at the end by tracing its own process. */
#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define IS_TRACED 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#define IS_TRACED 1
#endif

/* ---- seccomp: a few calls that a front never makes ---- */

#if defined __x86_64__
#define OUR_ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined __aarch64__
#define OUR_ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

#ifdef OUR_ARCHITECTURE

#define LOAD(field)                                                                                \
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offsetof(struct seccomp_data, field))
#define REFUSE        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM)
#define REFUSED(call) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (call), 0, 1), REFUSE

static bool limit_calls(struct sg_error *error)
{
    static struct sock_filter FILTER[] = {
        LOAD(arch),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, OUR_ARCHITECTURE, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        LOAD(nr),
#ifdef __x86_64__
        /* x32's numbers would lead past the list */
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1),
        REFUSE,
#endif
        REFUSED(__NR_execve),
        REFUSED(__NR_execveat),
#ifndef IS_TRACED
        REFUSED(__NR_ptrace),
#endif
        REFUSED(__NR_process_vm_readv),
        REFUSED(__NR_process_vm_writev),
        REFUSED(__NR_kexec_load),
        REFUSED(__NR_init_module),
        REFUSED(__NR_finit_module),
        REFUSED(__NR_delete_module),
        REFUSED(__NR_bpf),
        REFUSED(__NR_perf_event_open),
        REFUSED(__NR_userfaultfd),
        REFUSED(__NR_keyctl),
        REFUSED(__NR_add_key),
        REFUSED(__NR_request_key),
        REFUSED(__NR_mount),
        REFUSED(__NR_umount2),
        REFUSED(__NR_pivot_root),
        REFUSED(__NR_chroot),
        REFUSED(__NR_setns),
        REFUSED(__NR_unshare),
        REFUSED(__NR_reboot),
        REFUSED(__NR_swapon),
        REFUSED(__NR_settimeofday),
        REFUSED(__NR_clock_settime),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    static const struct sock_fprog PROGRAM = {sizeof FILTER / sizeof FILTER[0], FILTER};

    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &PROGRAM) == 0 ||
           sg_fail_errno(error, "the front can't give up system calls (seccomp)");
}

#else

static bool limit_calls(struct sg_error *error)
{
    (void)error; /* the numbers of other machines' calls are not known here */
    return true;
}

#endif

/* ---- landlock: files ---- */

static bool allow_reading(int rules, const char *path)
{
    struct landlock_path_beneath_attr rule = {
        .allowed_access = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR,
        .parent_fd = open(path, O_PATH | O_CLOEXEC),
    };
    bool allowed;

    if (rule.parent_fd < 0)
        return errno == ENOENT;
    allowed = syscall(__NR_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0;
    close(rule.parent_fd);
    return allowed;
}

static bool limit_files(const char *dir, struct sg_error *error)
{
    static const char *const READ[] = {
        "/etc",
        "/usr",
        "/lib",
#ifdef IS_TRACED
        "/proc",
#endif
    };
    const struct landlock_ruleset_attr attributes = {
        /* of the first version: all but what later ones added */
        .handled_access_fs = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1,
    };
    const int rules = (int)syscall(__NR_landlock_create_ruleset, &attributes, sizeof attributes, 0);
    bool limited;

    if (rules < 0)
        return true; /* a kernel without it, or with it switched off */
    limited = allow_reading(rules, dir);
    for (size_t i = 0; limited && i < sizeof READ / sizeof READ[0]; i++)
        limited = allow_reading(rules, READ[i]);
    limited = limited && syscall(__NR_landlock_restrict_self, rules, 0) == 0;
    close(rules);
    return limited || sg_fail_errno(error, "the front can't give up the file system (landlock)");
}

bool sg_sandbox_enter(const char *dir, struct sg_error *error)
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return sg_fail_errno(error, "the front can't give up new privileges");
    return limit_files(dir, error) && limit_calls(error);
}
