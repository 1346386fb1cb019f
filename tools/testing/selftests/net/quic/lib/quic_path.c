// SPDX-License-Identifier: GPL-2.0
/* A path between two network namespaces. */

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/time.h>
#include <unistd.h>

#include <linux/ethtool.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>

#include "quic_env.h"
#include "quic_path.h"

#define SOCKET_BUFFER	(8 << 20)
#define PATIENCE	10000000	/* microseconds */
#define SHORTLY		20000
#define PLAIN		0x5a
#define TUN_OFFLOADS	(TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 |		\
			 TUN_F_USO4 | TUN_F_USO6)

int quic_path_enter(const struct quic_path *path, bool there)
{
	return setns(there ? path->there : path->here, CLONE_NEWNET);
}

static int run_ip(const char *batch)
{
	FILE *ip = popen("ip -batch -", "w");

	if (!ip)
		return -1;
	fputs(batch, ip);
	return pclose(ip) ? -1 : 0;
}

int quic_path_ip(const struct quic_path *path, bool there, const char *batch)
{
	int ret;

	if (quic_path_enter(path, there))
		return -1;
	ret = run_ip(batch);
	return quic_path_enter(path, false) ? -1 : ret;
}

/* On all devices, also those that come later */
static int wire_open(void)
{
	struct sockaddr_ll sll = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
	};
	int size = SOCKET_BUFFER, on = 1, fd;

	fd = socket(AF_PACKET, SOCK_DGRAM, 0);
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) ||
	    setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &on, sizeof(on)) ||
	    bind(fd, (void *)&sll, sizeof(sll)))
		return -1;
	return fd;
}

static int set_patience(int fd, int us)
{
	struct timeval patience = { us / 1000000, us % 1000000 };

	return setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
			  sizeof(patience));
}

int quic_path_receiver(in_port_t *port)
{
	struct sockaddr_in6 any = {
		.sin6_family = AF_INET6,
		.sin6_port = *port,
	};
	int size = SOCKET_BUFFER, fd;
	socklen_t len = sizeof(any);

	fd = socket(AF_INET6, SOCK_DGRAM, 0);
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) ||
	    set_patience(fd, PATIENCE) ||
	    bind(fd, (void *)&any, len) ||
	    getsockname(fd, (void *)&any, &len))
		return -1;
	*port = any.sin6_port;
	return fd;
}

int quic_path_namespaces(struct quic_path *path)
{
	path->tun[0] = -1;
	path->tun[1] = -1;
	if (unshare(CLONE_NEWNET) || quic_env_loopback_up())
		return -1;
	path->there = open("/proc/self/ns/net", O_RDONLY);
	path->port = 0;
	path->rx = quic_path_receiver(&path->port);
	path->wire[1] = wire_open();
	if (unshare(CLONE_NEWNET) || quic_env_loopback_up())
		return -1;
	path->here = open("/proc/self/ns/net", O_RDONLY);
	path->wire[0] = wire_open();
	return path->there < 0 || path->rx < 0 || path->here < 0 ||
	       path->wire[0] < 0 || path->wire[1] < 0 ? -1 : 0;
}

int quic_path_veth(const struct quic_path *path, const char *here,
		   const char *there)
{
	char batch[100];

	snprintf(batch, sizeof(batch), "link add %s type veth "
		 "peer name %s netns /proc/%d/fd/%d\n", here, there, getpid(),
		 path->there);
	return quic_path_ip(path, false, batch);
}

int quic_path_open(struct quic_path *path)
{
	return quic_path_namespaces(path) ||
	       quic_path_veth(path, "quic0", "quic1") ? -1 : 0;
}

void quic_path_close(struct quic_path *path)
{
	if (path->tun[0] >= 0)
		close(path->tun[0]);
	if (path->tun[1] >= 0)
		close(path->tun[1]);
	close(path->rx);
	close(path->wire[0]);
	close(path->wire[1]);
	close(path->there);
	close(path->here);
}

int quic_path_socket(const struct quic_path *path, int family,
		     struct quic_addr *to)
{
	struct sockaddr_in6 *sin6 = (void *)&to->ss;
	struct sockaddr_in *sin = (void *)&to->ss;

	memset(to, 0, sizeof(*to));
	to->ss.ss_family = family == AF_INET ? AF_INET : AF_INET6;
	sin->sin_port = path->port;
	if (family == AF_INET) {
		to->len = sizeof(*sin);
		inet_pton(AF_INET, QUIC_PATH_IPV4 "2", &sin->sin_addr);
	} else {
		to->len = sizeof(*sin6);
		inet_pton(AF_INET6, family == AF_INET6 ? QUIC_PATH_IPV6 "2" :
			  "::ffff:" QUIC_PATH_IPV4 "2", &sin6->sin6_addr);
	}
	return socket(to->ss.ss_family, SOCK_DGRAM, 0);
}

static int tun_open(const char *device)
{
	struct ifreq ifr = { .ifr_flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR };
	int fd;

	strcpy(ifr.ifr_name, device);
	fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK);
	if (ioctl(fd, TUNSETIFF, &ifr) ||
	    ioctl(fd, TUNSETOFFLOAD, TUN_OFFLOADS))
		return -1;
	return fd;
}

int quic_path_tun(struct quic_path *path)
{
	path->tun[0] = tun_open("path0");
	if (quic_path_enter(path, true))
		return -1;
	path->tun[1] = tun_open("path1");
	if (quic_path_enter(path, false))
		return -1;
	return path->tun[0] < 0 || path->tun[1] < 0 ? -1 : 0;
}

