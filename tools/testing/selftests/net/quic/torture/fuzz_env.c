// SPDX-License-Identifier: GPL-2.0
/* Where the calls run: a namespace of network and users, sockets, addresses. */

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <linux/net_tstamp.h>

#include "fuzz.h"
#include "quic_env.h"

#define FIRST_SOURCE_PORT	20000
#define MAX_PACKETS	"/sys/module/quic/parameters/max_packets_per_key"
#define MAX_FLOWS	"/proc/sys/user/max_quic_flows"
#define RETRANS_TIME	"/proc/sys/net/ipv4/neigh/quic0/retrans_time_ms"
#define ULP_NAME	"quic-crypto"

/* The last addresses are for IPv6 sockets only. */
static const char * const address[] = {
	"::ffff:127.0.0.1", "::ffff:127.0.0.2", "::1", "fe80::1",
};

#define ADDRESSES_IPV4	2
#define ADDRESS_AWAY	"::ffff:192.0.2.2"	/* of quic_env_away() */

uint32_t fuzz_lo;
long fuzz_max_flows;
struct fuzz_sock fuzz_sock[FUZZ_SOCKS];

static int max_packets = -1;
static char max_packets_before[32];

/* User limits of our own, which do not disturb anybody. */
static void leave_users(void)
{
	char limit[16];

	fuzz_must(!unshare(CLONE_NEWUSER), "new user namespace");
	fuzz_must(!quic_env_write_file("/proc/self/uid_map", "0 0 1"), "uid_map");
	fuzz_max_flows = FUZZ_MAX_FLOWS - 4;
	snprintf(limit, sizeof(limit), "%ld", fuzz_max_flows);
	fuzz_must(!quic_env_write_file(MAX_FLOWS, limit), MAX_FLOWS);
}

static void load_module(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	fuzz_must(!setsockopt(fd, SOL_UDP, UDP_ULP, ULP_NAME, strlen(ULP_NAME)),
		  "UDP_ULP");
	close(fd);
}

static void fill(int fd)
{
	struct quic_env env = { .family = AF_INET, .tx = fd };
	struct sockaddr_in *sin = (void *)&env.to.ss;

	sin->sin_family = AF_INET;
	sin->sin_port = htons(FUZZ_FIRST_PORT);
	env.to.len = sizeof(*sin);
	fuzz_must(!quic_env_fill(&env), "filling a send buffer");
}

static void open_full(struct fuzz_sock *sock)
{
	memset(sock, 0, sizeof(*sock));
	sock->family = AF_INET;
	sock->full = true;
	sock->odd = true;
	sock->fd = socket(AF_INET, SOCK_DGRAM, 0);
	sock->twin = socket(AF_INET, SOCK_DGRAM, 0);
	fill(sock->fd);
	fill(sock->twin);
	/* Nobody gives up asking for the neighbour, not even in days. */
	fuzz_must(!quic_env_write_file(RETRANS_TIME, "1000000"), RETRANS_TIME);
}

void fuzz_env_open(void)
{
	char command[100];
	cpu_set_t cpus;

	/* What one processor sends over the loopback arrives in order. */
	CPU_ZERO(&cpus);
	CPU_SET(0, &cpus);
	fuzz_must(!sched_setaffinity(0, sizeof(cpus), &cpus), "affinity");

	load_module();
	max_packets = open(MAX_PACKETS, O_RDWR | O_CLOEXEC);
	fuzz_must(max_packets >= 0 &&
		  read(max_packets, max_packets_before,
		       sizeof(max_packets_before) - 1) > 0, MAX_PACKETS);

	fuzz_must(!unshare(CLONE_NEWNET), "new network namespace");
	snprintf(command, sizeof(command),
		 "ip link set %s up mtu %d && ip address add fe80::1/64 dev %s nodad",
		 FUZZ_DEVICE, FUZZ_MTU, FUZZ_DEVICE);
	fuzz_must(!system(command), command);
	fuzz_lo = if_nametoindex(FUZZ_DEVICE);
	open_full(&fuzz_sock[FUZZ_SOCKS - 1]);
	fuzz_wire_open();
	/* Later devices are captured, too; later users may not capture. */
	fuzz_audit_open();
	leave_users();
}

