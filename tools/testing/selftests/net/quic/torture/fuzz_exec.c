// SPDX-License-Identifier: GPL-2.0
/* Do a call, ask the twin where UDP decides, compare with the model. */

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include <linux/sockios.h>

#include "fuzz_exec.h"
#include "fuzz_fail.h"
#include "fuzz_info.h"
#include "fuzz_memory.h"
#include "fuzz_model.h"
#include "fuzz_model_flow.h"
#include "fuzz_sock.h"
#include "fuzz_wire.h"

static long result(long ret)
{
	return ret < 0 ? -errno : ret;
}

static long send_on(int fd, const struct fuzz_call *call, void *control,
		    size_t control_len, const struct iovec *iov, size_t count)
{
	struct msghdr mh = {
		.msg_name = call->name_len ? (void *)&call->name : NULL,
		.msg_namelen = call->name_len,
		.msg_iov = (void *)iov,
		.msg_iovlen = count,
		.msg_control = control,
		.msg_controllen = control_len,
	};

	return result(sendmsg(fd, &mh, call->flags));
}

/* The control messages, with UDP_SEGMENT or nothing for UDP_QUIC_ENCRYPT */
static size_t twin_control(const struct fuzz_call *call,
			   const struct fuzz_message *m, uint64_t *control)
{
	size_t tail = m->at + CMSG_SPACE(sizeof(struct quic_tx_ancillary_data));
	struct msghdr mh = { .msg_control = control, .msg_controllen = m->at };
	uint16_t gso = m->gso;

	memcpy(control, call->control, m->at);
	if (!m->bypass)
		quic_cmsg_put(&mh, SOL_UDP, UDP_SEGMENT, &gso, sizeof(gso));
	memcpy((uint8_t *)control + mh.msg_controllen,
	       (const uint8_t *)call->control + tail, call->control_len - tail);
	return mh.msg_controllen + call->control_len - tail;
}

/* The protected bytes, sent as plain UDP sends them */
static long twin_protected(const struct fuzz_call *call,
			   const struct fuzz_message *m, uint8_t *wire)
{
	uint64_t control[FUZZ_CONTROL_SIZE / 8];
	struct iovec iov = { wire, m->wire_len };

	return send_on(call->sock->twin, call, control,
		       twin_control(call, m, control), &iov, 1);
}

static void exec_plain(const struct fuzz_call *call,
		       const struct fuzz_message *m, long got)
{
	uint64_t control[FUZZ_CONTROL_SIZE / 8];
	size_t len = call->control_len;
	struct fuzz_sock *sock = call->sock;
	int queued = 0;
	long twin;

	if (m->bypass && sock->ulp)
		len = twin_control(call, m, control);
	else
		memcpy(control, call->control, len);
	twin = send_on(sock->twin, call, control, len, call->iov,
		       call->iov_count);
	fuzz_expect(got, twin);
	if (got >= 0)
		fuzz_wire_like_twin(call, NULL, NULL);
	/* What is pending is in the send buffer; an error may have removed it. */
	if (!sock->full && (got < 0 ? sock->pending :
				      sock->corked || call->flags & MSG_MORE))
		fuzz_must(!ioctl(sock->twin, SIOCOUTQ, &queued), "SIOCOUTQ");
	sock->pending = queued > 0;
	sock->appended = sock->pending ? sock->appended + 1 : 0;
}

/* UDP had all of the train when it found the error: part may have left. */
static bool is_late(const struct fuzz_sock *sock, const struct fuzz_message *m,
		    long err)
{
	return m->gso && (err == -EMSGSIZE || err == -EIO ||
			  (err == -EINVAL && sock->no_check));
}

static void exec_protected(struct fuzz_call *call, struct fuzz_message *m,
			   int err, long got)
{
	static uint8_t wire[FUZZ_MESSAGE_SIZE];
	struct fuzz_sock *sock = call->sock;
	long want, twin = 0;

	if (!err && sock->full) {
		twin = twin_protected(call, m, wire);
		if (twin == -EAGAIN)
			err = EAGAIN;
	}
	if (!err && got == -ENOBUFS && fuzz_model_huge(m)) {
		/* Memory comes before all else of a packet: nothing has left. */
		fuzz_counters.errors++;
		fuzz_wire_like_twin(call, NULL, NULL);
		return;
	}
	if (!err)
		err = fuzz_model_train(call, m);
	if (!err) {
		fuzz_wire_protect(call, m, wire);
		if (!m->simple && !sock->full)
			twin = twin_protected(call, m, wire);
		if (twin < 0)
			err = -twin;
		if (!err || is_late(sock, m, twin))
			fuzz_model_sent(m);
	}

	want = err ? -err : (long)call->len;
	fuzz_expect(got, want);
	if (got < 0) {
		fuzz_counters.errors += got != -EAGAIN;
		return;
	}
	fuzz_model_count(m->flow, m->count, m->wire_len);
	if (m->simple) {
		fuzz_wire_expect(call, m, wire);
		fuzz_wire_check();
	} else if (!sock->full) {
		fuzz_wire_like_twin(call, m, wire);
	}
}

