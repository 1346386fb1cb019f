/* SPDX-License-Identifier: GPL-2.0 */
/* Devices that take keys, in a race: two of them, and one that does not. */
#ifndef QUIC_RACE_NSIM_H
#define QUIC_RACE_NSIM_H

#include "quic_nsim.h"
#include "quic_race.h"

#define QUIC_RACE_NSIMS		2

struct quic_race_nsim {
	struct quic_path path;
	/* quic0, which segments trains itself, and quic2, which does not */
	struct quic_nsim nsim[QUIC_RACE_NSIMS];
	struct quic_nsim third;	/* of the namespace that comes and goes */
	struct quic_addr to;	/* by these, or by quic4, a veth */
	bool making;		/* a device, whose first name is that of all */
	int tap;		/* nobody reads it: skbs are cloned for it */
};

/*
 * As quic_race_open(), and @race->own, with the devices between there and a
 * namespace where the auditor is: taps here see what is left to a device.
 */
int quic_race_nsim_open(struct quic_race *race, int family,
			unsigned int num_flows);
/* As quic_race_close(); and each key that devices took was deleted once. */
bool quic_race_nsim_close(struct quic_race *race);

/* Remove the second device and make it once more: 0 or the errno */
int quic_race_nsim_renew(struct quic_race_nsim *own);
/* Of a device that went down, too, what it needs to send is gone. */
void quic_race_nsim_ready(const char *device);
/*
 * Leave for a new namespace, which has a third one, quic6, with a queue; and
 * come back, which is the end of both.  0 or the errno; not more than one at a time.
 */
int quic_race_nsim_leave(struct quic_race_nsim *own);
int quic_race_nsim_return(struct quic_race_nsim *own);
/* Do something with one of them: 0 or the errno */
int quic_race_nsim_write(struct quic_race_nsim *own, unsigned int which,
			 const char *knob, unsigned int value);
/* As quic_race_send(), by the device that is named */
int quic_race_nsim_send(struct quic_race *race, int fd, const char *device,
			struct quic_race_flow *flow, unsigned int *seed);
/*
 * After the race: whether each device takes the keys of the flows of
 * @race->env.tx that it can, and protects packets.
 */
bool quic_race_nsim_works(struct quic_race *race);
/* Whether all that went to devices in plain text has come to one */
bool quic_race_nsim_adds_up(struct quic_race *race);

#endif /* QUIC_RACE_NSIM_H */
