/* SPDX-License-Identifier: GPL-2.0 */
#ifndef RACE_H
#define RACE_H

/*
 * Run @run(@what[who]), for each who below @racers, at the same time, each in a
 * process and on a processor of its own.  @warm is called before, what it does
 * is not timed.  Nanoseconds from the first begin to the last end.
 */
double race_run(void **what, unsigned int racers,
		void warm(void *what, unsigned int who), void run(void *what));

#endif /* RACE_H */
