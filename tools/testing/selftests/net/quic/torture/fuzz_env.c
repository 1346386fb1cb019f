// SPDX-License-Identifier: GPL-2.0
/* Where the calls run: a namespace of network and users, and their limits. */

#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fuzz_audit.h"
#include "fuzz_dest.h"
#include "fuzz_env.h"
#include "fuzz_fail.h"
#include "fuzz_model.h"
#include "fuzz_model_flow.h"
#include "fuzz_sock.h"
#include "fuzz_wire.h"
#include "quic_env.h"

#define MAX_PACKETS	"/sys/module/quic/parameters/max_packets_per_key"
#define MAX_FLOWS	"/proc/sys/user/max_quic_flows"
#define ULP_NAME	"quic-crypto"

static int max_packets = -1;
static char max_packets_before[32];

/* User limits of our own, which do not disturb anybody. */
static void leave_users(void)
{
	char limit[16];

	fuzz_must(!unshare(CLONE_NEWUSER), "new user namespace");
	fuzz_must(!quic_env_write_file("/proc/self/uid_map", "0 0 1"), "uid_map");
	fuzz_max_flows = FUZZ_MAX_FLOWS - 4;
	snprintf(limit, sizeof(limit), "%ld", fuzz_max_flows);
	fuzz_must(!quic_env_write_file(MAX_FLOWS, limit), MAX_FLOWS);
}

static void load_module(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	fuzz_must(!setsockopt(fd, SOL_UDP, UDP_ULP, ULP_NAME, strlen(ULP_NAME)),
		  "UDP_ULP");
	close(fd);
}

void fuzz_env_open(void)
{
	char command[100];
	cpu_set_t cpus;

	/* What one processor sends over the loopback arrives in order. */
	CPU_ZERO(&cpus);
	CPU_SET(0, &cpus);
	fuzz_must(!sched_setaffinity(0, sizeof(cpus), &cpus), "affinity");

	load_module();
	max_packets = open(MAX_PACKETS, O_RDWR | O_CLOEXEC);
	fuzz_must(max_packets >= 0 &&
		  read(max_packets, max_packets_before,
		       sizeof(max_packets_before) - 1) > 0, MAX_PACKETS);

	fuzz_must(!unshare(CLONE_NEWNET), "new network namespace");
	snprintf(command, sizeof(command),
		 "ip link set %s up mtu %d && ip address add fe80::1/64 dev %s nodad",
		 FUZZ_DEVICE, FUZZ_MTU, FUZZ_DEVICE);
	fuzz_must(!system(command), command);
	fuzz_lo = if_nametoindex(FUZZ_DEVICE);
	fuzz_sock_open_full(&fuzz_sock[FUZZ_SOCKS - 1]);
	fuzz_wire_open();
	/* Later devices are captured, too; later users may not capture. */
	fuzz_audit_open();
	leave_users();
}

static void write_max_packets(const char *value)
{
	fuzz_must(pwrite(max_packets, value, strlen(value), 0) > 0, MAX_PACKETS);
}

void fuzz_env_close(void)
{
	if (max_packets >= 0)
		write_max_packets(max_packets_before);
	max_packets = -1;
}

void fuzz_env_limit_packets(uint64_t limit)
{
	char value[32];

	snprintf(value, sizeof(value), "%llu", (unsigned long long)limit);
	write_max_packets(value);
	fuzz_max_packets = limit;
}
