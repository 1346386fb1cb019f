/* SPDX-License-Identifier: GPL-2.0 */
/* Control messages of a call, as far as there is room */
#ifndef FUZZ_CMSG_H
#define FUZZ_CMSG_H

#include "fuzz_types.h"

void fuzz_put_cmsg(struct fuzz_call *call, int level, int type,
		   const void *data, size_t len);

#endif /* FUZZ_CMSG_H */
