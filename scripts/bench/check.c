// SPDX-License-Identifier: GPL-2.0
#include <arpa/inet.h>
#include <err.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"

#define CHECK_TRAIN	3
#define CHECK_WIRE	1452

/* The first train that a sender sends; false if there is no such way */
static bool check_capture(enum way way, const struct setting *setting,
			  unsigned char *train)
{
	struct sockaddr_in sin = {
		.sin_family = AF_INET,
		.sin_port = htons(BENCH_PORT),
		.sin_addr = { htonl(INADDR_LOOPBACK) },
	};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	struct sender *sender;
	unsigned int i;

	if (fd < 0 || bind(fd, (struct sockaddr *)&sin, sizeof(sin)))
		err(1, "receiver");

	sender = sender_new(way, setting, CHECK_TRAIN);
	if (sender) {
		sender_run(sender, 1);
		sender_free(sender);
		for (i = 0; i < CHECK_TRAIN; i++)
			if (recv(fd, train + i * CHECK_WIRE, CHECK_WIRE,
				 MSG_DONTWAIT) != CHECK_WIRE)
				err(1, "packets of %s are missing",
				    way_names[way]);
	}
	close(fd);
	return sender;
}

void check_ways(void)
{
	static const struct target loopback = { .name = "lo", .ipv4 = "127.0.0.1" };
	static const enum way others[] = {
		WAY_KERNEL_OFFLOAD, WAY_SSL30, WAY_SSL35, WAY_SSL35_ZEROCOPY
	};
	struct setting setting = { .target = &loopback, .wire = CHECK_WIRE };
	unsigned char expected[CHECK_TRAIN * CHECK_WIRE], train[sizeof(expected)];
	unsigned int i;

	source_fill(CHECK_WIRE);
	for (setting.cipher = ciphers; setting.cipher->name; setting.cipher++) {
		check_capture(WAY_OFFLOAD, &setting, expected);
		for (i = 0; i < ARRAY_SIZE(others); i++)
			if (check_capture(others[i], &setting, train) &&
			    memcmp(train, expected, sizeof(train)))
				errx(1, "%s: %s sends other bytes than %s",
				     setting.cipher->name, way_names[others[i]],
				     way_names[WAY_OFFLOAD]);
	}
}
