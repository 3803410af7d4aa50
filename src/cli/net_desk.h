/* net_desk: what the files of the desk in signet-est share: the table of net_desk.c, and those of
 * its functions that are elsewhere.
 */
#ifndef SG_CLI_NET_DESK_H
#define SG_CLI_NET_DESK_H

#include "desk.h"
#include "net_remote.h"
#include "tell.h"

/* One command at work. */
struct sg_desk_errand {
    struct sg_cli *cli;
    const struct sg_operation *operation;
    struct sg_remote *remote;
    json_t *body; /* what read made; NULL: none */
};

/* What a command is at the API. */
struct sg_operation {
    const char *words;  /* the command's */
    const char *method; /* the API's */
    const char *path;   /* behind /api/v1/; "*" stands for the first operand */
    const char *says;   /* what an answer that did it has among its keys; NULL: it may be empty */
    /* read reads the command line before the card is asked for, and makes the body; NULL: there is
     * nothing to read. */
    bool (*read)(const struct sg_cli *cli, json_t **body, struct sg_error *error);
    /* tell prints the answer, and takes it over. */
    bool (*tell)(const struct sg_cli *cli, json_t *answer, struct sg_error *error);
    /* run is for what more than one question answers; NULL: one is asked, and told. */
    bool (*run)(struct sg_desk_errand *errand, struct sg_error *error);
};

/* sg_desk_ask asks by the operation's own method and path. */
SG_MUST_USE bool sg_desk_ask(struct sg_desk_errand *errand, json_t *body, json_t **answer,
                             struct sg_error *error);

/* sg_desk_gather asks for all pages of a list: the things under noun, as they come.
 * query    "a=b&", escaped, or "". Fails: as sg_remote_ask; SG_FAILED when there are more than
 * SG_LIMIT_FETCHED. */
SG_MUST_USE bool sg_desk_gather(struct sg_desk_errand *errand, const char *query, const char *noun,
                                json_t **things, struct sg_error *error);

/* sg_desk_find asks for one certificate. It is NULL when there is none. */
SG_MUST_USE bool sg_desk_find(struct sg_desk_errand *errand, const char *serial, const char *issuer,
                              json_t **certificate, struct sg_error *error);
/* sg_desk_der: its DER, from the answer's pem; empty when it has none. Fails: SG_FAILED. */
SG_MUST_USE bool sg_desk_der(const json_t *certificate, struct sg_buf *der, struct sg_error *error);

/* net_desk_certificates.c */
bool sg_desk_read_list(const struct sg_cli *cli, json_t **body, struct sg_error *error);
bool sg_desk_list(struct sg_desk_errand *errand, struct sg_error *error);
bool sg_desk_read_revocation(const struct sg_cli *cli, json_t **body, struct sg_error *error);
bool sg_desk_read_release(const struct sg_cli *cli, json_t **body, struct sg_error *error);
bool sg_desk_revoke(struct sg_desk_errand *errand, struct sg_error *error);
bool sg_desk_read_loss(const struct sg_cli *cli, json_t **body, struct sg_error *error);
bool sg_desk_tell_loss(const struct sg_cli *cli, json_t *lost, struct sg_error *error);

/* net_desk_issue.c */
bool sg_desk_read_issue(const struct sg_cli *cli, json_t **body, struct sg_error *error);
bool sg_desk_issue(struct sg_desk_errand *errand, struct sg_error *error);

#endif
