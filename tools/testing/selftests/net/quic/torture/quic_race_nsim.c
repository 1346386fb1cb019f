// SPDX-License-Identifier: GPL-2.0
/* Devices that take keys, in a race: what is there before and after. */

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/if_ether.h>

#include "kselftest.h"
#include "quic_race_net.h"
#include "quic_race_nsim.h"

#define PORT		4433
#define PEER		"02:00:00:00:00:02"
#define MAX_KEYS	65536
#define PATIENCE	3000	/* times 10 ms */

#define ADDRESSES							\
	"link set lo up\n"						\
	"address add " QUIC_PATH_IPV4 "1/32 dev lo\n"			\
	"address add " QUIC_PATH_IPV6 "1/128 dev lo nodad\n"

/* The first that can be used is the one to take. */
static void make_ready(char *batch, size_t size, const char *device)
{
	int metric = device[4] - '0' + 1;

	snprintf(batch, size,
		 "link set %s up\n"
		 "neigh replace " QUIC_PATH_IPV4 "2 lladdr " PEER " dev %s\n"
		 "neigh replace " QUIC_PATH_IPV6 "2 lladdr " PEER " dev %s\n"
		 "route replace " QUIC_PATH_IPV4 "2 dev %s metric %d src "
		 QUIC_PATH_IPV4 "1\n"
		 "route replace " QUIC_PATH_IPV6 "2 dev %s metric %d\n",
		 device, device, device, device, metric, device, metric);
}

void quic_race_nsim_ready(const char *device)
{
	char batch[400];

	make_ready(batch, sizeof(batch), device);
	quic_race_ip("%s", batch);
}

static int add_devices(struct quic_race_nsim *own)
{
	static const char * const names[] = { "quic0", "quic2", "quic4" };
	unsigned int i;

	if (quic_path_ip(&own->path, false, ADDRESSES) ||
	    quic_nsim_add(&own->third, &own->path, "quic6", "quic7") ||
	    quic_nsim_add(&own->nsim[0], &own->path, "quic0", "quic1") ||
	    quic_nsim_add(&own->nsim[1], &own->path, "quic2", "quic3") ||
	    quic_path_veth(&own->path, "quic4", "quic5") ||
	    quic_path_ip(&own->path, true,
			 "link set quic1 up\n"
			 "link set quic3 up\n"
			 "link set quic5 up\n") ||
	    quic_nsim_segments("quic0", true) != 1)
		return -1;
	/* It has its number from now on. */
	quic_nsim_remove(&own->third);
	for (i = 0; i < ARRAY_SIZE(names); i++)
		quic_race_nsim_ready(names[i]);
	return 0;
}

static struct quic_addr peer(int family)
{
	struct quic_addr to = {};
	struct sockaddr_in6 *sin6 = (void *)&to.ss;
	struct sockaddr_in *sin = (void *)&to.ss;

	if (family == AF_INET) {
		to.len = sizeof(*sin);
		sin->sin_family = AF_INET;
		sin->sin_port = htons(PORT);
		inet_pton(AF_INET, QUIC_PATH_IPV4 "2", &sin->sin_addr);
	} else {
		to.len = sizeof(*sin6);
		sin6->sin6_family = AF_INET6;
		sin6->sin6_port = htons(PORT);
		inet_pton(AF_INET6, QUIC_PATH_IPV6 "2", &sin6->sin6_addr);
	}
	return to;
}

int quic_race_nsim_open(struct quic_race *race, int family,
			unsigned int num_flows)
{
	struct quic_race_nsim *own = quic_race_alloc(sizeof(*own));

	if (quic_path_namespaces(&own->path) ||
	    quic_race_open(race, family, num_flows))
		return -1;
	race->own = own;
	own->to = peer(family);

	/* Here is where the race was opened, the audit is there. */
	close(own->path.here);
	own->path.here = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	quic_capture_close(race->capture);
	race->capture = NULL;
	if (own->path.here < 0 || quic_path_enter(&own->path, true))
		return -1;
	race->capture = quic_capture_open(race->audit);
	if (!race->capture || quic_path_enter(&own->path, false))
		return -1;
	own->tap = socket(AF_PACKET, SOCK_DGRAM, htons(ETH_P_ALL));
	return own->tap < 0 ? -1 : add_devices(own);
}

