// SPDX-License-Identifier: GPL-2.0
/*
 * The library of tools/net/quic on systems that look like Linux, and say yes
 * where they mean nothing.  Whatever they say, nothing leaves in plain text
 * (this is what the fixture looks for at the end) and everything arrives.
 *
 * Linked with --wrap=sendmsg, --wrap=setsockopt and --wrap=getsockopt.
 */

#include "quic_offload_test.h"

/* The system */

static struct {
	bool nods;		/* to any option that it is told */
	bool lies;		/* when asked */
	bool overlooks;		/* UDP_QUIC_ENCRYPT, */
	in_port_t port;		/* on the way to this one, 0: to all */
	int refuses;		/* control messages for UDP, with this error, */
	bool no_zero;		/* an UDP_SEGMENT of 0, */
	size_t max;		/* messages that are longer, 0: it takes them, */
	unsigned int times;	/* or so many messages, for no reason */
	bool no_gso;		/* as before UDP_SEGMENT, which is overlooked */
} sandbox;

static unsigned int tried;	/* messages */
static size_t control_len;	/* of the last one */

typeof(sendmsg) __real_sendmsg, __wrap_sendmsg;
typeof(setsockopt) __real_setsockopt, __wrap_setsockopt;
typeof(getsockopt) __real_getsockopt, __wrap_getsockopt;

int __wrap_setsockopt(int fd, int level, int name, const void *value,
		      socklen_t len)
{
	if (sandbox.nods && level == SOL_UDP)
		return 0;
	return __real_setsockopt(fd, level, name, value, len);
}

int __wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *len)
{
	if (level == SOL_UDP && name == UDP_SEGMENT && sandbox.no_gso) {
		if (sandbox.lies)
			memset(value, 0, *len);
		if (sandbox.lies || sandbox.nods)
			return 0;
		errno = ENOPROTOOPT;
		return -1;
	}
	if (level != SOL_UDP || name != UDP_ULP || !sandbox.nods)
		return __real_getsockopt(fd, level, name, value, len);
	if (!sandbox.lies) {
		errno = ENOPROTOOPT;
		return -1;
	}
	strncpy(value, "quic-crypto", *len);
	return 0;
}

static bool is_zero(const struct cmsghdr *cmsg)
{
	return cmsg->cmsg_level == SOL_UDP && cmsg->cmsg_type == UDP_SEGMENT &&
	       cmsg->cmsg_len == CMSG_LEN(sizeof(uint16_t)) &&
	       !*(const uint16_t *)CMSG_DATA(cmsg);
}

static bool is_refused(const struct msghdr *msg)
{
	size_t i, len = 0;

	for (i = 0; i < msg->msg_iovlen; i++)
		len += msg->msg_iov[i].iov_len;
	if (sandbox.max && len > sandbox.max)
		return true;
	return sandbox.times && sandbox.times--;
}

static bool is_overlooked(int fd, const struct msghdr *msg,
			  const struct cmsghdr *cmsg)
{
	const struct sockaddr_in *to = msg->msg_name;	/* or sockaddr_in6 */
	struct sockaddr_in6 peer;
	socklen_t len = sizeof(peer);

	if (!to && !getpeername(fd, (void *)&peer, &len))
		to = (void *)&peer;
	if (cmsg->cmsg_level != SOL_UDP)
		return false;
	if (cmsg->cmsg_type == UDP_SEGMENT)
		return sandbox.no_gso;
	return cmsg->cmsg_type == UDP_QUIC_ENCRYPT && sandbox.overlooks &&
	       (!sandbox.port || (to && to->sin_port == sandbox.port));
}

