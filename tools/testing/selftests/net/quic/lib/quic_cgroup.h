/* SPDX-License-Identifier: GPL-2.0 */
/* A memory cgroup of the test's own, and what its processes are charged. */
#ifndef QUIC_CGROUP_H
#define QUIC_CGROUP_H

/* NULL, or why there is none */
const char *quic_cgroup_open(void);
/* When nobody is in it any more */
void quic_cgroup_close(void);
/* Without a cgroup this does nothing. */
void quic_cgroup_join(void);
/* Bytes; near them tasks are slowed down. */
int quic_cgroup_limit(unsigned long max);

/* A number in one of its files, the one after @name; 0 without */
unsigned long quic_cgroup_read(const char *file, const char *name);

/*
 * What memory.stat says is flushed every other second, or later where
 * processors idle; and when somebody reads it, if enough is new.  After this
 * it is; call it when there is room for a megabyte in the cgroup.
 */
void quic_cgroup_flush(void);

#endif /* QUIC_CGROUP_H */
