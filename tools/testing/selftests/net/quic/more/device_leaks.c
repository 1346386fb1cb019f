// SPDX-License-Identifier: GPL-2.0
/*
 * Plain text leaves by the device that is to protect it, and by no other, whatever
 * happens on the way: trains whose keys are on a device are led to others, copied,
 * cut, queued and looped back.  Each of them arrives as often as from plain UDP.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "quic_bpf.h"
#include "quic_env.h"
#include "quic_iptfs.h"
#include "quic_look.h"
#include "quic_nfqueue.h"
#include "quic_nsim.h"
#include "quic_wireguard.h"

#define DCID_LEN	8
#define SEGMENT		1200	/* fits in any tunnel */
#define COUNT		10
#define GAPS_COUNT	4
#define GAP		200
#define FIRST		1000
#define PLAIN		0x5a

/*
 * quic0 and quic1 are the pair of which one protects, quic2 and quic3 a pair of
 * veth, where what is led to them arrives, too.  Neighbours need not be asked for.
 */
#define MAC_HERE	"02:00:00:00:00:01"
#define MAC_THERE	"02:00:00:00:00:02"
#define DEVICE(device, mac)						\
	"link set " device " address " mac " addrgenmode none\n"	\
	"link set " device " up\n"
#define NEIGHBOUR(address, device)					\
	"neigh replace " address " lladdr " MAC_THERE " dev " device	\
	" nud permanent\n"

/* What is sent in each case, with a key of its own */
enum {
	TRAIN,
	SINGLE,
	GAPS,		/* in its numbers */
	KINDS,
};

enum { SINGLY = 1, WHOLE };

/* What becomes of what quic0 was to protect */
struct way {
	const char *needs;		/* what a kernel may lack: the test of it */
	const char *here, *there;	/* for ip(8), before */
	const char *divert;		/* for sh(1), afterwards */
	const char *to4, *to6;		/* another destination, then */
	const char *bound;		/* the sockets, to this device */
	int only;			/* a family */
	size_t segment;
	bool wireguard, iptfs;
	bool second;			/* pair of such devices, quic4 and quic5 */
	bool broadcast;
	const char *bpf;		/* redirects to this device */
	bool clone, ingress;
	int queue;			/* of netfilter: packets come SINGLY, or WHOLE */
	/* How often each packet */
	unsigned int arrives, arrives_here;
	unsigned int device, fallback;	/* that protects it */
	bool corrupt;			/* and does not arrive, if anybody looks */
	int err;
	bool error;			/* of ICMP */
	bool hidden;			/* no device shows it: the receiver would tell */
};

struct run {
	struct quic_path path;
	struct quic_nsim nsim, second;
	unsigned int home;
	struct quic_train train;	/* the last one that was built */
	struct quic_packet packet[KINDS];
	struct quic_oracle *phase[KINDS][2];
	int plain, tx, here;		/* sockets; the last one receives */
	int bpf, queue;
	int tap;			/* of the device that sockets are bound to */
	struct quic_addr to;
	long modules;			/* references on quic.ko */
	bool opened;
};

struct counts {
	long device, fallback, drop;
};

static struct counts counts_now(void)
{
	static const char *const names[] = {
		"QuicTxDevice", "QuicTxDeviceFallback", "QuicTxDeviceDrop",
	};
	long values[ARRAY_SIZE(names)];

	quic_stats(names, values, ARRAY_SIZE(names));
	return (struct counts) { values[0], values[1], values[2] };
}

/* 0 if it is built in */
static long module_references(void)
{
	return quic_env_read_number("/sys/module/quic/refcnt", NULL);
}

static long module_references_become(long expected)
{
	long references;
	int i;

	for (i = 0; i < 1000; i++) {
		references = module_references();
		if (references == expected)
			break;
		usleep(10000);
	}
	return references;
}

