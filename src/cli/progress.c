#include "progress.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

enum { BAR_WIDTH = 24, TERMINAL_MS = 200, PLAIN_MS = 5000 };

static void begin(struct sg_progress *progress)
{
    if (progress->is_begun)
        return;
    progress->is_begun = true;
    progress->is_terminal = isatty(STDERR_FILENO) == 1;
    progress->begun_ms = progress->said_ms = sg_steady_ms();
}

static double rate(const struct sg_progress *progress, const struct sg_line_counts *counts)
{
    int64_t took = sg_steady_ms() - progress->begun_ms;

    return took > 0 ? (double)counts->done * 1000 / (double)took : 0;
}

/* "1:02:03" */
static const char *duration(double seconds, char into[32])
{
    long s = seconds < 0 || seconds > 1e8 ? 0 : (long)(seconds + 0.5);

    if (s >= 3600)
        snprintf(into, 32, "%ld:%02ld:%02ld", s / 3600, s / 60 % 60, s % 60);
    else
        snprintf(into, 32, "%ld:%02ld", s / 60, s % 60);
    return into;
}

static void print_bar(uint64_t done, uint64_t total)
{
    int full = total == 0 ? 0 : (int)(done * BAR_WIDTH / total);

    if (full > BAR_WIDTH)
        full = BAR_WIDTH;
    fprintf(stderr, "\r\033[K[%.*s%.*s] ", full, "########################", BAR_WIDTH - full,
            "                        ");
}

static void print_state(const struct sg_progress *progress, const struct sg_line_counts *counts)
{
    double per_second = rate(progress, counts);
    char left[32];

    fprintf(stderr, "%llu", (unsigned long long)counts->done);
    if (counts->total != 0)
        fprintf(stderr, " of %llu", (unsigned long long)counts->total);
    fprintf(stderr, " done, %llu refused, %.0f/s", (unsigned long long)counts->by[SG_LINE_REFUSED],
            per_second);
    if (counts->total > counts->done && per_second > 0)
        fprintf(stderr, ", %s left",
                duration((double)(counts->total - counts->done) / per_second, left));
}

void sg_progress_show(struct sg_progress *progress, const struct sg_line_counts *counts)
{
    int64_t now = sg_steady_ms();

    begin(progress);
    if (now - progress->said_ms < (progress->is_terminal ? TERMINAL_MS : PLAIN_MS))
        return;
    progress->said_ms = now;
    if (progress->is_terminal && counts->total != 0)
        print_bar(counts->done, counts->total);
    else if (progress->is_terminal)
        fprintf(stderr, "\r\033[K");
    print_state(progress, counts);
    progress->has_bar = progress->is_terminal;
    if (!progress->is_terminal)
        fprintf(stderr, "\n");
}

void sg_progress_clear(struct sg_progress *progress)
{
    begin(progress);
    if (progress->has_bar)
        fprintf(stderr, "\r\033[K");
    progress->has_bar = false;
}

static void print_some(uint64_t num, const char *what)
{
    if (num > 0)
        fprintf(stderr, ", %llu %s", (unsigned long long)num, what);
}

void sg_progress_sum(struct sg_progress *progress, const struct sg_line_counts *counts)
{
    char took[32];

    sg_progress_clear(progress);
    fprintf(stderr, "%llu requests in %s (%.0f/s)", (unsigned long long)counts->done,
            duration((double)(sg_steady_ms() - progress->begun_ms) / 1000, took),
            rate(progress, counts));
    print_some(counts->by[SG_LINE_ISSUED], "issued");
    print_some(counts->by[SG_LINE_REPEATED], "already there");
    print_some(counts->by[SG_LINE_CHECKED], "would be issued");
    print_some(counts->by[SG_LINE_REFUSED], "refused");
    print_some(counts->by[SG_LINE_UNSERVED], "not served");
    fprintf(stderr, "\n");
}
