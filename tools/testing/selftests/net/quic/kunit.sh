#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What the KUnit suites of the module, or of the kernel it is built into, have
# found: they run by themselves when it is loaded.

dir=$(dirname "$(readlink -f "$0")")
source "$dir/../../kselftest/ktap_helpers.sh"

suites=/sys/kernel/debug/kunit

skip_all()
{
	ktap_skip_all "$1"
	exit "$KSFT_SKIP"
}

ktap_print_header
modprobe quic 2> /dev/null
[ -d "$suites" ] || skip_all "needs CONFIG_KUNIT_DEBUGFS"
ls -d "$suites"/quic-* > /dev/null 2>&1 ||
	skip_all "needs CONFIG_QUIC_KUNIT_TEST"

# The cases are indented by four, the cases of a case by eight.
results=$(grep -hE '^ {4}(not )?ok [0-9]+ ' "$suites"/quic-*/results)
ktap_set_plan "$(wc -l <<< "$results")"
while read -r line; do
	name=${line#*ok * }
	if [ "${line#not}" = "$line" ]; then
		ktap_test_pass "$name"
	else
		ktap_test_fail "$name"
	fi
done <<< "$results"

ktap_finished
