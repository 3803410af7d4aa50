/* sandbox: what the front gives up before it takes the first connection.
 *
 * No new privileges, ever; no other program can be executed, no process traced, no module or file
 * system touched (seccomp); of the file system only the home, the system's configuration and
 * libraries can be read, and nothing written (landlock, where the kernel has it).
 */
#ifndef SG_DAEMON_SANDBOX_H
#define SG_DAEMON_SANDBOX_H

#include "base/error.h"

/* sg_sandbox_enter. dir   the home, of which SIGHUP reads again.
 * Fails: SG_FAILED; a kernel without landlock is no failure. */
SG_MUST_USE bool sg_sandbox_enter(const char *dir, struct sg_error *error);

#endif
