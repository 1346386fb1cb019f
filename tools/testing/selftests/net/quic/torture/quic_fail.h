/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Fault injection, one failure at a time: the sites of a system call, which are
 * its allocations and its copies from and to userspace, fail one after the
 * other, until a call has fewer of them.
 *
 *	do {
 *		quic_fail_next(&fail);
 *		ret = call();
 *		quic_fail_end(&fail, ret);
 *		...
 *	} while (fail.hit);
 *
 * Of the failures some are told, as an error of the call, and others survived:
 * there was another way.
 */
#ifndef QUIC_FAIL_H
#define QUIC_FAIL_H

#include <stdbool.h>

#include "quic_capture.h"
#include "quic_env.h"

/*
 * A call that needs a new slab has sites that others do not have, and hides the
 * one after them.  How often to visit the sites until as many as expected were
 * told: one visit in three may miss one.
 */
#define QUIC_FAIL_PASSES	50

struct quic_fail {
	int fd;			/* fail-nth of this thread */
	unsigned int site;	/* of the call, from 1 */
	unsigned int told;
	unsigned int survived;
	bool hit;		/* the last call has reached the site */
	int err;		/* what it told, 0 if it succeeded */
};

/*
 * Returns NULL, or why it cannot be: what to skip with.  Leaves the caller on
 * one processor: each has slabs and routes of its own, and would have to make
 * them when a failure waits for something else.
 */
const char *quic_fail_open(struct quic_fail *fail);
void quic_fail_close(struct quic_fail *fail);

void quic_fail_first(struct quic_fail *fail);
void quic_fail_next(struct quic_fail *fail);
/* For calls with too many sites to visit them all: the one with number @site. */
void quic_fail_at(struct quic_fail *fail, unsigned int site);
/* @ret is negative for errno.  Nothing fails any more. */
void quic_fail_end(struct quic_fail *fail, long ret);

/* For calls between these two nothing fails, and their sites are counted. */
void quic_fail_count(struct quic_fail *fail);
unsigned int quic_fail_counted(struct quic_fail *fail);

/*
 * A user with few flows, and a socket in a network namespace of its own, where
 * flows are added to see how many there can be, and deleted.
 */
struct quic_probe {
	int fd;
	char max_flows[32];	/* to be restored */
};

/* Leaves the process in the network namespace of the probe. */
int quic_probe_open(struct quic_probe *probe);
void quic_probe_close(struct quic_probe *probe);
/* Become that user, who may have no more than @max flows. */
int quic_probe_limit(struct quic_probe *probe, const char *max);

/* What a failed call must not change */
struct quic_use {
	long flows;		/* the counters of /proc/net/quic_stat */
	long added;
	long errors;
	long packets;
	long module;		/* references, -1 if it is built in */
	long free;		/* flows that the user may still add */
	unsigned int memory;	/* charged to the socket */
};

int quic_use_get(struct quic_use *use, int fd, const struct quic_probe *probe);
/* The first difference, as "name: was 1, is 2"; NULL if they are equal. */
const char *quic_use_differs(const struct quic_use *was,
			     const struct quic_use *is);

/* What leaves through any device, searched for plain text */
struct quic_search {
	struct quic_audit *audit;
	struct quic_capture *capture;
};

/* Takes the place of @env->wire.  Before quic_probe_limit(): for root only. */
int quic_search_open(struct quic_search *search, struct quic_env *env);
void quic_search_close(struct quic_search *search);
/* How many datagrams, or fragments, since the last call; -1 if one is plain. */
int quic_search(struct quic_search *search);

#endif /* QUIC_FAIL_H */
