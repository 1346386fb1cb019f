// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Which AES-GCM the kernel has */
#include <stdio.h>
#include <string.h>

#include "h3_vaes.h"

/* An entry has its lines in this order.  Of those that are synchronous, as net/quic
 * wants it, the kernel takes the one of the highest priority.
 */
bool h3_kernel_has_vaes(void)
{
	char line[256], name[128] = "", driver[128] = "", async[8];
	FILE *f = fopen("/proc/crypto", "re");
	int priority = 0, highest = -1;
	bool vaes = false;

	if (!f)
		return false;
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "name : %127s", name) == 1 ||
		    sscanf(line, "driver : %127s", driver) == 1 ||
		    sscanf(line, "priority : %d", &priority) == 1 ||
		    sscanf(line, "async : %7s", async) != 1)
			continue;
		if (strcmp(name, "gcm(aes)") || strcmp(async, "no") ||
		    priority <= highest)
			continue;
		highest = priority;
		vaes = strstr(driver, "vaes");
	}
	fclose(f);
	return vaes;
}
