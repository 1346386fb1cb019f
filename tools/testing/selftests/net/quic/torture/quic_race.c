// SPDX-License-Identifier: GPL-2.0
/* Races: who takes part, where, for how long, and what they may meet. */

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "quic_race.h"

#define SHORT		1000	/* ms, unless the environment says otherwise */
#define PATIENCE	20	/* times as long, until each party has succeeded */
#define RUNNERS_MAX	32
#define ERRNO_MAX	134
#define STACK		(1 << 20)

/* What a party met, by errno */
struct tally {
	unsigned long count[ERRNO_MAX];
};

struct shared {
	bool stop;
	struct tally tally[RUNNERS_MAX];	/* by party */
};

struct runner {
	const struct quic_race_party *party;
	struct shared *shared;
	struct tally *tally;
	struct quic_race *race;
	unsigned int seed;
	int cpu;			/* or -1 */
	pid_t pid;
	pthread_t thread;
	char *stack;
};

enum mode { PROCESSES, PINNED_PROCESSES, THREADS, PINNED_THREADS, MODES };

static const char * const mode_names[MODES] = {
	"processes", "pinned processes", "threads", "pinned threads" };

static bool is_pinned(enum mode mode)
{
	return mode == PINNED_PROCESSES || mode == PINNED_THREADS;
}

static bool is_threads(enum mode mode)
{
	return mode == THREADS || mode == PINNED_THREADS;
}

void *quic_race_alloc(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED) {
		perror("# race: mmap");
		exit(1);
	}
	return p;
}

static int from_environment(const char *name, int otherwise)
{
	const char *value = getenv(name);

	return value ? atoi(value) : otherwise;
}

/* Begins with a number that is the same for all races of a program. */
static unsigned int next_seed(void)
{
	static unsigned int seed;

	if (!seed) {
		seed = from_environment("QUIC_SEED", time(NULL));
		printf("# race: QUIC_SEED=%u\n", seed);
	}
	return rand_r(&seed);
}

/* Parties */

static void pin(int cpu)
{
	cpu_set_t allowed, one;
	int i;

	if (cpu < 0 || sched_getaffinity(0, sizeof(allowed), &allowed))
		return;
	cpu %= CPU_COUNT(&allowed);
	for (i = 0; !CPU_ISSET(i, &allowed) || cpu--; i++)
		;
	CPU_ZERO(&one);
	CPU_SET(i, &one);
	sched_setaffinity(0, sizeof(one), &one);
}

static void run(struct runner *runner)
{
	int err;

	pin(runner->cpu);
	while (!__atomic_load_n(&runner->shared->stop, __ATOMIC_RELAXED)) {
		err = runner->party->act(runner->race, &runner->seed);
		if (err < 0 || err >= ERRNO_MAX)
			err = ERRNO_MAX - 1;
		__atomic_add_fetch(&runner->tally->count[err], 1,
				   __ATOMIC_RELAXED);
	}
}

static int run_process(void *arg)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	run(arg);
	return 0;
}

static void *run_thread(void *arg)
{
	run(arg);
	return NULL;
}

static bool start(struct runner *runner, enum mode mode)
{
	if (is_threads(mode))
		return !pthread_create(&runner->thread, NULL, run_thread,
				       runner);

	/* What one closes is closed for the others, in the middle of a call. */
	runner->stack = malloc(STACK);
	runner->pid = clone(run_process, runner->stack + STACK,
			    CLONE_FILES | SIGCHLD, runner);
	return runner->pid > 0;
}

static bool join(struct runner *runner, enum mode mode)
{
	int status;

	if (is_threads(mode))
		return !pthread_join(runner->thread, NULL);

	if (waitpid(runner->pid, &status, 0) != runner->pid)
		return false;
	free(runner->stack);
	if (status)
		printf("# race: %s ended with status %#x\n",
		       runner->party->name, status);
	return !status;
}

static bool run_mode(struct quic_race *race, struct shared *shared,
		     const struct quic_race_party *parties, unsigned int count,
		     enum mode mode, unsigned int ms)
{
	struct runner runners[RUNNERS_MAX] = {};
	unsigned int i, n = 0;
	struct timespec end;
	bool good = true;