static void setup_devices(struct __test_metadata *_metadata, struct run *run,
			  const struct way *way)
{
	struct quic_path *path = &run->path;

	ASSERT_EQ(0, quic_nsim_open(&run->nsim, path)) {
		TH_LOG("netdevsim: %s", strerror(errno));
	}
	run->opened = true;
	ASSERT_EQ(0, quic_path_veth(path, "quic2", "quic3"));
	if (way->second)
		ASSERT_EQ(0, quic_nsim_add(&run->second, path, "quic4",
					   "quic5"));
	ASSERT_EQ(0, quic_path_ip(path, true, DEVICE("quic1", MAC_THERE)
				  DEVICE("quic3", MAC_THERE)));
	ASSERT_EQ(0, quic_path_ip(path, false, DEVICE("quic0", MAC_HERE)
				  DEVICE("quic2", MAC_HERE)));
	if (way->second) {
		ASSERT_EQ(0, quic_path_ip(path, true,
					  DEVICE("quic5", MAC_THERE)));
		ASSERT_EQ(0, quic_path_ip(path, false,
					  DEVICE("quic4", MAC_HERE)));
	}
	if (way->there)
		ASSERT_EQ(0, quic_path_ip(path, true, way->there));
	if (way->here)
		ASSERT_EQ(0, quic_path_ip(path, false, way->here));
	ASSERT_EQ(0, quic_path_ip(path, true,
				  QUIC_PATH_ADDRESSES("quic1", "2")
				  "address add 198.51.100.2/24 dev quic3\n"
				  "address add 2001:db8:1::2/64 dev quic3 nodad\n"));
	ASSERT_EQ(0, quic_path_ip(path, false,
				  QUIC_PATH_ADDRESSES("quic0", "1")
				  NEIGHBOUR(QUIC_PATH_IPV4 "2", "quic0")
				  NEIGHBOUR(QUIC_PATH_IPV6 "2", "quic0")
				  NEIGHBOUR(QUIC_PATH_IPV4 "2", "quic2")
				  NEIGHBOUR(QUIC_PATH_IPV6 "2", "quic2")
				  NEIGHBOUR("2001:db8:1::2", "quic2")
				  "address add 198.51.100.1/24 dev quic2\n"
				  "address add 2001:db8:1::1/64 dev quic2 nodad\n"));
	ASSERT_EQ(1, quic_nsim_segments("quic0", true));
	run->home = if_nametoindex("quic0");
	ASSERT_NE(0, run->home);
}

static int open_socket(struct run *run, const struct way *way, int family)
{
	int fd = quic_path_socket(&run->path, family, &run->to), on = 1;

	if (way->bound && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, way->bound,
				     strlen(way->bound)))
		return -1;
	if (way->broadcast &&
	    setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof(on)))
		return -1;
	return fd;
}

/* Flows to wherever it may be, each with one packet on its way to have its key taken */
static void place_keys(struct __test_metadata *_metadata, struct run *run,
		       const struct way *way)
{
	struct quic_connection_info info;
	struct quic_keys keys;
	struct quic_msg msg;
	int kind;

	for (kind = 0; kind < KINDS; kind++) {
		struct quic_packet *packet = &run->packet[kind];

		*packet = (struct quic_packet) {
			.pn = FIRST - 1,
			.pn_len = 4,
			.flags = QUIC_FIXED_BIT,
			.len = (way->segment ?: SEGMENT) - QUIC_TAG_SIZE,
		};
		quic_dcid_init(&packet->dcid, DCID_LEN, kind);
		quic_keys_derive(&keys, &quic_ciphers[QUIC_AES_GCM_128], kind,
				 0);
		run->phase[kind][0] = quic_oracle_new(&keys);
		quic_flow_info(&info, &keys, &packet->dcid, NULL);
		ASSERT_EQ(0, quic_flow_add(run->tx, &info));

		quic_train_build(&run->train, *packet, 1, 0);
		msg = quic_msg(run->tx, &run->to, &run->train);
		ASSERT_EQ(run->train.len, quic_send(&msg)) {
			TH_LOG("%s", strerror(errno));
		}
		ASSERT_EQ(1, quic_receive(run->path.rx, run->phase[kind],
					  &run->train));
		packet->pn = FIRST;
	}
	ASSERT_EQ(KINDS, quic_stat_becomes("QuicCurrTxDevice", KINDS));
	ASSERT_EQ(KINDS, quic_stat("QuicTxDeviceFallback"));
	ASSERT_EQ(0, quic_look(&run->path, run->home).elsewhere);
}

