/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Races: parties that do what they do again and again, at the same time, while
 * an auditor watches the devices.
 */
#ifndef QUIC_RACE_H
#define QUIC_RACE_H

#include <stdlib.h>

#include "quic_capture.h"
#include "quic_env.h"

/* Seconds that a test with one race may take, however long it was asked for */
#define QUIC_RACE_TIMEOUT	7200

/* A flow that parties send on, in shared memory */
struct quic_race_flow {
	struct quic_dcid dcid;
	uint64_t next;		/* packet number: each is used in one call */
	uint8_t generation;
};

struct quic_race {
	struct quic_env env;
	struct quic_audit *audit;
	struct quic_capture *capture;
	struct quic_race_flow *flows;	/* not added to any socket */
	unsigned int num_flows;
	void *own;		/* what else the parties need */
	bool brief;		/* unless more is asked for, half the time will do */
	int max_flows;		/* to be restored */
	int flows_free;		/* that were left to this user */
	int module_users;
};

struct quic_race_party {
	const char *name;
	/* Do it once: 0, or the errno that it failed with. */
	int (*act)(struct quic_race *race, unsigned int *seed);
	const int *errs;	/* it may fail with, 0 at the end */
	unsigned int count;	/* of such parties */
	bool may_fail_always;
};

/* In a network namespace of its own; -1 with errno if something is wrong. */
int quic_race_open(struct quic_race *race, int family, unsigned int num_flows);
/*
 * To be called when all sockets but those of @race->env are closed: whether
 * everything that they had has come back.
 */
bool quic_race_close(struct quic_race *race);
/* The limit of flows until then */
int quic_race_limit(unsigned int max_flows);

/*
 * Run the parties for QUIC_TORTURE_SECONDS: as processes that share their
 * descriptors and as threads, anywhere and each on one processor.  On a slow
 * machine it takes longer, until each has succeeded at least once.
 * Returns whether nobody met an error that is not among those named, each
 * succeeded at least once, and the auditor is content.
 */
bool quic_race_run(struct quic_race *race,
		   const struct quic_race_party *parties, unsigned int count);

/* A descriptor that changes its socket: the old one is closed, for everyone. */
#define QUIC_RACE_SLOT	100
int quic_race_put_in_slot(int fd);

/* Unload the module: 0 or the errno.  Why that cannot be tried, or NULL */
int quic_race_unload(struct quic_race *race, unsigned int *seed);
const char *quic_race_has_no_module(void);

/* Memory that the parties share */
void *quic_race_alloc(size_t size);

void quic_race_flow_init(struct quic_race_flow *flow, unsigned int which);
/* One of @race's */
struct quic_race_flow *quic_race_any_flow(const struct quic_race *race,
					  unsigned int *seed);

/* These return 0 or the errno; flows are for any destination. */
int quic_race_attach(int fd);
int quic_race_add_flows(const struct quic_race *race, int fd);
int quic_race_flow_add(int fd, const struct quic_race_flow *flow,
		       uint8_t generation);
int quic_race_flow_del(int fd, const struct quic_race_flow *flow);
/* Ask for what is known of it, @direction: QUIC_CAP_TX or QUIC_CAP_RX */
int quic_race_flow_look(int fd, const struct quic_race_flow *flow,
			uint8_t direction);
/*
 * Parties for the flows of @race->env.tx: a key update, which is a new flow after
 * it was deleted; and that.
 */
int quic_race_update(struct quic_race *race, unsigned int *seed);
int quic_race_delete(struct quic_race *race, unsigned int *seed);
/* A party that asks inet_diag for all sockets */
int quic_race_diag(struct quic_race *race, unsigned int *seed);

/* The first of enough numbers for a train, which nobody else gets */
uint64_t quic_race_numbers(struct quic_race_flow *flow);
/* A train of some packets, unlike any others, with the numbers from @pn on */
void quic_race_train(struct quic_train *train,
		     const struct quic_race_flow *flow, uint64_t pn,
		     unsigned int *seed);
/* A train with the next numbers: 0 or the errno */
int quic_race_send(int fd, const struct quic_addr *to,
		   struct quic_race_flow *flow, unsigned int *seed);

#endif /* QUIC_RACE_H */
