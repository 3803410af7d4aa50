/* tell: the things of a CA as people read them, and as `--json` has them: certificates, tickets,
 * requests that wait, devices and users. They come as home/view.h makes them, from the home in hand
 * or from a service: what is told of them is the same.
 *
 * A service may leave things out, or send others: what is missing reads as "".
 */
#ifndef SG_CLI_TELL_H
#define SG_CLI_TELL_H

#include "command.h"

/* How things of one kind are told. */
struct sg_cli_form {
    void (*print)(const json_t *thing);      /* a line on standard output */
    json_t *(*reshape)(const json_t *thing); /* as --json has it; NULL: as it is */
};
extern const struct sg_cli_form SG_CERTIFICATE_FORM, SG_TICKET_FORM, SG_REQUEST_FORM,
    SG_RECORD_FORM;

/* A list that is told one by one. */
struct sg_cli_list {
    const struct sg_cli_form *form;
    json_t *array; /* NULL: as text, at once */
    size_t num;
};
void sg_cli_list_done(struct sg_cli_list *list);
SG_DEFINE_CLEANUP_IN_PLACE(sg_cli_list, sg_cli_list_done)

/* sg_cli_list_begin is for what --json says; sg_cli_list_add takes over thing, NULL when memory ran
 * out; sg_cli_list_end prints what was gathered. */
SG_MUST_USE bool sg_cli_list_begin(const struct sg_cli *cli, const struct sg_cli_form *form,
                                   struct sg_cli_list *list, struct sg_error *error);
SG_MUST_USE bool sg_cli_list_add(struct sg_cli_list *list, json_t *thing, struct sg_error *error);
SG_MUST_USE bool sg_cli_list_end(struct sg_cli_list *list, struct sg_error *error);

/* sg_cli_tell_certificates is sg_cli_list_end, and says aloud that there were none. */
SG_MUST_USE bool sg_cli_tell_certificates(struct sg_cli_list *list, struct sg_error *error);

/* sg_cli_tell_one tells one thing by itself, and takes it over. */
SG_MUST_USE bool sg_cli_tell_one(const struct sg_cli *cli, const struct sg_cli_form *form,
                                 json_t *thing, struct sg_error *error);
/* sg_cli_tell_request: all of one, with the records beside it. */
SG_MUST_USE bool sg_cli_tell_request(const struct sg_cli *cli, json_t *request,
                                     struct sg_error *error);

/* sg_cli_tell_new_ticket: the ticket itself on standard output, what there is to know about it on
 * standard error. */
SG_MUST_USE bool sg_cli_tell_new_ticket(const struct sg_cli *cli, json_t *ticket,
                                        struct sg_error *error);

/* What was done, on standard error: to a device or user, a request (by whom), a ticket. What it was
 * and to which is in the command. */
void sg_cli_tell_record_change(const struct sg_cli *cli);
void sg_cli_tell_decision(const struct sg_cli *cli, const char *by);
void sg_cli_tell_drop(const struct sg_cli *cli);

/* sg_cli_tell_count tells how many certificates were "revoked" or "released". */
SG_MUST_USE bool sg_cli_tell_count(const struct sg_cli *cli, const char *what, int64_t num,
                                   struct sg_error *error);

/* What is left to do about it; "" at a service, which makes its revocation list by itself. */
const char *sg_cli_tell_crl(const struct sg_cli *cli);

/* sg_cli_tell_pin tells whether a user has a PIN.
 * state    {user, pin, chosen, device}; taken over. */
SG_MUST_USE bool sg_cli_tell_pin(const struct sg_cli *cli, json_t *state, struct sg_error *error);

/* A thing's text; "" where there is none. */
const char *sg_cli_text_of(const json_t *thing, const char *key);

#endif
