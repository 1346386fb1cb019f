/* SPDX-License-Identifier: GPL-2.0 */
/* What goes over the devices of a network namespace, for the auditor. */
#ifndef QUIC_CAPTURE_H
#define QUIC_CAPTURE_H

#include "quic_audit.h"

struct quic_capture;

/*
 * Every frame on every device of the caller's network namespace, from now on.
 * Returns NULL with errno if that can't be had.
 */
struct quic_capture *quic_capture_open(struct quic_audit *audit);
void quic_capture_close(struct quic_capture *capture);

/* Audit what has been captured; returns the number of frames. */
unsigned int quic_capture_read(struct quic_capture *capture);

/*
 * Do that in a process of its own, until it is told to stop: what it has
 * counted is the count of the caller's audit from then on.
 */
int quic_capture_watch(struct quic_capture *capture);
int quic_capture_stop(struct quic_capture *capture);

#endif /* QUIC_CAPTURE_H */
