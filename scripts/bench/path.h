/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PATH_H
#define PATH_H

struct setting;

/* A socket that receives trains at the target of @setting, and one that is
 * connected to it and cuts what it is given into packets.
 */
void path_open(const struct setting *setting, unsigned int train, int *receiver,
	       int *sender);

#endif /* PATH_H */
