/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* The loop that serves all sockets and connections */
#ifndef H3_LOOP_H
#define H3_LOOP_H

#include "h3_endpoint.h"

/* Until @done says so, or a signal asks to end */
void h3_run(struct h3_endpoint *endpoint,
	    bool (*done)(struct h3_endpoint *endpoint));
/* Close what is open, print statistics, free all */
void h3_finish(struct h3_endpoint *endpoint);

#endif /* H3_LOOP_H */