static void exec_send(struct fuzz_call *call)
{
	int err;
	struct fuzz_sock *sock = call->sock;
	struct fuzz_message m;
	bool plain;
	long got;

	err = fuzz_model_message(call, &m);
	plain = !m.encrypt || m.bypass;
	/* Of these nobody knows the outcome. */
	if ((sock->full && (plain || !(call->flags & MSG_DONTWAIT))) ||
	    (sock->no_check && m.foreign && m.gso))
		return;
	/* What is meant to be sent as it is has no marker. */
	if (plain)
		memset(call->message, 0x5a, call->len < FUZZ_MESSAGE_SIZE ?
					    call->len : FUZZ_MESSAGE_SIZE);

	fuzz_memory_message(call);
	got = send_on(sock->fd, call, call->control, call->control_len,
		      call->iov, call->iov_count);
	if (!sock->ulp) {
		if (m.encrypt && got >= 0)
			fuzz_fail("sent without the ULP");
		exec_plain(call, &m, got);
	} else if (!plain) {
		exec_protected(call, &m, err, got);
	} else if (err) {
		fuzz_expect(got, -err);
	} else {
		exec_plain(call, &m, got);
	}
}

static void exec_setsockopt(const struct fuzz_call *call)
{
	const void *opt = fuzz_memory_option(call);
	struct fuzz_sock *sock = call->sock;
	long got, want;
	int value = 0;

	got = result(setsockopt(sock->fd, SOL_UDP, call->optname, opt,
				call->opt_len));
	switch (call->optname) {
	case UDP_QUIC_ADD_TX_CONNECTION:
		want = -fuzz_model_add(call);
		break;
	case UDP_QUIC_DEL_TX_CONNECTION:
		want = -fuzz_model_del(call);
		break;
	case UDP_ULP:
		want = -fuzz_model_ulp(call);
		break;
	default:
		want = result(setsockopt(sock->twin, SOL_UDP, call->optname,
					 opt, call->opt_len));
	}
	fuzz_expect(got, want);
	if (got)
		return;

	memcpy(&value, call->opt, sizeof(value));
	if (call->optname == UDP_SEGMENT)
		sock->gso = value;
	if (call->optname == UDP_CORK) {
		sock->corked = value;
		if (!value) {
			fuzz_wire_like_twin(call, NULL, NULL);
			sock->pending = false;
			sock->appended = 0;
		}
	}
}

static void exec_get_ulp(const struct fuzz_call *call)
{
	static const char expected[16] = "quic-crypto";
	size_t want = call->sock->ulp ? sizeof(expected) : 0;
	socklen_t len = call->opt_len;
	char name[64];

	if (len < want)
		want = len;
	fuzz_expect(result(getsockopt(call->sock->fd, SOL_UDP, UDP_ULP, name, &len)),
	       0);
	if (len != want || memcmp(name, expected, want))
		fuzz_fail("name of %u bytes, expected %zu", len, want);
}

static void exec_connect(const struct fuzz_call *call)
{
	struct fuzz_sock *sock = call->sock;
	const void *name = &call->name;

	fuzz_expect(result(connect(sock->fd, name, call->name_len)),
	       result(connect(sock->twin, name, call->name_len)));
	sock->odd = true;
	fuzz_sock_refresh(sock);
}

void fuzz_exec(struct fuzz_call *call)
{
	static const struct fuzz_info known = { QUIC_CAP_TX, fuzz_model_info };

	switch (call->kind) {
	case FUZZ_SEND:
		exec_send(call);
		break;
	case FUZZ_SETSOCKOPT:
		exec_setsockopt(call);
		break;
	case FUZZ_GETSOCKOPT:
		fuzz_info_exec(call, &known);
		break;
	case FUZZ_GET_ULP:
		exec_get_ulp(call);
		break;
	case FUZZ_CONNECT:
		exec_connect(call);
		break;
	}
}
