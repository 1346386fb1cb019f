/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A path whose devices are a pair of netdevsim: the one here can take keys and
 * protect packets.  What it has and how it behaves is in debugfs, see
 * drivers/net/netdevsim/quic.c.
 */
#ifndef QUIC_NSIM_H
#define QUIC_NSIM_H

#include "quic_path.h"

struct quic_nsim {
	unsigned int id[2];	/* of netdevsim, here and there */
};

/*
 * All of these return -1 with errno where something is wrong.
 *
 * A pair in the namespaces of a path, linked, named like that.  Whoever made it
 * removes it: it outlives namespaces and process.  What a test that was killed
 * has left goes when the next one makes its first pair.
 */
int quic_nsim_add(struct quic_nsim *nsim, const struct quic_path *path,
		  const char *here, const char *there);
/* The same once more, after it was removed */
int quic_nsim_again(const struct quic_nsim *nsim, const struct quic_path *path,
		    const char *here, const char *there);
/* One end of it, or both */
int quic_nsim_remove_end(const struct quic_nsim *nsim, bool there);
void quic_nsim_remove(const struct quic_nsim *nsim);

/* A path with such a pair for quic0 and quic1 */
int quic_nsim_open(struct quic_nsim *nsim, struct quic_path *path);
void quic_nsim_close(const struct quic_nsim *nsim, struct quic_path *path);

/* The device here: what it has, how it is to be; -1: there is no such thing. */
long quic_nsim_read(const struct quic_nsim *nsim, const char *knob);
int quic_nsim_write(const struct quic_nsim *nsim, const char *knob,
		    unsigned int value);
/* What it is when it is @expected, or in the end. */
long quic_nsim_becomes(const struct quic_nsim *nsim, const char *knob,
		       long expected);

/* Whether a device segments UDP itself; returns how it is then. */
int quic_nsim_segments(const char *device, bool on);

#endif /* QUIC_NSIM_H */
