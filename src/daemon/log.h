/* log: the lines on standard error that are not the front's own, as `service: log` of signet.yaml
 * wants them.
 */
#ifndef SG_DAEMON_LOG_H
#define SG_DAEMON_LOG_H

#include "home/config.h"

/* sg_daemon_log_format: what the signet.yaml in dir says; otherwise, while it can't be read. */
enum sg_log_format sg_daemon_log_format(const char *dir, enum sg_log_format otherwise);

/* sg_daemon_say writes what happens. who   whose word it is: "issuer", "front", "signetd". */
void sg_daemon_say(enum sg_log_format format, const char *who, const char *text);

/* sg_daemon_say_why writes what a process ends of. */
void sg_daemon_say_why(enum sg_log_format format, const char *who, const struct sg_error *error);

#endif
