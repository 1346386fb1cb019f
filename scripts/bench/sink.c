// SPDX-License-Identifier: GPL-2.0
/* A receiver that never reads: what arrives passes its stack up to a full
 * queue, and is dropped there.  It takes trains as they are.
 */
#include <err.h>
#include <linux/udp.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"

void sink_run(void)
{
	struct sockaddr_in6 any = {
		.sin6_family = AF_INET6,
		.sin6_port = htons(BENCH_PORT),
	};
	int fd = socket(AF_INET6, SOCK_DGRAM, 0);
	const int one = 1;

	if (fd < 0 || bind(fd, (struct sockaddr *)&any, sizeof(any)) ||
	    setsockopt(fd, SOL_UDP, UDP_GRO, &one, sizeof(one)) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &one, sizeof(one)))
		err(1, "sink");
	pause();
}
