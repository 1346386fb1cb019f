// SPDX-License-Identifier: GPL-2.0
/* A socket that sends by a netdevsim that takes keys. */

#include <string.h>
#include <unistd.h>

#include "quic_nsim_sender.h"

#define UP(device, n)							\
	QUIC_PATH_ADDRESSES(device, n)					\
	"link set " device " mtu 65535 up\n"

int quic_nsim_sender_open(struct quic_nsim_sender *sender, int family,
			  bool segments)
{
	memset(sender, 0, sizeof(*sender));
	sender->packet = (struct quic_packet) {
		.pn = 1000,
		.pn_len = 2,
		.len = 1000,
		.flags = QUIC_FIXED_BIT,
	};
	if (quic_nsim_open(&sender->nsim, &sender->path) ||
	    quic_path_ip(&sender->path, false, UP("quic0", "1")) ||
	    quic_path_ip(&sender->path, true, UP("quic1", "2")) ||
	    quic_nsim_segments("quic0", segments) != segments)
		return -1;
	sender->tx = quic_path_socket(&sender->path, family, &sender->to);
	return sender->tx < 0 || !quic_path_reaches(&sender->path, sender->tx,
						    &sender->to) ? -1 : 0;
}

static void forget_phase(struct quic_nsim_sender *sender, int phase)
{
	if (sender->phase[phase])
		quic_oracle_free(sender->phase[phase]);
	sender->phase[phase] = NULL;
}

void quic_nsim_sender_hang_up(struct quic_nsim_sender *sender)
{
	close(sender->tx);
	sender->tx = -1;
}

void quic_nsim_sender_close(struct quic_nsim_sender *sender)
{
	forget_phase(sender, 0);
	forget_phase(sender, 1);
	quic_nsim_sender_hang_up(sender);
	quic_nsim_close(&sender->nsim, &sender->path);
}

static void flow(struct quic_nsim_sender *sender, int cipher, unsigned int which,
		 uint8_t generation, struct quic_keys *keys,
		 struct quic_connection_info *info)
{
	struct quic_dcid dcid;

	quic_dcid_init(&dcid, QUIC_NSIM_DCID_LEN, which);
	quic_keys_derive(keys, &quic_ciphers[cipher], which, generation);
	quic_flow_info(info, keys, &dcid, &sender->to);
}

int quic_nsim_sender_begin(struct quic_nsim_sender *sender, int cipher,
			   unsigned int which, uint8_t generation)
{
	struct quic_connection_info info;
	struct quic_keys keys;
	int phase = generation & 1;

	flow(sender, cipher, which, generation, &keys, &info);
	if (quic_flow_add(sender->tx, &info))
		return -1;
	quic_dcid_init(&sender->packet.dcid, QUIC_NSIM_DCID_LEN, which);
	sender->packet.flags = QUIC_FIXED_BIT | (phase ? QUIC_KEY_PHASE : 0);
	forget_phase(sender, phase);
	sender->phase[phase] = quic_oracle_new(&keys);
	return 0;
}

int quic_nsim_sender_delete(struct quic_nsim_sender *sender, unsigned int which)
{
	struct quic_connection_info info;
	struct quic_keys keys;

	flow(sender, 0, which, 0, &keys, &info);
	return quic_flow_del(sender->tx, &info);
}

void quic_nsim_sender_build(struct quic_nsim_sender *sender, unsigned int count,
			    size_t last)
{
	quic_train_build(&sender->train, sender->packet, count, last);
	sender->packet.pn += count;
}
