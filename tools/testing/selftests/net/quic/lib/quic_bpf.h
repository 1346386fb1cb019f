/* SPDX-License-Identifier: GPL-2.0 */
/* BPF programs that send packets elsewhere, without libbpf. */
#ifndef QUIC_BPF_H
#define QUIC_BPF_H

#include <stdbool.h>

/*
 * What this host sends through device @from leaves by device @to instead, or as
 * well if @clone; or arrives there if @ingress.  Until the descriptor that is
 * returned is closed; -1 with errno.
 */
int quic_bpf_redirect(unsigned int from, unsigned int to, bool clone,
		      bool ingress);

#endif /* QUIC_BPF_H */