ssize_t __wrap_sendmsg(int fd, const struct msghdr *msg, int flags)
{
	union {
		uint8_t buf[1000];
		struct cmsghdr align;
	} left;
	struct msghdr mh = *msg, out = *msg;
	struct cmsghdr *cmsg;

	tried++;
	control_len = msg->msg_controllen;
	out.msg_control = left.buf;
	out.msg_controllen = 0;
	if (is_refused(msg)) {
		errno = EINVAL;
		return -1;
	}
	for (cmsg = CMSG_FIRSTHDR(&mh); cmsg; cmsg = CMSG_NXTHDR(&mh, cmsg)) {
		if (is_overlooked(fd, msg, cmsg))
			continue;
		if ((sandbox.refuses && cmsg->cmsg_level == SOL_UDP) ||
		    (sandbox.no_zero && is_zero(cmsg))) {
			errno = sandbox.refuses ?: EINVAL;
			return -1;
		}
		memcpy(left.buf + out.msg_controllen, cmsg, cmsg->cmsg_len);
		out.msg_controllen += CMSG_ALIGN(cmsg->cmsg_len);
	}
	return __real_sendmsg(fd, &out, flags);
}

/* The fixture's sockets, on that system */
static bool start_again(FIXTURE_DATA(offload) *self, bool connected)
{
	close(self->env.tx);
	self->env.tx = quic_env_socket(&self->env);
	quic_offload_socket_free(self->sock);
	self->sock = quic_offload_socket_new(self->env.tx, notice, self);
	if (set_destination(self, connected, &self->env.to, self->env.rx))
		abort();
	return quic_offload_socket_enable(self->sock, true);
}

/* What is believed */

TEST_F(offload, nods)
{
	sandbox.nods = true;
	sandbox.overlooks = true;
	EXPECT_FALSE(start_again(self, variant->connected));
	put(self, 3);
	EXPECT_SENT();
	put_ready(self, 1);
	put(self, 20);
	EXPECT_SENT();
	EXPECT_STATS(0, 23, 3);
	EXPECT_NOTICE("no QUIC offload (Protocol not available)");
	EXPECT_EQ(0, quic_stat("QuicTxSw"));
}

TEST_F(offload, lies)
{
	sandbox.nods = true;
	sandbox.lies = true;
	sandbox.overlooks = true;
	EXPECT_TRUE(start_again(self, variant->connected));
	put(self, 3);
	EXPECT_SENT();
	EXPECT_FALSE(quic_offload_socket_enable(self->sock, true));
	put_ready(self, 1);
	put(self, 20);
	EXPECT_SENT();
	quic_dcid_init(&self->packet.dcid, DCID_LEN, 1);
	put(self, 1);
	EXPECT_SENT();
	/* The first one had to show it. */
	EXPECT_STATS(0, 24, 5);
	EXPECT_NOTICE("overlooks");
}

/* The options are true, but not what becomes of messages. */
TEST_F(offload, overlooks)
{
	sandbox.overlooks = true;
	EXPECT_TRUE(start_again(self, variant->connected));
	put(self, 3);
	EXPECT_SENT();
	put(self, 1);
	EXPECT_SENT();
	EXPECT_STATS(0, 4, 3);
	EXPECT_NOTICE("overlooks");
	EXPECT_EQ(0, quic_stat("QuicCurrTxSw"));
}

/* Network stacks in userspace take some destinations and leave others; a socket
 * may be connected to one after the other.
 */
TEST_F(offload, overlooks_for_some)
{
	struct quic_addr there;
	int rx = quic_env_receiver(&self->env, &there);

	ASSERT_LE(0, rx);
	sandbox.overlooks = true;
	sandbox.port = ((struct sockaddr_in *)&there.ss)->sin_port;
	put(self, 3);
	EXPECT_SENT();
	EXPECT_STATS(2, 1, 2);
	ASSERT_EQ(0, set_destination(self, variant->connected, &there, rx));
	put(self, 3);
	EXPECT_SENT();
	EXPECT_NOTICE("overlooks");
	ASSERT_EQ(0, set_destination(self, variant->connected, &self->env.to,
				     self->env.rx));
	put(self, 3);
	EXPECT_SENT();
	EXPECT_STATS(2, 7, 5);
	close(rx);
}

