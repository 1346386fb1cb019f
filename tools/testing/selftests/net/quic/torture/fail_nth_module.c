// SPDX-License-Identifier: GPL-2.0
/*
 * Loading and unloading the module, and making network namespaces, with every
 * failure that they can meet.
 */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "quic_env.h"
#include "quic_fail.h"

#define ULP_NAME	"quic-crypto"
#define HIGHMEM		"/sys/kernel/debug/fail_page_alloc/ignore-gfp-highmem"
#define KUNIT_FILTER	"/sys/module/kunit/parameters/filter_glob"

FIXTURE(module) {
	struct quic_fail fail;
	int file;		/* the module's */
	bool loaded;		/* before the test */
	bool kunit;		/* its tests would run whenever it is loaded */
};

static bool is_loaded(void)
{
	return !access("/sys/module/quic", F_OK);
}

static int load(int file)
{
	return syscall(SYS_finit_module, file, "", 0);
}

static int unload(void)
{
	return syscall(SYS_delete_module, "quic", O_NONBLOCK);
}

static int open_module(void)
{
	char path[PATH_MAX] = {};
	FILE *pipe;

	pipe = popen("modinfo -n quic 2> /dev/null", "r");
	if (!pipe)
		return -1;
	if (fgets(path, sizeof(path), pipe))
		path[strcspn(path, "\n")] = 0;
	pclose(pipe);
	return open(path, O_RDONLY | O_CLOEXEC);
}

FIXTURE_SETUP(module)
{
	const char *reason = quic_fail_open(&self->fail);

	if (reason)
		SKIP(return, "%s", reason);
	self->file = open_module();
	if (self->file < 0)
		SKIP(return, "needs modinfo, and quic as a module");
	self->loaded = is_loaded();
	if (self->loaded && unload())
		SKIP(return, "quic is in use");
	self->kunit = !quic_env_write_file(KUNIT_FILTER, "none");
	/* vmalloc() and the allocator of per-CPU memory take such pages. */
	ASSERT_EQ(0, quic_env_write_file(HIGHMEM, "N"));
}

FIXTURE_TEARDOWN(module)
{
	quic_env_write_file(HIGHMEM, "Y");
	unload();
	if (self->kunit)
		quic_env_write_file(KUNIT_FILTER, "*");
	if (self->loaded)
		load(self->file);
	close(self->file);
	quic_fail_close(&self->fail);
}

static int attach(int fd)
{
	return setsockopt(fd, SOL_UDP, UDP_ULP, ULP_NAME, strlen(ULP_NAME));
}

/* The module works, or is not there at all. */
static void expect_loaded(struct __test_metadata *_metadata,
			  FIXTURE_DATA(module) *self, bool loaded)
{
	ASSERT_EQ(loaded, is_loaded()) {
		TH_LOG("failure %u (%s)", self->fail.site,
		       strerrorname_np(self->fail.err));
	}
	ASSERT_EQ(loaded ? 0 : -1, quic_stat("QuicCurrTxSw"));
}

static void expect_attached(struct __test_metadata *_metadata)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	ASSERT_EQ(0, attach(fd));
	close(fd);
}

static void say_sites(struct __test_metadata *_metadata,
		      FIXTURE_DATA(module) *self, const char *name)
{
	TH_LOG("%s: %u failures told, %u survived", name, self->fail.told,
	       self->fail.survived);
}

/*
 * Loading has hundreds of sites and takes its time: visit as many as there is
 * time for, evenly spread.
 */
#define SECONDS		"5"
#define AT_LEAST	20	/* sites, on a slow machine */

struct tour {
	unsigned int sites;
	unsigned int visited;
	unsigned int stride;	/* no divisor in common with @sites */
	time_t end;
};

static time_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec;
}

static unsigned int common_divisor(unsigned int a, unsigned int b)
{
	return b ? common_divisor(b, a % b) : a;
}

static struct tour tour_start(unsigned int sites)
{
	const char *seconds = getenv("QUIC_TORTURE_SECONDS") ?: SECONDS;
	struct tour tour = {
		.sites = sites,
		.stride = sites * 0.618,
		.end = now() + atol(seconds),
	};

	while (common_divisor(sites, tour.stride) > 1)
		tour.stride++;
	return tour;
}

/* The next site, 0 at the end */
static unsigned int tour_next(struct tour *tour)
{
	uint64_t n = tour->visited;

	if (n == tour->sites || (n >= AT_LEAST && now() >= tour->end))
		return 0;
	tour->visited++;
	return n * tour->stride % tour->sites + 1;
}

