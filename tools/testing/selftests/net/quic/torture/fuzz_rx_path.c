// SPDX-License-Identifier: GPL-2.0
/* What messages go through: a veth pair, whose features shape them */

#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <linux/ethtool.h>

#include "fuzz_dest.h"
#include "fuzz_fail.h"
#include "fuzz_rx_path.h"
#include "quic_rx_path.h"

#define HERE	"quic0"
#define THERE	"quic1"

enum fuzz_rx_shape fuzz_rx_shape;
size_t fuzz_rx_mtu;

/* Peers, those of IPv4 first, and where each of them sends to */
static const struct {
	const char *from, *to;
} addresses[FUZZ_ADDRESSES] = {
	{ "::ffff:192.0.2.1", "::ffff:192.0.2.2" },
	{ "::ffff:192.0.2.3", "::ffff:192.0.2.4" },
	{ "2001:db8::1", "2001:db8::2" },
	{ "fe80::1", "fe80::2" },
};

static const char here[] =
	"link set " HERE " address 02:00:00:00:00:01 addrgenmode none up\n"
	"address add 192.0.2.1/24 dev " HERE "\n"
	"address add 192.0.2.3/24 dev " HERE "\n"
	"address add 2001:db8::1/64 dev " HERE " nodad\n"
	"address add fe80::1/64 dev " HERE " nodad\n"
	"neigh replace 192.0.2.2 lladdr 02:00:00:00:00:02 dev " HERE "\n"
	"neigh replace 192.0.2.4 lladdr 02:00:00:00:00:02 dev " HERE "\n"
	"neigh replace 2001:db8::2 lladdr 02:00:00:00:00:02 dev " HERE "\n"
	"neigh replace fe80::2 lladdr 02:00:00:00:00:02 dev " HERE "\n";
static const char there[] =
	"link set " THERE " address 02:00:00:00:00:02 addrgenmode none up\n"
	"address add 192.0.2.2/24 dev " THERE "\n"
	"address add 192.0.2.4/24 dev " THERE "\n"
	"address add 2001:db8::2/64 dev " THERE " nodad\n"
	"address add fe80::2/64 dev " THERE " nodad\n";

static struct quic_rx_path path;
static uint32_t index_here;
static int senders[FUZZ_ADDRESSES][FUZZ_PORTS];

static int new_namespace(void)
{
	int fd;

	fuzz_must(!unshare(CLONE_NEWNET), "new network namespace");
	fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	fuzz_must(fd >= 0, "/proc/self/ns/net");
	return fd;
}

static void open_senders(void)
{
	unsigned int i, j;

	for (i = 0; i < FUZZ_ADDRESSES; i++) {
		for (j = 0; j < FUZZ_PORTS; j++) {
			struct sockaddr_in6 sin6 = {
				.sin6_family = AF_INET6,
				.sin6_port = htons(FUZZ_FIRST_PORT + j),
				.sin6_scope_id = index_here,
			};
			int fd = socket(AF_INET6, SOCK_DGRAM, 0);

			inet_pton(AF_INET6, addresses[i].from, &sin6.sin6_addr);
			fuzz_must(!bind(fd, (void *)&sin6, sizeof(sin6)),
				  "bind a sender");
			senders[i][j] = fd;
		}
	}
}

void fuzz_rx_path_open(void)
{
	char batch[100];
	unsigned int i;

	path.path.there = new_namespace();
	path.path.here = new_namespace();
	snprintf(batch, sizeof(batch), "link add " HERE " type veth "
		 "peer name " THERE " netns /proc/%d/fd/%d\n", getpid(),
		 path.path.there);
	fuzz_must(!quic_path_ip(&path.path, false, batch) &&
		  !quic_path_ip(&path.path, true, there) &&
		  !quic_path_ip(&path.path, false, here), "veth");
	index_here = if_nametoindex(HERE);
	open_senders();
	fuzz_must(!quic_path_enter(&path.path, true), "receiver's namespace");
	fuzz_lo = if_nametoindex(THERE);
	for (i = 0; i < FUZZ_ADDRESSES; i++)
		fuzz_dest_address[i] = addresses[i].from;
}

static void feature(bool on_receiver, unsigned int set, unsigned int get,
		    bool on)
{
	fuzz_must(!quic_rx_path_feature(&path, on_receiver, set, get, on),
		  "feature of the veth pair");
}

static void segments(const char *most)
{
	char batch[100];

	snprintf(batch, sizeof(batch), "link set " HERE " gso_max_segs %s\n",
		 most);
	fuzz_must(!quic_rx_path_ip(&path, false, batch), batch);
}

void fuzz_rx_path_change(enum fuzz_rx_shape shape, size_t mtu)
{
	fuzz_must(!quic_rx_path_mtu(&path, mtu), "MTU");
	fuzz_rx_mtu = mtu;
	if (shape == fuzz_rx_shape)
		return;

	/* As veth is by itself, and then what is else */
	feature(false, ETHTOOL_STXCSUM, ETHTOOL_GTXCSUM, true);
	feature(false, ETHTOOL_SSG, ETHTOOL_GSG, true);
	feature(false, ETHTOOL_STSO, ETHTOOL_GTSO, true);
	feature(true, ETHTOOL_SGRO, ETHTOOL_GGRO, false);
	if (fuzz_rx_shape == FUZZ_RX_GRO_FRAGS)
		segments("65535");
	if (shape == FUZZ_RX_LINEAR || shape == FUZZ_RX_GRO_LIST)
		feature(false, ETHTOOL_SSG, ETHTOOL_GSG, false);
	if (shape == FUZZ_RX_GRO_FRAGS) {
		/* The sender's TSO keeps veth from GRO. */
		feature(false, ETHTOOL_STSO, ETHTOOL_GTSO, false);
		segments("1");
	}
	if (shape == FUZZ_RX_GRO_LIST || shape == FUZZ_RX_SINGLE)
		feature(false, ETHTOOL_STXCSUM, ETHTOOL_GTXCSUM, false);
	if (shape == FUZZ_RX_GRO_FRAGS || shape == FUZZ_RX_GRO_LIST)
		feature(true, ETHTOOL_SGRO, ETHTOOL_GGRO, true);
	fuzz_rx_shape = shape;
}

static unsigned int find(const struct in6_addr *addr)
{
	struct in6_addr known;
	unsigned int i;

	for (i = 0; i < FUZZ_ADDRESSES; i++) {
		inet_pton(AF_INET6, addresses[i].from, &known);
		if (!memcmp(&known, addr, sizeof(known)))
			return i;
	}
	fuzz_must(false, "nobody has that address");
	return 0;
}

int fuzz_rx_path_sender(const struct fuzz_dest *from)
{
	return senders[find(&from->addr)][ntohs(from->port) - FUZZ_FIRST_PORT];
}

struct sockaddr_in6 fuzz_rx_path_to(const struct fuzz_dest *from)
{
	struct sockaddr_in6 to = { .sin6_family = AF_INET6 };

	inet_pton(AF_INET6, addresses[find(&from->addr)].to, &to.sin6_addr);
	if (IN6_IS_ADDR_LINKLOCAL(&to.sin6_addr))
		to.sin6_scope_id = index_here;
	return to;
}
