// SPDX-License-Identifier: GPL-2.0
/* Random reads, with too little of everything at times */

#include "fuzz_random.h"
#include "fuzz_rx_gen.h"

static size_t most(size_t value, size_t max)
{
	return value < max ? value : max;
}

/* For one that has @i before it: what the read may get */
static const struct fuzz_rx_message *message_at(const struct fuzz_rx_sock *rx,
						unsigned int i)
{
	return i < rx->messages ? rx->queue[i] : NULL;
}

static size_t choose_room(const struct fuzz_rx_message *m)
{
	size_t len = m ? m->len : 100, stride = m && m->stride ? m->stride : len;
	unsigned int dice = fuzz_below(100);

	if (dice < 60)
		return len + fuzz_below(200);
	if (dice < 70)
		return len;
	if (dice < 80)
		return fuzz_below(len + 1);
	/* Around the edge of a datagram */
	if (dice < 92)
		return most(stride * fuzz_below(stride ? len / stride + 2 : 1) +
			    fuzz_below(24), FUZZ_RX_MESSAGE);
	if (dice < 94)
		return 0;
	return fuzz_chance(80) ? 2048 : FUZZ_RX_MESSAGE;
}

static size_t entries_of(const struct fuzz_rx_message *m, size_t room)
{
	size_t len = m ? most(m->len, room) : 0;
	size_t stride = m && m->stride ? m->stride : len;
	size_t n = len ? (len + stride - 1) / stride : 1;

	return CMSG_LEN(n * sizeof(struct quic_rx_ancillary_data));
}

static size_t choose_control(const struct fuzz_rx_message *m, size_t room)
{
	unsigned int dice = fuzz_below(100);
	size_t len;

	if (dice < 50)
		return entries_of(m, room) + 200;
	if (dice < 65)
		return entries_of(m, room) + fuzz_below(60);
	if (dice < 72)
		return entries_of(m, room);
	if (dice < 80) {
		len = entries_of(m, room) - 1;
		return fuzz_chance(50) ? len : fuzz_below(len);
	}
	if (dice < 85)
		return 0;
	return fuzz_below(FUZZ_RX_CONTROL + 1);
}

static size_t choose_name(void)
{
	unsigned int dice = fuzz_below(100);

	if (dice < 50)
		return 0;
	return dice < 90 ? sizeof(struct sockaddr_in6) :
			   fuzz_below(sizeof(struct sockaddr_in6));
}

static int choose_flags(void)
{
	int flags = 0;

	if (fuzz_chance(30))
		flags |= MSG_PEEK;
	if (fuzz_chance(20))
		flags |= MSG_TRUNC;
	if (fuzz_chance(50))
		flags |= MSG_DONTWAIT;
	if (fuzz_chance(5))
		flags |= fuzz_chance(50) ? MSG_WAITALL : MSG_CMSG_CLOEXEC;
	if (fuzz_chance(1))
		flags |= MSG_ERRQUEUE;
	return flags;
}

static void choose_rest(const struct fuzz_rx_message *m,
			struct fuzz_rx_read *read)
{
	read->room = choose_room(m);
	read->writable = read->room;
	read->nowhere = FUZZ_RX_SOMEWHERE;
	read->control_len = choose_control(m, read->room);
	if (read->control_len > FUZZ_RX_CONTROL)
		read->control_len = FUZZ_RX_CONTROL;
	read->name_len = choose_name();
}

static enum fuzz_rx_call choose_call(void)
{
	unsigned int dice = fuzz_below(100);

	if (dice < 50)
		return FUZZ_RX_RECVMSG;
	if (dice < 90)
		return FUZZ_RX_RECVMMSG;
	return dice < 96 ? FUZZ_RX_RECV : FUZZ_RX_READ;
}

void fuzz_rx_gen_read(struct fuzz_rx_sock *rx, struct fuzz_rx_read *read)
{
	read->call = choose_call();
	read->rx = rx;
	read->flags = read->call == FUZZ_RX_READ ? 0 : choose_flags();
	choose_rest(message_at(rx, 0), read);
	switch (read->call) {
	case FUZZ_RX_RECVMMSG:
		/* It waits for all of them otherwise. */
		read->flags |= MSG_DONTWAIT;
		return;
	case FUZZ_RX_RECVMSG:
		if (fuzz_chance(2))
			read->nowhere = fuzz_chance(50) ? FUZZ_RX_NULL :
							  FUZZ_RX_UNMAPPED;
		break;
	default:
		read->control_len = 0;
		read->name_len = 0;
	}
	if (read->room && fuzz_chance(2))
		read->writable = fuzz_below(read->room);
}

void fuzz_rx_gen_next(const struct fuzz_rx_read *first, unsigned int i,
		      struct fuzz_rx_read *read)
{
	*read = *first;
	choose_rest(message_at(first->rx, first->flags & MSG_PEEK ? 0 : i), read);
}
