/* SPDX-License-Identifier: GPL-2.0 */
/* The DCIDs of an epoch */
#ifndef FUZZ_DCID_H
#define FUZZ_DCID_H

#include "fuzz_types.h"

void fuzz_dcid_epoch(void);
struct quic_dcid fuzz_dcid_random(void);

#endif /* FUZZ_DCID_H */
