#include "pipeline.h"

#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include "steps.h"

enum {
    /* one being prepared, one on the token, one being made durable, one in reserve */
    NUM_GROUPS = 4,
    /* jobs that a worker takes at a time */
    SHARE = 4,
    MAX_WORKERS = 256,
    /* by how much workers are nicer than the rest */
    NICER = 5,
};

enum phase { EMPTY, PREPARING, PREPARED, SIGNING, SIGNED };

struct group {
    enum phase phase;
    struct sg_job *jobs; /* SG_LIMIT_GROUP of them */
    size_t num;
    size_t next;   /* the first that no worker has taken in this phase */
    size_t undone; /* that workers have not finished in this phase */
};

struct worker {
    struct sg_pipeline *pipeline;
    struct sg_issuing issuing; /* with a registry of its own */
    pthread_t thread;
    bool is_started;
};

/* Groups are a ring: first is the oldest one that is not answered yet, num are in use. Only the
 * thread that runs the pipeline changes which; lock guards what workers see of them. */
struct sg_pipeline {
    const struct sg_issuing *issuing;
    struct worker *workers;
    unsigned num_workers;

    pthread_mutex_t lock;
    pthread_cond_t work;     /* for workers: there may be some */
    pthread_cond_t progress; /* for the run: a phase ended, or it was woken */
    bool is_ending, is_woken;
    unsigned num_signing; /* workers */

    struct group groups[NUM_GROUPS];
    size_t first, num;
    struct sg_stop stop;
};

static struct group *nth_group(struct sg_pipeline *pipeline, size_t n)
{
    return &pipeline->groups[(pipeline->first + n) % NUM_GROUPS];
}

/* ---- workers ---- */

/* The oldest group in a phase that still has jobs to be taken, or NULL. */
static struct group *group_with_work(struct sg_pipeline *pipeline, enum phase phase)
{
    for (size_t i = 0; i < pipeline->num; i++) {
        struct group *group = nth_group(pipeline, i);
        if (group->phase == phase && group->next < group->num)
            return group;
    }
    return NULL;
}

/* Signing comes first: it is what the oldest requests wait for. But while there is something to
 * prepare, half of the workers leave the token to the others, as it signs no faster for more: a
 * token in this process has locks that they would only wait for. */
static struct group *find_work(struct sg_pipeline *pipeline)
{
    struct group *to_sign = group_with_work(pipeline, SIGNING);
    struct group *to_prepare = group_with_work(pipeline, PREPARING);

    if (to_sign != NULL &&
        (to_prepare == NULL || 2 * pipeline->num_signing < pipeline->num_workers))
        return to_sign;
    return to_prepare;
}

static void do_share(struct worker *worker, enum phase phase, struct sg_job *jobs, size_t num)
{
    for (size_t i = 0; i < num; i++)
        if (phase == PREPARING)
            sg_issue_prepare(&worker->issuing, &jobs[i]);
        else
            sg_issue_sign(&worker->issuing, &jobs[i], &worker->pipeline->stop);
}

/* Takes a share of a group's jobs; called and returns with the lock held. */
static void work_on(struct worker *worker, struct group *group)
{
    struct sg_pipeline *pipeline = worker->pipeline;
    size_t from = group->next, left = group->num - from, num = left < SHARE ? left : SHARE;
    enum phase phase = group->phase;

    group->next += num;
    pipeline->num_signing += phase == SIGNING;
    pthread_mutex_unlock(&pipeline->lock);
    do_share(worker, phase, group->jobs + from, num);
    pthread_mutex_lock(&pipeline->lock);
    pipeline->num_signing -= phase == SIGNING;
    group->undone -= num;
    if (group->undone == 0) {
        group->phase = phase + 1;
        pthread_cond_signal(&pipeline->progress);
    }
}

/* What the run and who talks to the network have to do is little, and all wait for it: they go
 * before workers, which would find nothing to do meanwhile. */
static void *work(void *argument)
{
    struct worker *worker = argument;
    struct sg_pipeline *pipeline = worker->pipeline;

    (void)!nice(NICER); /* on Linux, of this thread alone */
    pthread_mutex_lock(&pipeline->lock);
    while (!pipeline->is_ending) {
        struct group *group = find_work(pipeline);
        if (group != NULL)
            work_on(worker, group);
        else
            pthread_cond_wait(&pipeline->work, &pipeline->lock);
    }
    pthread_mutex_unlock(&pipeline->lock);
    return NULL;
}

/* ---- start and stop ---- */

static unsigned num_processors(void)
{
    cpu_set_t set;
    int num = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;

    return num > MAX_WORKERS ? MAX_WORKERS : (unsigned)num;
}

/* Where there is a worker for each processor, each keeps to its own: when two of them have come to
 * one, the kernel leaves another idle for longer than their work takes. Who has to share its own
 * keeps up at most a share of jobs. */
