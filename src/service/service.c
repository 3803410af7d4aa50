#include "service.h"

#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "desk.h"
#include "door.h"
#include "tokens.h"

/* Both threads' view of the running service. */
struct service {
    const struct sg_service_setting *setting;
    struct sg_board board;
    struct sg_shelf shelf;
    struct sg_desk desk;
    struct sg_door door;
    pthread_t thread; /* the door's; the desk has the caller's, the tellers their own */
    bool again;       /* read when the door's thread has ended */
    /* for the watchdog, the door's: the desk's looks, and for how many ticks these have not changed
     */
    unsigned num_looks, num_still;
};

/* ---- what the door tells; on its thread ---- */

static void wake_desk(void *context)
{
    struct service *service = context;

    sg_pipeline_wake(service->desk.pipeline);
}

static void take_aside(struct sg_errand *errand, void *context)
{
    struct service *service = context;

    if (errand->message.type == SG_WIRE_HEALTH)
        sg_health_take(service->desk.health, errand);
    else
        sg_tls_key_take(service->desk.tls_key, errand);
}

/* A desk that hangs with nobody waiting is known by this alone; each tick has woken it. */
static bool desk_is_alive(struct service *service)
{
    const unsigned num_looks = atomic_load(&service->desk.num_looks);

    service->num_still = num_looks != service->num_looks ? 0 : service->num_still + 1;
    service->num_looks = num_looks;
    return 1000 * (int64_t)service->num_still <= service->door.longest_ms;
}

static void tick(void *context)
{
    struct service *service = context;

    sg_health_sweep(service->desk.health);
    sg_tokens_tell_errors(service->desk.home, &service->door);
    if (desk_is_alive(service))
        service->setting->notify("WATCHDOG=1");
    wake_desk(service);
}

static void drain(struct service *service)
{
    sg_door_close(&service->door);
    sg_board_close(&service->board);
    wake_desk(service);
}

/* A reload that could not start again would end the service. */
static void reload(struct service *service)
{
    struct sg_error error = {0};
    char text[SG_ERROR_TEXT_SIZE + 64];

    if (sg_desk_check(service->setting->dir, &error)) {
        service->setting->notify("RELOADING=1");
        service->setting->say("SIGHUP: starting again with what signet.yaml and policies/ say now");
        service->again = true;
        drain(service);
        return;
    }
    (void)snprintf(text, sizeof text, "SIGHUP: going on with what is in force, as: %s", error.text);
    service->setting->say(text);
}

static void take_signal(int signal, void *context)
{
    struct service *service = context;

    if (signal == SIGHUP) {
        reload(service);
        return;
    }
    service->again = false;
    service->setting->notify("STOPPING=1");
    drain(service);
}

/* A desk that hangs can't be told to stop, and its thread can't be stopped from outside: the
 * process is, and whoever started it starts it again. */
static void *run_door(void *context)
{
    struct service *service = context;

    if (sg_door_run(&service->door))
        return NULL;
    service->setting->say("a request has had no answer for too long: the token or the store hangs; "
                          "ending, to be started again");
    _exit(1);
}

/* ---- what the desk tells; on its thread ---- */

static void wake_door(void *context)
{
    struct service *service = context;

    sg_door_wake(&service->door);
}

/* ---- start and end ---- */

static bool find_user(const char *name, uid_t *uid, struct sg_error *error)
{
    const struct passwd *entry;

    *uid = geteuid();
    if (name == NULL)
        return true;
    if ((entry = getpwnam(name)) == NULL)
        return sg_fail(error, SG_INVALID, NULL,
                       "signet.yaml, service: users: there is no user '%s' on this machine", name);
    *uid = entry->pw_uid;
    return true;
}

static bool open_door(struct service *service, struct sg_error *error)
{
    const struct sg_service_config *config = service->desk.config;
    struct sg_door *door = &service->door;
    sg_auto(malloc) char *path = NULL;

    door->board = &service->board;
    door->shelf = &service->shelf;
    door->program = service->setting->program;
    door->longest_ms = 2 * 1000 * config->limits.answer_s;
    door->on_errand = wake_desk;
    door->on_aside = take_aside;
    door->on_tick = tick;
    door->on_signal = take_signal;
    door->say = service->setting->say;
    door->context = service;
    return find_user(config->front_user, &door->front, error) &&
           sg_path_join(service->setting->dir, config->socket, &path, error) &&
           sg_door_open(door, path, config->front_user != NULL, error);
}

static bool start(struct service *service, struct sg_error *error)
{
    int failure;

    service->desk.wake_door = wake_door;
    service->desk.wake_context = service;
    service->desk.say = service->setting->say;
    service->board.max_waiting = (size_t)service->desk.config->limits.queue;
    if (!sg_pipeline_start(&service->desk.issuing, 0, &service->desk.pipeline, error) ||
        !sg_teller_start(service->desk.teller, wake_door, service, error) ||
        !sg_health_start(service->desk.health, wake_door, service, error) ||
        !sg_tls_key_start(service->desk.tls_key, wake_door, service, error) ||
        !open_door(service, error))
        return false;
    failure = pthread_create(&service->thread, NULL, run_door, service);
    return failure == 0 ||
           sg_fail(error, SG_FAILED, NULL, "a thread can't be started: %s", strerror(failure));
}

static bool serve(struct service *service, struct sg_error *error)
{
    const char *warning = sg_store_warning(sg_home_store(service->desk.home));
    bool served;

    if (!start(service, error))
        return false;
    if (warning != NULL)
        service->setting->say(warning);
    service->setting->notify("READY=1");
    served = sg_desk_run(&service->desk, error);
    sg_teller_stop(service->desk.teller);
    sg_health_stop(service->desk.health);
    sg_tls_key_stop(service->desk.tls_key);
    sg_door_end(&service->door);
    pthread_join(service->thread, NULL);
    return served;
}

bool sg_service_run(const struct sg_service_setting *setting, bool *again, struct sg_error *error)
{
    struct service service = {.setting = setting,
                              .door = {.listener = -1, .waker = -1, .signals = -1}};
    bool served;

    sg_json_wipe_freed();
    for (size_t i = 0; i < SG_DOOR_MAX_PEERS; i++)
        service.door.peers[i].fd = -1;
    sg_board_init(&service.board, 0);
    sg_shelf_init(&service.shelf);
    served = sg_desk_open(setting->dir, &service.board, &service.shelf, &service.desk, error) &&
             serve(&service, error);
    *again = served && service.again;
    sg_door_done(&service.door);
    sg_desk_close(&service.desk);
    sg_shelf_done(&service.shelf);
    sg_board_done(&service.board);
    return served;
}
