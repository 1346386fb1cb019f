// SPDX-License-Identifier: GPL-2.0
/* io_uring, without liburing */

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "quic_uring.h"

int quic_uring_open(struct quic_uring *ring, unsigned int entries)
{
	struct io_uring_params *params = &ring->params;
	int prot = PROT_READ | PROT_WRITE, flags = MAP_SHARED | MAP_POPULATE;

	memset(ring, 0, sizeof(*ring));
	ring->fd = syscall(SYS_io_uring_setup, entries, params);
	if (ring->fd < 0)
		return -1;
	ring->sq = mmap(NULL, params->sq_off.array +
			params->sq_entries * sizeof(uint32_t), prot, flags,
			ring->fd, IORING_OFF_SQ_RING);
	ring->cq = mmap(NULL, params->cq_off.cqes + params->cq_entries *
			sizeof(struct io_uring_cqe), prot, flags,
			ring->fd, IORING_OFF_CQ_RING);
	ring->sqes = mmap(NULL, params->sq_entries * sizeof(*ring->sqes), prot,
			  flags, ring->fd, IORING_OFF_SQES);
	return ring->sq == MAP_FAILED || ring->cq == MAP_FAILED ||
	       ring->sqes == MAP_FAILED ? -1 : 0;
}

void quic_uring_close(struct quic_uring *ring)
{
	/* The mappings go with the process. */
	close(ring->fd);
}

struct io_uring_sqe *quic_uring_queue(struct quic_uring *ring, int opcode,
				      int fd, const struct msghdr *mh,
				      int msg_flags, int flags,
				      unsigned int user_data)
{
	uint32_t *tail = ring->sq + ring->params.sq_off.tail;
	uint32_t *array = ring->sq + ring->params.sq_off.array;
	uint32_t at = *tail & (ring->params.sq_entries - 1);
	struct io_uring_sqe *sqe = &ring->sqes[at];

	memset(sqe, 0, sizeof(*sqe));
	sqe->opcode = opcode;
	sqe->fd = fd;
	sqe->addr = (uintptr_t)mh;
	sqe->len = 1;
	sqe->msg_flags = msg_flags;
	sqe->flags = flags;
	sqe->user_data = user_data;
	array[at] = at;
	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
	return sqe;
}

void quic_uring_prep_cmd_sock(struct io_uring_sqe *sqe, int cmd_op, int fd,
			      int level, int optname, void *optval, int optlen)
{
	uint64_t user_data = sqe->user_data;

	memset(sqe, 0, sizeof(*sqe));
	sqe->opcode = IORING_OP_URING_CMD;
	sqe->fd = fd;
	sqe->cmd_op = cmd_op;
	sqe->level = level;
	sqe->optname = optname;
	sqe->optval = (uintptr_t)optval;
	sqe->optlen = optlen;
	sqe->user_data = user_data;
}

int quic_uring_enter(struct quic_uring *ring, unsigned int submit,
		     unsigned int wait)
{
	return syscall(SYS_io_uring_enter, ring->fd, submit, wait,
		       wait ? IORING_ENTER_GETEVENTS : 0, NULL, 0);
}

int quic_uring_complete(struct quic_uring *ring, struct io_uring_cqe *cqe)
{
	uint32_t *head = ring->cq + ring->params.cq_off.head;
	uint32_t *tail = ring->cq + ring->params.cq_off.tail;
	struct io_uring_cqe *cqes = ring->cq + ring->params.cq_off.cqes;

	if (*head == __atomic_load_n(tail, __ATOMIC_ACQUIRE) &&
	    quic_uring_enter(ring, 0, 1) < 0)
		return -1;
	*cqe = cqes[*head & (ring->params.cq_entries - 1)];
	__atomic_store_n(head, *head + 1, __ATOMIC_RELEASE);
	return 0;
}

int quic_uring_result(struct quic_uring *ring, unsigned int *user_data)
{
	struct io_uring_cqe cqe;

	if (quic_uring_complete(ring, &cqe))
		return -errno;
	if (user_data)
		*user_data = cqe.user_data;
	return cqe.res;
}
