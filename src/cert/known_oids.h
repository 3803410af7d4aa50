/* known_oids: names for OIDs that certificates of other people hold, for showing alone. What
 * policies and requests can say by a word is in model/oid.h, which is asked first. */
#ifndef SG_CERT_KNOWN_OIDS_H
#define SG_CERT_KNOWN_OIDS_H

/* sg_known_oid: what an OID stands for, in a few words, or NULL. */
const char *sg_known_oid(const char *oid);

#endif
