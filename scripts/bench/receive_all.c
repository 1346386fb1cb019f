// SPDX-License-Identifier: GPL-2.0
/* Which tables there are of receiving */
#include "receiver.h"

static const unsigned int trains[] = { 44, 16, 4, 1, 0 };

static const enum rx_way all_ways[] = {
	RX_PLAIN, RX_SSL30, RX_SSL35, RX_OFFLOAD, RX_SSL30_ONLY, RX_SSL35_ONLY,
	RX_KERNEL_AEAD, RX_KERNEL_LIBRARY, RX_KERNEL_PLAIN, RX_KERNEL_ULP,
	RX_KERNEL_OFFLOAD, RX_NUM
};

void receive_targets(const struct target *target, unsigned int rounds)
{
	const struct setting setting = {
		.target = target, .cipher = ciphers, .wire = 1452
	};

	receive_check();
	receive_rows(&setting, trains, all_ways, rounds);
}

void receive_kernel(const struct target *target, unsigned int rounds)
{
	static const enum rx_way ways[] = {
		RX_KERNEL_AEAD, RX_KERNEL_LIBRARY, RX_KERNEL_PLAIN,
		RX_KERNEL_ULP, RX_KERNEL_OFFLOAD, RX_NUM
	};
	struct setting setting = {
		.target = target, .cipher = ciphers, .wire = 1452
	};

	receive_rows(&setting, trains, ways, rounds);
}

void receive_plain(const struct target *target, unsigned int rounds)
{
	static const enum rx_way ways[] = { RX_PLAIN, RX_KERNEL_PLAIN, RX_NUM };
	struct setting setting = {
		.target = target, .cipher = ciphers, .wire = 1452
	};

	receive_rows(&setting, trains, ways, rounds);
	setting.ipv6 = true;
	receive_rows(&setting, trains, ways, rounds);
}

/* A full queue takes long to fill. */
static void hot_and_cold(struct setting *setting)
{
	setting->cold = false;
	receive_rows(setting, trains, all_ways, 25);
	setting->cold = true;
	receive_rows(setting, trains, all_ways, 6);
}

void receive_all(const struct target *whole, const struct target *joined)
{
	struct setting setting = { .target = joined, .wire = 1452 };

	receive_targets(whole, 60);

	setting.cipher = ciphers;
	hot_and_cold(&setting);

	setting.target = whole;
	setting.ipv6 = true;
	receive_rows(&setting, trains, all_ways, 25);

	setting.ipv6 = false;
	for (; setting.cipher->name; setting.cipher++)
		hot_and_cold(&setting);

	receive_flows_run(whole, 40);
}
