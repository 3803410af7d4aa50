/* health: does the token answer? Signs something harmless, on a thread of its own and with a key of
 * its own, when somebody asks, and tells that for some seconds.
 *
 * Nobody waits for a token that hangs: after two seconds that is the answer. Without a key the
 * answer is that the issuer is there.
 * Thread rule: opened, started, looked at, stopped and freed by the home's thread; questions are
 * taken and swept by the door's.
 */
#ifndef SG_SERVICE_HEALTH_H
#define SG_SERVICE_HEALTH_H

#include "errand.h"
#include "home/home.h"

struct sg_health;

/* sg_health_open opens the key that signet.yaml names in `service: health`, if there is one.
 * Fails: SG_INVALID when it can't sign or is a key of the CA, as sg_home_service_key does. */
SG_MUST_USE bool sg_health_open(struct sg_home *home, struct sg_board *board,
                                struct sg_health **health, struct sg_error *error);

/* sg_health_start begins to answer; wake is called after each answer. */
SG_MUST_USE bool sg_health_start(struct sg_health *health, void (*wake)(void *context),
                                 void *context, struct sg_error *error);

/* sg_health_take answers a HEALTH, now or when the token has; it is finished on the board. */
void sg_health_take(struct sg_health *health, struct sg_errand *errand);
/* sg_health_sweep tells those who have waited for two seconds. */
void sg_health_sweep(struct sg_health *health);

/* sg_health_check: has the token failed? Then the issuer is to be started again. Fails: SG_TOKEN,
 * SG_PIN. */
SG_MUST_USE bool sg_health_check(struct sg_health *health, struct sg_error *error);

/* sg_health_stop returns when the token has answered its last question; those who wait are
 * told. */
void sg_health_stop(struct sg_health *health);
/* sg_health_free stops it as well; before the home is closed. */
void sg_health_free(struct sg_health *health);

typedef struct sg_health sg_health;
SG_DEFINE_CLEANUP(sg_health, sg_health_free)

#endif
