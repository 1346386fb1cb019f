/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Included in front of arch/s390/lib/csum-partial.c: it sums without the vector
 * unit. VCKSM of QEMU 7.2 is wrong, and whatever has a checksum made by software
 * (fragments, pending data) was lost, of plain UDP, too.
 */
#include <asm/cpufeature.h>
#undef cpu_has_vx
#define cpu_has_vx() false
