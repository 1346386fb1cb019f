// SPDX-License-Identifier: GPL-2.0
/* Receiving at the other end of a veth pair. */

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/ethtool.h>
#include <linux/sockios.h>

#include "quic_rx_path.h"

/* Nobody has to ask for a neighbour. */
static const char here[] =
	"link set quic0 address 02:00:00:00:00:01 up\n"
	QUIC_PATH_ADDRESSES("quic0", "1")
	"neigh replace 192.0.2.2 lladdr 02:00:00:00:00:02 dev quic0\n"
	"neigh replace 2001:db8::2 lladdr 02:00:00:00:00:02 dev quic0\n";
static const char there[] =
	"link set quic1 address 02:00:00:00:00:02 up\n"
	QUIC_PATH_ADDRESSES("quic1", "2");

static struct quic_addr address(int family, const char *ipv4, const char *ipv6)
{
	struct quic_addr addr = {};
	struct sockaddr_in6 *sin6 = (void *)&addr.ss;
	struct sockaddr_in *sin = (void *)&addr.ss;

	if (family == AF_INET) {
		addr.len = sizeof(*sin);
		sin->sin_family = AF_INET;
		inet_pton(AF_INET, ipv4, &sin->sin_addr);
	} else {
		addr.len = sizeof(*sin6);
		sin6->sin6_family = AF_INET6;
		inet_pton(AF_INET6, ipv6, &sin6->sin6_addr);
	}
	return addr;
}

/* The socket that sends, and its address as the receiver sees it */
static int sender_open(struct quic_rx_env *env)
{
	struct quic_addr from;
	int fd;

	from = address(env->family == AF_INET6 ? AF_INET6 : AF_INET,
		       QUIC_PATH_IPV4 "1", QUIC_PATH_IPV6 "1");
	fd = socket(from.ss.ss_family, SOCK_DGRAM, 0);
	if (fd < 0)
		return -1;
	if (bind(fd, (void *)&from.ss, from.len) ||
	    getsockname(fd, (void *)&from.ss, &from.len)) {
		close(fd);
		return -1;
	}
	env->from = from;
	if (env->family == QUIC_MAPPED) {
		env->from = address(AF_INET6, NULL,
				    "::ffff:" QUIC_PATH_IPV4 "1");
		((struct sockaddr_in6 *)&env->from.ss)->sin6_port =
			((struct sockaddr_in *)&from.ss)->sin_port;
	}
	return fd;
}

/* The socket that receives, and its address as the sender sees it */
static int receiver_open(struct quic_rx_env *env)
{
	struct timeval patience = { .tv_sec = 5 };
	int size = 8 << 20, on = 1, fd;
	struct quic_addr any;

	any = address(env->family, "0.0.0.0", "::");
	fd = socket(any.ss.ss_family, SOCK_DGRAM, 0);
	if (fd < 0)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
		       sizeof(patience)) ||
	    setsockopt(fd, SOL_UDP, UDP_GRO, &on, sizeof(on)) ||
	    bind(fd, (void *)&any.ss, any.len) ||
	    getsockname(fd, (void *)&any.ss, &any.len)) {
		close(fd);
		return -1;
	}
	env->to = address(env->family == AF_INET6 ? AF_INET6 : AF_INET,
			  QUIC_PATH_IPV4 "2", QUIC_PATH_IPV6 "2");
	/* Both families have the port in one place. */
	((struct sockaddr_in *)&env->to.ss)->sin_port =
		((struct sockaddr_in *)&any.ss)->sin_port;
	return fd;
}

int quic_rx_path_open(struct quic_rx_path *rxp, int family)
{
	struct quic_rx_env *env = &rxp->env;

	env->family = family;
	env->rx = -1;
	env->tx = -1;
	env->wire = -1;
	if (quic_path_open(&rxp->path) ||
	    quic_path_ip(&rxp->path, true, there) ||
	    quic_path_ip(&rxp->path, false, here))
		return -1;

	env->tx = sender_open(env);
	if (quic_path_enter(&rxp->path, true))
		return -1;
	env->rx = receiver_open(env);
	return env->rx < 0 || env->tx < 0 ? -1 : 0;
}

void quic_rx_path_close(struct quic_rx_path *rxp)
{
	close(rxp->env.rx);
	close(rxp->env.tx);
	quic_path_close(&rxp->path);
}

void quic_rx_path_untap(struct quic_rx_path *rxp)
{
	unsigned int i;

	for (i = 0; i < 2; i++) {
		close(rxp->path.wire[i]);
		rxp->path.wire[i] = -1;
	}
}

int quic_rx_path_ip(const struct quic_rx_path *rxp, bool there,
		    const char *batch)
{
	int ret = quic_path_ip(&rxp->path, there, batch);

	return quic_path_enter(&rxp->path, true) ? -1 : ret;
}

/* An ioctl of a device, its own in @ifr */
static int device_ioctl(const struct quic_rx_path *rxp, bool there,
			unsigned long request, struct ifreq *ifr)
{
	int fd, ret;

	strcpy(ifr->ifr_name, there ? "quic1" : "quic0");
	if (quic_path_enter(&rxp->path, there))
		return -1;
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	ret = ioctl(fd, request, ifr);
	close(fd);
	return quic_path_enter(&rxp->path, true) ? -1 : ret;
}

int quic_rx_path_mtu(const struct quic_rx_path *rxp, unsigned int mtu)
{
	struct ifreq ifr = { .ifr_mtu = mtu };

	return device_ioctl(rxp, true, SIOCSIFMTU, &ifr) ||
	       device_ioctl(rxp, false, SIOCSIFMTU, &ifr) ? -1 : 0;
}

int quic_rx_path_feature(const struct quic_rx_path *rxp, bool there,
			 unsigned int set, unsigned int get, bool on)
{
	struct ethtool_value value = { .cmd = set, .data = on };
	struct ifreq ifr = { .ifr_data = (void *)&value };

	if (device_ioctl(rxp, there, SIOCETHTOOL, &ifr))
		return -1;
	value.cmd = get;
	if (device_ioctl(rxp, there, SIOCETHTOOL, &ifr))
		return -1;
	if (!!value.data != on) {
		errno = EOPNOTSUPP;
		return -1;
	}
	return 0;
}
