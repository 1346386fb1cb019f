// SPDX-License-Identifier: GPL-2.0
/*
 * Attaches the ULP to a socket, for scripts: prints "attached" or the name of
 * the error.  Keeps the socket until its standard input ends.  With -u it does
 * so as a user without privileges.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "quic_lib.h"

#define NOBODY	65534

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
	if (setsockopt(fd, SOL_UDP, UDP_ULP, "quic-crypto", 11))
		puts(strerrorname_np(errno));
	else
		puts("attached");
	fflush(stdout);
	while (read(0, &byte, 1) > 0)
		;
	return 0;
}
