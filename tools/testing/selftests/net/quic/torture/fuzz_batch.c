// SPDX-License-Identifier: GPL-2.0
/*
 * Many messages with one system call, by io_uring: those of which the model
 * knows the outcome without a look at the twin.  System calls are what most of
 * the time goes to.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz_batch.h"
#include "fuzz_exec.h"
#include "fuzz_fail.h"
#include "fuzz_gen.h"
#include "fuzz_model.h"
#include "fuzz_model_flow.h"
#include "fuzz_random.h"
#include "fuzz_wire.h"
#include "quic_uring.h"

#define SIZE		128
#define TRIES		400
#define WIRE_SIZE	(1 << 20)

struct slot {
	struct fuzz_call call;
	struct fuzz_message m;
	struct msghdr mh;
	long want;
};

static struct slot slots[SIZE];
static uint8_t wires[WIRE_SIZE];
static struct quic_uring ring;

void fuzz_batch_open(void)
{
	unsigned int i;

	if (quic_uring_open(&ring, SIZE))
		fuzz_must(errno == ENOSYS || errno == EPERM, "io_uring");
	for (i = 0; i < SIZE; i++) {
		slots[i].call.message = malloc(FUZZ_MESSAGE_SIZE);
		fuzz_must(!!slots[i].call.message, "malloc");
	}
}

/* Predict the outcome; returns whether that is possible. */
static bool predict(struct slot *slot, uint8_t **wire)
{
	struct fuzz_call *call = &slot->call;
	struct fuzz_message *m = &slot->m;
	int err;

	err = fuzz_model_message(call, m);
	if (!call->sock->ulp || call->sock->full || !m->encrypt || m->bypass ||
	    call->readable < call->len)
		return false;
	/* Always the same error is of little use. */
	if ((call->sock->corked || call->sock->pending || !call->sock->flows) &&
	    fuzz_chance(90))
		return false;
	if (!err) {
		if (!m->simple || fuzz_model_huge(m))
			return false;
		err = fuzz_model_train(call, m);
	}

	if (err) {
		slot->want = -err;
		fuzz_counters.errors++;
		return true;
	}
	slot->want = call->len;
	fuzz_wire_protect(call, m, *wire);
	fuzz_wire_expect(call, m, *wire);
	*wire += m->wire_len;
	fuzz_model_sent(m);
	fuzz_model_count(m->flow, m->count, m->wire_len);
	return true;
}

static void prepare(struct slot *slot)
{
	struct fuzz_call *call = &slot->call;

	call->iov[0] = (struct iovec) { call->message, call->len };
	call->iov_count = 1;
	slot->mh = (struct msghdr) {
		.msg_name = call->name_len ? &call->name : NULL,
		.msg_namelen = call->name_len,
		.msg_iov = call->iov,
		.msg_iovlen = 1,
		.msg_control = call->control,
		.msg_controllen = call->control_len,
	};
}

static void check(struct slot *slot, long got)
{
	fuzz_current = &slot->call;
	fuzz_expect(got, slot->want);
}

static void submit(unsigned int n)
{
	unsigned int i, which;
	long got;

	for (i = 0; i < n; i++)
		quic_uring_queue(&ring, IORING_OP_SENDMSG,
				 slots[i].call.sock->fd, &slots[i].mh,
				 slots[i].call.flags, 0, i);
	fuzz_must(quic_uring_enter(&ring, n, n) == (int)n, "io_uring_enter");
	for (i = 0; i < n; i++) {
		got = quic_uring_result(&ring, &which);
		check(&slots[which], got);
	}
}

/* Where there is no io_uring */
static void send_each(unsigned int n)
{
	unsigned int i;
	ssize_t got;

	for (i = 0; i < n; i++) {
		got = sendmsg(slots[i].call.sock->fd, &slots[i].mh,
			      slots[i].call.flags);
		check(&slots[i], got < 0 ? -errno : got);
	}
}

unsigned int fuzz_batch(void)
{
	unsigned int n = 0, tries;
	uint8_t *wire = wires;

	for (tries = 0; tries < TRIES && n < SIZE; tries++) {
		if (fuzz_wire_room() < QUIC_MAX_SEGMENTS ||
		    wires + sizeof(wires) - wire < QUIC_MAX_UDP_PAYLOAD)
			break;
		fuzz_current = &slots[n].call;
		fuzz_gen_send(&slots[n].call);
		if (!predict(&slots[n], &wire))
			continue;
		prepare(&slots[n++]);
	}
	if (!n)
		return 0;
	if (ring.fd < 0)
		send_each(n);
	else
		submit(n);
	fuzz_wire_check();
	return n;
}
