// SPDX-License-Identifier: GPL-2.0
/* Whether a round came to what it must come to. */

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kselftest.h"
#include "load.h"
#include "quic_cgroup.h"

/* What is on its way arrives, or is lost; with a wrong bit, where that may be. */
bool load_adds_up(const struct load *load)
{
	unsigned long packets = LOAD_TOTAL(load, packets), lost, dirty;
	const struct load_receiver *r = &load->receiver;
	int patience;

	for (patience = 0; patience < 600; patience++) {
		lost = load_net_lost();
		dirty = load_net_dirty();
		if (r->clean + dirty + lost == packets &&
		    dirty == LOAD_TOTAL(load, dirty) && r->dirty <= dirty &&
		    r->dirty >= dirty / 4 * 3 &&
		    load->audited.searched == r->sampled)
			return true;
		usleep(100 * 1000);
	}
	ksft_print_msg("%lu packets sent, %lu of them dirty; %lu lost\n",
		       packets, LOAD_TOTAL(load, dirty), lost);
	ksft_print_msg("%lu received, %lu dirty of %lu; %lu samples, %lu audited\n",
		       r->clean, r->dirty, dirty, r->sampled,
		       (unsigned long)load->audited.searched);
	return false;
}

static bool is(const char *name, long found, unsigned long value)
{
	if (found == (long)value)
		return true;
	ksft_print_msg("%s is %ld, not %lu\n", name, found, value);
	return false;
}

static bool receiver_counts(const char *name, unsigned long value)
{
	return is(name, load_net_stat(name), value);
}

bool load_counters_are_right(const struct load *load)
{
	unsigned long added = LOAD_TOTAL(load, added);
	const struct load_receiver *r = &load->receiver;
	bool right;

	right = is("QuicTxSwPackets", quic_stat("QuicTxSwPackets"),
		   LOAD_TOTAL(load, packets));
	right &= is("QuicTxSwError", quic_stat("QuicTxSwError"),
		    LOAD_TOTAL(load, enobufs));
	right &= is("QuicTxSw", quic_stat("QuicTxSw"), added);
	right &= is("QuicCurrTxSw", quic_stat("QuicCurrTxSw"),
		    added - LOAD_TOTAL(load, deleted));
	right &= receiver_counts("QuicRxSwPackets", r->opened);
	right &= receiver_counts("QuicRxSwBadTag", r->bad_tag);
	right &= receiver_counts("QuicRxSwNoKey", r->no_key);
	right &= receiver_counts("QuicRxSwNoFlow", r->no_flow);
	right &= receiver_counts("QuicRxSwLimit", 0);
	right &= receiver_counts("QuicRxSwDropped", 0);
	right &= receiver_counts("QuicRxSw", r->added);
	right &= receiver_counts("QuicCurrRxSw", r->added - r->deleted);
	return right;
}

bool load_no_unexpected_errors(const struct load *load)
{
	int i;

	for (i = 0; i < LOAD_SENDERS; i++)
		if (load->sender[i].unexpected)
			ksft_print_msg("%lu errors, the last: %s: %s\n",
				       load->sender[i].unexpected,
				       load->sender[i].what,
				       strerror(load->sender[i].err));
	if (load->receiver.wrong)
		ksft_print_msg("%lu times something else was received: %s\n",
			       load->receiver.wrong, load->receiver.what);
	return !LOAD_TOTAL(load, unexpected) && !load->receiver.wrong;
}

void load_report(const struct load *load, unsigned int seconds)
{
	const struct load_receiver *r = &load->receiver;

	ksft_print_msg("%u s: %lu packets, %lu trains, %lu updates, %lu flows\n",
		       seconds, LOAD_TOTAL(load, packets),
		       LOAD_TOTAL(load, trains), LOAD_TOTAL(load, updates),
		       LOAD_TOTAL(load, added));
	ksft_print_msg("  %lu EAGAIN, %lu ENOBUFS, %lu ENOMEM, %lu lost\n",
		       LOAD_TOTAL(load, eagain), LOAD_TOTAL(load, enobufs),
		       LOAD_TOTAL(load, enomem), load_net_lost());
	ksft_print_msg("  receiver: %lu opened, %lu bad tag, %lu no key, %lu no flow\n",
		       r->opened, r->bad_tag, r->no_key, r->no_flow);
	ksft_print_msg("  receiver: %lu late, %lu spoilt\n", r->late, r->spoilt);
	ksft_print_msg("  receiver: %lu updates, %lu flows, %lu ENOMEM\n",
		       r->updates, r->added, r->enomem);
}