static void keep_to_own(const struct sg_pipeline *pipeline, const struct worker *worker)
{
    size_t left = (size_t)(worker - pipeline->workers);
    cpu_set_t all, own;

    if (sched_getaffinity(0, sizeof all, &all) != 0 ||
        (unsigned)CPU_COUNT(&all) != pipeline->num_workers)
        return;
    CPU_ZERO(&own);
    for (size_t i = 0; i < CPU_SETSIZE && CPU_COUNT(&own) == 0; i++)
        if (CPU_ISSET(i, &all) && left-- == 0)
            CPU_SET(i, &own);
    (void)pthread_setaffinity_np(worker->thread, sizeof own, &own);
}

static bool start_worker(struct sg_pipeline *pipeline, struct worker *worker,
                         struct sg_error *error)
{
    const struct sg_issuing *issuing = pipeline->issuing;
    int failure;

    worker->pipeline = pipeline;
    worker->issuing = *issuing;
    if (!sg_home_open_registry(issuing->home, &worker->issuing.registry, error))
        return false;
    failure = pthread_create(&worker->thread, NULL, work, worker);
    worker->is_started = failure == 0;
    if (worker->is_started)
        keep_to_own(pipeline, worker);
    return worker->is_started ||
           sg_fail(error, SG_FAILED, NULL, "a thread can't be started: %s", strerror(failure));
}

static bool make_room(struct sg_pipeline *pipeline, unsigned num_workers, struct sg_error *error)
{
    pipeline->workers = calloc(num_workers, sizeof *pipeline->workers);
    if (pipeline->workers == NULL)
        return sg_fail_memory(error);
    pipeline->num_workers = num_workers;
    for (size_t i = 0; i < NUM_GROUPS; i++)
        if ((pipeline->groups[i].jobs = calloc(SG_LIMIT_GROUP, sizeof(struct sg_job))) == NULL)
            return sg_fail_memory(error);
    return true;
}

bool sg_pipeline_start(const struct sg_issuing *issuing, unsigned num_workers,
                       struct sg_pipeline **pipeline, struct sg_error *error)
{
    sg_auto(sg_pipeline) struct sg_pipeline *fresh = calloc(1, sizeof *fresh);

    if (fresh == NULL)
        return sg_fail_memory(error);
    if (num_workers > MAX_WORKERS)
        return sg_fail(error, SG_USAGE, NULL, "%u threads are too many; %d at most", num_workers,
                       MAX_WORKERS);
    fresh->issuing = issuing;
    pthread_mutex_init(&fresh->lock, NULL);
    pthread_cond_init(&fresh->work, NULL);
    pthread_cond_init(&fresh->progress, NULL);
    if (!make_room(fresh, num_workers != 0 ? num_workers : num_processors(), error))
        return false;
    for (unsigned i = 0; i < fresh->num_workers; i++)
        if (!start_worker(fresh, &fresh->workers[i], error))
            return false;
    *pipeline = SG_TAKE(fresh);
    return true;
}

static void release_group(struct group *group)
{
    for (size_t i = 0; i < group->num; i++)
        sg_job_done(&group->jobs[i]);
    memset(group->jobs, 0, group->num * sizeof *group->jobs);
    *group = (struct group){.jobs = group->jobs};
}

void sg_pipeline_stop(struct sg_pipeline *pipeline)
{
    if (pipeline == NULL)
        return;
    pthread_mutex_lock(&pipeline->lock);
    pipeline->is_ending = true;
    pthread_cond_broadcast(&pipeline->work);
    pthread_mutex_unlock(&pipeline->lock);
    for (unsigned i = 0; i < pipeline->num_workers; i++) {
        if (pipeline->workers[i].is_started)
            pthread_join(pipeline->workers[i].thread, NULL);
        sg_store_close(pipeline->workers[i].issuing.registry);
    }
    for (size_t i = 0; i < NUM_GROUPS && pipeline->groups[i].jobs != NULL; i++) {
        release_group(&pipeline->groups[i]);
        free(pipeline->groups[i].jobs);
    }
    pthread_cond_destroy(&pipeline->progress);
    pthread_cond_destroy(&pipeline->work);
    pthread_mutex_destroy(&pipeline->lock);
    free(pipeline->workers);
    free(pipeline);
}

/* ---- the run ---- */

/* Hands a group to the workers. */
static void begin(struct sg_pipeline *pipeline, struct group *group, enum phase phase)
{
    pthread_mutex_lock(&pipeline->lock);
    group->next = 0;
    group->undone = group->num;
    group->phase = phase;
    pthread_cond_broadcast(&pipeline->work);
    pthread_mutex_unlock(&pipeline->lock);
}

/* The oldest group that waits for the run: to be answered, or, in the order in which they came, to
 * be claimed. NULL when there is none. Called with the lock held. */
static struct group *find_ready(struct sg_pipeline *pipeline)
{
    for (size_t i = 0; i < pipeline->num; i++) {
        struct group *group = nth_group(pipeline, i);
        if (group->phase == PREPARED || (group->phase == SIGNED && i == 0))
            return group;
        if (group->phase == PREPARING)
            return NULL;
    }
    return NULL;
}

