// SPDX-License-Identifier: GPL-2.0
/*
 * What it costs to send QUIC packets, protected in this way and in that.
 * Prints a line for each result, fields separated by tabs.
 *
 *	SSL30=libcrypto SSL35=libcrypto quic_bench quick|receive|receive-kernel|instructions|all|plain|parallel|sink
 */
#include <err.h>
#include <stdlib.h>
#include <string.h>

#include "receiver.h"

static const struct target dummy = { "dummy", "10.9.0.2", "fd00:9::2" };
static const struct target veth = { "veth", "10.8.0.2", "fd00:8::2", "receiver" };

static const enum way all_ways[] = {
	WAY_PLAIN, WAY_SSL30, WAY_SSL35, WAY_SSL35_ZEROCOPY, WAY_OFFLOAD,
	WAY_SSL30_ONLY, WAY_SSL35_ONLY, WAY_KERNEL_MEMCPY, WAY_KERNEL_AEAD,
	WAY_KERNEL_BARE, WAY_KERNEL_LIBRARY, WAY_KERNEL_PLAIN, WAY_KERNEL_OFFLOAD,
	WAY_NUM
};

static const enum rx_way all_rx_ways[] = {
	RX_PLAIN, RX_SSL30, RX_SSL35, RX_OFFLOAD, RX_SSL30_ONLY, RX_SSL35_ONLY,
	RX_KERNEL_AEAD, RX_KERNEL_LIBRARY, RX_KERNEL_PLAIN, RX_KERNEL_ULP,
	RX_KERNEL_OFFLOAD, RX_NUM
};

static const enum rx_way kernel_rx_ways[] = {
	RX_KERNEL_AEAD, RX_KERNEL_LIBRARY, RX_KERNEL_PLAIN, RX_KERNEL_ULP,
	RX_KERNEL_OFFLOAD, RX_NUM
};

static void run_receive_targets(const enum rx_way *ways, unsigned int rounds)
{
	static const unsigned int trains[] = { 44, 16, 4, 1, 0 };
	const struct setting setting = {
		.target = &veth, .cipher = ciphers, .wire = 1452
	};

	receive_rows(&setting, trains, ways, rounds);
}

/* What the project has targets for */
static void run_targets(unsigned int rounds)
{
	static const unsigned int trains[] = { 44, 16, 1, 0 };
	const struct setting setting = {
		.target = &dummy, .cipher = ciphers, .wire = 1452
	};

	check_ways();
	rounds_run(&setting, trains, all_ways, rounds);
}

/* For kernels without the series, too */
static void run_plain(void)
{
	static const enum way ways[] = { WAY_PLAIN, WAY_KERNEL_PLAIN, WAY_NUM };
	static const unsigned int trains[] = { 44, 16, 1, 0 };
	struct setting setting = {
		.target = &dummy, .cipher = ciphers, .wire = 1452
	};
	unsigned int i;

	for (i = 0; i < 4; i++) {
		setting.ipv6 = i & 1;
		setting.connected = i & 2;
		rounds_run(&setting, trains, ways, 60);
	}
}

static void run_ciphers(void)
{
	static const struct {
		unsigned int wire;
		unsigned int trains[5];
	} sizes[] = {
		{ 1452, { 44, 16, 4, 1 } },
		{ 1200, { 44, 16, 4, 1 } },
		{ 8952, { 7, 4, 1 } },		/* what fits into 64 KB */
	};
	struct setting setting = { .target = &dummy };
	unsigned int i;

	for (setting.cipher = ciphers; setting.cipher->name; setting.cipher++) {
		for (i = 0; i < 2 * ARRAY_SIZE(sizes); i++) {
			setting.wire = sizes[i / 2].wire;
			setting.cold = i % 2;
			/* run_plot() does this one */
			if (setting.cipher != ciphers || i)
				rounds_run(&setting, sizes[i / 2].trains,
					   all_ways, 25);
		}
	}
}

/* The targets again, with more points in between */
static void run_plot(void)
{
	static const unsigned int trains[] = { 44, 32, 16, 8, 4, 2, 1, 0 };
	const struct setting setting = {
		.target = &dummy, .cipher = ciphers, .wire = 1452
	};

	rounds_run(&setting, trains, all_ways, 60);
}

static void run_paths(void)
{
	static const unsigned int trains[] = { 44, 16, 4, 1, 0 };
	static const struct setting settings[] = {
		{ .target = &dummy, .connected = true },
		{ .target = &dummy, .ipv6 = true },
		{ .target = &dummy, .ipv6 = true, .connected = true },
		{ .target = &veth },
		{ .target = &veth, .ipv6 = true },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(settings); i++) {
		struct setting setting = settings[i];

		setting.cipher = ciphers;
		setting.wire = 1452;
		rounds_run(&setting, trains, all_ways, 40);
	}
}

static void run_all(void)
{
	check_ways();
	run_plot();
	run_paths();
	run_ciphers();
	flows_run(&dummy);
	ktls_run();
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (!strcmp(what, "sink"))
		sink_run();

	kernel_open();
	ssl_libraries(getenv("SSL30"), getenv("SSL35"));
	receiver_init();
	if (!strcmp(what, "receive"))
		run_receive_targets(all_rx_ways, 60);
	else if (!strcmp(what, "receive-kernel"))
		run_receive_targets(kernel_rx_ways, 200);
	else if (!strcmp(what, "quick"))
		run_targets(60);
	else if (!strcmp(what, "instructions"))
		run_targets(5);		/* they vary little */
	else if (!strcmp(what, "all"))
		run_all();
	else if (!strcmp(what, "plain"))
		run_plain();
	else if (!strcmp(what, "parallel"))
		parallel_run(&dummy);
	else
		errx(1, "usage: quic_bench quick|receive|receive-kernel|instructions|all|plain|parallel|sink");
	return 0;
}
