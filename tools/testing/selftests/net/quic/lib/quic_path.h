/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A path between two network namespaces: the caller's, which sends, and one
 * that receives.  A veth pair connects them, quic0 here and quic1 there, and
 * tests put other devices on top.
 */
#ifndef QUIC_PATH_H
#define QUIC_PATH_H

#include "quic_lib.h"

/* Addresses of the pair, ending in 1 here and 2 there */
#define QUIC_PATH_IPV4		"192.0.2."
#define QUIC_PATH_IPV6		"2001:db8::"

/* The same for a batch of ip(8) */
#define QUIC_PATH_ADDRESSES(device, n)					\
	"address replace " QUIC_PATH_IPV4 n "/24 dev " device "\n"		\
	"address replace " QUIC_PATH_IPV6 n "/64 dev " device " nodad\n"

struct quic_path {
	int here, there;	/* namespaces */
	int rx;			/* of both families, receives segments one by one */
	in_port_t port;		/* its port */
	int wire[2];		/* every frame of every device here, and there */
	int tun[2];		/* ends of a tunnel, -1 without */
};

/* All of these return -1 with errno where something is wrong. */
int quic_path_open(struct quic_path *path);
/* The namespaces only, and veth pairs that connect them */
int quic_path_namespaces(struct quic_path *path);
int quic_path_veth(const struct quic_path *path, const char *here,
		   const char *there);
void quic_path_close(struct quic_path *path);

/* Enter the namespace of the receiver, or go back. */
int quic_path_enter(const struct quic_path *path, bool there);
/* Let ip(8) do what the lines of a batch say, there or here. */
int quic_path_ip(const struct quic_path *path, bool there, const char *batch);

/* One more receiver, of both families, at @port, which is told if it is 0 */
int quic_path_receiver(in_port_t *port);

/*
 * A socket of the family, and where its messages reach the receiver: at an
 * address of QUIC_PATH_IPV4 or QUIC_PATH_IPV6.
 */
int quic_path_socket(const struct quic_path *path, int family,
		     struct quic_addr *to);

/*
 * TUN devices, path0 here and path1 there, with every offload; whoever has sent
 * something carries it from the one to the other.
 */
int quic_path_tun(struct quic_path *path);
void quic_path_carry(const struct quic_path *path);

/*
 * Sends bytes until one arrives: devices are ready then, neighbours known, keys
 * negotiated.  Whatever else was on its way has been received, too.
 */
bool quic_path_reaches(const struct quic_path *path, int fd,
		       const struct quic_addr *to);

/*
 * Bytes of a message as UDP would send the protected one, without a marker;
 * returns the errno, or 0.
 */
int quic_path_send_plain(int fd, const struct quic_addr *to,
			 const struct quic_train *train);
/* Receives what it sends; returns the number of datagrams that are right. */
unsigned int quic_path_receive_plain(const struct quic_path *path,
				     const struct quic_train *train);

/* What was seen on all devices, here or there, since the last call */
struct quic_path_wire {
	unsigned int markers;		/* frames with QUIC_MARKER in them */
	unsigned int checksums;		/* of UDP that are complete */
	unsigned int wrong;		/* and wrong */
	unsigned int seeds;		/* of UDP that a device completes */
	unsigned int wrong_seeds;	/* not so that it can; outside of tunnels */
};

struct quic_path_wire quic_path_wire(const struct quic_path *path, bool there);

/* Transmit checksum offload of a device here; returns how it is then. */
int quic_path_offload(const char *device, bool on);

#endif /* QUIC_PATH_H */
