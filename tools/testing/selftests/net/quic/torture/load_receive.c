// SPDX-License-Identifier: GPL-2.0
/* Receives it all, looks for plain text, and opens a sample. */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "load.h"

#define BATCH		64
#define BUFFER		2048

void load_receive(struct load *load, int fd)
{
	struct quic_audit *audit = quic_audit_new();
	static uint8_t buffer[BATCH][BUFFER];
	struct mmsghdr mmsg[BATCH] = {};
	unsigned long packets = 0;
	struct iovec iov[BATCH];
	bool quit;
	int n, i;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (i = 0; i < BATCH; i++) {
		iov[i] = (struct iovec) { buffer[i], BUFFER };
		mmsg[i].msg_hdr.msg_iov = &iov[i];
		mmsg[i].msg_hdr.msg_iovlen = 1;
	}

	/* To the end: what is in the queue has arrived already. */
	do {
		quit = __atomic_load_n(&load->quit, __ATOMIC_RELAXED);
		n = recvmmsg(fd, mmsg, BATCH, MSG_WAITFORONE, NULL);
		if (n < 0 && errno != EAGAIN && errno != EINTR) {
			perror("recvmmsg");
			exit(1);
		}
		for (i = 0; i < n; i++) {
			if (packets++ % LOAD_SAMPLE)
				quic_audit_fragment(audit, buffer[i],
						    mmsg[i].msg_len);
			else
				quic_audit_datagram(audit, 0, buffer[i],
						    mmsg[i].msg_len, 0);
		}
		/* Read while senders are parked and everything has arrived. */
		load->received = *quic_audit_count(audit);
	} while (n > 0 || !quit);
	quic_audit_free(audit);
	exit(0);
}
