// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Sockets: what they can do, and what is told about it */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/tls.h>

#include "quic_offload_receive.h"
#include "quic_offload_socket.h"

#define ULP_NAME	"quic-crypto"

/* Read back, since there are systems that answer 0 to any option: an error is
 * what says why, 0 that the ULP is there.  One that lies here too is found out
 * when a message has to be refused (PROOF).
 */
static int socket_attach(int fd)
{
	socklen_t len = sizeof(ULP_NAME);
	char name[sizeof(ULP_NAME)] = "";
	int err = 0;

	if (setsockopt(fd, SOL_UDP, UDP_ULP, ULP_NAME, strlen(ULP_NAME)))
		err = errno;
	if (err && err != EEXIST)
		return err;

	if (getsockopt(fd, SOL_UDP, UDP_ULP, name, &len))
		return errno;
	if (strncmp(name, ULP_NAME, sizeof(name)))
		return err ?: ENOPROTOOPT;
	return 0;
}

int quic_offload_socket_segment(const struct quic_offload_socket *sock)
{
	int size = -1;
	socklen_t len = sizeof(size);

	if (getsockopt(sock->fd, SOL_UDP, UDP_SEGMENT, &size, &len))
		return -1;
	/* Not 0, for one that says yes and does nothing */
	errno = EPROTO;
	return size <= UINT16_MAX ? size : -1;
}

/* QUIC_CAP_*; UINT32_MAX where the kernel does not tell, or only says yes. */
static uint32_t socket_ciphers(int fd)
{
	struct quic_capabilities can = { 0 };
	socklen_t len = sizeof(can);

	if (getsockopt(fd, SOL_UDP, UDP_QUIC_CAPABILITIES, &can, &len) ||
	    !can.ciphers)
		return UINT32_MAX;
	return can.ciphers;
}

bool quic_offload_socket_has_cipher(const struct quic_offload_socket *sock,
				    uint16_t cipher)
{
	switch (cipher) {
	case TLS_CIPHER_AES_GCM_128:
		return sock->ciphers & QUIC_CAP_AES_GCM_128;
	case TLS_CIPHER_AES_GCM_256:
		return sock->ciphers & QUIC_CAP_AES_GCM_256;
	case TLS_CIPHER_AES_CCM_128:
		return sock->ciphers & QUIC_CAP_AES_CCM_128;
	case TLS_CIPHER_CHACHA20_POLY1305:
		return sock->ciphers & QUIC_CAP_CHACHA20_POLY1305;
	}
	return sock->ciphers == UINT32_MAX;
}

int quic_offload_socket_add(const struct quic_offload_socket *sock, int option,
			    const struct quic_connection_info *info,
			    socklen_t len)
{
	if (!quic_offload_socket_has_cipher(sock, info->cipher_type))
		return EOPNOTSUPP;
	return setsockopt(sock->fd, SOL_UDP, option, info, len) ? errno : 0;
}

struct quic_offload_socket *quic_offload_socket_new(int fd,
						    quic_offload_notice notice,
						    void *arg)
{
	struct quic_offload_socket *sock = calloc(1, sizeof(*sock));
	int err;

	if (!sock)
		return NULL;

	sock->refs = 1;
	sock->fd = fd;
	sock->enabled = true;
	sock->rx_enabled = true;
	sock->gso = true;
	sock->notice = notice;
	sock->arg = arg;

	err = socket_attach(fd);
	sock->ulp = !err;
	if (err)
		quic_offload_socket_tell(sock, NO_ULP, err);
	else
		sock->ciphers = socket_ciphers(fd);

	/* A kernel before UDP GSO would send a train as one datagram. */
	sock->has_gso = quic_offload_socket_segment(sock) >= 0;
	if (!sock->has_gso)
		quic_offload_socket_tell(sock, NO_UDP_GSO, errno);

	return sock;
}

void quic_offload_socket_get(struct quic_offload_socket *sock)
{
	sock->refs++;
}

void quic_offload_socket_put(struct quic_offload_socket *sock)
{
	if (!--sock->refs)
		free(sock);
}

void quic_offload_socket_free(struct quic_offload_socket *sock)
{
	if (!sock)
		return;
	sock->fd = -1;
	quic_offload_socket_put(sock);
}

void quic_offload_socket_distrust(struct quic_offload_socket *sock)
{
	sock->ulp = false;
	quic_offload_socket_tell(sock, OVERLOOKED, EOPNOTSUPP);
}

void quic_offload_socket_distrust_gso(struct quic_offload_socket *sock)
{
	sock->has_gso = false;
	quic_offload_socket_tell(sock, NO_UDP_GSO, EOPNOTSUPP);
}

bool quic_offload_socket_may(const struct quic_offload_socket *sock)
{
	return sock->ulp && sock->enabled;
}

bool quic_offload_socket_enable(struct quic_offload_socket *sock, bool enable)
{
	sock->enabled = enable;
	return quic_offload_socket_may(sock);
}

bool quic_offload_socket_may_rx(const struct quic_offload_socket *sock)
{
	return sock->ulp && sock->rx_enabled;
}

bool quic_offload_socket_enable_rx(struct quic_offload_socket *sock,
				   bool enable)
{
	sock->rx_enabled = enable;
	return quic_offload_socket_may_rx(sock);
}

void quic_offload_socket_set_gso(struct quic_offload_socket *sock, bool enable)
{
	sock->gso = enable;
	if (enable)
		quic_offload_routes_forget(&sock->routes);
}

bool quic_offload_socket_gso(const struct quic_offload_socket *sock)
{
	return sock->has_gso && sock->gso;
}

void quic_offload_socket_tell(struct quic_offload_socket *sock,
			      enum quic_offload_reason reason, int err)
{
	static const struct {
		const char *what, *effect;
	} texts[] = {
		[NO_ULP] = { "kernel has no QUIC offload",
			     "packets are left to userspace" },
		[OVERLOOKED] = { "kernel overlooks UDP_QUIC_ENCRYPT",
				 "packets are protected in userspace" },
		[NO_ROOM] = { "limit user.max_quic_flows reached",
			      "some packets are left to userspace" },
		[NO_CIPHER] = { "kernel does not have the cipher of a connection",
				"its packets are left to userspace" },
		[NO_FLOW] = { "kernel did not add a QUIC flow",
			      "its packets are left to userspace" },
		[NO_MESSAGE] = { "kernel did not protect QUIC packets",
				 "such are protected in userspace" },
		[NO_GSO] = { "no UDP GSO on a route",
			     "packets are sent one by one" },
		[NO_UDP_GSO] = { "kernel has no UDP GSO",
				 "packets are sent one by one" },
		[NO_CONTROL] = { "control buffer without room for UDP_QUIC_DECRYPT",
				 "packets are opened in userspace" },
	};
	unsigned int bit = 1U << reason;
	char text[160];

	if (!sock->notice || atomic_fetch_or(&sock->told, bit) & bit)
		return;
	errno = err;
	snprintf(text, sizeof(text), "%s (%m): %s", texts[reason].what,
		 texts[reason].effect);
	sock->notice(sock->arg, text);
}

void quic_offload_socket_tell_flow(struct quic_offload_socket *sock, int err)
{
	enum quic_offload_reason reason = NO_FLOW;

	if (err == ENOBUFS)
		reason = NO_ROOM;
	else if (err == EOPNOTSUPP)
		reason = NO_CIPHER;
	quic_offload_socket_tell(sock, reason, err);
}