/* On the device that has an address */
static int join(int fd, const struct in_addr *group, const char *address)
{
	struct ip_mreqn mreqn = { .imr_multiaddr = *group };

	inet_pton(AF_INET, address, &mreqn.imr_address);
	return setsockopt(fd, SOL_IP, IP_ADD_MEMBERSHIP, &mreqn, sizeof(mreqn));
}

static void aim(struct __test_metadata *_metadata, struct run *run,
		const char *address)
{
	struct sockaddr_in6 *sin6 = (void *)&run->to.ss;
	struct sockaddr_in *sin = (void *)&run->to.ss;
	bool ipv6 = run->to.ss.ss_family == AF_INET6;

	if (!address)
		return;
	ASSERT_EQ(1, inet_pton(run->to.ss.ss_family, address, ipv6 ?
			       (void *)&sin6->sin6_addr :
			       (void *)&sin->sin_addr));
	/* Everybody is in the group of all nodes. */
	if (ipv6 && IN6_IS_ADDR_MC_LINKLOCAL(&sin6->sin6_addr))
		sin6->sin6_scope_id = run->home;
	if (!ipv6 && IN_MULTICAST(ntohl(sin->sin_addr.s_addr))) {
		ASSERT_EQ(0, join(run->here, &sin->sin_addr,
				  QUIC_PATH_IPV4 "1"));
		ASSERT_EQ(0, join(run->path.rx, &sin->sin_addr,
				  QUIC_PATH_IPV4 "2"));
	}
}

static void run_open(struct __test_metadata *_metadata, struct run *run,
		     const struct way *way, int family)
{
	in_port_t port;
	int i;

	run->modules = module_references();
	run->plain = -1;
	run->tx = -1;
	run->here = -1;
	run->bpf = -1;
	run->queue = -1;
	run->tap = -1;
	setup_devices(_metadata, run, way);
	for (i = 0; i < 2 && way->wireguard; i++)
		ASSERT_EQ(0, quic_wireguard_set(&run->path, i)) {
			TH_LOG("WireGuard: %s", strerror(errno));
		}
	for (i = 0; i < 2 && way->iptfs; i++)
		ASSERT_EQ(0, quic_iptfs_set(&run->path, i)) {
			TH_LOG("IP-TFS: %s", strerror(errno));
		}
	if (way->bound) {
		run->tap = quic_env_wire_open(way->bound);
		ASSERT_LE(0, run->tap);
	}
	/* The same port as there, for what is looped back */
	port = run->path.port;
	run->here = quic_path_receiver(&port);
	run->plain = open_socket(run, way, family);
	run->tx = open_socket(run, way, family);
	ASSERT_LE(0, run->here);
	ASSERT_LE(0, run->plain);
	ASSERT_LE(0, run->tx);
	ASSERT_TRUE(quic_path_reaches(&run->path, run->plain, &run->to));
	place_keys(_metadata, run, way);

	if (way->queue) {
		run->queue = quic_nfqueue_open(way->queue == WHOLE);
		ASSERT_LE(0, run->queue) {
			TH_LOG("%s", strerror(errno));
		}
	}
	if (way->bpf) {
		run->bpf = quic_bpf_redirect(run->home, if_nametoindex(way->bpf),
					     way->clone, way->ingress);
		ASSERT_LE(0, run->bpf) {
			TH_LOG("%s", strerror(errno));
		}
	}
	if (way->divert) {
		char *script = NULL;

		ASSERT_LT(0, asprintf(&script, "set -e\n%s", way->divert));
		ASSERT_EQ(0, system(script));
		free(script);
	}
	aim(_metadata, run, family == AF_INET ? way->to4 : way->to6);
}