static struct group *ready_group(struct sg_pipeline *pipeline)
{
    pthread_mutex_lock(&pipeline->lock);
    struct group *group = find_ready(pipeline);
    pthread_mutex_unlock(&pipeline->lock);
    return group;
}

/* What a run knows besides the groups. */
struct run {
    struct sg_pipeline *pipeline;
    const struct sg_pipeline_ends *ends;
    bool at_end;         /* nothing more is pulled */
    bool is_mute;        /* answer has failed: nothing more is answered */
    struct sg_error why; /* why the run will fail, once it is through */
};

/* The first cause stays; what is under way is brought to its end all the same. */
static void break_off(struct run *run, const struct sg_error *why)
{
    run->at_end = true;
    if (run->why.code == SG_OK)
        run->why = *why;
}

static void pull(struct run *run)
{
    struct sg_pipeline *pipeline = run->pipeline;
    struct group *group = nth_group(pipeline, pipeline->num);
    struct sg_error error = {0};

    if (!run->ends->pull(run->ends->context, group->jobs, SG_LIMIT_GROUP, &group->num, &run->at_end,
                         &error))
        break_off(run, &error);
    if (group->num == 0)
        return;
    pthread_mutex_lock(&pipeline->lock);
    pipeline->num++;
    pthread_mutex_unlock(&pipeline->lock);
    begin(pipeline, group, PREPARING);
}

static void admit(struct run *run, struct group *group)
{
    for (size_t i = 0; run->ends->admit != NULL && i < group->num; i++) {
        struct sg_job *job = &group->jobs[i];

        if (job->stage == SG_JOB_PREPARED &&
            !run->ends->admit(run->ends->context, job, &job->error))
            job->stage = SG_JOB_ENDED;
    }
}

static void claim(struct run *run, struct group *group)
{
    struct sg_pipeline *pipeline = run->pipeline;
    struct sg_error error = {0};

    admit(run, group);
    if (run->why.code == SG_STORE)
        sg_issue_give_up(group->jobs, group->num, &run->why);
    else if (!sg_issue_claim(pipeline->issuing, group->jobs, group->num, &pipeline->stop, &error)) {
        sg_issue_give_up(group->jobs, group->num, &error);
        break_off(run, &error);
    }
    begin(pipeline, group, SIGNING);
}

/* Records the oldest group, answers it, and makes room. */
static void finish(struct run *run, struct group *group)
{
    struct sg_pipeline *pipeline = run->pipeline;
    struct sg_error error = {0};

    if (!sg_issue_record(pipeline->issuing, group->jobs, group->num, &error)) {
        sg_issue_give_up(group->jobs, group->num, &error);
        break_off(run, &error);
    }
    error = (struct sg_error){0};
    if (!run->is_mute && !run->ends->answer(run->ends->context, group->jobs, group->num, &error)) {
        run->is_mute = true;
        break_off(run, &error);
    }
    pthread_mutex_lock(&pipeline->lock);
    pipeline->first = (pipeline->first + 1) % NUM_GROUPS;
    pipeline->num--;
    pthread_mutex_unlock(&pipeline->lock);
    release_group(group); /* no worker looks at it any more */
}

/* Does what can be done now: what is under way goes on before new requests come in. False when
 * there is nothing. */
static bool advance(struct run *run)
{
    struct sg_pipeline *pipeline = run->pipeline;
    struct group *group = ready_group(pipeline);
    size_t before = pipeline->num;

    if (group == NULL && (run->at_end || before == NUM_GROUPS))
        return false;
    if (group == NULL) {
        pull(run);
        return pipeline->num > before || run->at_end;
    }
    if (group->phase == SIGNED)
        finish(run, group);
    else
        claim(run, group);
    return true;
}

/* Until a worker has brought a group to where the run goes on with it, or somebody wakes us. */
static void wait_for_progress(struct sg_pipeline *pipeline)
{
    pthread_mutex_lock(&pipeline->lock);
    while (!pipeline->is_woken && find_ready(pipeline) == NULL)
        pthread_cond_wait(&pipeline->progress, &pipeline->lock);
    pipeline->is_woken = false;
    pthread_mutex_unlock(&pipeline->lock);
}

void sg_pipeline_wake(struct sg_pipeline *pipeline)
{
    pthread_mutex_lock(&pipeline->lock);
    pipeline->is_woken = true;
    pthread_cond_signal(&pipeline->progress);
    pthread_mutex_unlock(&pipeline->lock);
}

bool sg_pipeline_run(struct sg_pipeline *pipeline, const struct sg_pipeline_ends *ends,
                     struct sg_error *error)
{
    struct run run = {.pipeline = pipeline, .ends = ends};

    while (!run.at_end || pipeline->num > 0)
        if (!advance(&run))
            wait_for_progress(pipeline);
    if (run.why.code == SG_OK)
        return true;
    *error = run.why;
    return false;
}
