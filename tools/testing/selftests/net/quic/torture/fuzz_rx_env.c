// SPDX-License-Identifier: GPL-2.0
/* Where the reads run: a namespace of users and network, and their limits. */

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fuzz_fail.h"
#include "fuzz_rx_env.h"
#include "fuzz_rx_flow.h"
#include "fuzz_rx_open.h"
#include "fuzz_rx_path.h"
#include "quic_env.h"

#define MAX_FAILURES	"/sys/module/quic/parameters/max_failures_per_key"
#define MAX_FLOWS	"/proc/sys/user/max_quic_flows"
#define ULP_NAME	"quic-crypto"

static int max_failures = -1;
static char max_failures_before[32];

static void load_module(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	fuzz_must(!setsockopt(fd, SOL_UDP, UDP_ULP, ULP_NAME, strlen(ULP_NAME)),
		  "UDP_ULP");
	close(fd);
}

/* Limits of our own, which do not disturb anybody */
static void leave(void)
{
	char limit[16];

	fuzz_must(!unshare(CLONE_NEWUSER), "new user namespace");
	fuzz_must(!quic_env_write_file("/proc/self/uid_map", "0 0 1"), "uid_map");
	fuzz_rx_max_flows = FUZZ_MAX_FLOWS - 8;
	snprintf(limit, sizeof(limit), "%ld", fuzz_rx_max_flows);
	fuzz_must(!quic_env_write_file(MAX_FLOWS, limit), MAX_FLOWS);
}

void fuzz_rx_env_open(void)
{
	cpu_set_t cpus;

	/* What one processor sends is there at once, and in order. */
	CPU_ZERO(&cpus);
	CPU_SET(0, &cpus);
	fuzz_must(!sched_setaffinity(0, sizeof(cpus), &cpus), "affinity");

	load_module();
	max_failures = open(MAX_FAILURES, O_RDWR | O_CLOEXEC);
	fuzz_must(max_failures >= 0 &&
		  read(max_failures, max_failures_before,
		       sizeof(max_failures_before) - 1) > 0, MAX_FAILURES);
	leave();
	fuzz_rx_path_open();
}

static void write_max_failures(const char *value)
{
	fuzz_must(pwrite(max_failures, value, strlen(value), 0) > 0,
		  MAX_FAILURES);
}

void fuzz_rx_env_close(void)
{
	if (max_failures >= 0)
		write_max_failures(max_failures_before);
	max_failures = -1;
}

void fuzz_rx_env_limit_failures(uint64_t limit)
{
	char value[32];

	snprintf(value, sizeof(value), "%llu", (unsigned long long)limit);
	write_max_failures(value);
	fuzz_rx_max_failures = limit;
}