static void write_max_packets(const char *value)
{
	fuzz_must(pwrite(max_packets, value, strlen(value), 0) > 0, MAX_PACKETS);
}

void fuzz_env_close(void)
{
	if (max_packets >= 0)
		write_max_packets(max_packets_before);
	max_packets = -1;
}

void fuzz_env_limit_packets(uint64_t limit)
{
	char value[32];

	snprintf(value, sizeof(value), "%llu", (unsigned long long)limit);
	write_max_packets(value);
	fuzz_max_packets = limit;
}

/* Both sockets have all options. */
static void option(struct fuzz_sock *sock, int level, int name, int value)
{
	fuzz_must(!setsockopt(sock->fd, level, name, &value, sizeof(value)) &&
		  !setsockopt(sock->twin, level, name, &value, sizeof(value)),
		  "setsockopt");
}

static void options(struct fuzz_sock *sock)
{
	struct sock_txtime txtime = { .clockid = CLOCK_MONOTONIC };

	if (fuzz_chance(20))
		option(sock, SOL_SOCKET, SO_BINDTOIFINDEX, fuzz_lo);
	if (fuzz_chance(20))
		fuzz_must(!setsockopt(sock->fd, SOL_SOCKET, SO_TXTIME, &txtime,
				      sizeof(txtime)) &&
			  !setsockopt(sock->twin, SOL_SOCKET, SO_TXTIME,
				      &txtime, sizeof(txtime)), "SO_TXTIME");
	if (fuzz_chance(10)) {
		option(sock, SOL_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO);
		if (sock->family == AF_INET6)
			option(sock, SOL_IPV6, IPV6_MTU_DISCOVER,
			       IPV6_PMTUDISC_DO);
		sock->odd = true;
	}
	if (sock->family == AF_INET && fuzz_chance(10)) {
		option(sock, SOL_SOCKET, SO_NO_CHECK, 1);
		sock->no_check = true;
		sock->odd = true;
	}
	if (sock->family == AF_INET6 && fuzz_chance(10)) {
		option(sock, SOL_IPV6, IPV6_V6ONLY, 1);
		sock->odd = true;
	}
}

static void open_sock(struct fuzz_sock *sock)
{
	memset(sock, 0, sizeof(*sock));
	sock->family = fuzz_chance(40) ? AF_INET : AF_INET6;
	sock->fd = socket(sock->family, SOCK_DGRAM, 0);
	sock->twin = socket(sock->family, SOCK_DGRAM, 0);
	fuzz_must(sock->fd >= 0 && sock->twin >= 0, "socket");
}

static in_port_t bind_port(int fd, int family, int port)
{
	struct sockaddr_in6 sin6 = { .sin6_family = family,
				     .sin6_port = htons(port) };

	/* The any-address of IPv4 is zero in the same structure. */
	fuzz_must(!bind(fd, (void *)&sin6, family == AF_INET ?
			sizeof(struct sockaddr_in) : sizeof(sin6)), "bind");
	return sin6.sin6_port;
}

static void bind_sock(struct fuzz_sock *sock, int port)
{
	sock->port = bind_port(sock->fd, sock->family, port);
	sock->twin_port = bind_port(sock->twin, sock->family, port + 1);
	fuzz_sock_refresh(sock);
}

void fuzz_sock_open(struct fuzz_sock *sock)
{
	if (sock->full)
		return;
	open_sock(sock);
	options(sock);
	bind_sock(sock, FIRST_SOURCE_PORT + 2 * (sock - fuzz_sock));
}

void fuzz_sock_open_plain(struct fuzz_sock *sock)
{
	open_sock(sock);
	bind_sock(sock, FIRST_SOURCE_PORT + 2 * FUZZ_SOCKS);
}

