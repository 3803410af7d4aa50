/* notify: what systemd is told: ready, stopping, still alive (sd_notify(3)'s datagrams). */
#ifndef SG_DAEMON_NOTIFY_H
#define SG_DAEMON_NOTIFY_H

/* sg_notify sends one state, "READY=1", to $NOTIFY_SOCKET; without one nothing happens. With
 * $WATCHDOG_USEC unset, "WATCHDOG=1" is not sent. */
void sg_notify(const char *state);

/* sg_notify_quietly: a child of `signetd -C`, whose parent speaks for it. */
void sg_notify_quietly(const char *state);

#endif