/* Nothing of it stays: not on the device, nor in an skb. */
static void run_close(struct __test_metadata *_metadata, struct run *run,
		      const struct way *way)
{
	int kind;

	if (!run->opened)
		return;
	close(run->plain);
	close(run->tx);
	close(run->here);
	close(run->queue);
	close(run->bpf);
	close(run->tap);
	EXPECT_EQ(0, quic_stat_becomes("QuicCurrTxDevice", 0));
	EXPECT_EQ(0, quic_nsim_becomes(&run->nsim, "keys", 0));
	EXPECT_EQ(quic_nsim_read(&run->nsim, "adds"),
		  quic_nsim_read(&run->nsim, "dels"));
	EXPECT_EQ(0, quic_nsim_read(&run->nsim, "drops"));
	if (way->second)
		quic_nsim_remove(&run->second);
	quic_nsim_close(&run->nsim, &run->path);
	for (kind = 0; kind < KINDS && run->phase[kind][0]; kind++)
		quic_oracle_free(run->phase[kind][0]);
	EXPECT_EQ(run->modules, module_references_become(run->modules));
}

static void build(struct run *run, int kind)
{
	struct quic_packet *packet = &run->packet[kind];
	int i;

	if (kind != GAPS) {
		quic_train_build(&run->train, *packet,
				 kind == TRAIN ? COUNT : 1,
				 kind == TRAIN ? 700 : 0);
		packet->pn += run->train.count;
		return;
	}
	run->train.count = 0;
	for (i = 0; i < GAPS_COUNT; i++, packet->pn += GAP)
		quic_train_add(&run->train, packet);
}

/* Whoever has the packets lets them go on. */
static void carry(struct __test_metadata *_metadata, struct run *run,
		  const struct way *way)
{
	unsigned int count = way->queue == SINGLY ? run->train.count : 1;

	if (way->queue)
		ASSERT_LE(0, quic_nfqueue_accept(run->queue, count, QUIC_MARKER,
						 QUIC_MARKER_SIZE)) {
			TH_LOG("%s", strerror(errno));
		}
}

/* What has been seen when there is an error, if there is to be one */
static struct quic_look look(struct run *run, const struct way *way)
{
	struct quic_look sum = {}, more;
	int i;

	for (i = 0; i < 500; i++) {
		more = quic_look(&run->path, run->home);
		if (way->bound)
			quic_look_at(run->tap, run->home, &more);
		sum.home += more.home;
		sum.elsewhere += more.elsewhere;
		sum.errors += more.errors;
		sum.where = more.elsewhere ? more.where : sum.where;
		if (!way->error || sum.errors)
			break;
		usleep(10000);
	}
	return sum;
}

/* Datagrams that plain UDP has made */
static unsigned int receive_plain(int rx, unsigned int count)
{
	uint8_t bytes[2000];
	unsigned int i;
	ssize_t len;

	for (i = 0; i < count; i++) {
		len = recv(rx, bytes, sizeof(bytes), 0);
		while (len > 0 && bytes[len - 1] == PLAIN)
			len--;
		if (len)
			break;
	}
	return i;
}

static void expect_no_more(struct __test_metadata *_metadata, struct run *run)
{
	uint8_t byte;

	EXPECT_EQ(-1, recv(run->path.rx, &byte, 1, MSG_DONTWAIT));
	EXPECT_EQ(-1, recv(run->here, &byte, 1, MSG_DONTWAIT));
}

/* The way is as it is thought to be. */
static void expect_plain(struct __test_metadata *_metadata, struct run *run,
			 const struct way *way, int kind)
{
	unsigned int count;

	build(run, kind);
	count = run->train.count;
	ASSERT_EQ(way->err, quic_path_send_plain(run->plain, &run->to,
						 &run->train));
	carry(_metadata, run, way);
	if (way->corrupt)
		return;
	ASSERT_EQ(way->arrives * count,
		  receive_plain(run->path.rx, way->arrives * count));
	ASSERT_EQ(way->arrives_here * count,
		  receive_plain(run->here, way->arrives_here * count));
	look(run, way);
}

static void expect_counts(struct __test_metadata *_metadata,
			  const struct way *way, const struct counts *before,
			  unsigned int count)
{
	struct counts now = counts_now();

	EXPECT_EQ(before->device + way->device * count, now.device);
	if (way->corrupt) {
		/* Their checksums say so, but for parts of headers. */
		EXPECT_EQ(before->fallback + before->drop + count,
			  now.fallback + now.drop);
		if (count == COUNT)
			EXPECT_LT(before->drop + count / 2, now.drop);
	} else {
		EXPECT_EQ(before->fallback + way->fallback * count,
			  now.fallback);
		EXPECT_EQ(before->drop, now.drop);
	}
}

