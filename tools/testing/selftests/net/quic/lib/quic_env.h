/* SPDX-License-Identifier: GPL-2.0 */
/* Where a test runs: a network namespace, two sockets and a look at the wire. */
#ifndef QUIC_ENV_H
#define QUIC_ENV_H

#include "quic_lib.h"

/* IPv4 from an IPv6 socket, besides AF_INET and AF_INET6 */
#define QUIC_MAPPED	-1

struct quic_env {
	int family;
	int tx;			/* not bound, not connected */
	int rx;			/* receives segments one by one */
	int wire;		/* every frame that leaves */
	struct quic_addr to;	/* @rx, as @tx names it */
};

/*
 * All of these return -1 with errno where something is wrong.  The namespace
 * is left with the process: the harness gives each test one of its own.
 */
int quic_env_open(struct quic_env *env, int family);
void quic_env_close(struct quic_env *env);

/* A sending socket as @env->tx is one. */
int quic_env_socket(const struct quic_env *env);
/* One more receiver; @to is its address. */
int quic_env_receiver(const struct quic_env *env, struct quic_addr *to);

/*
 * Fill the send buffer of @env->tx, made as small as can be, with datagrams
 * that wait for a neighbour; and let them go.  Once more, as often as you like.
 */
int quic_env_fill(const struct quic_env *env);
int quic_env_drain(const struct quic_env *env);
/* Where those datagrams go, and others may follow: nobody is there. */
struct quic_addr quic_env_away(const struct quic_env *env);

int quic_env_write_file(const char *path, const char *value);
/* The number at its start, or after @name; 0 without */
unsigned long quic_env_read_number(const char *path, const char *name);

struct quic_wire {
	unsigned int frames;	/* UDP, or fragments of it, on the loopback */
	bool marker;		/* QUIC_MARKER was seen */
};

/* In a network namespace that has just come */
int quic_env_loopback_up(void);
/* Every frame that leaves through @device, from the network header on */
int quic_env_wire_open(const char *device);
/* UDP, or a fragment of it */
bool quic_env_is_udp(const uint8_t *frame, ssize_t len);
/* What left since the last call. */
struct quic_wire quic_env_wire(const struct quic_env *env);

#endif /* QUIC_ENV_H */
