/* output: results as text, JSON and files. */
#ifndef SG_CLI_OUTPUT_H
#define SG_CLI_OUTPUT_H

#include "base/file.h"
#include "command.h"
#include "model/certificate.h"
#include "token/token.h"

/* sg_cli_print_json prints an object or array, and releases it. NULL: memory ran out. */
SG_MUST_USE bool sg_cli_print_json(json_t *value, struct sg_error *error);

/* sg_cli_print_text prints text as it is. */
SG_MUST_USE bool sg_cli_print_text(struct sg_slice text, struct sg_error *error);

/* sg_cli_emit_pem puts a DER object out as PEM: to the file `output`, or to standard output when
 * it is NULL. force replaces an existing file. */
SG_MUST_USE bool sg_cli_emit_pem(const char *output, bool force, struct sg_slice der,
                                 const char *label, struct sg_error *error);

/* sg_cli_check_output fails early when `output` exists and may not be replaced; NULL passes. */
SG_MUST_USE bool sg_cli_check_output(const char *output, bool force, struct sg_error *error);

/* A DER object as PEM text, or JSON null when der is empty. NULL when memory ran out. */
json_t *sg_cli_pem_json(struct sg_slice der, const char *label);

/* sg_cli_append takes item into *array. When there is none, as memory ran out, the array goes as a
 * whole: *array is NULL from then on, and sg_cli_print_json fails. A result is never left out. */
void sg_cli_append(json_t **array, json_t *item);

/* What a key on a token is, as text on stdout and as JSON. */
void sg_cli_print_key(const struct sg_key *key);
json_t *sg_cli_key_json(const struct sg_key *key);

#endif
