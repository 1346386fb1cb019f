/* SPDX-License-Identifier: GPL-2.0 */
/* Many flows for a long time: what the processes of the load test share. */
#ifndef LOAD_H
#define LOAD_H

#include <sys/types.h>

#include "quic_audit.h"

#define LOAD_SENDERS		2	/* processes */
/*
 * Packets that may be on their way: the receiver, slowed down with the others
 * of its cgroup, has room for more.
 */
#define LOAD_BACKLOG		20000

/* Where packets go: over IPv4, over IPv6, and to where bits are wrong */
enum { LOAD_IPV4, LOAD_IPV6, LOAD_DIRTY, LOAD_WAYS };

struct load_sender {
	unsigned long packets;
	unsigned long dirty;	/* of them, where bits are wrong */
	unsigned long trains;
	unsigned long added;	/* flows */
	unsigned long deleted;
	unsigned long updates;
	unsigned long eagain;
	unsigned long enobufs;
	unsigned long enomem;	/* of ADD */
	unsigned long unexpected;	/* other errors: */
	const char *what;	/* the last of them */
	int err;
	bool parked;
};

struct load_receiver {
	unsigned long clean, dirty;	/* datagrams received */
	unsigned long sampled;		/* of those that were clean */
	unsigned long opened, bad_tag, no_key, no_flow;
	unsigned long late;		/* their key is gone */
	unsigned long spoilt;		/* not authentic, where that may be */
	unsigned long added, deleted, updates;	/* flows */
	unsigned long enomem;		/* of ADD */
	unsigned long wrong;		/* what may not be: */
	const char *what;		/* the last of it */
	unsigned long drained;		/* packets were sent when none was left */
	bool ready;
};

/* In memory that all processes share */
struct load {
	unsigned long seed;
	unsigned int flows;
	bool running;		/* else senders park */
	bool quit;
	struct quic_addr to[LOAD_WAYS];
	struct load_sender sender[LOAD_SENDERS];
	struct load_receiver receiver;
	struct quic_audit_count audited;	/* samples, of the wire */
};

/* What was sent with which result, by all senders of @load */
#define LOAD_TOTAL(load, field) ({				\
	unsigned long total_ = 0;				\
	int i_;							\
								\
	for (i_ = 0; i_ < LOAD_SENDERS; i_++)			\
		total_ += (load)->sender[i_].field;		\
	total_;							\
})

/* Processes, which do not return */
void load_send(struct load *load, unsigned int id);
/* @clean and @dirty are where it receives, samples go to @audit. */
void load_receive(struct load *load, int clean, int dirty, int audit);
void load_audit(struct load *load, int samples);

/* What packets are made of, see load_packet.c */

#define LOAD_DCID_LEN	QUIC_AUDIT_DCID_LEN
#define LOAD_MAX_HEAD	(1 + LOAD_DCID_LEN + 4 + QUIC_MARKER_SIZE)
/* Protected; it fits an MTU of 1500. */
#define LOAD_MAX_PACKET	1452
#define LOAD_BUFFER	2048	/* enough for each */
#define LOAD_SOCKETS	5	/* of a sender */

/* Flow @n has another DCID each time that it has been deleted. */
void load_dcid(uint8_t *dcid, unsigned int n, uint32_t epoch);
/* Whose is it?  False if it is none of these. */
bool load_dcid_parse(const uint8_t *dcid, unsigned int flows, unsigned int *n,
		     uint32_t *epoch);
/* A flow has one socket, and one way. */
unsigned int load_socket_of(unsigned int n);
unsigned int load_way_of(unsigned int n);
/* What is behind the head of a packet, at the same place in each */
uint8_t load_fill(size_t i);
/* A packet in plaintext, of @len bytes without tag, is what such a one is. */
bool load_is_packet(const uint8_t *packet, size_t len, uint64_t pn);
/*
 * The generation, of @count from @first on, that opens a packet as it came.
 * *@next is the number that is expected next, and becomes the one after it.
 */
#define LOAD_NOT_AUTHENTIC	(-1)
int load_find_generation(const uint8_t *packet, size_t len, uint8_t first,
			 unsigned int count, uint64_t *next);

/* load_verdict.c: say what is wrong */
bool load_adds_up(const struct load *load);
bool load_counters_are_right(const struct load *load);
bool load_no_unexpected_errors(const struct load *load);
void load_report(const struct load *load, unsigned int seconds);

/* load_net.c */

/*
 * Sender, router and receiver in namespaces of their own; the caller is left
 * in the sender's.  Opens the receiving sockets; returns 0 or -1.
 */
int load_net_open(struct load *load, int *clean, int *dirty);
/*
 * Since then: packets lost on their way, and those with wrong bits or not that
 * came where some are
 */
unsigned long load_net_lost(void);
unsigned long load_net_dirty(void);
/* A counter of the receiver's */
long load_net_stat(const char *name);

/* load_limits.c */
void load_limits_raise(void);
void load_limits_restore(void);

/* load_memory.c */

/* From now on there is not much more memory than what the cgroup has. */
int load_neighbour_limit(void);
/* The neighbour that takes memory from the senders: call it ten times a second. */
void load_neighbour_tick(void);
void load_neighbour_stop(void);

/* kB, from /proc/meminfo */
unsigned long load_meminfo(const char *name);
/* and what a process has */
unsigned long load_resident(pid_t pid);

#endif /* LOAD_H */
