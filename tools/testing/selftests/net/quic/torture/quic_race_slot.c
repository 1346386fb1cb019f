// SPDX-License-Identifier: GPL-2.0
/* Receiving from a descriptor that changes its socket */

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kselftest.h"
#include "quic_race_pool.h"

int quic_pool_slot_send(struct quic_race *race, unsigned int *seed)
{
	struct quic_pool_slot *slot = race->own;
	struct quic_addr to = slot->to;

	return quic_pool_offer(slot->pool, QUIC_RACE_SLOT, &to, seed);
}

int quic_pool_slot_read(struct quic_race *race, unsigned int *seed)
{
	static const int flags[] = { 0, MSG_DONTWAIT, MSG_DONTWAIT,
				     MSG_DONTWAIT | MSG_PEEK };
	struct quic_pool_slot *slot = race->own;

	return quic_pool_receive(slot->pool, QUIC_RACE_SLOT, QUIC_POOL_SLOT_MAY,
				 true, flags[rand_r(seed) % ARRAY_SIZE(flags)]);
}

bool quic_pool_slot_ends(const struct quic_race *race,
			 const struct quic_rx_counters *before)
{
	struct quic_pool_slot *slot = race->own;
	struct quic_addr addr;
	bool works;
	int fd;

	fd = quic_pool_receiver(race, &addr);
	works = !quic_race_attach(fd) &&
		quic_pool_works(slot->pool, race->env.tx, fd, &addr);
	close(fd);
	return works && quic_pool_adds_up(slot->pool, -1) &&
	       quic_pool_counters(slot->pool, before);
}
