// SPDX-License-Identifier: GPL-2.0
/* Ethernet frames with a UDP datagram, built by hand and let in by a TAP. */

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <linux/if_tun.h>

#include "quic_frame.h"

#define ETHERNET	14
#define UDP		8
#define UDP_CHECKSUM	6

static void put16(uint8_t *to, unsigned int value)
{
	to[0] = value >> 8;
	to[1] = value;
}

static uint32_t add_words(uint32_t sum, const uint8_t *bytes, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		sum += i & 1 ? bytes[i] : bytes[i] << 8;
	return sum;
}

static uint16_t fold(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

/* Returns the length of the header, and where its addresses begin. */
static size_t put_ip(uint8_t *ip, const struct quic_addr *from,
		     const struct quic_addr *to, size_t udp_len,
		     size_t *addresses)
{
	if (to->ss.ss_family == AF_INET) {
		memset(ip, 0, 20);
		ip[0] = 0x45;
		put16(ip + 2, 20 + udp_len);
		ip[8] = 64;
		ip[9] = IPPROTO_UDP;
		memcpy(ip + 12, &((struct sockaddr_in *)&from->ss)->sin_addr, 4);
		memcpy(ip + 16, &((struct sockaddr_in *)&to->ss)->sin_addr, 4);
		put16(ip + 10, fold(add_words(0, ip, 20)));
		*addresses = 12;
		return 20;
	}
	memset(ip, 0, 40);
	ip[0] = 0x60;
	put16(ip + 4, udp_len);
	ip[6] = IPPROTO_UDP;
	ip[7] = 64;
	memcpy(ip + 8, &((struct sockaddr_in6 *)&from->ss)->sin6_addr, 16);
	memcpy(ip + 24, &((struct sockaddr_in6 *)&to->ss)->sin6_addr, 16);
	*addresses = 8;
	return 40;
}

void quic_frame_build(struct quic_frame *frame, const struct quic_addr *from,
		      const struct quic_addr *to, const void *payload,
		      size_t len)
{
	static const uint8_t macs[] = { 2, 0, 0, 0, 0, 3, 2, 0, 0, 0, 0, 4 };
	uint8_t *ip = frame->bytes + ETHERNET, *udp;
	size_t addresses, ip_len;
	uint32_t sum;

	memcpy(frame->bytes, macs, sizeof(macs));
	put16(frame->bytes + sizeof(macs),
	      to->ss.ss_family == AF_INET ? 0x0800 : 0x86dd);
	ip_len = put_ip(ip, from, to, UDP + len, &addresses);

	/* Both families have the port in one place. */
	udp = ip + ip_len;
	memcpy(udp, &((struct sockaddr_in *)&from->ss)->sin_port, 2);
	memcpy(udp + 2, &((struct sockaddr_in *)&to->ss)->sin_port, 2);
	put16(udp + 4, UDP + len);
	put16(udp + UDP_CHECKSUM, 0);
	memcpy(udp + UDP, payload, len);

	sum = add_words(IPPROTO_UDP + UDP + len, ip + addresses,
			ip_len - addresses);
	sum = fold(add_words(sum, udp, UDP + len));
	put16(udp + UDP_CHECKSUM, sum ? sum : 0xffff);

	frame->headers = ETHERNET + ip_len + UDP;
	frame->len = frame->headers + len;
	memset(&frame->hdr, 0, sizeof(frame->hdr));
}

uint8_t *quic_frame_checksum(struct quic_frame *frame)
{
	return frame->bytes + frame->headers - UDP + UDP_CHECKSUM;
}

void quic_frame_train(struct quic_frame *frame, uint8_t gso_type,
		      uint16_t gso_size)
{
	frame->hdr.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
	frame->hdr.csum_start = frame->headers - UDP;
	frame->hdr.csum_offset = UDP_CHECKSUM;
	frame->hdr.gso_type = gso_type;
	frame->hdr.gso_size = gso_size;
	frame->hdr.hdr_len = frame->headers;
}

int quic_frame_tap(const char *device, bool pieces)
{
	struct ifreq ifr = {
		.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR |
			     (pieces ? IFF_NAPI | IFF_NAPI_FRAGS : 0),
	};
	char command[100];
	int fd;

	strcpy(ifr.ifr_name, device);
	fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -1;
	snprintf(command, sizeof(command), "ip link set %s address %s mtu %u up",
		 device, QUIC_FRAME_MAC, 65535 - ETHERNET);
	if (ioctl(fd, TUNSETIFF, &ifr) || system(command)) {
		close(fd);
		return -1;
	}
	return fd;
}

int quic_frame_inject(int tap, const struct quic_frame *frame, size_t linear,
		      size_t piece)
{
	struct iovec iov[1 + QUIC_FRAME_PIECES] = {
		{ (void *)&frame->hdr, sizeof(frame->hdr) },
	};
	size_t at = 0, len = frame->headers + linear;
	int n = 1;

	while (at < frame->len) {
		if (!piece || n == QUIC_FRAME_PIECES || at + len > frame->len)
			len = frame->len - at;
		iov[n++] = (struct iovec) { (void *)frame->bytes + at, len };
		at += len;
		len = piece;
	}
	return writev(tap, iov, n) < 0 ? errno : 0;
}
