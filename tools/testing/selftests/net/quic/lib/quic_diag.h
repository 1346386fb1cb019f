/* SPDX-License-Identifier: GPL-2.0 */
/* What inet_diag tells of a UDP socket. */
#ifndef QUIC_DIAG_H
#define QUIC_DIAG_H

#include "quic_lib.h"

#define QUIC_DIAG_EXT(name)	(1 << (INET_DIAG_##name - 1))

/* One socket's answer */
struct quic_diag {
	bool found;			/* the socket */
	unsigned int attributes;	/* that it has, one bit each */
	bool ulp;			/* INET_DIAG_ULP_INFO */
	char name[16];
	unsigned int infos;		/* attributes in INET_ULP_INFO_QUIC */
	uint64_t info[QUIC_INFO_MAX + 1];
};

/* A socket to ask by, or -1 */
int quic_diag_open(void);
/*
 * Ask for the socket that is bound to @addr: of all, or for that @one alone.
 * @ext: QUIC_DIAG_EXT() of what is wanted.  Returns 0 or the errno.
 */
int quic_diag_ask(int nl, int family, const struct quic_addr *addr, bool one,
		  unsigned int ext, struct quic_diag *answer);

/* A message of netlink is not longer. */
#define QUIC_DIAG_SIZE	(1 << 15)
/*
 * Ask for all sockets, in messages of up to @size bytes, of which the kernel learns
 * with the first.  @answers are those of the @n that are bound to @addrs.  Returns
 * 0 or the errno; EEXIST if one of them came twice.
 */
int quic_diag_dump(int nl, int family, unsigned int ext, size_t size,
		   const struct quic_addr *addrs, unsigned int n,
		   struct quic_diag *answers);

#endif /* QUIC_DIAG_H */