	shared->stop = false;
	for (i = 0; i < count * RUNNERS_MAX && n < RUNNERS_MAX; i++) {
		const struct quic_race_party *party = &parties[i % count];

		if (i / count >= party->count)
			continue;
		runners[n] = (struct runner) {
			.party = party,
			.shared = shared,
			.tally = &shared->tally[i % count],
			.race = race,
			.seed = next_seed(),
			.cpu = is_pinned(mode) ? n : -1,
		};
		if (!start(&runners[n], mode)) {
			printf("# race: can't start %s\n", party->name);
			good = false;
			break;
		}
		n++;
	}

	/* Parties may send signals. */
	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += (end.tv_nsec / 1000000 + ms) / 1000;
	end.tv_nsec = (end.tv_nsec / 1000000 + ms) % 1000 * 1000000;
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &end, NULL))
		;
	__atomic_store_n(&shared->stop, true, __ATOMIC_RELAXED);
	for (i = 0; i < n; i++)
		good = join(&runners[i], mode) && good;
	return good;
}

static bool is_among(int err, const int *errs)
{
	for (; errs && *errs; errs++)
		if (*errs == err)
			return true;
	return false;
}

/* Or need not */
static bool has_succeeded(const struct quic_race_party *party,
			  const struct tally *tally)
{
	return tally->count[0] || party->may_fail_always;
}

/* Say what a party met, and whether that is as it should be. */
static bool party_verdict(const struct quic_race_party *party,
			  const struct tally *tally)
{
	bool good = true;
	int err;

	printf("# race: %s: %lu", party->name, tally->count[0]);
	for (err = 1; err < ERRNO_MAX; err++) {
		if (!tally->count[err])
			continue;
		printf(", %s %lu", strerrorname_np(err), tally->count[err]);
		if (!is_among(err, party->errs)) {
			printf(" (unexpected)");
			good = false;
		}
	}
	if (!has_succeeded(party, tally)) {
		printf(" (never succeeded)");
		good = false;
	}
	printf("\n");
	return good;
}

static bool all_succeeded(const struct quic_race_party *parties,
			  const struct tally *tally, unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		if (!has_succeeded(&parties[i], &tally[i]))
			return false;
	return true;
}

bool quic_race_run(struct quic_race *race,
		   const struct quic_race_party *parties, unsigned int count)
{
	unsigned int ms = from_environment("QUIC_TORTURE_SECONDS", 0) * 1000;
	struct shared *shared = quic_race_alloc(sizeof(*shared));
	unsigned int i, turn;
	bool good = true;

	if (!ms)
		ms = race->brief ? SHORT / 2 : SHORT;
	if (quic_capture_watch(race->capture)) {
		perror("# race: no auditor");
		return false;
	}
	for (turn = 0; turn < MODES ||
	     (turn < MODES * PATIENCE && good &&
	      !all_succeeded(parties, shared->tally, count)); turn++) {
		if (!run_mode(race, shared, parties, count, turn % MODES,
			      ms / MODES)) {
			printf("# race: as %s\n", mode_names[turn % MODES]);
			good = false;
		}
	}
	for (i = 0; i < count; i++)
		good = party_verdict(&parties[i], &shared->tally[i]) && good;
	munmap(shared, sizeof(*shared));

	if (quic_capture_stop(race->capture)) {
		printf("# race: the auditor has died\n");
		return false;
	}
	return quic_audit_verdict(quic_audit_count(race->audit)) &&
	       quic_audit_count(race->audit)->searched && good;
}

int quic_race_unload(struct quic_race *race, unsigned int *seed)
{
	usleep(rand_r(seed) % 20000);
	return syscall(SYS_delete_module, "quic", O_NONBLOCK) ? errno : 0;
}

const char *quic_race_has_no_module(void)
{
	if (access("/sys/module/quic/refcnt", F_OK))
		return "quic is built in";
	if (system("modprobe -n quic"))
		return "modprobe does not find the module";
	return NULL;
}
