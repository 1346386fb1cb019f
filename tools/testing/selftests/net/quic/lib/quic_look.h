/* SPDX-License-Identifier: GPL-2.0 */
/* Where plain text is seen, and where not. */
#ifndef QUIC_LOOK_H
#define QUIC_LOOK_H

#include "quic_path.h"

/* Frames with QUIC_MARKER in them that were seen since the last look */
struct quic_look {
	unsigned int home;	/* leaving by the device that protects */
	unsigned int elsewhere;	/* here and there, in either direction */
	unsigned int errors;	/* of ICMP, with or without a marker; here */
	int where;		/* index of a device elsewhere */
};

/* Looks at all devices of the path; @home is the index of the one that protects. */
struct quic_look quic_look(const struct quic_path *path, unsigned int home);
/* The same at one device here, by quic_env_wire_open(), in addition to @look */
void quic_look_at(int wire, unsigned int home, struct quic_look *look);

/*
 * Receives @times every packet of @train, protected by the oracle of its phase, in
 * any order; returns how many came, and not more often than that.  Stops at the
 * first that is another.
 */
unsigned int quic_receive_times(int rx, struct quic_oracle *const phase[2],
				const struct quic_train *train,
				unsigned int times);

#endif /* QUIC_LOOK_H */