/* It is not the control message that is refused. */
TEST_F(offload, overlooks_and_refuses)
{
	uint8_t control[CMSG_SPACE(sizeof(int))] = {};
	int tos = 0x2;

	sandbox.nods = true;
	sandbox.lies = true;
	sandbox.overlooks = true;
	EXPECT_TRUE(start_again(self, variant->connected));
	self->to.msg_control = control;
	quic_cmsg_put(&self->to, SOL_UDP, 0x7f, &tos, sizeof(tos));
	put(self, 3);
	EXPECT_ERROR(EINVAL);
	EXPECT_ERROR(EINVAL);
	self->to.msg_controllen = 0;
	EXPECT_SENT();
	put(self, 3);
	EXPECT_SENT();
	EXPECT_NOTICE("overlooks");
	EXPECT_EQ(0, quic_offload_conn_stats(self->conn)->kernel);
}

/* A system that pretends, and has reasons of its own to refuse a message */
static void pretend(FIXTURE_DATA(offload) *self, bool connected)
{
	sandbox.nods = true;
	sandbox.lies = true;
	sandbox.overlooks = true;
	if (!start_again(self, connected))
		abort();
}

TEST_F(offload, overlooks_and_refuses_zero)
{
	int gso = LEN + QUIC_TAG_SIZE;

	pretend(self, variant->connected);
	sandbox.no_zero = true;
	ASSERT_EQ(0, __real_setsockopt(self->env.tx, SOL_UDP, UDP_SEGMENT, &gso,
				       sizeof(gso)));
	put(self, 3);
	EXPECT_SENT();
	put(self, 3);
	EXPECT_SENT();
	EXPECT_STATS(0, 6, 3);
	EXPECT_NOTICE("did not protect");
}

/* A packet that is protected is longer than one that is not. */
TEST_F(offload, overlooks_and_refuses_long)
{
	pretend(self, variant->connected);
	sandbox.max = LEN;
	put(self, 1);
	EXPECT_ERROR(EINVAL);
	EXPECT_ERROR(EINVAL);
	give_up(self, 1);
	self->packet.len = LEN - QUIC_TAG_SIZE;
	put(self, 1);
	EXPECT_SENT();
	EXPECT_STATS(0, 1, 1);
	EXPECT_NOTICE("overlooks");
}

/* More packets than one train has, and the first messages fail. */
TEST_F(offload, overlooks_and_fails)
{
	unsigned int times, i;

	for (times = 2; times < 5; times++) {
		quic_dcid_init(&self->packet.dcid, DCID_LEN, times);
		pretend(self, variant->connected);
		sandbox.times = times;
		self->packet.len = 100;
		put(self, 300);
		for (i = 1; i < times; i++)
			EXPECT_ERROR(EINVAL);
		EXPECT_SENT();
		EXPECT_EQ(0, sandbox.times);
		EXPECT_EQ(times - 1, self->notices);
		EXPECT_EQ(0, quic_offload_conn_stats(self->conn)->kernel);
	}
}

/* What it costs where all is true: two messages for each flow, and no error */
TEST_F(offload, proof)
{
	unsigned int i;

	for (i = 0; i < 3; i++) {
		quic_dcid_init(&self->packet.dcid, DCID_LEN, i);
		put(self, 20);
		EXPECT_SENT();
		EXPECT_EQ(4 * i + 3, tried);
		put(self, 20);
		EXPECT_SENT();
		EXPECT_EQ(4 * i + 4, tried);
	}
	EXPECT_STATS(117, 3, 9);
	EXPECT_EQ(0, quic_stat("QuicTxSwError"));
	EXPECT_EQ(0, self->notices);
}

/* Control messages */

TEST_F(offload, refuses)
{
	sandbox.refuses = EINVAL;
	put_ready(self, 1);
	EXPECT_SENT();
	put_ready(self, 3);
	EXPECT_SENT();
	put(self, 1);
	EXPECT_SENT();
	put(self, 3);
	EXPECT_SENT();
	EXPECT_STATS(0, 4, 8);
}

