// SPDX-License-Identifier: GPL-2.0
/*
 * Send a message, and know what has arrived: of the bytes, and their order, it
 * is clear.  How GRO has put a train together is up to GRO: a look at the lengths
 * tells, which leaves no trace.
 */

#include <string.h>

#include "fuzz_fail.h"
#include "fuzz_random.h"
#include "fuzz_rx_path.h"
#include "fuzz_rx_queue.h"
#include "fuzz_rx_seal.h"
#include "fuzz_rx_send.h"
#include "fuzz_rx_sock.h"

#define PEEK	(MSG_PEEK | MSG_TRUNC)

static void send_message(const struct fuzz_rx_sealed *sealed,
			 const struct sockaddr_in6 *to)
{
	bool ipv4 = IN6_IS_ADDR_V4MAPPED(&to->sin6_addr);
	uint64_t control[8];
	struct iovec iov = { (void *)sealed->wire, sealed->len };
	struct msghdr mh = {
		.msg_name = (void *)to,
		.msg_namelen = sizeof(*to),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
	};
	uint16_t gso = sealed->stride;
	int tos = sealed->tos;

	if (sealed->count > 1)
		quic_cmsg_put(&mh, SOL_UDP, UDP_SEGMENT, &gso, sizeof(gso));
	if (tos)
		quic_cmsg_put(&mh, ipv4 ? SOL_IP : SOL_IPV6,
			      ipv4 ? IP_TOS : IPV6_TCLASS, &tos, sizeof(tos));
	fuzz_must(sendmsg(fuzz_rx_path_sender(&sealed->from), &mh, 0) ==
		  (ssize_t)sealed->len, "sendmsg");
}

/* Bytes @at to @at + @len have arrived in one message. */
static void arrived(struct fuzz_rx_sock *rx, const struct fuzz_rx_sealed *sealed,
		    const struct sockaddr_in6 *to, size_t at, size_t len)
{
	struct fuzz_rx_message *m;

	m = fuzz_rx_queue_add(rx, sealed->wire + at, len);
	m->from = sealed->from;
	m->to = to->sin6_addr;
	m->tos = sealed->tos;
	m->stride = len > sealed->stride ? sealed->stride : 0;
}

static void set_drop(const struct fuzz_rx_sock *rx, int drop)
{
	fuzz_must(!setsockopt(rx->sock.fd, SOL_UDP, UDP_QUIC_RX_DROP, &drop,
			      sizeof(drop)), "UDP_QUIC_RX_DROP");
}

static void learn(struct fuzz_rx_sock *rx, const struct fuzz_rx_sealed *sealed,
		  const struct sockaddr_in6 *to)
{
	int peek_off = rx->peek_off;
	size_t at, off;
	ssize_t len;

	if (rx->drop)
		set_drop(rx, false);
	fuzz_rx_sock_peek_off(rx, rx->bytes);
	for (at = 0; at < sealed->len; at += len) {
		/* Empty ones before it are seen, too. */
		while (fuzz_rx_queue_next(rx, true, &off) >= 0)
			fuzz_must(!recv(rx->sock.fd, NULL, 0, PEEK), "peek");
		len = recv(rx->sock.fd, NULL, 0, PEEK);
		if (len <= 0 || at + len > sealed->len ||
		    (at + len < sealed->len && len % sealed->stride))
			fuzz_fail("a message of %zd bytes at %zu of %zu, in datagrams of %zu",
				  len, at, sealed->len, sealed->stride);
		arrived(rx, sealed, to, at, len);
		fuzz_rx_queue_advance(rx, true, len);
	}
	fuzz_rx_sock_peek_off(rx, peek_off);
	if (rx->drop)
		set_drop(rx, true);
}

/* GRO takes datagrams of one message only. */
static bool is_for_gro(const struct fuzz_rx_sock *rx,
		       const struct fuzz_rx_sealed *sealed)
{
	return (fuzz_rx_shape == FUZZ_RX_GRO_FRAGS ||
		fuzz_rx_shape == FUZZ_RX_GRO_LIST) &&
	       rx->gro && sealed->count > 1;
}

void fuzz_rx_send(struct fuzz_rx_sock *rx)
{
	static struct fuzz_rx_sealed sealed;
	struct sockaddr_in6 to;
	size_t at, len, most;

	if (rx->messages + QUIC_MAX_SEGMENTS > FUZZ_RX_QUEUE ||
	    rx->bytes > FUZZ_RX_QUEUE_BYTES)
		return;
	fuzz_rx_seal(rx, &sealed, QUIC_MAX_SEGMENTS, fuzz_rx_mtu);
	to = fuzz_rx_path_to(&sealed.from);
	to.sin6_port = rx->sock.port;
	send_message(&sealed, &to);
	if (is_for_gro(rx, &sealed)) {
		learn(rx, &sealed, &to);
		return;
	}
	most = rx->gro && fuzz_rx_shape <= FUZZ_RX_LINEAR ? sealed.len :
							    sealed.stride;
	at = 0;
	do {
		len = sealed.len - at < most ? sealed.len - at : most;
		arrived(rx, &sealed, &to, at, len);
		at += len;
	} while (at < sealed.len);
}
