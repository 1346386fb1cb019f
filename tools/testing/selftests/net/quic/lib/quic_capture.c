// SPDX-License-Identifier: GPL-2.0
/* What goes over the devices of a network namespace, for the auditor. */

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>

#include "quic_capture.h"

#define BATCH		16
#define FRAME_MAX	(1 << 17)
/* Until the auditor comes to it, which takes longer than sending does */
#define RCVBUF		(1 << 27)
/* Milliseconds: what is on its way is there then */
#define SETTLES		100

#define IPV6_HEADER	40
#define IPV6_FRAGMENT	8
#define UDP_HEADER	8

struct frame {
	struct virtio_net_hdr vnet;
	uint8_t data[FRAME_MAX];
};

/* With the watching process */
struct shared {
	bool stop;
	struct quic_audit_count count;
};

struct quic_capture {
	struct quic_audit *audit;
	int fd;
	pid_t watcher;
	struct shared *shared;
	struct frame frames[BATCH];
	struct sockaddr_ll from[BATCH];
	struct iovec iov[BATCH];
	struct mmsghdr msgs[BATCH];
};

struct quic_capture *quic_capture_open(struct quic_audit *audit)
{
	struct quic_capture *capture = calloc(1, sizeof(*capture));
	int rcvbuf = RCVBUF, one = 1, i;

	if (!capture)
		return NULL;
	capture->audit = audit;
	capture->watcher = -1;
	capture->shared = mmap(NULL, sizeof(*capture->shared),
			       PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	capture->fd = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL));
	if (capture->shared == MAP_FAILED || capture->fd < 0 ||
	    setsockopt(capture->fd, SOL_SOCKET, SO_RCVBUFFORCE, &rcvbuf,
		       sizeof(rcvbuf)) ||
	    setsockopt(capture->fd, SOL_PACKET, PACKET_VNET_HDR, &one,
		       sizeof(one))) {
		quic_capture_close(capture);
		return NULL;
	}

	for (i = 0; i < BATCH; i++) {
		struct msghdr *mh = &capture->msgs[i].msg_hdr;

		capture->iov[i].iov_base = &capture->frames[i];
		capture->iov[i].iov_len = sizeof(capture->frames[i]);
		mh->msg_iov = &capture->iov[i];
		mh->msg_iovlen = 1;
		mh->msg_name = &capture->from[i];
	}
	return capture;
}

void quic_capture_close(struct quic_capture *capture)
{
	if (capture->watcher > 0) {
		kill(capture->watcher, SIGKILL);
		waitpid(capture->watcher, NULL, 0);
	}
	if (capture->shared != MAP_FAILED)
		munmap(capture->shared, sizeof(*capture->shared));
	if (capture->fd >= 0)
		close(capture->fd);
	free(capture);
}

static void read_udp(struct quic_capture *capture, const uint8_t *udp,
		     size_t len, const struct virtio_net_hdr *vnet)
{
	size_t segment = 0, udp_len;
	in_port_t port;

	if (len < UDP_HEADER)
		return;
	memcpy(&port, udp + 2, sizeof(port));
	if ((vnet->gso_type & ~VIRTIO_NET_HDR_GSO_ECN) ==
	    VIRTIO_NET_HDR_GSO_UDP_L4)
		segment = vnet->gso_size;

	/* Ethernet pads what is short; GSO may have no length yet. */
	udp_len = udp[4] << 8 | udp[5];
	if (!segment && udp_len >= UDP_HEADER && udp_len < len)
		len = udp_len;
	quic_audit_datagram(capture->audit, port, udp + UDP_HEADER,
			    len - UDP_HEADER, segment);
}

static void read_ipv4(struct quic_capture *capture, const uint8_t *ip,
		      size_t len, const struct virtio_net_hdr *vnet)
{
	size_t header = (ip[0] & 0xf) * 4;

	if (len < header || ip[9] != IPPROTO_UDP)
		return;
	/* More fragments, or an offset */
	if (ip[6] & 0x3f || ip[7])
		quic_audit_fragment(capture->audit, ip, len);
	else
		read_udp(capture, ip + header, len - header, vnet);
}

