// SPDX-License-Identifier: GPL-2.0
/* A memory cgroup with the senders in it, and a neighbour that takes a lot. */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "load.h"
#include "quic_env.h"

#define CGROUP		"/sys/fs/cgroup/quic_load"

/* What the neighbour can take when the senders have what they need */
#define ROOM		(8UL << 20)

static bool cgroup;		/* is there */
static unsigned long cgroup_max;
static pid_t neighbour;

static int cgroup_write(const char *file, unsigned long value)
{
	char path[100], text[24];

	snprintf(path, sizeof(path), CGROUP "/%s", file);
	snprintf(text, sizeof(text), "%lu", value);
	return quic_env_write_file(path, text);
}

const char *load_cgroup_open(void)
{
	/* It may be on already. */
	quic_env_write_file("/sys/fs/cgroup/cgroup.subtree_control", "+memory");
	if (mkdir(CGROUP, 0755) && errno != EEXIST)
		return "needs cgroup2";
	if (access(CGROUP "/memory.max", W_OK)) {
		rmdir(CGROUP);
		return "needs the memory controller";
	}
	cgroup = true;
	return NULL;
}

int load_cgroup_limit(void)
{
	if (!cgroup)
		return 0;
	cgroup_max = load_cgroup_read("memory.current", NULL) + ROOM;
	/* Above it tasks are slowed down, the more the further. */
	if (cgroup_write("memory.high", cgroup_max / 32 * 31))
		return -1;
	return cgroup_write("memory.max", cgroup_max);
}

void load_cgroup_close(void)
{
	if (cgroup)
		rmdir(CGROUP);
}

void load_cgroup_join(void)
{
	if (cgroup && cgroup_write("cgroup.procs", getpid()))
		exit(1);
}

static unsigned long read_number(const char *path, const char *name)
{
	FILE *f = fopen(path, "r");
	unsigned long value = 0;
	char word[100];

	if (!f)
		return 0;
	while (name && fscanf(f, "%99s", word) == 1 && strcmp(word, name))
		;
	if (fscanf(f, "%lu", &value) != 1)
		value = 0;
	fclose(f);
	return value;
}

unsigned long load_cgroup_read(const char *file, const char *name)
{
	char path[100];

	snprintf(path, sizeof(path), CGROUP "/%s", file);
	return read_number(path, name);
}

unsigned long load_meminfo(const char *name)
{
	char label[100];

	snprintf(label, sizeof(label), "%s:", name);
	return read_number("/proc/meminfo", label);
}

unsigned long load_resident(pid_t pid)
{
	char path[100];

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	return read_number(path, "VmRSS:");
}

/* Take most of what is left, or more, keep it for a while, and be gone. */
static void take_memory(bool beyond)
{
	size_t current = load_cgroup_read("memory.current", NULL), len, i;
	char *memory;

	len = current < cgroup_max ? cgroup_max - current : 0;
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

	if (!cgroup)
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
	load_cgroup_join();
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