/* EINVAL is Linux's. */
TEST_F(offload, refuses_otherwise)
{
	static const int errors[] = { EOPNOTSUPP, ENOSYS, ENOPROTOOPT };
	int gso = LEN + QUIC_TAG_SIZE;
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(errors); i++) {
		for (j = 0; j < 2; j++) {
			ASSERT_TRUE(start_again(self, variant->connected));
			sandbox.refuses = errors[i];
			if (j)
				ASSERT_EQ(0, setsockopt(self->env.tx, SOL_UDP,
							UDP_SEGMENT, &gso,
							sizeof(gso)));
			quic_dcid_init(&self->packet.dcid, DCID_LEN, 2 * i + j);
			put_ready(self, 3);
			put(self, 3);
			EXPECT_SENT();
			put(self, 3);
			EXPECT_SENT();
			sandbox.refuses = 0;
		}
	}
	EXPECT_STATS(0, 36, 54);
}

/* A segment size would do no harm to these, but nor does it help. */
TEST_F(offload, refuses_with_option)
{
	int gso = LEN + QUIC_TAG_SIZE;

	ASSERT_EQ(0, setsockopt(self->env.tx, SOL_UDP, UDP_SEGMENT, &gso,
				sizeof(gso)));
	sandbox.refuses = EINVAL;
	put_ready(self, 1);
	put(self, 3);
	EXPECT_SENT();
	put_ready(self, 1);
	self->packet.len++;
	put(self, 1);
	EXPECT_EQ(1, send_batch(self));
	EXPECT_ERROR(EINVAL);
	EXPECT_STATS(0, 3, 5);
}

TEST_F(offload, only_what_is_needed)
{
	put_ready(self, 1);
	EXPECT_SENT();
	EXPECT_EQ(0, control_len);
	put(self, 1);
	EXPECT_SENT();
	put(self, 1);
	EXPECT_SENT();
	EXPECT_EQ(CMSG_SPACE(sizeof(struct quic_tx_ancillary_data)),
		  control_len);
	quic_offload_socket_enable(self->sock, false);
	put(self, 1);
	EXPECT_SENT();
	EXPECT_EQ(0, control_len);
}

TEST_F(offload, no_gso)
{
	sandbox.no_gso = true;
	start_again(self, variant->connected);
	EXPECT_NOTICE("no UDP GSO (Protocol not available)");
	quic_offload_socket_set_gso(self->sock, true);
	quic_offload_socket_enable(self->sock, false);
	put_ready(self, 5);
	EXPECT_SENT();
	put(self, 5);
	EXPECT_SENT();
	EXPECT_EQ(0, control_len);
	EXPECT_STATS(0, 5, 10);
}

/* It nods when asked, too. */
TEST_F(offload, no_gso_nods)
{
	sandbox.no_gso = true;
	sandbox.nods = true;
	start_again(self, variant->connected);
	put_ready(self, 5);
	put(self, 5);
	EXPECT_SENT();
	EXPECT_STATS(0, 5, 10);
	EXPECT_EQ(2, self->notices);
}

TEST_F(offload, no_gso_lies)
{
	sandbox.no_gso = true;
	sandbox.lies = true;
	start_again(self, variant->connected);
	quic_offload_socket_enable(self->sock, false);
	put(self, 5);
	put_ready(self, 5);
	EXPECT_SENT();
	EXPECT_NOTICE("no UDP GSO");
	put_ready(self, 5);
	EXPECT_SENT();
	EXPECT_STATS(0, 5, 15);
	EXPECT_EQ(15, tried);
}

/* Where it is true: one message that is refused, for a socket */
TEST_F(offload, proof_of_gso)
{
	put_ready(self, 1);
	EXPECT_SENT();
	EXPECT_EQ(1, tried);
	put_ready(self, 20);
	EXPECT_SENT();
	EXPECT_EQ(1 + 2, tried);
	quic_offload_socket_enable(self->sock, false);
	put_ready(self, 20);
	put(self, 20);
	EXPECT_SENT();
	EXPECT_EQ(3 + 2, tried);
	EXPECT_STATS(0, 20, 4);
	EXPECT_EQ(0, self->notices);
}

TEST_HARNESS_MAIN
