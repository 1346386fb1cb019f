/* SPDX-License-Identifier: GPL-2.0 */
/* io_uring, without liburing */
#ifndef QUIC_URING_H
#define QUIC_URING_H

#include <stdint.h>

#include <sys/socket.h>

#include <linux/io_uring.h>

struct quic_uring {
	int fd;
	struct io_uring_params params;
	struct io_uring_sqe *sqes;
	void *sq;
	void *cq;
};

/* Returns -1 with errno where something is wrong. */
int quic_uring_open(struct quic_uring *ring, unsigned int entries);
void quic_uring_close(struct quic_uring *ring);

/*
 * Queue a request; quic_uring_enter() submits it.  @flags are those of the SQE,
 * which is returned for whoever wants to change more of it.
 */
struct io_uring_sqe *quic_uring_queue(struct quic_uring *ring, int opcode,
				      int fd, const struct msghdr *mh,
				      int msg_flags, int flags,
				      unsigned int user_data);
/* Make it a socket option, as liburing's io_uring_prep_cmd_sock() does. */
void quic_uring_prep_cmd_sock(struct io_uring_sqe *sqe, int cmd_op, int fd,
			      int level, int optname, void *optval, int optlen);
int quic_uring_enter(struct quic_uring *ring, unsigned int submit,
		     unsigned int wait);
/* The result of the next request that has completed, and which one it is */
int quic_uring_result(struct quic_uring *ring, unsigned int *user_data);

/* All of it; returns -1 with errno where something is wrong. */
int quic_uring_complete(struct quic_uring *ring, struct io_uring_cqe *cqe);

#endif /* QUIC_URING_H */