void quic_path_carry(const struct quic_path *path)
{
	static uint8_t packet[1 << 17];
	ssize_t len;

	if (path->tun[0] < 0)
		return;
	while ((len = read(path->tun[0], packet, sizeof(packet))) > 0)
		if (write(path->tun[1], packet, len) != len)
			return;
}

bool quic_path_reaches(const struct quic_path *path, int fd,
		       const struct quic_addr *to)
{
	bool reached = false;
	uint8_t bytes[2];
	int i;

	set_patience(path->rx, SHORTLY);
	for (i = 0; i < 1000 && !reached; i++) {
		sendto(fd, "", 1, 0, (void *)&to->ss, to->len);
		quic_path_carry(path);
		reached = recv(path->rx, bytes, sizeof(bytes), 0) == 1;
	}
	if (set_patience(path->rx, PATIENCE) || !reached)
		return false;

	/* What waited for a neighbour or a key comes before this. */
	if (sendto(fd, "..", 2, 0, (void *)&to->ss, to->len) != 2)
		return false;
	quic_path_carry(path);
	do {
		i = recv(path->rx, bytes, sizeof(bytes), 0);
	} while (i == 1);
	return i == 2;
}

int quic_path_send_plain(int fd, const struct quic_addr *to,
			 const struct quic_train *train)
{
	static uint8_t bytes[1 << 16];
	struct quic_msg msg = quic_msg(fd, to, train);

	memset(bytes, PLAIN, sizeof(bytes));
	msg.buf = bytes;
	msg.len += train->count * QUIC_TAG_SIZE;
	msg.encrypts = 0;
	return quic_send(&msg) < 0 ? errno : 0;
}

unsigned int quic_path_receive_plain(const struct quic_path *path,
				     const struct quic_train *train)
{
	uint8_t bytes[2000];
	unsigned int i;
	ssize_t len;

	for (i = 0; i < train->count; i++) {
		len = train->at[i + 1] - train->at[i] + QUIC_TAG_SIZE;
		if (recv(path->rx, bytes, sizeof(bytes), 0) != len)
			break;
		while (len && bytes[len - 1] == PLAIN)
			len--;
		if (len)
			break;
	}
	return i;
}

static uint32_t add_words(uint32_t sum, const uint8_t *bytes, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		sum += i & 1 ? bytes[i] : bytes[i] << 8;
	return sum;
}

/*
 * The checksum of a frame with a whole UDP datagram; others have none.  A device
 * that is to complete it finds the sum of the pseudo header.
 */
static void check(struct quic_path_wire *wire, const uint8_t *frame, size_t len,
		  bool complete)
{
	bool ipv6 = frame[0] >> 4 == 6;
	size_t header = ipv6 ? 40 : (frame[0] & 0xf) * 4;
	uint8_t next = ipv6 ? frame[6] : frame[9];
	uint16_t field, want;
	size_t udp_len;
	uint32_t sum;

	if (ipv6 && next == IPPROTO_HOPOPTS) {
		next = frame[header];
		header += (frame[header + 1] + 1) * 8;
	}
	if (next != IPPROTO_UDP || len < header + 8 ||
	    (!ipv6 && ((frame[6] & 0x3f) | frame[7])))
		return;
	udp_len = frame[header + 4] << 8 | frame[header + 5];
	field = frame[header + 6] << 8 | frame[header + 7];
	if (udp_len > len - header || !field)
		return;

	sum = add_words(IPPROTO_UDP + udp_len, frame + (ipv6 ? 8 : 12),
			ipv6 ? 32 : 8);
	want = field;
	if (complete) {
		sum = add_words(sum, frame + header, udp_len);
		want = 0xffff;
	}
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	*(complete ? &wire->checksums : &wire->seeds) += 1;
	*(complete ? &wire->wrong : &wire->wrong_seeds) += sum != want;
}

struct quic_path_wire quic_path_wire(const struct quic_path *path, bool there)
{
	static uint8_t frame[1 << 17];
	struct {
		struct cmsghdr cmsg;
		struct tpacket_auxdata aux;
		uint64_t padding;
	} control;
	struct quic_path_wire wire = {};
	struct iovec iov = { frame, sizeof(frame) };
	struct msghdr mh = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
	};
	ssize_t len;

	for (;;) {
		mh.msg_controllen = sizeof(control);
		len = recvmsg(path->wire[there], &mh, MSG_DONTWAIT);
		/* A device that it sees may have gone down. */
		if (len < 0 && errno != ENETDOWN)
			return wire;
		if (len <= 0)
			continue;
		if (memmem(frame, len, QUIC_MARKER, QUIC_MARKER_SIZE))
			wire.markers++;
		check(&wire, frame, len,
		      !(control.aux.tp_status & TP_STATUS_CSUMNOTREADY));
	}
}

int quic_path_offload(const char *device, bool on)
{
	struct ethtool_value value = { .cmd = ETHTOOL_STXCSUM, .data = on };
	struct ifreq ifr = { .ifr_data = (void *)&value };
	int fd = socket(AF_INET, SOCK_DGRAM, 0), ret;

	strncpy(ifr.ifr_name, device, IFNAMSIZ - 1);
	ret = ioctl(fd, SIOCETHTOOL, &ifr);
	value.cmd = ETHTOOL_GTXCSUM;
	if (!ret)
		ret = ioctl(fd, SIOCETHTOOL, &ifr);
	close(fd);
	return ret ? -1 : !!value.data;
}
