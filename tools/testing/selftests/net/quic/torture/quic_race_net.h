/* SPDX-License-Identifier: GPL-2.0 */
/* Devices and network namespaces that come and go during a race. */
#ifndef QUIC_RACE_NET_H
#define QUIC_RACE_NET_H

/* Commands for ip, in one process for all of them; it goes on after an error. */
void quic_race_ip(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * Leave the namespace @home for a new one, between which there is a link: quic0,
 * with 192.0.2.1 and 2001:db8::1, at home, and quic1 with .2 and ::2 there.  The
 * link has no addresses at home until the return.  Both return 0 or the errno.
 */
int quic_race_leave(int home);
int quic_race_return(int home);

#endif /* QUIC_RACE_NET_H */
