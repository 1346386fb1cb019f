// SPDX-License-Identifier: GPL-2.0
/* Two processes that do the same at the same time. */
#define _GNU_SOURCE
#include <err.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "race.h"

/* Shared by the processes */
struct race {
	atomic_uint ready;
	double begin[2], end[2];
};

static struct race *race;

static void racer(void *what, unsigned int who, unsigned int racers,
		  void warm(void *what, unsigned int who), void run(void *what))
{
	cpu_set_t cpu;

	CPU_ZERO(&cpu);
	CPU_SET(who, &cpu);
	sched_setaffinity(0, sizeof(cpu), &cpu);
	warm(what, who);

	atomic_fetch_add(&race->ready, 1);
	while (atomic_load(&race->ready) < racers)
		;
	race->begin[who] = now_ns();
	run(what);
	race->end[who] = now_ns();
}

double race_run(void **what, unsigned int racers,
		void warm(void *what, unsigned int who), void run(void *what))
{
	double begin, end;
	unsigned int who;
	int status;

	if (!race)
		race = mmap(NULL, sizeof(*race), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (race == MAP_FAILED)
		err(1, "mmap");
	atomic_store(&race->ready, 0);
	for (who = 0; who < racers; who++) {
		if (!fork()) {
			racer(what[who], who, racers, warm, run);
			_exit(0);
		}
	}
	while (wait(&status) > 0)
		if (status)
			errx(1, "one of %u processes failed", racers);

	begin = race->begin[0];
	end = race->end[0];
	if (racers == 2) {
		begin = race->begin[1] < begin ? race->begin[1] : begin;
		end = race->end[1] > end ? race->end[1] : end;
	}
	return end - begin;
}
