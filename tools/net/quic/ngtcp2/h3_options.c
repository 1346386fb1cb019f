// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Options of both programs */
#include <net/if.h>
#include <stdlib.h>

#include "h3_options.h"
#include "h3_vaes.h"

/* Options without a letter */
enum { NO_TX = 0x100, NO_RX, NO_GRO, SHORTEST, BURST };

/*
 * Where the kernel's AES-GCM is no faster than that of GnuTLS: a packet of a train of 28
 * takes 1 % fewer instructions with the offload, in bursts of 8 it takes 1 % more, of 4 3 %
 * (counted as by make bench BENCH=server).
 */
#define SHORTEST_WITHOUT_VAES	12

/* What costs more when it is left to the kernel is not.  Packets that come do. */
static void choose(struct h3_options *options)
{
	if (options->shortest || h3_kernel_has_vaes())
		return;
	options->shortest = SHORTEST_WITHOUT_VAES;
	options->no_offload_rx = true;
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct h3_options *options = state->input;

	switch (key) {
	case 'O':
		options->no_offload_tx = true;
		options->no_offload_rx = true;
		return 0;
	case NO_TX:
		options->no_offload_tx = true;
		return 0;
	case NO_RX:
		options->no_offload_rx = true;
		return 0;
	case NO_GRO:
		options->no_gro = true;
		return 0;
	case SHORTEST:
		options->shortest = atoi(arg);
		return 0;
	case BURST:
		options->burst = atoi(arg);
		return 0;
	case 'G':
		options->no_gso = true;
		return 0;
	case 'C':
		options->cipher = arg;
		return 0;
	case 'K':
		options->key_update = atoi(arg) * NGTCP2_MILLISECONDS;
		return 0;
	case 'T':
		options->tclass = strtol(arg, NULL, 0);
		return 0;
	case 'I':
		options->ifindex = if_nametoindex(arg);
		if (!options->ifindex)
			argp_error(state, "%s: no such interface", arg);
		return 0;
	case ARGP_KEY_SUCCESS:
		choose(options);
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

const struct argp h3_argp = {
	.options = (const struct argp_option[]) {
		{ "no-offload", 'O', 0, 0,
		  "Protect and open packets in userspace" },
		{ "no-offload-tx", NO_TX, 0, 0, "Protect them in userspace" },
		{ "no-offload-rx", NO_RX, 0, 0, "Open them in userspace" },
		{ "no-gso", 'G', 0, 0, "Send one packet at a time" },
		{ "no-gro", NO_GRO, 0, 0, "Receive one packet at a time" },
		{ "shortest", SHORTEST, "PACKETS", 0,
		  "Leave trains of no fewer packets to the kernel, and have it open"
		  " what comes; default: 2 if its AES-GCM is for VAES, else 12, and"
		  " open nothing" },
		{ "burst", BURST, "PACKETS", 0,
		  "Write so many packets in one go, not as many as may leave" },
		{ "cipher", 'C', "NAME", 0,
		  "Only AES-128-GCM, AES-256-GCM, AES-128-CCM or CHACHA20-POLY1305" },
		{ "key-update", 'K', "MS", 0,
		  "Update keys every MS milliseconds" },
		{ "tclass", 'T', "N", 0,
		  "Traffic class, or type of service, of all packets" },
		{ "interface", 'I', "NAME", 0,
		  "The interface that all packets leave by" },
		{ 0 }
	},
	.parser = parse_option,
};
