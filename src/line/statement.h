/* statement: what a batch made, signed, and a folder held against it.
 *
 * A statement is one text file. First a line for each certificate, in order: the hash of its leaf
 * (RFC 9162 2.1.1, over the DER) and the name of its file. Then, as PEM, CMS SignedData (RFC 5652)
 * over a JSON object with the count, the first and last serial number, and the Merkle root over the
 * leaves. The root binds certificates and their order; the names are there to find them by.
 */
#ifndef SG_LINE_STATEMENT_H
#define SG_LINE_STATEMENT_H

#include <openssl/pem.h>

/* after pem.h, or it does not say how CMS is written as PEM */
#include <openssl/cms.h>

#include "sink.h"

/* Who signs a statement, and where it goes. Borrowed. */
struct sg_statement_spec {
    const char *path;
    EVP_PKEY *key;
    X509 *certificate; /* of key: digitalSignature, and the purpose documentSigning (RFC 9336) */
    STACK_OF(X509) * chain;
};

struct sg_statement;

/* sg_statement_check holds a certificate against what is asked of who signs statements, so that no
 * device's key can. Fails: SG_REFUSED. */
SG_MUST_USE bool sg_statement_check(X509 *certificate, struct sg_error *error);

/* sg_statement_open begins one. issuing and spec are borrowed. */
SG_MUST_USE bool sg_statement_open(const struct sg_statement_spec *spec,
                                   const struct sg_issuing *issuing, bool force,
                                   struct sg_statement **statement, struct sg_error *error);
/* sg_statement_check_name: a file of that name can stand in a statement. Fails: SG_REFUSED. */
SG_MUST_USE bool sg_statement_check_name(const char *name, struct sg_error *error);
/* sg_statement_add takes one that was served, with its certificate in DER. */
SG_MUST_USE bool sg_statement_add(struct sg_statement *statement, const struct sg_served *served,
                                  struct sg_slice der, struct sg_error *error);
/* sg_statement_finish signs it and puts it in place. Fails: SG_FAILED, SG_TOKEN. */
SG_MUST_USE bool sg_statement_finish(struct sg_statement *statement, struct sg_error *error);
void sg_statement_close(struct sg_statement *statement);

typedef struct sg_statement sg_statement;
SG_DEFINE_CLEANUP(sg_statement, sg_statement_close)

/* What a folder lacks, has too much, or has otherwise. */
enum sg_statement_fault { SG_STATEMENT_MISSING, SG_STATEMENT_CHANGED, SG_STATEMENT_EXTRA };
struct sg_statement_verdict {
    uint64_t num; /* certificates of the statement */
    uint64_t faults[SG_STATEMENT_EXTRA + 1];
    struct sg_buf text; /* the JSON object that was signed */
};

/* sg_statement_verify checks who signed a statement, and the folder's .pem files against it.
 * roots    whom to trust.
 * tell     hears of each file that is not as it should be.
 * Fails: SG_REFUSED when the statement does not hold; SG_MALFORMED when it is none; SG_FAILED. */
SG_MUST_USE bool
sg_statement_verify(const char *path, const char *folder, STACK_OF(X509) * roots,
                    void (*tell)(void *context, enum sg_statement_fault fault, const char *file),
                    void *context, struct sg_statement_verdict *verdict, struct sg_error *error);

#endif
