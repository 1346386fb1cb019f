// SPDX-License-Identifier: GPL-2.0
/* A neighbour of the senders in their cgroup that takes a lot of memory. */

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "load.h"
#include "quic_cgroup.h"
#include "quic_env.h"

/* What the neighbour can take when the senders have what they need */
#define ROOM		(8UL << 20)

static unsigned long memory_max;	/* of the cgroup; 0: there is none */
static pid_t neighbour;

int load_neighbour_limit(void)
{
	memory_max = quic_cgroup_read("memory.current", NULL) + ROOM;
	return quic_cgroup_limit(memory_max);
}

unsigned long load_meminfo(const char *name)
{
	char label[100];

	snprintf(label, sizeof(label), "%s:", name);
	return quic_env_read_number("/proc/meminfo", label);
}

unsigned long load_resident(pid_t pid)
{
	char path[100];

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	return quic_env_read_number(path, "VmRSS:");
}

/* Take most of what is left, or more, keep it for a while, and be gone. */
static void take_memory(bool beyond)
{
	size_t current = quic_cgroup_read("memory.current", NULL), len, i;
	char *memory;

	len = current < memory_max ? memory_max - current : 0;
	len = beyond ? len + ROOM : len / 64 * 63;
	memory = mmap(NULL, len + 1, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		exit(1);
	for (i = 0; i < len; i += 4096)
		memory[i] = 1;
	usleep(500 * 1000);
	exit(0);
}

/* After each a second without; one in four asks for more than there is. */
void load_neighbour_tick(void)
{
	static unsigned int ticks;

	if (!memory_max)
		return;
	if (neighbour && waitpid(neighbour, NULL, WNOHANG) == neighbour)
		neighbour = 0;
	if (neighbour || ticks++ % 10)
		return;
	neighbour = fork();
	if (neighbour)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* It is this one that shall be killed. */
	quic_env_write_file("/proc/self/oom_score_adj", "1000");
	quic_cgroup_join();
	take_memory(ticks / 10 % 4 == 0);
}

void load_neighbour_stop(void)
{
	if (neighbour <= 0)
		return;
	kill(neighbour, SIGKILL);
	waitpid(neighbour, NULL, 0);
	neighbour = 0;
}
