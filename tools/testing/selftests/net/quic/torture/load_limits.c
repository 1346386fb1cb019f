// SPDX-License-Identifier: GPL-2.0
/* What is limited for everybody, and what the load needs. */

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "kselftest.h"
#include "load.h"

/*
 * Put back at the end, from a namespace in which they can't be seen.  A queue's
 * losses are counted but for those at the second limit.
 */
static struct sysctl {
	const char *path;
	const char *value;
	char before[32];
	int fd;
} sysctls[] = {
	{ "/proc/sys/user/max_quic_flows", "10000000" },
	{ "/proc/sys/net/core/qdisc_max_burst", "1000000" },
	{ "/proc/sys/net/core/netdev_max_backlog", "100000" },
};

void load_limits_raise(void)
{
	struct sysctl *sysctl;

	for (sysctl = sysctls; sysctl < sysctls + ARRAY_SIZE(sysctls); sysctl++) {
		sysctl->fd = open(sysctl->path, O_RDWR | O_CLOEXEC);
		if (read(sysctl->fd, sysctl->before,
			 sizeof(sysctl->before) - 1) <= 0 ||
		    pwrite(sysctl->fd, sysctl->value,
			   strlen(sysctl->value), 0) <= 0)
			ksft_print_msg("%s is as it was\n", sysctl->path);
	}
}

void load_limits_restore(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sysctls); i++)
		if (pwrite(sysctls[i].fd, sysctls[i].before,
			   strlen(sysctls[i].before), 0) > 0)
			close(sysctls[i].fd);
}
