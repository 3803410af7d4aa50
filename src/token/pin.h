/* pin: where a PIN comes from, and the memory of the ones that were refused.
 *
 * A source is "file:PATH", "env:NAME", "credential:NAME" (systemd, $CREDENTIALS_DIRECTORY) or
 * "prompt". A PIN itself is never a source, an argument, or part of a message.
 */
#ifndef SG_TOKEN_PIN_H
#define SG_TOKEN_PIN_H

#include "base/secret.h"

/* sg_pin_read fetches the PIN.
 * what     names the token in the prompt and in messages.
 * folder   relative files are looked for here; NULL: the working directory.
 * Fails: SG_USAGE on an unknown source, SG_PIN when it can't be read, is empty or too long; for a
 * file that others may read (mode & 077) too, with the chmod that mends it. */
SG_MUST_USE bool sg_pin_read(const char *source, const char *folder, const char *what,
                             struct sg_secret **pin, struct sg_error *error);

/* sg_pin_check_source refuses what is not a source, before anything is tried. Fails: SG_USAGE. */
SG_MUST_USE bool sg_pin_check_source(const char *source, struct sg_error *error);

/* sg_pin_read_other fetches another secret from the same sources; relative files are looked for in
 * the working directory.
 * noun     what it is, in the prompt and in messages: "ticket"; owner: whose, "user Ada".
 * Fails: SG_USAGE on an unknown source, SG_FAILED where sg_pin_read fails with SG_PIN. */
SG_MUST_USE bool sg_pin_read_other(const char *source, const char *noun, const char *owner,
                                   struct sg_secret **secret, struct sg_error *error);

/* sg_pin_check_other_source is sg_pin_check_source in the words of that secret. */
SG_MUST_USE bool sg_pin_check_other_source(const char *source, const char *noun,
                                           struct sg_error *error);

/* sg_pin_read_passphrase fetches the passphrase of a key file from the same sources; relative files
 * are looked for in the working directory.
 * what     names what it opens, in the prompt and in messages: "key file ada.key".
 * Fails: SG_USAGE on an unknown source, SG_FAILED where sg_pin_read fails with SG_PIN. */
SG_MUST_USE bool sg_pin_read_passphrase(const char *source, const char *what,
                                        struct sg_secret **passphrase, struct sg_error *error);

/* sg_pin_check_passphrase_source is sg_pin_check_source in the words of passphrases. */
SG_MUST_USE bool sg_pin_check_passphrase_source(const char *source, struct sg_error *error);

/* sg_pin_was_refused: did this token refuse this very PIN before? Refusals are kept as a salted
 * scrypt digest per token serial number, in a file of mode 0600; its cost is only paid when the
 * token has a refusal on record.
 * Fails: SG_PIN when the PIN is on record, or when the record can't be read: then nothing is tried.
 */
SG_MUST_USE bool sg_pin_check_not_refused(const char *refusals, const char *serial_number,
                                          struct sg_secret *pin, struct sg_error *error);

/* sg_pin_remember_refusal adds to the record, durably; sg_pin_forget_refusals removes the token's.
 */
SG_MUST_USE bool sg_pin_remember_refusal(const char *refusals, const char *serial_number,
                                         struct sg_secret *pin, struct sg_error *error);
SG_MUST_USE bool sg_pin_forget_refusals(const char *refusals, const char *serial_number,
                                        struct sg_error *error);

/* sg_pin_refusals_default: $XDG_STATE_HOME/signet/refused-pins or ~/.local/state/…; the caller
 * frees it. Folders are made when something is remembered. */
SG_MUST_USE bool sg_pin_refusals_default(char **path, struct sg_error *error);

#endif
