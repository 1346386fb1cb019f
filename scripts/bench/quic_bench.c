// SPDX-License-Identifier: GPL-2.0
/*
 * What it costs to send and to receive QUIC packets, protected in this way and in
 * that.
 * Prints a line for each result, fields separated by tabs.
 *
 *	SSL30=libcrypto SSL35=libcrypto quic_bench MODE	see run()
 *	quic_bench sink					what receives and reads nothing
 *	quic_bench gro DEVICE				turns its GRO on
 *	quic_bench no-tso DEVICE			turns its TSO off
 */
#include <err.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "receiver.h"

static const struct target dummy = { "dummy", "10.9.0.2", "fd00:9::2" };
static const struct target veth = { "veth", "10.8.0.2", "fd00:8::2", "receiver" };
/* Protected by the device, but for the arithmetic */
static const struct target device = { "a device", "10.6.0.2", "fd00:6::2", NULL, true };
/* Packets go one by one, and are joined where they come. */
static const struct target joined = { "GRO", "10.7.0.2", "fd00:7::2", "receiver" };

static const enum way all_ways[] = {
	WAY_PLAIN, WAY_SSL30, WAY_SSL35, WAY_SSL35_ZEROCOPY, WAY_OFFLOAD,
	WAY_SSL30_ONLY, WAY_SSL35_ONLY, WAY_KERNEL_MEMCPY, WAY_KERNEL_AEAD,
	WAY_KERNEL_BARE, WAY_KERNEL_LIBRARY, WAY_KERNEL_PLAIN, WAY_KERNEL_OFFLOAD,
	WAY_NUM
};

/* What the project has targets for */
static void run_targets(unsigned int rounds)
{
	static const unsigned int trains[] = { 44, 16, 1, 0 };
	const struct setting setting = {
		.target = &dummy, .cipher = ciphers, .wire = 1452
	};

	check_ways();
	rounds_run(&setting, trains, all_ways, rounds);
	receive_targets(&veth, rounds);
}

/* Sending to a device that protects packets, if there is one */
static void run_device(unsigned int rounds)
{
	static const enum way ways[] = {
		WAY_PLAIN, WAY_SSL35, WAY_OFFLOAD, WAY_SSL35_ONLY,
		WAY_KERNEL_PLAIN, WAY_KERNEL_OFFLOAD, WAY_NUM
	};
	static const unsigned int trains[] = { 44, 16, 1, 0 };
	struct setting setting = {
		.target = &device, .cipher = ciphers, .wire = 1452
	};

	if (if_nametoindex("bench5"))
		rounds_run(&setting, trains, ways, rounds);
}

/* For kernels without the series, too */
static void run_plain(unsigned int rounds)
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
		rounds_run(&setting, trains, ways, rounds);
	}
	receive_plain(&veth, rounds);
}

/* A socket with the ULP and a flow, until it is killed */
static void hold(void)
{
	const struct setting setting = {
		.target = &dummy, .cipher = ciphers, .wire = 1452
	};

	if (!sender_new(WAY_OFFLOAD, &setting, 1))
		err(1, "no offload");
	puts("held");
	fflush(stdout);
	pause();
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
	many_run(&dummy, 25);
	ktls_run();
	receive_all(&veth, &joined);
}

static void run_receive(void)
{
	receive_targets(&veth, 60);
	receive_flows_run(&veth, 40);
}

static void run_quick(void)
{
	run_targets(60);
	receive_flows_run(&veth, 40);
}

static void run_parallel(void)
{
	parallel_run(&dummy);
	receive_parallel_run(&veth);
}

/* They vary little. */
static void run_instructions(void)
{
	run_targets(5);
	run_device(5);
	many_run(&dummy, 2);
	timing_run(&veth, 3);
}

static void run(const char *what)
{
	if (!strcmp(what, "quick"))
		run_quick();
	else if (!strcmp(what, "receive"))
		run_receive();
	else if (!strcmp(what, "receive-kernel"))
		receive_kernel(&veth, 200);
	else if (!strcmp(what, "instructions"))
		run_instructions();
	else if (!strcmp(what, "all"))
		run_all();
	else if (!strcmp(what, "plain"))
		run_plain(60);
	else if (!strcmp(what, "plain-instructions"))
		run_plain(5);
	else if (!strcmp(what, "parallel"))
		run_parallel();
	else if (!strcmp(what, "many"))
		many_run(&dummy, 25);
	else if (!strcmp(what, "device"))
		run_device(5);
	else if (!strcmp(what, "timing"))
		timing_run(&veth, 20);
	else
		errx(1, "no '%s'", what);
}

int main(int argc, char **argv)
{
	if (argc < 2)
		errx(1, "what?  run() tells");
	if (!strcmp(argv[1], "sink"))
		sink_run();
	if (!strcmp(argv[1], "hold"))
		hold();
	if (!strcmp(argv[1], "gro") && argc > 2) {
		gro_on(argv[2]);
		return 0;
	}
	if (!strcmp(argv[1], "no-tso") && argc > 2) {
		tso_off(argv[2]);
		return 0;
	}

	kernel_open();
	ssl_libraries(getenv("SSL30"), getenv("SSL35"));
	receiver_init();
	run(argv[1]);
	return 0;
}
