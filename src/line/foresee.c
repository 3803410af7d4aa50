/* What could end a shift, said before it begins. */
#include <string.h>
#include <sys/statvfs.h>

#include "line_parts.h"

enum {
    /* bytes in the store and in the output for one certificate, its indexes and file included */
    STORE_BYTES = 4096,
    OUTPUT_BYTES = 8192,
    MIB = 1024 * 1024,
    DAY_S = 86400,
    SOON_DAYS = 30,
};

static bool foresee_end(const struct sg_line *line, struct sg_error *error)
{
    const struct sg_issuing *issuing = line->spec->issuing;
    const struct sg_issuer_facts *issuer = &issuing->issuer->facts;
    int64_t until = sg_policy_issues_until(issuing->policy, issuer->not_after);
    int64_t left = until - sg_clock_now(&issuing->clock);
    char end[SG_TIME_TEXT_SIZE], last[SG_TIME_TEXT_SIZE];

    if (issuer->not_after == SG_TIME_NEVER)
        return true;
    sg_time_text(issuer->not_after, end);
    if (left <= 0)
        return sg_fail(error, SG_REFUSED, "validity",
                       "issuer %s ends at %s, before what policy %s would issue: give it a new "
                       "certificate, or the policy a shorter validity",
                       issuer->name, end, sg_policy_name(issuing->policy));
    sg_line_say(line, left < (int64_t)SOON_DAYS * DAY_S,
                "issuer %s ends at %s; policy %s issues under it until %s", issuer->name, end,
                sg_policy_name(issuing->policy), sg_time_text(until, last));
    return true;
}

static bool foresee_quota(const struct sg_line *line, struct sg_error *error)
{
    const struct sg_issuing *issuing = line->spec->issuing;
    const struct sg_quota quota = sg_policy_quota(issuing->policy);
    const char *policy = sg_policy_name(issuing->policy);
    int64_t left = 0;

    if (quota.certificates == 0)
        return true;
    if (!sg_store_quota_left(sg_home_store(issuing->home), policy, quota,
                             sg_clock_now(&issuing->clock), &left, NULL, error))
        return false;
    sg_line_say(line, left == 0 || line->counts.total > (uint64_t)left,
                "quota of policy %s: %lld of %lld certificates left%s", policy, (long long)left,
                (long long)quota.certificates,
                quota.period_s == 0       ? ""
                : quota.period_s == 86400 ? " today (UTC)"
                                          : " in this hour");
    return true;
}

/* A folder that is not there yet, or a file's: whatever there is above it. */
static bool find_space(const char *path, struct statvfs *space)
{
    char folder[SG_LIMIT_PATH];

    snprintf(folder, sizeof folder, "%s", path);
    while (statvfs(folder, space) != 0) {
        char *slash = strrchr(folder, '/');
        if (slash == NULL)
            snprintf(folder, sizeof folder, ".");
        else
            slash[slash == folder] = '\0';
        if (slash == NULL)
            return statvfs(folder, space) == 0;
    }
    return true;
}

static void foresee_disk(const struct sg_line *line, const char *what, const char *path,
                         uint64_t bytes_each)
{
    uint64_t free_bytes, total = line->counts.total;
    struct statvfs space;

    if (!find_space(path, &space))
        return;
    free_bytes = (uint64_t)space.f_bavail * space.f_frsize;
    if (total == 0)
        sg_line_say(line, false, "%s: %llu MiB free, room for about %llu certificates", what,
                    (unsigned long long)(free_bytes / MIB),
                    (unsigned long long)(free_bytes / bytes_each));
    else
        sg_line_say(line, total * bytes_each > free_bytes, "%s: %llu MiB free, about %llu needed",
                    what, (unsigned long long)(free_bytes / MIB),
                    (unsigned long long)(total * bytes_each / MIB + 1));
}

/* Some file systems can hold so many files and no more, and say 0 otherwise. */
static void foresee_files(const struct sg_line *line, const char *path)
{
    struct statvfs space;

    if (find_space(path, &space) && space.f_files != 0 && line->counts.total > space.f_favail)
        sg_line_say(line, true, "disk of the output: it can take %llu files more, %llu are needed",
                    (unsigned long long)space.f_favail, (unsigned long long)line->counts.total);
}

static void foresee_store(const struct sg_line *line)
{
    struct sg_home *home = line->spec->issuing->home;

    if (sg_store_is_file(sg_home_store(home)))
        foresee_disk(line, "disk of the store", sg_home_dir(home), STORE_BYTES);
    else
        sg_line_say(line, false, "disk of the store: its server's, which can't be seen from here");
}

bool sg_line_foresee(struct sg_line *line, struct sg_error *error)
{
    const struct sg_line_spec *spec = line->spec;
    const struct sg_issuing *issuing = spec->issuing;

    if (line->counts.total != 0)
        sg_line_say(line, false, "%llu requests in %s", (unsigned long long)line->counts.total,
                    spec->input);
    if (!foresee_end(line, error) || !foresee_quota(line, error))
        return false;
    if (issuing->issuer->signer != NULL)
        sg_line_say(line, false, "token %s: there, with the key of issuer %s",
                    issuing->issuer->entry->token, issuing->issuer->facts.name);
    if (spec->dry_run)
        return true;
    foresee_store(line);
    if (spec->output != NULL && strcmp(spec->output, "-") != 0)
        foresee_disk(line, "disk of the output", spec->output, OUTPUT_BYTES);
    if (line->sink != NULL && line->sink->keeps_part && line->sink->has_names)
        foresee_files(line, spec->output);
    return true;
}
