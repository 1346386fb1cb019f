/* SPDX-License-Identifier: GPL-2.0 */
/* A program of tests that runs itself with quic_preload.so preloaded. */
#ifndef QUIC_PRELOAD_RUN_H
#define QUIC_PRELOAD_RUN_H

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Standard error is for the library. */
#define TH_LOG_STREAM stdout
#include "kselftest_harness.h"

/* Whether the library has said this, once */
#define EXPECT_SAID(text) do {						\
	char said_[500] = {}, *at_;					\
									\
	ASSERT_LE(0, pread(self->log, said_, sizeof(said_) - 1, 0));	\
	at_ = strstr(said_, text);					\
	EXPECT_TRUE(at_ && !strstr(at_ + 1, text)) {			\
		TH_LOG("%s", said_);					\
	}								\
} while (0)

/*
 * Run the program again with the library preloaded, and QUIC_PRELOAD_ALSO behind
 * it, and return what it returned: for a main() that does that first.
 */
static int preload_run(int argc, char **argv)
{
	char path[PATH_MAX], list[2 * PATH_MAX + 100];
	const char *also = getenv("QUIC_PRELOAD_ALSO");
	ssize_t len;

	/* The runner may preload something else. */
	if (!getenv("QUIC_PRELOADED")) {
		len = readlink("/proc/self/exe", path, sizeof(path) - 1);
		if (len < 0)
			return KSFT_FAIL;
		path[len] = '\0';
		*strrchr(path, '/') = '\0';
		snprintf(list, sizeof(list), "%s/quic_preload.so", path);
		if (also)
			snprintf(list, sizeof(list), "%s/quic_preload.so:%s/%s",
				 path, path, also);
		setenv("LD_PRELOAD", list, 1);
		setenv("QUIC_PRELOADED", "1", 1);
		/* The kernel gets single packets, too. */
		setenv("QUIC_OFFLOAD_SHORTEST", "1", 1);
		execv("/proc/self/exe", argv);
		return KSFT_FAIL;
	}
	unsetenv("LD_PRELOAD");
	return test_harness_run(argc, argv);
}

#endif /* QUIC_PRELOAD_RUN_H */
