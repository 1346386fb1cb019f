// SPDX-License-Identifier: GPL-2.0
/* Audits samples of what was on the wire: its memory is nobody's business. */

#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "load.h"

/* Until the other end is closed */
void load_audit(struct load *load, int samples)
{
	struct quic_audit *audit = quic_audit_new();
	uint8_t packet[LOAD_BUFFER];
	ssize_t len;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while ((len = recv(samples, packet, sizeof(packet), 0)) > 0) {
		quic_audit_datagram(audit, 0, packet, len, 0);
		load->audited = *quic_audit_count(audit);
	}
	quic_audit_free(audit);
	exit(0);
}