static bool is(const char *what, long value, long expected)
{
	if (value == expected)
		return true;
	printf("# race: %s: %ld, expected %ld\n", what, value, expected);
	return false;
}

bool quic_race_nsim_close(struct quic_race *race)
{
	struct quic_race_nsim *own = race->own;
	bool good = true;
	unsigned int i;
	long adds;

	close(race->env.tx);
	race->env.tx = -1;
	close(QUIC_RACE_SLOT);
	close(own->tap);
	good = is("keys on devices", quic_stat_becomes("QuicCurrTxDevice", 0),
		  0);
	for (i = 0; i < QUIC_RACE_NSIMS; i++) {
		const struct quic_nsim *nsim = &own->nsim[i];

		good &= is("keys of a device",
			   quic_nsim_becomes(nsim, "keys", 0), 0);
		adds = quic_nsim_read(nsim, "adds");
		good &= is("keys deleted from it",
			   quic_nsim_becomes(nsim, "dels", adds), adds);
		quic_nsim_remove(nsim);
	}
	good = quic_race_close(race) && good;
	quic_path_close(&own->path);
	return good;
}

/* One after the other */
static int make_device(struct quic_race_nsim *own, struct quic_nsim *nsim,
		       const struct quic_path *path, const char *here,
		       const char *there)
{
	int ret;

	while (__atomic_exchange_n(&own->making, true, __ATOMIC_ACQUIRE))
		usleep(1000);
	ret = quic_nsim_again(nsim, path, here, there);
	__atomic_store_n(&own->making, false, __ATOMIC_RELEASE);
	return ret;
}

int quic_race_nsim_renew(struct quic_race_nsim *own)
{
	quic_nsim_remove(&own->nsim[1]);
	if (make_device(own, &own->nsim[1], &own->path, "quic2", "quic3") ||
	    quic_path_ip(&own->path, true, "link set quic3 up\n"))
		return errno ?: EPROTO;
	quic_race_nsim_ready("quic2");
	return 0;
}

int quic_race_nsim_leave(struct quic_race_nsim *own)
{
	struct quic_path path = own->path;
	int err = 0;

	if (unshare(CLONE_NEWNET))
		return errno;
	path.here = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	if (quic_path_ip(&path, false, ADDRESSES) ||
	    make_device(own, &own->third, &path, "quic6", "quic7") ||
	    quic_path_ip(&path, true, "link set quic7 up\n"))
		err = errno ?: EPROTO;
	close(path.here);
	quic_race_nsim_ready("quic6");
	/* Some of it is always waiting. */
	if (system("tc qdisc add dev quic6 root netem delay 2ms rate 50mbit"))
		err = err ?: EPROTO;
	return err;
}

int quic_race_nsim_return(struct quic_race_nsim *own)
{
	int err = quic_path_enter(&own->path, false) ? errno : 0;

	/* It goes with its device, or the device before it. */
	usleep(rand() % 20000);
	quic_nsim_remove(&own->third);
	return err;
}

int quic_race_nsim_write(struct quic_race_nsim *own, unsigned int which,
			 const char *knob, unsigned int value)
{
	return quic_nsim_write(&own->nsim[which], knob, value) ? errno : 0;
}

int quic_race_nsim_send(struct quic_race *race, int fd, const char *device,
			struct quic_race_flow *flow, unsigned int *seed)
{
	static __thread struct quic_train train;
	struct quic_race_nsim *own = race->own;
	unsigned int index = if_nametoindex(device);
	struct in6_pktinfo ipv6 = { .ipi6_ifindex = index };
	struct in_pktinfo ipv4 = { .ipi_ifindex = index };
	struct quic_msghdr hdr;
	struct quic_msg msg;

