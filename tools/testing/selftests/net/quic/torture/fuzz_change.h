/* SPDX-License-Identifier: GPL-2.0 */
/* Memory that changes while it is sent */
#ifndef FUZZ_CHANGE_H
#define FUZZ_CHANGE_H

#include "fuzz_types.h"

void fuzz_change_open(void);
void fuzz_change_close(void);
unsigned int fuzz_change(void);		/* returns the number of calls */

#endif /* FUZZ_CHANGE_H */
