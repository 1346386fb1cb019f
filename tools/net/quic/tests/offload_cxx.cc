// SPDX-License-Identifier: GPL-2.0
/* The library of tools/net/quic in a C++ program: all that it declares links. */

#include <arpa/inet.h>
#include <cerrno>
#include <cstring>
#include <iostream>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "quic_offload_receive.h"

static const size_t HEADER_LEN = 1 + 4 + 2, LEN = 100;

/* Not what RFC 9001 has in mind, but seen at the receiver */
static int protect(void *arg, const quic_offload_keys *keys, uint8_t *packet,
		   size_t header_len, size_t len, uint64_t number)
{
	int *calls = static_cast<int *>(arg);

	++*calls;
	std::memset(packet + header_len, keys->generation + number,
		    len - header_len + QUIC_OFFLOAD_TAG_SIZE);
	return 0;
}

static void notice(void *, const char *text)
{
	std::cout << "# " << text << std::endl;
}

static bool works(int fd)
{
	uint8_t data[LEN] = { 0x41, 1, 2, 3, 4, 0, 7 }, seen[2 * LEN];
	quic_offload_packet packet = quic_offload_packet();
	quic_offload_keys keys = quic_offload_keys();
	quic_offload_socket *sock;
	quic_offload_conn *conn;
	msghdr to = msghdr();
	int calls = 0;
	bool ok;

	packet.data = data;
	packet.len = sizeof(data);
	packet.number = 7;
	packet.dcid_len = 4;

	sock = quic_offload_socket_new(fd, notice, NULL);
	conn = quic_offload_conn_new(protect, &calls);
	ok = sock && conn && !quic_offload_conn_set_keys(conn, &keys) &&
	     !quic_offload_socket_enable(sock, false);
	quic_offload_socket_set_gso(sock, false);
	ok = ok && quic_offload_send(sock, conn, &to, 0, &packet, 1) == 1 &&
	     recv(fd, seen, sizeof(seen), MSG_DONTWAIT) ==
	     LEN + QUIC_OFFLOAD_TAG_SIZE && calls == 1 &&
	     !std::memcmp(seen, data, HEADER_LEN) && seen[HEADER_LEN] == 7 &&
	     quic_offload_conn_stats(conn)->user == 1;
	quic_offload_conn_retire(conn, data + 1, 4);
	quic_offload_conn_free(conn);
	quic_offload_socket_free(sock);
	return ok;
}

/* What was sent to itself is received, and opened by nobody. */
static bool receives(int fd)
{
	uint8_t data[LEN] = { 0x41, 1, 2, 3, 4, 0, 7 }, seen[2 * LEN];
	quic_offload_datagram datagram = quic_offload_datagram();
	quic_offload_packet packet = quic_offload_packet();
	quic_offload_keys keys = quic_offload_keys();
	uint64_t control[QUIC_OFFLOAD_RX_CONTROL / 8];
	const quic_offload_rx_stats *stats;
	quic_offload_message message;
	quic_offload_socket *sock;
	quic_offload_conn *conn;
	msghdr msg = msghdr();
	iovec iov = { seen, sizeof(seen) };
	ssize_t len;
	bool ok;

	packet.data = data;
	packet.len = sizeof(data);
	packet.number = 7;
	packet.dcid_len = 4;
	msg.msg_iov = &iov;
	msg.msg_iovlen = 1;
	msg.msg_control = control;
	msg.msg_controllen = sizeof(control);

	sock = quic_offload_socket_new(fd, notice, NULL);
	conn = quic_offload_conn_new(NULL, NULL);
	ok = sock && conn && !quic_offload_conn_set_rx_keys(conn, &keys) &&
	     quic_offload_conn_set_rx_keys(conn, &keys) == -EINVAL &&
	     !quic_offload_socket_enable_rx(sock, false) &&
	     send(fd, data, sizeof(data), 0) == LEN;
	len = ok ? recvmsg(fd, &msg, MSG_DONTWAIT) : -1;
	ok = ok && len == LEN;
	if (ok) {
		quic_offload_received(&message, sock, &msg, len);
		ok = quic_offload_next(&message, &datagram) &&
		     datagram.data == seen && datagram.len == LEN &&
		     datagram.status == QUIC_OFFLOAD_SEALED &&
		     !datagram.from &&
		     !quic_offload_agree(conn, &datagram, 7, 0) &&
		     quic_offload_failed(conn, &datagram);
		quic_offload_opened(sock, conn, 0, &datagram, &packet);
		ok = ok && !quic_offload_next(&message, &datagram);
	}
	stats = quic_offload_conn_rx_stats(conn);
	ok = ok && !stats->kernel && stats->user == 1 && stats->failed == 1 &&
	     stats->disagreed == 1;
	quic_offload_conn_retire_rx(conn, data + 1, 4);
	quic_offload_conn_free(conn);
	quic_offload_socket_free(sock);
	return ok;
}

int main()
{
	sockaddr_in self = sockaddr_in();
	socklen_t self_len = sizeof(self);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	bool ok;

	/* Its own peer */
	self.sin_family = AF_INET;
	self.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ok = !bind(fd, (sockaddr *)&self, sizeof(self)) &&
	     !getsockname(fd, (sockaddr *)&self, &self_len) &&
	     !connect(fd, (sockaddr *)&self, sizeof(self)) && works(fd) &&
	     receives(fd);
	close(fd);

	std::cout << "TAP version 13\n1..1\n" << (ok ? "ok" : "not ok")
		  << " 1 C++" << std::endl;
	return !ok;
}