/* It is left to the device, and all that comes of it is protected. */
static void expect_sent(struct __test_metadata *_metadata, struct run *run,
			const struct way *way, int kind)
{
	struct counts before = counts_now();
	struct quic_look seen;
	struct quic_msg msg;
	unsigned int count;

	build(run, kind);
	count = run->train.count;
	msg = quic_msg(run->tx, &run->to, &run->train);
	ASSERT_EQ(way->err, quic_send(&msg) < 0 ? errno : 0);
	carry(_metadata, run, way);
	if (!way->corrupt) {
		EXPECT_EQ(way->arrives * count,
			  quic_receive_times(run->path.rx, run->phase[kind],
					     &run->train, way->arrives));
		EXPECT_EQ(way->arrives_here * count,
			  quic_receive_times(run->here, run->phase[kind],
					     &run->train, way->arrives_here));
	}
	expect_counts(_metadata, way, &before, count);

	seen = look(run, way);
	EXPECT_EQ(0, seen.elsewhere) {
		TH_LOG("kind %d, last on device %d", kind, seen.where);
	}
	/* A header of IPv6 has no checksum: what is damaged may be answered. */
	if (!way->corrupt || run->to.ss.ss_family != AF_INET6)
		EXPECT_EQ(way->error, !!seen.errors);
	/* Taps of the device that protects see what it is to protect. */
	EXPECT_EQ(!!way->device, !!seen.home);
}

/* The look at all devices would see plain text where this goes. */
static void expect_markers(struct __test_metadata *_metadata, struct run *run,
			   const struct way *way)
{
	struct quic_look seen = {};
	struct quic_msg msg;
	int i;

	build(run, TRAIN);
	msg = quic_msg(run->plain, &run->to, &run->train);
	msg.encrypts = 0;
	msg.gso = SEGMENT;
	ASSERT_EQ(way->err, quic_send(&msg) < 0 ? errno : 0);
	carry(_metadata, run, way);
	for (i = 0; i < 500 && !seen.elsewhere; i++) {
		seen = quic_look(&run->path, run->home);
		usleep(10000);
	}
	EXPECT_LE(1, seen.elsewhere);
}

static void drain(struct run *run)
{
	uint8_t byte;

	while (recv(run->path.rx, &byte, 1, MSG_DONTWAIT) >= 0)
		;
	while (recv(run->here, &byte, 1, MSG_DONTWAIT) >= 0)
		;
}

static bool lacks(const struct way *way)
{
	char command[200];

	if (!way->needs)
		return false;
	snprintf(command, sizeof(command), "%s > /dev/null 2>&1", way->needs);
	return system(command);
}

FIXTURE(leaks) {
	struct run run;
};

FIXTURE_VARIANT(leaks) {
	struct way way;
};

#include "device_leaks.h"

FIXTURE_SETUP(leaks)
{
}

FIXTURE_TEARDOWN(leaks)
{
	run_close(_metadata, &self->run, &variant->way);
}

static void expect_way(struct __test_metadata *_metadata, struct run *run,
		       const struct way *way, int family)
{
	int kind;

	if (way->only && way->only != family)
		return;
	if (lacks(way))
		SKIP(return, "the kernel lacks: %s", way->needs);
	run_open(_metadata, run, way, family);
	for (kind = 0; kind < KINDS; kind++)
		expect_plain(_metadata, run, way, kind);
	drain(run);
	for (kind = 0; kind < KINDS; kind++)
		expect_sent(_metadata, run, way, kind);
	if (!way->corrupt)
		expect_no_more(_metadata, run);
	if (!way->hidden)
		expect_markers(_metadata, run, way);
}

TEST_F_TIMEOUT(leaks, ipv4, 120)
{
	expect_way(_metadata, &self->run, &variant->way, AF_INET);
}

TEST_F_TIMEOUT(leaks, ipv6, 120)
{
	expect_way(_metadata, &self->run, &variant->way, AF_INET6);
}

/* What is on its way when all else goes */