	quic_race_train(&train, flow, quic_race_numbers(flow), seed);
	msg = quic_msg(fd, &own->to, &train);
	quic_msghdr_init(&hdr, &msg);
	if (race->env.family == AF_INET)
		quic_cmsg_put(&hdr.mh, SOL_IP, IP_PKTINFO, &ipv4, sizeof(ipv4));
	else
		quic_cmsg_put(&hdr.mh, SOL_IPV6, IPV6_PKTINFO, &ipv6,
			      sizeof(ipv6));
	return sendmsg(fd, &hdr.mh, 0) < 0 ? errno : 0;
}

static bool can_take(const struct quic_race_flow *flow)
{
	struct quic_keys keys;

	quic_audit_keys(&keys, flow->dcid.id, 0);
	return keys.cipher != &quic_ciphers[QUIC_AES_CCM_128];
}

/* Sends until the device protects what is sent.  The flow may have to come back. */
static bool protects(struct quic_race *race, const struct quic_nsim *nsim,
		     const char *device, struct quic_race_flow *flow)
{
	long before = quic_nsim_read(nsim, "packets");
	unsigned int seed = 1, i;
	int err;

	for (i = 0; i < PATIENCE; i++) {
		err = quic_race_nsim_send(race, race->env.tx, device, flow,
					  &seed);
		if (err == ENOENT || err == ENOKEY)
			err = quic_race_flow_add(race->env.tx, flow,
						 ++flow->generation);
		if (err) {
			printf("# race: afterwards: %s\n", strerror(err));
			return false;
		}
		if (quic_nsim_read(nsim, "packets") > before)
			return true;
		usleep(10000);
	}
	printf("# race: %s does not protect flow %u afterwards, of %ld keys\n",
	       device, flow->dcid.id[0], quic_nsim_read(nsim, "keys"));
	return false;
}

bool quic_race_nsim_works(struct quic_race *race)
{
	static const char * const names[QUIC_RACE_NSIMS] = { "quic0", "quic2" };
	struct quic_race_nsim *own = race->own;
	char command[100];
	unsigned int i, j;

	for (i = 0; i < QUIC_RACE_NSIMS; i++) {
		snprintf(command, sizeof(command),
			 "tc qdisc replace dev %s root pfifo_fast", names[i]);
		/* It may have refused keys, and would not be asked again. */
		if (system(command) ||
		    quic_race_nsim_write(own, i, "add_delay_ms", 0) ||
		    quic_race_nsim_write(own, i, "add_error", 0) ||
		    quic_race_nsim_write(own, i, "max_keys", MAX_KEYS) ||
		    quic_race_nsim_write(own, i, "conn_id_lengths", -1) ||
		    quic_race_nsim_write(own, i, "rereg", 1))
			return false;
	}
	for (i = 0; i < QUIC_RACE_NSIMS; i++) {
		for (j = 0; j < race->num_flows; j++) {
			if (can_take(&race->flows[j]) &&
			    !protects(race, &own->nsim[i], names[i],
				      &race->flows[j]))
				return false;
		}
	}
	return true;
}

static long came_to_devices(const struct quic_race_nsim *own)
{
	unsigned int i;
	long packets = 0;

	for (i = 0; i < QUIC_RACE_NSIMS; i++)
		packets += quic_nsim_read(&own->nsim[i], "packets") +
			   quic_nsim_read(&own->nsim[i], "drops");
	return packets;
}

bool quic_race_nsim_adds_up(struct quic_race *race)
{
	struct quic_race_nsim *own = race->own;
	long sent = 0, came = 0;
	unsigned int i;

	/* Some may wait in a queue. */
	for (i = 0; i < PATIENCE; i++) {
		sent = quic_stat("QuicTxDevice");
		came = came_to_devices(own);
		if (sent == came)
			break;
		usleep(10000);
	}
	printf("# race: of %ld packets %ld went to devices, %ld were protected on their way\n",
	       quic_stat("QuicTxSwPackets"), sent,
	       quic_stat("QuicTxDeviceFallback"));
	return is("packets that came to devices", came, sent) && sent > 0 &&
	       is("packets dropped", quic_stat("QuicTxDeviceDrop"), 0);
}
