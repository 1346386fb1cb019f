/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Who of GnuTLS and the kernel has the faster AES-GCM */
#ifndef H3_VAES_H
#define H3_VAES_H

#include <stdbool.h>

/*
 * Whether the AES-GCM that net/quic takes is for VAES.  Then it takes half to a
 * quarter of the instructions of GnuTLS 3.7, which has AES-NI and nothing beyond.
 */
bool h3_kernel_has_vaes(void);

#endif /* H3_VAES_H */