FIXTURE(queued) {
	struct run run;
	struct quic_train trains[KINDS];
};

FIXTURE_VARIANT(queued) {
	int family;
};

FIXTURE_VARIANT_ADD(queued, ipv4) { AF_INET };
FIXTURE_VARIANT_ADD(queued, ipv6) { AF_INET6 };

static const struct way delayed = {
	.divert = "tc qdisc add dev quic0 root netem delay 500ms\n",
	.arrives = 1, .device = 1,
};

/* A copy stays there. */
static const struct way stuck = {
	.divert = "tc qdisc add dev quic2 root netem delay 200s\n",
	.bpf = "quic2", .clone = true,
	.arrives = 1, .device = 1,
};

FIXTURE_SETUP(queued)
{
}

FIXTURE_TEARDOWN(queued)
{
	run_close(_metadata, &self->run, &delayed);
}

static void send_all(struct __test_metadata *_metadata,
		     FIXTURE_DATA(queued) *self)
{
	struct run *run = &self->run;
	struct quic_msg msg;
	int kind;

	for (kind = 0; kind < KINDS; kind++) {
		build(run, kind);
		self->trains[kind] = run->train;
		msg = quic_msg(run->tx, &run->to, &run->train);
		ASSERT_EQ(msg.len, quic_send(&msg));
	}
}

/* The device has had the keys for as long as they were needed. */
static void expect_all(struct __test_metadata *_metadata,
		       FIXTURE_DATA(queued) *self)
{
	struct run *run = &self->run;
	struct quic_look seen;
	int kind;

	for (kind = 0; kind < KINDS; kind++)
		EXPECT_EQ(self->trains[kind].count,
			  quic_receive(run->path.rx, run->phase[kind],
				       &self->trains[kind]));
	EXPECT_EQ(COUNT + 1 + GAPS_COUNT, quic_stat("QuicTxDevice"));
	EXPECT_EQ(KINDS, quic_stat("QuicTxDeviceFallback"));
	EXPECT_EQ(0, quic_stat("QuicTxDeviceDrop"));
	seen = quic_look(&run->path, run->home);
	EXPECT_EQ(0, seen.elsewhere);
	EXPECT_LE(KINDS, seen.home);
}

TEST_F(queued, socket_closed)
{
	run_open(_metadata, &self->run, &delayed, variant->family);
	send_all(_metadata, self);
	close(self->run.tx);
	self->run.tx = -1;
	EXPECT_EQ(0, quic_flows_become(0));
	EXPECT_EQ(KINDS, quic_nsim_read(&self->run.nsim, "keys"));
	expect_all(_metadata, self);
}

TEST_F(queued, flows_deleted)
{
	struct quic_connection_info info;
	struct quic_keys keys;
	int kind;

	run_open(_metadata, &self->run, &delayed, variant->family);
	send_all(_metadata, self);
	for (kind = 0; kind < KINDS; kind++) {
		quic_keys_derive(&keys, &quic_ciphers[QUIC_AES_GCM_128], kind,
				 0);
		quic_flow_info(&info, &keys, &self->run.packet[kind].dcid,
			       NULL);
		ASSERT_EQ(0, quic_flow_del(self->run.tx, &info));
	}
	EXPECT_EQ(KINDS, quic_nsim_read(&self->run.nsim, "keys"));
	expect_all(_metadata, self);
}

/*
 * Of trains that belong to nobody any more: a socket would keep its namespace.
 * The devices go elsewhere with it, what is queued is dropped.
 */
TEST_F(queued, namespaces_removed)
{
	struct run *run = &self->run;
	int kind;

	run_open(_metadata, run, &stuck, variant->family);
	for (kind = 0; kind < KINDS; kind++) {
		expect_sent(_metadata, run, &stuck, kind);
		quic_oracle_free(run->phase[kind][0]);
	}
	run->opened = false;
	close(run->plain);
	close(run->tx);
	close(run->here);
	close(run->bpf);
	quic_path_close(&run->path);
	ASSERT_EQ(0, unshare(CLONE_NEWNET));
	EXPECT_EQ(run->modules, module_references_become(run->modules));
	quic_nsim_remove(&run->nsim);
}

TEST_HARNESS_MAIN
