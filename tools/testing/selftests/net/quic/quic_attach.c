// SPDX-License-Identifier: GPL-2.0
/*
 * Attaches the ULP to a socket, for scripts: prints "attached" or the name of
 * the error.  Keeps the socket until its standard input ends.  With -u it does
 * so as a user without privileges, with -r by adding a flow for receiving.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "quic_sealed.h"

#define NOBODY	65534

static int attach(int fd)
{
	return setsockopt(fd, SOL_UDP, UDP_ULP, "quic-crypto", 11);
}

static int add_rx(int fd)
{
	const struct quic_dcid dcid = { .len = 1 };
	struct quic_connection_info info;
	struct quic_keys keys;

	quic_keys_derive(&keys, &quic_ciphers[QUIC_AES_GCM_128], 1, 0);
	quic_flow_info(&info, &keys, &dcid, NULL);
	return quic_rx_flow_add(fd, &info, 0);
}

int main(int argc, char **argv)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	char byte;

	if (argc > 1 && !strcmp(argv[1], "-u") &&
	    (setgid(NOBODY) || setuid(NOBODY))) {
		perror("quic_attach");
		return 1;
	}
	if (fd < 0) {
		perror("quic_attach");
		return 1;
	}
	if (argc > 1 && !strcmp(argv[1], "-r") ? add_rx(fd) : attach(fd))
		puts(strerrorname_np(errno));
	else
		puts("attached");
	fflush(stdout);
	while (read(0, &byte, 1) > 0)
		;
	return 0;
}
