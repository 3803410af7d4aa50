/* libpq: PostgreSQL's client library, loaded when a store asks for it. So a machine whose store is
 * a file needs none, and the program links no network library. Private to the room.
 */
#ifndef SG_STORE_LIBPQ_H
#define SG_STORE_LIBPQ_H

#include <libpq-fe.h>

#include "base/error.h"

#define SG_LIBPQ_FUNCTIONS(X)                                                                      \
    X(PQbackendPID)                                                                                \
    X(PQclear)                                                                                     \
    X(PQcmdTuples)                                                                                 \
    X(PQconnectdbParams)                                                                           \
    X(PQconninfo)                                                                                  \
    X(PQconninfoFree)                                                                              \
    X(PQconninfoParse)                                                                             \
    X(PQenterPipelineMode)                                                                         \
    X(PQerrorMessage)                                                                              \
    X(PQexec)                                                                                      \
    X(PQfinish)                                                                                    \
    X(PQfname)                                                                                     \
    X(PQfreemem)                                                                                   \
    X(PQgetResult)                                                                                 \
    X(PQgetisnull)                                                                                 \
    X(PQgetlength)                                                                                 \
    X(PQgetvalue)                                                                                  \
    X(PQhost)                                                                                      \
    X(PQntuples)                                                                                   \
    X(PQparameterStatus)                                                                           \
    X(PQpipelineSync)                                                                              \
    X(PQresultErrorField)                                                                          \
    X(PQresultStatus)                                                                              \
    X(PQsendFlushRequest)                                                                          \
    X(PQsendPrepare)                                                                               \
    X(PQsendQueryParams)                                                                           \
    X(PQsendQueryPrepared)                                                                         \
    X(PQserverVersion)                                                                             \
    X(PQsetNoticeProcessor)                                                                        \
    X(PQstatus)

/* Each function under its own name. */
struct sg_libpq {
    void *library;
#define SG_LIBPQ_FIELD(name) __typeof__(name) *(name);
    SG_LIBPQ_FUNCTIONS(SG_LIBPQ_FIELD)
#undef SG_LIBPQ_FIELD
};

/* sg_libpq_load fills in the table. Fails: SG_STORE when the library is missing or too old. */
SG_MUST_USE bool sg_libpq_load(struct sg_libpq *libpq, struct sg_error *error);
void sg_libpq_unload(struct sg_libpq *libpq);

#endif
