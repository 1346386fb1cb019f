#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The module: loaded on demand for who may do that, kept by the sockets that
# have the ULP, unloaded when they are closed.

dir=$(dirname "$(readlink -f "$0")")
source "$dir/../../kselftest/ktap_helpers.sh"

# quic_attach keeps its socket until its standard input ends.
attach()
{
	"$dir/quic_attach" "$@" < /dev/null
}

state()
{
	if grep -q '^quic ' /proc/modules; then
		echo loaded
	else
		echo unloaded
	fi
}

unload()
{
	[ "$(state)" = unloaded ] || rmmod quic 2> /dev/null
}

restore()
{
	if [ "$before" = loaded ]; then
		modprobe quic
	else
		unload
	fi
}

skip_all()
{
	ktap_skip_all "$1"
	exit "$KSFT_SKIP"
}

expect()
{
	local name=$1 wanted=$2 seen=$3

	if [ "$seen" = "$wanted" ]; then
		ktap_test_pass "$name"
	else
		ktap_print_msg "$name: wanted $wanted, got $seen"
		ktap_test_fail "$name"
	fi
}

ktap_print_header
[ -r /proc/modules ] || skip_all "kernel without modules"
command -v modprobe > /dev/null || skip_all "needs modprobe"
before=$(state)
if [ "$before" = loaded ] && ! modprobe -n quic; then
	skip_all "modprobe does not find the module that is loaded"
fi
unload || skip_all "quic is in use"
trap restore EXIT
[ "$(attach -u)" = attached ] && skip_all "quic is built in"

ktap_set_plan 9

expect "not loaded for an ordinary user" ENOENT "$(attach -u)"
expect "not loaded by having been asked for" unloaded "$(state)"
expect "loaded for the administrator" attached "$(attach)"
expect "once loaded, for everyone" attached "$(attach -u)"

coproc "$dir/quic_attach"
pid=$COPROC_PID
read -r answer <&"${COPROC[0]}"
unload
expect "kept by a socket" "attached loaded" "$answer $(state)"

eval "exec ${COPROC[1]}>&-"
wait "$pid"
unload
expect "unloaded after the socket is closed" unloaded "$(state)"
expect "loaded again" attached "$(attach)"
unload
expect "unloaded once more" unloaded "$(state)"
expect "loaded by a flow for receiving" attached "$(attach -r)"

ktap_finished
