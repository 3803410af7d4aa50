/* ceremony_screen: the people in a ceremony's room, at a terminal of 80 by 24 or anywhere else. */
#ifndef SG_CLI_CEREMONY_SCREEN_H
#define SG_CLI_CEREMONY_SCREEN_H

#include "ceremony/run.h"

struct sg_screen {
    bool is_terminal; /* then long texts wait for Enter, page by page */
    bool qr;          /* fingerprints also as QR codes */
    int rows;         /* printed since somebody last typed */
};

/* sg_screen_people: they read standard output and type at standard input, PINs at the terminal. */
struct sg_ceremony_people sg_screen_people(struct sg_screen *screen);

/* sg_screen_nobody: what a rehearsal wants that goes by itself: every answer is the right one. */
struct sg_ceremony_people sg_screen_nobody(void);

#endif
