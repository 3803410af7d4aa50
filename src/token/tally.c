#include "tally.h"

#include <stdbool.h>
#include <stdio.h>

#include "rv.h"

enum { OTHER = SG_TALLY_ROWS - 1 };

/* Is it the row of rv, or free and from now on that? */
static bool is_row_of(struct sg_tally_row *row, unsigned long rv)
{
    unsigned long found = CKR_OK;

    return atomic_compare_exchange_strong(&row->rv, &found, rv) || found == rv;
}

void sg_tally_count(struct sg_tally *tally, unsigned long rv)
{
    unsigned row = 0;

    if (tally == NULL || rv == CKR_OK)
        return;
    while (row < OTHER && !is_row_of(&tally->rows[row], rv))
        row++;
    atomic_fetch_add(&tally->rows[row].num, 1);
}

void sg_tally_add_sessions(struct sg_tally *tally, long num)
{
    if (tally != NULL)
        atomic_fetch_add(&tally->num_sessions, num);
}

uint64_t sg_tally_take(struct sg_tally *tally, unsigned row, char name[SG_TALLY_NAME_SIZE])
{
    const unsigned long rv = atomic_load(&tally->rows[row].rv);
    const char *known = sg_rv_name(rv);

    if (row == OTHER)
        snprintf(name, SG_TALLY_NAME_SIZE, "other");
    else if (known != NULL)
        snprintf(name, SG_TALLY_NAME_SIZE, "%s", known);
    else
        snprintf(name, SG_TALLY_NAME_SIZE, "0x%lX", rv);
    return atomic_exchange(&tally->rows[row].num, 0);
}
