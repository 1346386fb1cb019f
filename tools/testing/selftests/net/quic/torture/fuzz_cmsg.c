// SPDX-License-Identifier: GPL-2.0
/* Control messages of a call, as far as there is room */

#include "fuzz_cmsg.h"

void fuzz_put_cmsg(struct fuzz_call *call, int level, int type,
		   const void *data, size_t len)
{
	struct msghdr mh = { .msg_control = call->control,
			     .msg_controllen = call->control_len };

	if (call->control_len + CMSG_SPACE(len) > FUZZ_CONTROL_SIZE - 64)
		return;
	quic_cmsg_put(&mh, level, type, data, len);
	call->control_len = mh.msg_controllen;
}
