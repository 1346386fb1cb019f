// SPDX-License-Identifier: GPL-2.0
/*
 * One call of the interface, made by a program of 32 bits: compat.c runs this
 * with a socket that it has made and connected.  Exits with the errno, 0 if
 * the call did what it should.
 *
 *   compat32 FD add|del|del-all|probe
 *   compat32 FD getsockopt OPTION < VALUE > VALUE
 *   compat32 FD send PACKET_NUMBER SEGMENT_SIZE < PLAINTEXT
 *   compat32 FD uring PACKET_NUMBER SEGMENT_SIZE < PLAINTEXT
 *   compat32 FD receive|receive-uring FROM TO > MESSAGES
 *
 * "uring" sends by io_uring, and writes a byte when it has asked for it. The
 * last ones receive a message for each length of the control buffer, from FROM
 * to TO, and write of each a struct quic_compat_received.
 */

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <netinet/in.h>

#include <linux/quic.h>
#include <linux/udp.h>

#include "quic_compat.h"
#include "quic_example.h"
#include "quic_uring.h"

static int del(int fd)
{
	struct quic_connection_info info = {};

	info.key.conn_id_length = conn_id_len;
	memcpy(info.key.conn_id + sizeof(info.key.conn_id) - conn_id_len,
	       conn_id, conn_id_len);
	return setsockopt(fd, IPPROTO_UDP, UDP_QUIC_DEL_TX_CONNECTION, &info,
			  sizeof(info));
}

static int probe(int fd)
{
	socklen_t len = 16;
	char name[16];

	if (getsockopt(fd, IPPROTO_UDP, UDP_ULP, name, &len))
		return -1;
	errno = ENOMSG;
	return len == sizeof(name) && !strcmp(name, "quic-crypto") ? 0 : -1;
}

/* Of as many bytes as come; as many go as the kernel says. */
static int get_option(int fd, int option)
{
	char value[256];
	ssize_t size = read(0, value, sizeof(value));
	socklen_t len = size;

	if (size < 0 || getsockopt(fd, IPPROTO_UDP, option, value, &len))
		return -1;
	errno = EIO;
	return len <= size && write(1, value, len) == (ssize_t)len ? 0 : -1;
}

/* Returns as sendmsg() does. */
static ssize_t send_by_uring(int fd, const struct msghdr *mh)
{
	struct quic_uring ring;
	int ret;

	if (quic_uring_open(&ring, 1))
		return -1;
	quic_uring_queue(&ring, IORING_OP_SENDMSG, fd, mh, 0, 0, 0);
	if (quic_uring_enter(&ring, 1, 0) != 1 || write(1, "", 1) != 1)
		return -1;
	ret = quic_uring_result(&ring, NULL);
	if (ret < 0)
		errno = -ret;
	return ret;
}

/* The segment size comes first: the kernel has to find what follows. */
static int send_train(int fd, bool uring, uint64_t pn, uint16_t gso)
{
	static char plaintext[1 << 16];
	char control[CMSG_SPACE(sizeof(gso)) +
		     CMSG_SPACE(sizeof(struct quic_tx_ancillary_data))]
		__attribute__((aligned(8)));
	struct iovec iov = { .iov_base = plaintext };
	struct msghdr mh = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct quic_tx_ancillary_data *data;
	struct cmsghdr *cmsg;
	ssize_t len;

	while ((len = read(0, plaintext + iov.iov_len,
			   sizeof(plaintext) - iov.iov_len)) > 0)
		iov.iov_len += len;

	memset(control, 0, sizeof(control));
	cmsg = CMSG_FIRSTHDR(&mh);
	cmsg->cmsg_level = IPPROTO_UDP;
	cmsg->cmsg_type = UDP_SEGMENT;
	cmsg->cmsg_len = CMSG_LEN(sizeof(gso));
	memcpy(CMSG_DATA(cmsg), &gso, sizeof(gso));

	cmsg = CMSG_NXTHDR(&mh, cmsg);
	cmsg->cmsg_level = IPPROTO_UDP;
	cmsg->cmsg_type = UDP_QUIC_ENCRYPT;
	cmsg->cmsg_len = CMSG_LEN(sizeof(*data));
	data = (void *)CMSG_DATA(cmsg);
	data->next_pkt_num = pn;
	data->conn_id_length = conn_id_len;

	errno = ENOMSG;
	len = uring ? send_by_uring(fd, &mh) : sendmsg(fd, &mh, 0);
	return len == (ssize_t)iov.iov_len ? 0 : -1;
}

/* Returns as recvmsg() does; @ring NULL: by recvmsg() */
static ssize_t receive_one(int fd, struct quic_uring *ring, struct msghdr *mh)
{
	int ret;

	if (!ring)
		return recvmsg(fd, mh, MSG_DONTWAIT);
	quic_uring_queue(ring, IORING_OP_RECVMSG, fd, mh, MSG_DONTWAIT, 0, 0);
	if (quic_uring_enter(ring, 1, 0) != 1)
		return -1;
	ret = quic_uring_result(ring, NULL);
	if (ret < 0)
		errno = -ret;
	return ret < 0 ? -1 : ret;
}

static int receive(int fd, bool uring, uint32_t room, uint32_t to)
{
	static struct quic_compat_received received;
	struct quic_uring ring;

	if (uring && quic_uring_open(&ring, 1))
		return -1;
	for (; room <= to; room++) {
		struct iovec iov = {
			.iov_base = received.buf,
			.iov_len = sizeof(received.buf),
		};
		struct msghdr mh = {
			.msg_iov = &iov,
			.msg_iovlen = 1,
			.msg_control = received.control,
			.msg_controllen = room,
		};

		memset(&received, 0xa5, sizeof(received));
		received.room = room;
		received.ret = receive_one(fd, uring ? &ring : NULL, &mh);
		if (received.ret < 0)
			received.ret = -errno;
		received.flags = mh.msg_flags;
		received.control_len = mh.msg_controllen;
		errno = EIO;
		if (write(1, &received, sizeof(received)) != sizeof(received))
			return -1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	int fd, ret = -1;

	errno = ENOSYS;
	if (argc < 3)
		return errno;
	fd = atoi(argv[1]);
	if (!strcmp(argv[2], "add"))
		ret = quic_example_add(fd);
	else if (!strcmp(argv[2], "del"))
		ret = del(fd);
	else if (!strcmp(argv[2], "del-all"))
		ret = setsockopt(fd, IPPROTO_UDP, UDP_QUIC_DEL_TX_CONNECTION,
				 NULL, 0);
	else if (!strcmp(argv[2], "probe"))
		ret = probe(fd);
	else if (argc == 4 && !strcmp(argv[2], "getsockopt"))
		ret = get_option(fd, atoi(argv[3]));
	else if (argc == 5 && !strncmp(argv[2], "receive", 7))
		ret = receive(fd, !strcmp(argv[2], "receive-uring"),
			      strtoul(argv[3], NULL, 0),
			      strtoul(argv[4], NULL, 0));
	else if (argc == 5)
		ret = send_train(fd, !strcmp(argv[2], "uring"),
				 strtoull(argv[3], NULL, 0),
				 strtoul(argv[4], NULL, 0));
	return ret ? errno : 0;
}
