/* schema: the versions of a store's tables. Each engine has the tables in a file of its own. */
#ifndef SG_STORE_SCHEMA_H
#define SG_STORE_SCHEMA_H

enum {
    SG_SCHEMA_VERSION = 5,
    SG_SCHEMA_STATUS_COUNTED = 3, /* the first that counts changes of revocations */
    SG_SCHEMA_EVIDENCE = 5,       /* the first with tickets, PINs, approvals and cards */
};

#endif