TEST_F_TIMEOUT(module, load, 7200)
{
	unsigned int site;
	struct tour tour;
	int ret;

	quic_fail_count(&self->fail);
	ret = load(self->file);
	tour = tour_start(quic_fail_counted(&self->fail));
	ASSERT_EQ(0, ret);
	ASSERT_EQ(0, unload());

	while ((site = tour_next(&tour))) {
		quic_fail_at(&self->fail, site);
		ret = load(self->file);
		quic_fail_end(&self->fail, ret);
		if (ret) {
			ASSERT_TRUE(self->fail.hit);
			ASSERT_TRUE(self->fail.err == ENOMEM ||
				    self->fail.err == EFAULT) {
				TH_LOG("failure %u: %s", self->fail.site,
				       strerrorname_np(self->fail.err));
			}
			expect_loaded(_metadata, self, false);
			ASSERT_EQ(0, load(self->file));
		}
		expect_loaded(_metadata, self, true);
		expect_attached(_metadata);
		ASSERT_EQ(0, unload());
		expect_loaded(_metadata, self, false);
	}
	TH_LOG("%u of %u sites", tour.visited, tour.sites);
	say_sites(_metadata, self, "load");
	EXPECT_LE(1, self->fail.told);
}

TEST_F_TIMEOUT(module, unload, 300)
{
	int ret;

	do {
		ASSERT_EQ(0, load(self->file));
		quic_fail_next(&self->fail);
		ret = unload();
		quic_fail_end(&self->fail, ret);
		if (ret) {
			ASSERT_TRUE(self->fail.hit);
			ASSERT_EQ(EFAULT, self->fail.err);
			expect_loaded(_metadata, self, true);
			expect_attached(_metadata);
			ASSERT_EQ(0, unload());
		}
		expect_loaded(_metadata, self, false);
	} while (self->fail.hit);
	say_sites(_metadata, self, "unload");
	/* Not all architectures let the copy of the name fail. */
	EXPECT_LE(1, self->fail.told + self->fail.survived);
}

/* The module is loaded by another task, for which nothing fails. */
TEST_F_TIMEOUT(module, load_on_demand, 300)
{
	int fd, ret;

	do {
		fd = socket(AF_INET6, SOCK_DGRAM, 0);
		ASSERT_LE(0, fd);
		quic_fail_next(&self->fail);
		ret = attach(fd);
		quic_fail_end(&self->fail, ret);
		if (ret) {
			ASSERT_TRUE(self->fail.hit);
			ASSERT_TRUE(self->fail.err == ENOMEM ||
				    self->fail.err == EFAULT ||
				    self->fail.err == ENOENT) {
				TH_LOG("failure %u: %s", self->fail.site,
				       strerrorname_np(self->fail.err));
			}
			ASSERT_EQ(0, attach(fd));
		}
		expect_loaded(_metadata, self, true);
		ASSERT_EQ(-1, attach(fd));
		ASSERT_EQ(EEXIST, errno);
		/* The socket keeps it. */
		ASSERT_EQ(-1, unload());
		close(fd);
		ASSERT_EQ(0, unload());
	} while (self->fail.hit);
	say_sites(_metadata, self, "attach and load");
	/* The call of modprobe, the table of flows */
	EXPECT_LE(2, self->fail.told);
}

/* Which network namespace is the process in? */
static ino_t namespace(void)
{
	struct stat st = {};

	stat("/proc/self/ns/net", &st);
	return st.st_ino;
}

TEST_F_TIMEOUT(module, network_namespace, 7200)
{
	unsigned int sites[2], site;
	struct tour tour;
	ino_t before;
	int ret, i;

	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, unshare(CLONE_NEWNET));
		quic_fail_count(&self->fail);
		ret = unshare(CLONE_NEWNET);
		sites[i] = quic_fail_counted(&self->fail);
		ASSERT_EQ(0, ret);
		if (!i)
			ASSERT_EQ(0, load(self->file));
	}
	tour = tour_start(sites[1]);
	while ((site = tour_next(&tour))) {
		before = namespace();
		quic_fail_at(&self->fail, site);
		ret = unshare(CLONE_NEWNET);
		quic_fail_end(&self->fail, ret);
		if (ret) {
			/* The errno is that of whatever has failed. */
			ASSERT_TRUE(self->fail.hit);
			ASSERT_EQ(before, namespace());
		} else {
			ASSERT_NE(before, namespace());
		}
		/* The new one, or the old one after all, works. */
		expect_loaded(_metadata, self, true);
		expect_attached(_metadata);
	}
	TH_LOG("%u of %u sites, %u without the module", tour.visited, sites[1],
	       sites[0]);
	say_sites(_metadata, self, "network namespace");
	EXPECT_LE(1, self->fail.told);
}

TEST_HARNESS_MAIN
