// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Datagrams that the kernel has opened, on their way through the program.
 *
 * ngtcp2 gets a datagram from the program, which may have copied it, and not what
 * recvmsg() said about it.  So it is written where the tag was: a number that only
 * this process knows, then the packet number and two bits of the generation.
 *
 * Where the kernel had no key, and opened the header alone, the tag is the packet's
 * and has to stay.  Few come like that: the last such tags are remembered.
 */
#include <string.h>
#include <sys/random.h>

#include "quic_preload.h"
#include "quic_preload_opened.h"

#define TAG_SIZE	QUIC_OFFLOAD_TAG_SIZE
#define HEADERS		128	/* as many as a message has */

struct mark {
	uint64_t secret;
	uint64_t packet;	/* number << 2 | generation & 3 */
};
_Static_assert(sizeof(struct mark) == TAG_SIZE, "struct mark");

static uint64_t secret;

static struct {
	uint8_t tags[HEADERS][TAG_SIZE];
	unsigned int count;
} headers;

static _Thread_local int received_on = -1;

__attribute__((constructor)) static void make_secret(void)
{
	if (getrandom(&secret, sizeof(secret), 0) != sizeof(secret))
		preload_off = true;
}

bool preload_expects(int fd)
{
	received_on = fd;
	return !preload_off && !preload_inside && preload_knows_socket(fd);
}

int preload_received_on(void)
{
	return received_on;
}

static void remember_header(const struct quic_offload_datagram *datagram)
{
	memcpy(headers.tags[headers.count++ % HEADERS],
	       datagram->data + datagram->len - TAG_SIZE, TAG_SIZE);
}

static bool is_header(const uint8_t *tag)
{
	unsigned int i;

	for (i = 0; i < HEADERS && i < headers.count; i++)
		if (!memcmp(headers.tags[i], tag, TAG_SIZE))
			return true;
	return false;
}

static void mark(const struct quic_offload_datagram *datagram)
{
	const struct mark mark = {
		.secret = secret,
		.packet = datagram->number << 2 | (datagram->generation & 3),
	};

	memcpy(datagram->data + datagram->len - TAG_SIZE, &mark, TAG_SIZE);
}

static bool has_entries(const struct msghdr *msg)
{
	struct msghdr *mh = (struct msghdr *)msg;
	struct cmsghdr *cmsg;

	for (cmsg = CMSG_FIRSTHDR(mh); cmsg; cmsg = CMSG_NXTHDR(mh, cmsg))
		if (preload_is_entries(cmsg))
			return true;
	return false;
}

void preload_received(int fd, const struct msghdr *msg, size_t len)
{
	struct quic_offload_datagram datagram;
	struct quic_offload_message message;
	struct quic_offload_socket *sock;

	if (!has_entries(msg))
		return;
	preload_lock();
	sock = preload_socket(fd);
	if (!sock)
		goto out;
	quic_offload_received(&message, sock, msg, len);
	while (quic_offload_next(&message, &datagram)) {
		if (datagram.status == QUIC_OFFLOAD_OPENED)
			mark(&datagram);
		else if (datagram.status == QUIC_OFFLOAD_HEADER)
			remember_header(&datagram);
	}
out:
	preload_unlock();
}

void preload_recognise(const uint8_t *data, size_t len,
		       struct quic_offload_datagram *datagram)
{
	struct mark mark;

	*datagram = (struct quic_offload_datagram) {
		.data = (uint8_t *)data,
		.len = len,
	};
	if (len < TAG_SIZE)
		return;
	memcpy(&mark, data + len - TAG_SIZE, TAG_SIZE);
	if (mark.secret == secret) {
		datagram->status = QUIC_OFFLOAD_OPENED;
		datagram->number = mark.packet >> 2;
		datagram->generation = mark.packet & 3;
	} else if (headers.count && is_header(data + len - TAG_SIZE)) {
		datagram->status = QUIC_OFFLOAD_HEADER;
	}
}
