// SPDX-License-Identifier: GPL-2.0
/*
 * What arrives.  A protected message is what libcrypto makes of it, byte for
 * byte.  Anything else is what the twin has sent.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "fuzz_audit.h"
#include "fuzz_fail.h"
#include "fuzz_wire.h"

#define MAX_EXPECTED	1024	/* datagrams, of which one batch consists */
#define SENTINEL_PORT	19999
#define CONTROL_SIZE	96
#define BUFFER_SIZE	(8 << 20)
#define WITH_GRO	0	/* first receiver: gets trains whole */

struct arrival {
	unsigned int port;	/* which receiver */
	uint8_t *data;
	size_t len;
	in_port_t from;
	struct in6_addr source;
	uint8_t control[CONTROL_SIZE];
};

/* A datagram, or a train of them for a receiver with GRO */
struct expected {
	struct fuzz_call *call;
	const struct fuzz_message *m;
	size_t at;		/* in what the message has become */
	const uint8_t *data;
	size_t len;
	int segment;
};

static struct expected expected[FUZZ_PORTS][MAX_EXPECTED];
static unsigned int num_expected[FUZZ_PORTS];
static int rx[FUZZ_PORTS];
static int sentinel;
static uint8_t buffer[BUFFER_SIZE];
static struct arrival arrival[2 * QUIC_MAX_SEGMENTS + 2];

static int open_receiver(unsigned int i)
{
	struct sockaddr_in6 sin6 = { .sin6_family = AF_INET6,
				     .sin6_port = htons(FUZZ_FIRST_PORT + i) };
	int fd = socket(AF_INET6, SOCK_DGRAM, 0), size = BUFFER_SIZE, one = 1;
	struct timeval patience = { .tv_sec = 5 };

	fuzz_must(fd >= 0 && !bind(fd, (void *)&sin6, sizeof(sin6)) &&
		  !setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) &&
		  !setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
			      sizeof(patience)) &&
		  !setsockopt(fd, SOL_IP, IP_RECVTOS, &one, sizeof(one)) &&
		  !setsockopt(fd, SOL_IP, IP_RECVTTL, &one, sizeof(one)) &&
		  !setsockopt(fd, SOL_IPV6, IPV6_RECVTCLASS, &one, sizeof(one)) &&
		  (i != WITH_GRO ||
		   !setsockopt(fd, SOL_UDP, UDP_GRO, &one, sizeof(one))),
		  "receiver");
	return fd;
}

void fuzz_wire_open(void)
{
	struct sockaddr_in6 sin6 = { .sin6_family = AF_INET6,
				     .sin6_port = htons(SENTINEL_PORT) };
	unsigned int i;

	for (i = 0; i < FUZZ_PORTS; i++)
		rx[i] = open_receiver(i);
	sentinel = socket(AF_INET6, SOCK_DGRAM, 0);
	fuzz_must(!bind(sentinel, (void *)&sin6, sizeof(sin6)), "bind");
}

size_t fuzz_wire_protect(const struct fuzz_call *call,
			 const struct fuzz_message *m, uint8_t *wire)
{
	size_t at = 0, len, out = 0;
	unsigned int i;

	for (i = 0; i < m->count; i++, at += len) {
		len = call->len - at < m->stride ? call->len - at : m->stride;
		out += quic_oracle_protect(m->flow->key[m->phase[i]].oracle,
					   m->pn[i], m->dcid_len,
					   call->message + at, len, wire + out);
	}
	return out;
}

static int gro_size(const uint8_t *control)
{
	struct msghdr mh = { .msg_control = (void *)control,
			     .msg_controllen = CONTROL_SIZE };
	struct cmsghdr *cmsg;
	int size;

	for (cmsg = CMSG_FIRSTHDR(&mh); cmsg && cmsg->cmsg_len;
	     cmsg = CMSG_NXTHDR(&mh, cmsg))
		if (cmsg->cmsg_level == SOL_UDP && cmsg->cmsg_type == UDP_GRO) {
			memcpy(&size, CMSG_DATA(cmsg), sizeof(size));
			return size;
		}
	return 0;
}

static bool same(const struct arrival *a, const struct arrival *b)
{
	return a->port == b->port && a->len == b->len &&
	       !memcmp(&a->source, &b->source, sizeof(a->source)) &&
	       !memcmp(a->control, b->control, CONTROL_SIZE) &&
	       !memcmp(a->data, b->data, a->len);
}

void fuzz_wire_expect(struct fuzz_call *call, const struct fuzz_message *m,
		      const uint8_t *wire)
{
	unsigned int port = ntohs(m->dest.port) - FUZZ_FIRST_PORT;
	bool whole = port == WITH_GRO || m->count == 1;
	size_t at, len;

	for (at = 0; at < m->wire_len; at += len) {
		len = m->wire_len - at;
		if (!whole && len > m->gso)
			len = m->gso;
		expected[port][num_expected[port]++] = (struct expected) {
			.call = call,
			.m = m,
			.at = at,
			.data = wire + at,
			.len = len,
			.segment = whole && m->count > 1 ? m->gso : 0,
		};
	}
}

unsigned int fuzz_wire_room(void)
{
	unsigned int i, most = 0;

	for (i = 0; i < FUZZ_PORTS; i++)
		if (num_expected[i] > most)
			most = num_expected[i];
	return MAX_EXPECTED - most;
}

