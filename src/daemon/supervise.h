/* supervise: `signetd -C DIR`: both processes as children of this one.
 *
 * The children are forked before anything of PKCS#11 or TLS is touched. The issuer is started again
 * whenever it dies, after a pause that doubles while it dies young; the front ends with this
 * process, and this one with the front. SIGTERM and SIGINT go to the front, then to the issuer;
 * SIGHUP to both.
 */
#ifndef SG_DAEMON_SUPERVISE_H
#define SG_DAEMON_SUPERVISE_H

/* What a child does; its return value is the exit status. */
struct sg_supervision {
    int (*run_front)(void *context);
    int (*run_issuer)(void *context);
    /* An issuer that ends with this would fail in the same way again. */
    int hopeless;
    void (*say)(const char *text, void *context);
    void *context;
};

/* sg_supervise returns the exit status of the whole. */
int sg_supervise(const struct sg_supervision *supervision);

#endif
