// SPDX-License-Identifier: GPL-2.0
/* The counters of the namespace, and what they must be */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fuzz_fail.h"
#include "fuzz_rx_count.h"

struct fuzz_rx_counters fuzz_rx_counters;

void fuzz_rx_count_check(void)
{
	const struct {
		const char *name;
		long expected;
	} counters[] = {
		{ "QuicCurrTxSw", 0 },
		{ "QuicTxSw", 0 },
		{ "QuicTxSwError", 0 },
		{ "QuicTxSwPackets", 0 },
		{ "QuicCurrRxSw", fuzz_rx_counters.flows },
		{ "QuicRxSw", fuzz_rx_counters.added },
		{ "QuicRxSwKeyUpdates", fuzz_rx_counters.updates },
		{ "QuicRxSwPackets", fuzz_rx_counters.status[QUIC_RX_DECRYPTED] },
		{ "QuicRxSwBytes", fuzz_rx_counters.bytes },
		{ "QuicRxSwBadTag", fuzz_rx_counters.status[QUIC_RX_BAD_TAG] },
		{ "QuicRxSwNoKey", fuzz_rx_counters.status[QUIC_RX_NO_KEY] },
		{ "QuicRxSwNoFlow",
		  fuzz_rx_counters.status[QUIC_RX_NOT_OFFLOADED] },
		{ "QuicRxSwLimit", fuzz_rx_counters.status[QUIC_RX_LIMIT] },
		{ "QuicRxSwDropped", fuzz_rx_counters.dropped },
	};
	char text[2048] = "", name[64], *line;
	unsigned int i, known = 0;
	ssize_t len;
	long value;
	int fd;

	fd = open("/proc/net/quic_stat", O_RDONLY | O_CLOEXEC);
	len = read(fd, text, sizeof(text) - 1);
	fuzz_must(len > 0, "/proc/net/quic_stat");
	close(fd);
	for (line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		if (sscanf(line, "%63s %ld", name, &value) != 2)
			fuzz_fail("/proc/net/quic_stat: %s", line);
		for (i = 0; i < ARRAY_LEN(counters); i++) {
			if (strcmp(name, counters[i].name))
				continue;
			known++;
			if (value != counters[i].expected)
				fuzz_fail("%s is %ld, expected %ld", name, value,
					  counters[i].expected);
		}
	}
	if (known != ARRAY_LEN(counters))
		fuzz_fail("/proc/net/quic_stat lacks a counter");
}
