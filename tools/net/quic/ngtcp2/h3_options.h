/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Options of both programs */
#ifndef H3_OPTIONS_H
#define H3_OPTIONS_H

#include <argp.h>
#include <stdbool.h>

#include <ngtcp2/ngtcp2.h>

/* Parsed by h3_argp with this as its input */
struct h3_options {
	bool no_offload_tx;
	bool no_offload_rx;
	bool no_gso;
	bool no_gro;
	size_t shortest;		/* trains left to the kernel, 0: default */
	unsigned int burst;		/* packets, 0: as many as may leave */
	const char *cipher;		/* in the words of GnuTLS, or NULL */
	ngtcp2_duration key_update;	/* 0: never */
	int tclass;
	unsigned int ifindex;		/* 0: that of the route */
	bool verify;			/* the certificate of the server */
};

extern const struct argp h3_argp;

#endif /* H3_OPTIONS_H */
