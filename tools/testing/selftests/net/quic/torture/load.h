/* SPDX-License-Identifier: GPL-2.0 */
/* Many flows for a long time: what the processes of the load test share. */
#ifndef LOAD_H
#define LOAD_H

#include <sys/types.h>

#include "quic_audit.h"

#define LOAD_SENDERS		2	/* processes */
#define LOAD_SAMPLE		50	/* of so many packets one is opened */

struct load_sender {
	unsigned long packets;
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

/* In memory that all processes share */
struct load {
	unsigned long seed;
	unsigned int flows;
	bool running;		/* else senders park */
	bool quit;
	struct quic_addr to[2];	/* IPv4, IPv6 */
	struct load_sender sender[LOAD_SENDERS];
	struct quic_audit_count received;
};

/* load_send.c, load_receive.c: processes, which do not return */
void load_send(struct load *load, unsigned int id);
void load_receive(struct load *load, int fd);

/* load_net.c */

/*
 * Sender, router and receiver in namespaces of their own; the caller is left
 * in the sender's.  Returns the receiving socket, or -1.
 */
int load_net_open(struct load *load);
/* Datagrams that reached UDP of the receiver, and packets lost on their way */
unsigned long load_net_arrived(void);
unsigned long load_net_lost(void);

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
