// SPDX-License-Identifier: GPL-2.0
/* Devices and network namespaces that come and go during a race. */

#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "quic_race_net.h"

void quic_race_ip(const char *format, ...)
{
	va_list args;
	FILE *ip;

	ip = popen("ip -force -batch - > /dev/null 2>&1", "w");
	if (!ip)
		return;
	va_start(args, format);
	vfprintf(ip, format, args);
	va_end(args);
	pclose(ip);
}

int quic_race_leave(int home)
{
	int i;

	/* The last one's device goes some time after its namespace. */
	for (i = 0; i < 1000 && if_nametoindex("quic0"); i++)
		usleep(1000);
	if (unshare(CLONE_NEWNET))
		return errno;
	quic_race_ip("link add quic1 address 02:00:00:00:00:02 "
		     "type veth peer name quic0 netns /proc/self/fd/%d\n"
		     "address add 192.0.2.2/24 dev quic1\n"
		     "address add 2001:db8::2/64 dev quic1 nodad\n"
		     "link set quic1 up\n", home);
	return 0;
}

int quic_race_return(int home)
{
	int err = setns(home, CLONE_NEWNET) ? errno : 0;

	quic_race_ip("address add 192.0.2.1/24 dev quic0\n"
		     "address add 2001:db8::1/64 dev quic0 nodad\n"
		     "link set quic0 up\n"
		     "neigh add 192.0.2.2 lladdr 02:00:00:00:00:02 dev quic0\n"
		     "neigh add 2001:db8::2 lladdr 02:00:00:00:00:02 dev quic0\n");
	return err;
}
