// SPDX-License-Identifier: GPL-2.0
/* Have a device join what it receives.  veth does if it is told to, and its peer
 * does not send trains of TCP.
 */
#include <err.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "receiver.h"

static void set(const char *device, unsigned int option, unsigned int to)
{
	struct ethtool_value value = { .cmd = option, .data = to };
	struct ifreq ifr = { .ifr_data = (void *)&value };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	strncpy(ifr.ifr_name, device, IFNAMSIZ - 1);
	if (fd < 0 || ioctl(fd, SIOCETHTOOL, &ifr))
		err(1, "option %#x of %s", option, device);
}

void gro_on(const char *device)
{
	set(device, ETHTOOL_SGRO, 1);
}

void tso_off(const char *device)
{
	set(device, ETHTOOL_STSO, 0);
}
