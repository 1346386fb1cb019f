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

static void remember_header(const uint8_t *tag)
{
	memcpy(headers.tags[headers.count++ % HEADERS], tag, TAG_SIZE);
}

static bool is_header(const uint8_t *tag)
{
	unsigned int i;

	for (i = 0; i < HEADERS && i < headers.count; i++)
		if (!memcmp(headers.tags[i], tag, TAG_SIZE))
			return true;
	return false;
}

static void make_mark(uint8_t *tag, const struct quic_offload_datagram *datagram)
{
	const struct mark mark = {
		.secret = secret,
		.packet = datagram->number << 2 | (datagram->generation & 3),
	};

	memcpy(tag, &mark, TAG_SIZE);
}

/* Of the datagram that ends there in a message; it may be in several buffers. */
static void copy_tag(const struct msghdr *msg, size_t end, uint8_t *tag,
		     bool to_msg)
{
	const struct iovec *iov = msg->msg_iov;
	size_t at = end - TAG_SIZE, i = 0;

	for (;;) {
		uint8_t *buf = iov->iov_base;

		for (; i < TAG_SIZE && at < iov->iov_len; i++, at++) {
			if (to_msg)
				buf[at] = tag[i];
			else
				tag[i] = buf[at];
		}
		if (i == TAG_SIZE)
			return;
		at -= iov++->iov_len;
	}
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

/* As if there were one buffer; where that is does not matter. */
static void flatten(struct msghdr *flat, struct iovec *whole,
		    const struct msghdr *msg)
{
	size_t i;

	*flat = *msg;
	flat->msg_iov = whole;
	flat->msg_iovlen = 1;
	whole->iov_base = flat;
	whole->iov_len = 0;
	for (i = 0; i < msg->msg_iovlen; i++)
		whole->iov_len += msg->msg_iov[i].iov_len;
}

void preload_received(int fd, const struct msghdr *msg, size_t len)
{
	struct quic_offload_datagram datagram;
	struct quic_offload_message message;
	struct quic_offload_socket *sock;
	uint8_t tag[TAG_SIZE];
	struct iovec whole;
	struct msghdr flat;
	size_t end = 0;

	if (!has_entries(msg))
		return;
	preload_lock();
	sock = preload_socket(fd);
	if (!sock)
		goto out;
	flatten(&flat, &whole, msg);
	quic_offload_received(&message, sock, &flat, len);
	while (quic_offload_next(&message, &datagram)) {
		end += datagram.len;
		if (datagram.status == QUIC_OFFLOAD_OPENED) {
			make_mark(tag, &datagram);
			copy_tag(msg, end, tag, true);
		} else if (datagram.status == QUIC_OFFLOAD_HEADER) {
			copy_tag(msg, end, tag, false);
			remember_header(tag);
		}
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
		.together = SIZE_MAX,
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