/* Packets of a message, which have arrived as they have to be */
static void audit(const struct fuzz_message *m, size_t at, const uint8_t *data,
		  size_t len)
{
	size_t size = m->stride + QUIC_TAG_SIZE, n;
	unsigned int i = at / size;

	for (; len; data += n, len -= n, i++) {
		n = len < size ? len : size;
		fuzz_audit_packet(m->flow->key[m->phase[i]].id, m->pn[i], data,
				  n);
	}
}

static void compare(const struct expected *e, const uint8_t *data, size_t len,
		    in_port_t from, const uint8_t *control)
{
	fuzz_current = e->call;
	if (from != e->call->sock->port)
		fuzz_fail("what arrived is of port %u", ntohs(from));
	if (len != e->len || memcmp(data, e->data, len))
		fuzz_fail("what arrived, %zu bytes, is not the %zu expected",
			  len, e->len);
	if (gro_size(control) != e->segment)
		fuzz_fail("segments of %d bytes, expected %d",
			  gro_size(control), e->segment);
	audit(e->m, e->at, data, len);
}

static void check_port(unsigned int port)
{
	static uint8_t control[MAX_EXPECTED][CONTROL_SIZE];
	static struct sockaddr_in6 name[MAX_EXPECTED];
	static struct mmsghdr mmsg[MAX_EXPECTED];
	static struct iovec iov[MAX_EXPECTED];
	int n = num_expected[port], got, i;
	uint8_t *p = buffer;

	for (i = 0; i < n; i++) {
		/* One byte more, so that a longer one shows. */
		iov[i] = (struct iovec) { p, expected[port][i].len + 1 };
		p += iov[i].iov_len;
		memset(control[i], 0, CONTROL_SIZE);
		mmsg[i].msg_hdr = (struct msghdr) {
			.msg_name = &name[i],
			.msg_namelen = sizeof(name[i]),
			.msg_iov = &iov[i],
			.msg_iovlen = 1,
			.msg_control = control[i],
			.msg_controllen = CONTROL_SIZE,
		};
	}
	got = recvmmsg(rx[port], mmsg, n, 0, NULL);
	for (i = 0; i < got; i++)
		compare(&expected[port][i], iov[i].iov_base, mmsg[i].msg_len,
			name[i].sin6_port, control[i]);
	if (got < n) {
		fuzz_current = expected[port][got < 0 ? 0 : got].call;
		fuzz_fail("%d arrived of %d", got, n);
	}
	num_expected[port] = 0;
}

void fuzz_wire_check(void)
{
	unsigned int i;

	for (i = 0; i < FUZZ_PORTS; i++)
		if (num_expected[i])
			check_port(i);
}

/* Everything up to the sentinel, which was sent last. */
static unsigned int drain(unsigned int port, unsigned int n, uint8_t **p)
{
	struct sockaddr_in6 to = { .sin6_family = AF_INET6,
				   .sin6_port = htons(FUZZ_FIRST_PORT + port),
				   .sin6_addr = IN6ADDR_LOOPBACK_INIT }, name;

	fuzz_must(sendto(sentinel, "", 1, 0, (void *)&to, sizeof(to)) == 1,
		  "sentinel");
	for (; n < ARRAY_LEN(arrival); n++) {
		struct arrival *a = &arrival[n];
		struct iovec iov = { *p, buffer + sizeof(buffer) - *p };
		struct msghdr mh = {
			.msg_name = &name,
			.msg_namelen = sizeof(name),
			.msg_iov = &iov,
			.msg_iovlen = 1,
			.msg_control = a->control,
			.msg_controllen = CONTROL_SIZE,
		};
		ssize_t len;

		memset(a->control, 0, CONTROL_SIZE);
		len = recvmsg(rx[port], &mh, 0);
		if (len < 0)
			fuzz_fail("the sentinel does not arrive");
		if (name.sin6_port == htons(SENTINEL_PORT))
			return n;
		a->port = port;
		a->data = *p;
		a->len = len;
		a->from = name.sin6_port;
		a->source = name.sin6_addr;
		*p += len;
	}
	fuzz_fail("more arrives than was sent");
}

void fuzz_wire_like_twin(const struct fuzz_call *call,
			 const struct fuzz_message *m, const uint8_t *wire)
{
	unsigned int n = 0, i, twin, ours = 0;
	uint8_t *p = buffer;
	size_t at = 0;

	for (i = 0; i < FUZZ_PORTS; i++)
		n = drain(i, n, &p);
	for (i = 0; i < n; i++)
		ours += arrival[i].from == call->sock->port;
	if (2 * ours != n)
		fuzz_fail("%u datagrams, %u of them not of the twin", n, ours);

	for (i = 0, twin = 0; i < n; i++) {
		const struct arrival *a = &arrival[i];

		if (a->from != call->sock->port)
			continue;
		while (twin < n && arrival[twin].from != call->sock->twin_port)
			twin++;
		if (twin == n || !same(a, &arrival[twin++]))
			fuzz_fail("datagram %u is not like that of the twin", i);
		if (m && (a->len > m->wire_len - at ||
			  memcmp(a->data, wire + at, a->len)))
			fuzz_fail("datagram %u differs from what was expected", i);
		if (m)
			audit(m, at, a->data, a->len);
		at += a->len;
	}
	/* It may be on its way to nowhere. */
	if (m && at && at != m->wire_len)
		fuzz_fail("%zu bytes arrived instead of %zu", at, m->wire_len);
}

ssize_t fuzz_wire_packet(uint8_t *buf, size_t size)
{
	return recv(rx[FUZZ_PORTS - 1], buf, size, 0);
}