static void read_ipv6(struct quic_capture *capture, const uint8_t *ip,
		      size_t len, const struct virtio_net_hdr *vnet)
{
	if (len < IPV6_HEADER + IPV6_FRAGMENT)
		return;
	if (ip[6] == IPPROTO_FRAGMENT)
		quic_audit_fragment(capture->audit, ip, len);
	else if (ip[6] == IPPROTO_UDP)
		read_udp(capture, ip + IPV6_HEADER, len - IPV6_HEADER, vnet);
}

static void read_frame(struct quic_capture *capture, int i)
{
	const struct sockaddr_ll *from = &capture->from[i];
	const struct frame *frame = &capture->frames[i];
	size_t len = capture->msgs[i].msg_len, link;

	/* The loopback device shows each frame twice. */
	if (from->sll_hatype == ARPHRD_LOOPBACK &&
	    from->sll_pkttype != PACKET_OUTGOING)
		return;
	link = from->sll_hatype == ARPHRD_ETHER ||
	       from->sll_hatype == ARPHRD_LOOPBACK ? ETH_HLEN : 0;
	if (len < sizeof(frame->vnet) + link + IPV6_HEADER / 2)
		return;
	len -= sizeof(frame->vnet) + link;

	if (from->sll_protocol == htons(ETH_P_IP))
		read_ipv4(capture, frame->data + link, len, &frame->vnet);
	else if (from->sll_protocol == htons(ETH_P_IPV6))
		read_ipv6(capture, frame->data + link, len, &frame->vnet);
}

unsigned int quic_capture_read(struct quic_capture *capture)
{
	struct tpacket_stats stats = {};
	socklen_t len = sizeof(stats);
	unsigned int frames = 0;
	int n, i;

	for (;;) {
		for (i = 0; i < BATCH; i++)
			capture->msgs[i].msg_hdr.msg_namelen =
				sizeof(capture->from[i]);
		n = recvmmsg(capture->fd, capture->msgs, BATCH, MSG_DONTWAIT,
			     NULL);
		if (n < 0 && errno == EAGAIN)
			break;
		/* GSO of a kind that has no name in the header */
		if (n < 0)
			quic_audit_count(capture->audit)->lost++;
		for (i = 0; i < n; i++)
			read_frame(capture, i);
		frames += n < 0 ? 0 : n;
	}

	if (!getsockopt(capture->fd, SOL_PACKET, PACKET_STATISTICS, &stats,
			&len))
		quic_audit_count(capture->audit)->lost += stats.tp_drops;
	return frames;
}

static void watch(struct quic_capture *capture)
{
	struct pollfd pollfd = { .fd = capture->fd, .events = POLLIN };
	bool stop;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* Sockets that others close have to be closed. */
	close_range(3, capture->fd - 1, 0);
	close_range(capture->fd + 1, ~0U, 0);
	do {
		stop = __atomic_load_n(&capture->shared->stop,
				       __ATOMIC_RELAXED);
		poll(&pollfd, 1, SETTLES);
		quic_capture_read(capture);
	} while (!stop);
	capture->shared->count = *quic_audit_count(capture->audit);
	_exit(0);
}

int quic_capture_watch(struct quic_capture *capture)
{
	capture->shared->stop = false;
	capture->watcher = fork();
	if (!capture->watcher)
		watch(capture);
	return capture->watcher < 0 ? -1 : 0;
}

int quic_capture_stop(struct quic_capture *capture)
{
	pid_t watcher = capture->watcher;
	int status;

	usleep(SETTLES * 1000);
	__atomic_store_n(&capture->shared->stop, true, __ATOMIC_RELAXED);
	capture->watcher = -1;
	if (waitpid(watcher, &status, 0) != watcher || status)
		return -1;
	*quic_audit_count(capture->audit) = capture->shared->count;
	return 0;
}
