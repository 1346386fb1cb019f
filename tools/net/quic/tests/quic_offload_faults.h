/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Faults that cannot be had otherwise, for tests that are linked with
 * --wrap=sendmsg and --wrap=setsockopt.
 */
#ifndef QUIC_OFFLOAD_FAULTS_H
#define QUIC_OFFLOAD_FAULTS_H

#include "quic_offload_test.h"

#define ALWAYS	((unsigned int)-1)

static struct {
	int err;
	unsigned int skip;	/* messages before it */
	unsigned int times;
	bool encrypted;		/* only of those for the kernel to protect */
	bool late;		/* when the message has left */
	bool trains;		/* only of those with a segment size, */
	const struct quic_addr *to;	/* only of those to this destination */
} fault;

static struct {
	int err;
	int option;
} refusal;

static unsigned int messages;	/* that were tried, but for proofs */
static bool nowhere;		/* they are said to have left, and did not */

typeof(sendmsg) __real_sendmsg, __wrap_sendmsg;
typeof(setsockopt) __real_setsockopt, __wrap_setsockopt;

/* Data of a control message of UDP, or NULL */
static const void *control_of(const struct msghdr *msg, int type)
{
	struct msghdr mh = *msg;
	struct cmsghdr *cmsg;

	for (cmsg = CMSG_FIRSTHDR(&mh); cmsg; cmsg = CMSG_NXTHDR(&mh, cmsg))
		if (cmsg->cmsg_level == SOL_UDP &&
		    cmsg->cmsg_type == type)
			return CMSG_DATA(cmsg);
	return NULL;
}

/* To be refused, see offload_sandbox.c: not what is tested here */
static bool is_proof(const struct msghdr *msg)
{
	const struct quic_tx_ancillary_data *encrypt;
	const void *segment = control_of(msg, UDP_SEGMENT);

	encrypt = control_of(msg, UDP_QUIC_ENCRYPT);
	if (encrypt && encrypt->flags & QUIC_BYPASS_ENCRYPTION)
		return true;
	return segment && ((struct cmsghdr *)(segment - CMSG_LEN(0)))->cmsg_len !=
			  CMSG_LEN(sizeof(uint16_t));
}

static bool is_concerned(const struct msghdr *msg)
{
	const uint16_t *segment = control_of(msg, UDP_SEGMENT);

	if (!fault.times || (fault.trains && !(segment && *segment)) ||
	    (fault.encrypted && !control_of(msg, UDP_QUIC_ENCRYPT)))
		return false;
	return !fault.to || (msg->msg_name &&
			     !memcmp(msg->msg_name, &fault.to->ss,
				     fault.to->len));
}

ssize_t __wrap_sendmsg(int fd, const struct msghdr *msg, int flags)
{
	if (is_proof(msg))
		return __real_sendmsg(fd, msg, flags);
	messages++;
	if (nowhere)
		return msg->msg_iov->iov_len;
	if (!is_concerned(msg))
		return __real_sendmsg(fd, msg, flags);
	if (fault.skip) {
		fault.skip--;
		return __real_sendmsg(fd, msg, flags);
	}
	if (fault.late && __real_sendmsg(fd, msg, flags) < 0)
		abort();
	fault.times--;
	errno = fault.err;
	return -1;
}

int __wrap_setsockopt(int fd, int level, int name, const void *value,
		      socklen_t len)
{
	if (refusal.err && level == SOL_UDP && name == refusal.option) {
		errno = refusal.err;
		return -1;
	}
	return __real_setsockopt(fd, level, name, value, len);
}

#endif /* QUIC_OFFLOAD_FAULTS_H */
