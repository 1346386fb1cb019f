// SPDX-License-Identifier: GPL-2.0
/* A memory cgroup of the test's own, and what its processes are charged. */

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "quic_cgroup.h"
#include "quic_env.h"

#define CGROUP		"/sys/fs/cgroup/quic"

/* So many news a processor are worth a flush: MEMCG_CHARGE_BATCH of the kernel */
#define WORTH_A_FLUSH	64

static bool opened;

static int write_number(const char *file, unsigned long value)
{
	char path[100], text[24];

	snprintf(path, sizeof(path), CGROUP "/%s", file);
	snprintf(text, sizeof(text), "%lu", value);
	return quic_env_write_file(path, text);
}

const char *quic_cgroup_open(void)
{
	/* It may be on already. */
	quic_env_write_file("/sys/fs/cgroup/cgroup.subtree_control", "+memory");
	if (mkdir(CGROUP, 0755) && errno != EEXIST)
		return "needs cgroup2";
	if (access(CGROUP "/memory.max", W_OK)) {
		rmdir(CGROUP);
		return "needs the memory controller";
	}
	opened = true;
	return NULL;
}

void quic_cgroup_close(void)
{
	if (opened)
		rmdir(CGROUP);
}

void quic_cgroup_join(void)
{
	if (opened && write_number("cgroup.procs", getpid()))
		exit(1);
}

int quic_cgroup_limit(unsigned long max)
{
	/* Above it tasks are slowed down, the more the further. */
	if (write_number("memory.high", max / 32 * 31))
		return -1;
	return write_number("memory.max", max);
}

unsigned long quic_cgroup_read(const char *file, const char *name)
{
	char path[100];

	snprintf(path, sizeof(path), CGROUP "/%s", file);
	return quic_env_read_number(path, name);
}

/* Each page that is touched is news, and so is each that is given back. */
static void make_news(void)
{
	size_t page = sysconf(_SC_PAGESIZE), len = WORTH_A_FLUSH * page, at;
	unsigned int turns = 2 * sysconf(_SC_NPROCESSORS_ONLN) + 1;
	char *memory;

	memory = mmap(NULL, len, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		_exit(1);
	/* Where there are any */
	madvise(memory, len, MADV_NOHUGEPAGE);
	for (; turns; turns--) {
		for (at = 0; at < len; at += page)
			memory[at] = 1;
		if (madvise(memory, len, MADV_DONTNEED))
			_exit(1);
	}
}

void quic_cgroup_flush(void)
{
	pid_t child;

	if (!opened)
		return;
	child = fork();
	if (!child) {
		quic_cgroup_join();
		make_news();
		_exit(0);
	}
	waitpid(child, NULL, 0);
}
