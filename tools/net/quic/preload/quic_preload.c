// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * quic_preload.so: unmodified programs that use ngtcp2 leave the protection of
 * their 1-RTT packets to the kernel, and have those opened by it that come.
 *
 *	LD_PRELOAD=./quic_preload.so gtlsserver ...
 *
 * QUIC_OFFLOAD=0 in the environment switches it off, QUIC_OFFLOAD_SHORTEST=N is
 * quic_offload_conn_set_shortest().  QUIC_OFFLOAD_STATS=FILE has the numbers of
 * packets appended to FILE when the program exits; 1 stands for standard error.
 * A program that dies of a signal writes none.
 *
 * The way of a packet through it:
 *
 *	quic_preload_ngtcp2.c	ngtcp2 wants it to be encrypted
 *	quic_preload_keys.c	its connection and its key are known,
 *	quic_preload_seen.c	and how the connection sends
 *	quic_preload_deferred.c	the packet is kept here, and the program gets
 *				one of zeros that says which it stands for
 *	quic_preload_calls.c	the program sends that,
 *	quic_preload_send.c	in whose place quic_offload_send() is given the
 *				packet that was kept,
 *	quic_preload_socket.c	with what is known of the socket.
 *
 * And of one that comes:
 *
 *	quic_preload_receive.c	the program receives it, opened or not,
 *	quic_preload_opened.c	with a mark in place of the tag if it is,
 *	quic_preload_ngtcp2.c	by which ngtcp2's wish to open it is recognised;
 *				else it opens it, and the kernel is given the
 *	quic_preload_keys.c	keys of the connection.
 *
 * What a program has to send is therefore never plain text: where it goes
 * by a way that is not seen here, the peer drops it as damaged.
 *
 * In this file is what all of them need.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "quic_preload.h"

#define MAX_SAID	16

bool preload_off;
atomic_uint preload_connections;
_Thread_local bool preload_inside;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int cancel_state;	/* of the thread that has it */
static _Thread_local bool forking;
static pid_t owner;

/* Of a program that loads ngtcp2 by dlopen() nothing is found. */
void *preload_next(const char *name)
{
	void *next = dlsym(RTLD_NEXT, name);

	if (!next) {
		fprintf(stderr, "quic_preload: no %s(): preload ngtcp2 too\n",
			name);
		abort();
	}
	return next;
}

/*
 * A thread that is cancelled would keep the lock for ever.  A handler of a signal
 * that comes while the thread has it, or is about to, must not want it too.
 */
void preload_lock(void)
{
	int before;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
	preload_inside = true;
	pthread_mutex_lock(&mutex);
	cancel_state = before;
}

void preload_unlock(void)
{
	int before = cancel_state;

	pthread_mutex_unlock(&mutex);
	preload_inside = false;
	pthread_setcancelstate(before, NULL);
}

/*
 * The child has a copy of the lock, and no thread that would release it: nobody
 * is to hold it then but the thread that forks.
 */
static void before_fork(void)
{
	/* In a handler of a signal that came inside the lock */
	if (preload_inside)
		return;
	preload_lock();
	forking = true;
}

static void after_fork(void)
{
	if (!forking)
		return;
	forking = false;
	preload_unlock();
}

static void after_fork_in_child(void)
{
	owner = getpid();
	after_fork();
}

bool preload_is_owner(void)
{
	return getpid() == owner;
}

void preload_say(const char *text)
{
	static char *said[MAX_SAID];
	unsigned int i;

	for (i = 0; i < MAX_SAID && said[i]; i++)
		if (!strcmp(said[i], text))
			return;
	if (i == MAX_SAID)
		return;
	said[i] = strdup(text);
	fprintf(stderr, "quic_preload: %s\n", text);
}

__attribute__((constructor)) static void start(void)
{
	const char *offload = getenv("QUIC_OFFLOAD");

	owner = getpid();
	if ((offload && !strcmp(offload, "0")) ||
	    pthread_atfork(before_fork, after_fork, after_fork_in_child))
		preload_off = true;
}

__attribute__((destructor)) static void write_stats(void)
{
	const char *path = getenv("QUIC_OFFLOAD_STATS");
	struct preload_stats stats;
	FILE *file = stderr;

	if (!path || !preload_connections)
		return;
	if (strcmp(path, "1"))
		file = fopen(path, "a");
	if (!file)
		return;
	stats = preload_stats();
	fprintf(file, "quic_preload: %ju kernel, %ju user, %ju ready\n",
		(uintmax_t)stats.tx.kernel,
		(uintmax_t)(stats.tx.user + preload_user_packets),
		(uintmax_t)(stats.tx.ready - preload_user_packets));
	fprintf(file,
		"quic_preload: opened by kernel %ju, by user %ju, failed %ju, disagreed %ju\n",
		(uintmax_t)stats.rx.kernel, (uintmax_t)stats.rx.user,
		(uintmax_t)stats.rx.failed, (uintmax_t)stats.rx.disagreed);
	fflush(file);
}
