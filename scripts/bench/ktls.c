// SPDX-License-Identifier: GPL-2.0
/* For orientation: TCP over loopback, and the same with TLS in the kernel.
 * One process does both ends, the receiver throws away what has come.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <linux/tls.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"

#ifndef TCP_ULP
#define TCP_ULP		31
#endif
#ifndef SOL_TLS
#define SOL_TLS		282
#endif

#define ROUNDS		20
#define BYTES		(32 << 20)
#define CHUNK		(64 << 10)

static void connection(int *from, int *to)
{
	struct sockaddr_in sin = {
		.sin_family = AF_INET,
		.sin_addr = { htonl(INADDR_LOOPBACK) },
	};
	socklen_t len = sizeof(sin);
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	*from = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(listener, (struct sockaddr *)&sin, len) ||
	    listen(listener, 1) ||
	    getsockname(listener, (struct sockaddr *)&sin, &len) ||
	    connect(*from, (struct sockaddr *)&sin, len))
		err(1, "TCP");
	*to = accept(listener, NULL, NULL);
	if (*to < 0)
		err(1, "TCP, accepting");
	close(listener);
}

static void set_tls(int fd)
{
	struct tls12_crypto_info_aes_gcm_128 info = {
		.info.version = TLS_1_3_VERSION,
		.info.cipher_type = TLS_CIPHER_AES_GCM_128,
	};

	memcpy(info.key, bench_key, sizeof(info.key));
	if (setsockopt(fd, IPPROTO_TCP, TCP_ULP, "tls", sizeof("tls")) ||
	    setsockopt(fd, SOL_TLS, TLS_TX, &info, sizeof(info)))
		err(1, "kTLS");
}

/* Bytes a second */
static double transfer(int from, int to)
{
	size_t sent = 0;
	double start = now_ns();

	while (sent < BYTES) {
		ssize_t n = send(from, source, CHUNK, MSG_DONTWAIT);

		if (n > 0) {
			sent += n;
			continue;
		}
		if (errno != EAGAIN)
			err(1, "TCP, sending");
		while (recv(to, NULL, 1 << 20, MSG_TRUNC | MSG_DONTWAIT) > 0)
			;
	}
	return sent / (now_ns() - start) * 1e9;
}

void ktls_run(void)
{
	static const char *const names[] = { "tcp", "ktls" };
	int from[2], to[2];
	double best[2] = {}, rate;
	unsigned int round, i;

	for (i = 0; i < 2; i++)
		connection(&from[i], &to[i]);
	set_tls(from[1]);
	for (round = 0; round < ROUNDS; round++) {
		for (i = 0; i < 2; i++) {
			rate = transfer(from[i], to[i]);
			if (rate > best[i])
				best[i] = rate;
		}
	}
	for (i = 0; i < 2; i++)
		printf("stream\t%s\t%.0f\n", names[i], best[i] / 1e6);
	fflush(stdout);
}
