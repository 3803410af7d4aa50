/* csr_file: what a request shall say, from a small YAML file. docs/csr.md describes it. */
#ifndef SG_ENROLL_CSR_FILE_H
#define SG_ENROLL_CSR_FILE_H

#include "enroll.h"

/* What a request shall say, and the memory behind it. Zero-initialised is empty. */
struct sg_csr_content {
    struct sg_name subject;
    struct sg_sans sans;
    struct sg_oids purposes;
    unsigned key_usage;
    enum sg_scheme scheme;
};
void sg_csr_content_done(struct sg_csr_content *content);
SG_DEFINE_CLEANUP_IN_PLACE(sg_csr_content, sg_csr_content_done)

/* sg_csr_content_read fills an empty content from a file.
 * Fails: SG_INVALID "file:line:column: …", SG_FAILED when it can't be read; content is empty then.
 */
SG_MUST_USE bool sg_csr_content_read(const char *path, struct sg_csr_content *content,
                                     struct sg_error *error);

/* sg_csr_content_check: somebody is named, and every value can be encoded.
 * Fails: SG_USAGE when there is neither a subject nor an alternative name, SG_REFUSED. */
SG_MUST_USE bool sg_csr_content_check(const struct sg_csr_content *content, struct sg_error *error);

/* sg_csr_spec_of_content borrows from content. */
struct sg_csr_spec sg_csr_spec_of_content(const struct sg_csr_content *content);

#endif