void fuzz_sock_close(struct fuzz_sock *sock)
{
	struct quic_connection_info info;

	if (!sock->full) {
		close(sock->fd);
		close(sock->twin);
	}
	/* What fills the send buffer stays. */
	while (sock->full && sock->flows) {
		struct fuzz_flow *flow = sock->flow[0];
		struct fuzz_call call = { .sock = sock, .readable = -1 };
		struct quic_addr to = {};

		to.len = fuzz_dest_name(sock, &flow->dest, &to.ss);
		quic_flow_info(&info, &flow->keys, &flow->dcid,
			       flow->any ? NULL : &to);
		fuzz_must(!quic_flow_del(sock->fd, &info), "DEL");
		memcpy(call.opt, &info, sizeof(info));
		call.opt_len = sizeof(info);
		fuzz_must(!fuzz_model_del(&call), "DEL of the model");
	}
	fuzz_model_close(sock);
}

/* After connect(): what it did to the twin. */
void fuzz_sock_refresh(struct fuzz_sock *sock)
{
	struct sockaddr_in6 sin6 = {};
	const struct sockaddr_in *sin = (const void *)&sin6;
	socklen_t len = sizeof(sin6), size = sizeof(sock->device);

	fuzz_must(!getsockopt(sock->twin, SOL_SOCKET, SO_BINDTOIFINDEX,
			      &sock->device, &size), "SO_BINDTOIFINDEX");
	memset(&sock->peer, 0, sizeof(sock->peer));
	sock->connected = !getpeername(sock->twin, (void *)&sin6, &len);
	if (!sock->connected)
		return;
	sock->peer.port = sin6.sin6_port;
	if (sin6.sin6_family == AF_INET6) {
		sock->peer.addr = sin6.sin6_addr;
		return;
	}
	memset(&sock->peer.addr.s6_addr[10], 0xff, 2);
	memcpy(&sock->peer.addr.s6_addr[12], &sin->sin_addr, 4);
}

struct fuzz_dest fuzz_dest_random(const struct fuzz_sock *sock)
{
	unsigned int i = fuzz_below(sock->family == AF_INET ? ADDRESSES_IPV4 :
				    ARRAY_LEN(address));
	struct fuzz_dest dest = {};

	inet_pton(AF_INET6, sock->full ? ADDRESS_AWAY : address[i], &dest.addr);
	dest.port = htons(FUZZ_FIRST_PORT + fuzz_below(FUZZ_PORTS));
	if (IN6_IS_ADDR_LINKLOCAL(&dest.addr))
		dest.scope_id = fuzz_lo;
	return dest;
}

bool fuzz_dest_known(const struct fuzz_dest *dest)
{
	unsigned int i, port = ntohs(dest->port);
	struct in6_addr addr;

	if (port < FUZZ_FIRST_PORT || port >= FUZZ_FIRST_PORT + FUZZ_PORTS)
		return false;
	if (IN6_IS_ADDR_LINKLOCAL(&dest->addr) && dest->scope_id != fuzz_lo)
		return false;
	for (i = 0; i < ARRAY_LEN(address); i++) {
		inet_pton(AF_INET6, address[i], &addr);
		if (!memcmp(&addr, &dest->addr, sizeof(addr)))
			return true;
	}
	return false;
}

int fuzz_dest_name(const struct fuzz_sock *sock, const struct fuzz_dest *dest,
		   struct sockaddr_storage *name)
{
	struct sockaddr_in6 *sin6 = (void *)name;
	struct sockaddr_in *sin = (void *)name;
	bool ipv4 = sock->family == AF_INET ||
		    (IN6_IS_ADDR_V4MAPPED(&dest->addr) && fuzz_chance(50));

	memset(name, 0, sizeof(*name));
	if (ipv4) {
		sin->sin_family = AF_INET;
		sin->sin_port = dest->port;
		memcpy(&sin->sin_addr, &dest->addr.s6_addr[12], 4);
		return sizeof(*sin);
	}
	sin6->sin6_family = AF_INET6;
	sin6->sin6_port = dest->port;
	sin6->sin6_addr = dest->addr;
	/* Without one it is the device that the socket is bound to. */
	if (!sock->device || fuzz_chance(50))
		sin6->sin6_scope_id = dest->scope_id;
	return sizeof(*sin6);
}
