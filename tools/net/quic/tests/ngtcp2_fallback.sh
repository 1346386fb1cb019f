#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The programs of ngtcp2.sh where the kernel does not protect their packets,
# because it has no such feature, or no room for flows: they work in userspace,
# and say so once.

source "$(dirname "$(readlink -f "$0")")/ngtcp2_lib.sh"

size=${QUIC_FILE_SIZE:-50000000}
limit=/proc/sys/user/max_quic_flows

# works NAME WANTED-FILE COMMAND...
works()
{
	local name=$1 wanted=$2 status told
	shift 2

	"$@"
	status=$?
	told=$(cat "$files/server.log" "$files/client.log" | grep -c "$reason")
	if [ $status = 0 ] && [ "$told" = 1 ] && cmp "$wanted" "$got"; then
		ktap_test_pass "$name"
	else
		ktap_test_fail "$name: status $status, told $told times"
		tail -n 5 "$files/server.log" "$files/client.log" | sed 's/^/# /'
	fi
}

restore()
{
	[ -z "$flows" ] || echo "$flows" > $limit
	cleanup
}

ktap_print_header
modprobe -q quic
setup "$size" 1
reason="kernel has no QUIC offload"
if [ -e $limit ]; then
	flows=$(cat $limit)
	trap restore EXIT
	echo 0 > $limit
	reason="limit user.max_quic_flows reached"
fi

ktap_set_plan 4

listen h3
works "h3_server" "$files/htdocs/file" get gtls
stop_server
listen gtls
works "gtlsserver, preloaded" "$files/htdocs/file" get gtls
stop_server

echo "$hash" > "$files/hash"
listen h3 --no-offload
works "h3_client" "$files/hash" put h3
works "gtlsclient, preloaded" "$files/hash" put gtls
stop_server

ktap_finished
