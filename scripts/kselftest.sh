#!/bin/bash
# Run the selftests (tools/testing/selftests/net/quic, tools/net/quic/tests) in each
# flavour through the kernel's own kselftest runner, and count. Says what each
# program's tests came to when it has ended; what it printed, in KTAP, is in
# build/FLAVOUR.kselftest/. At the end, which were slow, and in the last line
# "N passed, N failed", with ", N skipped" if any. Fails on a failed test, on a dirty
# kernel log, and when nothing ran.
#
#   scripts/kselftest.sh                 FLAVOURS=um scripts/kselftest.sh
#
# User Mode Linux is at its best with one processor, and pinned to it: there as many
# guests as the host has processors run the programs, each the next that no other has
# begun, but for those that race. These come after them, in guests with two. um-generic
# runs once more what ciphers have to do with. um-distro has no feature to test: programs
# that would use it have to work.
#
# TESTS="tx flows ngtcp2.sh:uploads" runs these programs only, the last with an
# argument. QUIC_TORTURE_SECONDS and QUIC_SEED reach those that know them, see
# scripts/torture.sh.

. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

FLAVOURS=${FLAVOURS:-um-debug um-generic um-distro}
# Programs that run a part of their tests for each argument
IN_PARTS=(ngtcp2.sh ngtcp2_receive.sh)
# More of them, in um only, or if named: they need what scripts/nginx.sh builds.
NGINX=(nginx.sh nginx_faults.sh)
# A guest that began one of these when the others are done would be waited for.
SLOW=(device_tx devices limits ngtcp2.sh:peers ngtcp2.sh:many_connections ngtcp2.sh:impairments
	ngtcp2_receive.sh:downloads ngtcp2_receive.sh:impairments
	ngtcp2_receive.sh:many_connections ngtcp2_paths.sh changes numbers
	race_sockets race_flows race_attach)
# With two processors
RACES=(memory numbers rx_flows rx_changing race_attach race_device_keys race_devices
	race_flows race_memory race_receive race_receive_attach race_receive_devices race_receive_numbers
	race_receive_sockets race_sockets audit load)
# What ciphers have to do with, and the module's unit tests
CIPHERS=(tx rx rx_match rx_status multipath flows kunit.sh)
declare -A built ran ready guests=()

# What clients other than those of ngtcp2 need, ss, and nft; without it their tests skip.
optional_programs() {
	case "$FLAVOURS ${TESTS:-device_leaks}" in
	*device_leaks*) (need_packages nft:nftables) || say "No nft: tests of device_leaks will skip" ;;
	esac
	case "$FLAVOURS ${TESTS:-ss.sh}" in
	*um*ss.sh* | *x86_64*ss.sh*)
		(need_packages ethtool:ethtool) || say "No ethtool: tests of devices will skip"
		(need_packages jq:jq) || say "No jq: a test of ss will skip"
		"$ROOT/scripts/iproute2.sh" || say "No ss that knows QUIC: its tests will skip"
		;;
	esac
	case "$FLAVOURS ${TESTS:-ngtcp2.sh}" in
	*um*ngtcp2.sh* | *x86_64*ngtcp2.sh* | *um*ngtcp2_receive.sh* | *um*nginx*) ;;
	*) return 0 ;;
	esac
	(need_packages chromium:chromium) || say "No Chromium: its tests will skip"
	"$ROOT/scripts/trixie.sh" || say "No Debian 13: tests with curl will skip"
	# All tests are to run in um, or some are named.
	case "${TESTS:-all in $FLAVOURS }" in
	*nginx* | "all in "*"um "*) "$ROOT/scripts/nginx.sh" || say "No nginx: its tests will skip" ;;
	esac
}

# What the tests are told in $FLAVOUR
settings() {
	local name

	settings=(QUIC_CHROOT="$BUILD/trixie" QUIC_NGINX="$BUILD/nginx"
		QUIC_NGINX_ROOT="$BUILD/trixie-nginx" QUIC_SS="$BUILD/iproute2/ss")
	case $FLAVOUR in
	um-debug | um-generic | um-distro) settings+=(QUIC_FILE_SIZE=5000000) ;;
	um-kasan) settings+=(QUIC_FILE_SIZE=5000000 QUIC_SLOW="too slow with KASAN") ;;
	x86_64*) settings+=(QUIC_FILE_SIZE=1000000 QUIC_SLOW="too slow in QEMU") ;;
	s390x | arm64) settings=(QUIC_FILE_SIZE=1000000 QUIC_SLOW="too slow in QEMU") ;;
	esac
	for name in QUIC_TORTURE_SECONDS QUIC_SEED; do
		[ -z "${!name:-}" ] || settings+=("$name=${!name}")
	done
}

# All programs, some of them in parts, so that several guests can run them
all_tests() {
	set -o pipefail
	local program in_parts=("${IN_PARTS[@]}")

	cut -d: -f2 "$SELFTESTS/kselftest-list.txt" |
		grep -vxF "$(printf '%s\n' "${IN_PARTS[@]}" "${NGINX[@]}")"
	[ "$FLAVOUR" != um ] || in_parts+=("${NGINX[@]}")
	for program in "${in_parts[@]}"; do
		grep -oE '\[[a-z0-9_]+\]=[0-9]+' \
			"$SELFTESTS/net/quic/tools/$program" |
			sed -n "s/^\[\(.*\)\].*/$program:\1/p"
	done
}

# collection:program[:argument] of each, the slow ones first
list_tests() {
	local test found slow quick=()

	for test; do
		found=$(grep ":${test%%:*}\$" "$SELFTESTS/kselftest-list.txt") ||
			die "there is no test '$test'"
		test=$found${test#"${test%%:*}"}
		slow=${test#*:}
		case " ${SLOW[*]} " in
		*" $slow "*) echo "$test" ;;
		*) quick+=("$test") ;;
		esac
	done
	[ ${#quick[@]} = 0 ] || printf '%s\n' "${quick[@]}"
}

# Results of KTAP logs: "passed failed skipped". The tests inside a program
# count, not the program; but one that says "not ok" without a failed test
# inside (crash, timeout), or that ran fewer than it planned, is a failure.
count() {
	awk '
		function result(line) {
			# A program that ends with 2 is said to be expected to.
			if (line ~ /^not ok|# XFAIL/) return "fail"
			return line ~ /# SKIP/ ? "skip" : "pass"
		}
		/^# 1\.\.[0-9]+/ { planned = substr($2, 4) + 0 }
		/^# (not )?ok [0-9]/ { n[result(substr($0, 3))]++; inside[result(substr($0, 3))]++; ran++ }
		/^(not )?ok [0-9]/ {
			r = result($0)
			if (!ran) n[r]++
			else if ((r == "fail" || ran < planned) && !inside["fail"]) n["fail"]++
			delete inside; ran = planned = 0
		}
		END { print n["pass"] + 0, n["fail"] + 0, n["skip"] + 0 }' "$@"
}

# The failed tests of KTAP logs, each with what it printed, and programs that
# failed by themselves.
show_failed() {
	awk '
		/^# # .*RUN / { text = "" }
		{ text = text $0 "\n" }
		/^# not ok/ { printf "%s", text; inside = 1 }
		/^not ok/ && !inside { print }
		/^(# )?(not )?ok/ { text = "" }
		/^(not )?ok/ { inside = 0 }' "$@" | tail -n 60
}

# guest NAME TEST...: one that takes what no other has begun, in the background
guest() {
	local name=$1
	shift

	BOOT_LOG=$logs/$name "$ROOT/scripts/boot.sh" "$FLAVOUR" \
		env "${settings[@]}" "$logs/guest-tests.sh" "$logs" \
		"$SELFTESTS" "${BOOT_TIMEOUT:-$PATIENCE}" "$@" \
		> "$logs/$name.output" 2>&1 &
	guests[$name]=$!
}

# attend TEST...: say which programs have ended, until all guests have; and what
# is wrong besides.
attend() {
	local seconds name status test

	while [ -n "$(jobs -rp)" ] || [ -n "$(compgen -G "$logs/*.seconds")" ]; do
		for seconds in "$logs"/*.seconds; do
			[ -e "$seconds" ] || continue
			name=${seconds##*/}
			name=${name%.seconds}
			report "$name" "$(cat "$seconds")"
			mv "$seconds" "$logs/$name.ended"
		done
		sleep 0.5
	done
	for name in "${!guests[@]}"; do
		status=0
		wait "${guests[$name]}" || status=$?
		[ "$status" = 0 ] || troubles+=("$FLAVOUR: guest '$name' ended with $status
$(tail -n 20 "$logs/$name.output")")
	done
	guests=()
	for test; do
		name=${test#*:}
		name=${name/:/-}
		grep -qE '^(not )?ok [0-9]' "$logs/$name.ktap" 2> /dev/null ||
			troubles+=("$FLAVOUR: $test has no result")
	done
}

# guests KIND TEST...: one for each processor that we may use, pinned to it or not;
# four are enough for the programs that there are.
guests() {
	local kind=$1 processors i
	shift

	mapfile -t processors < <(awk -F'[\t,]' '/^Cpus_allowed_list/ {
		for (i = 2; i <= NF; i++) {
			n = split($i, range, "-")
			for (c = range[1]; c <= range[n]; c++) print c
		} }' /proc/self/status)
	for ((i = 0; i < 4 && i < ${#processors[@]} && i < $#; i++)); do
		case $kind in
		pinned) PIN=${processors[i]} guest "$kind-$i" "$@" ;;
		*) guest "$kind-$i" "$@" ;;
		esac
	done
	attend "$@"
}

# Whether $FLAVOUR can run programs. Debian 12's kernel, of Linux 6.1, has too little room
# for the registers of a processor with AMX, which the host wants to have all at once.
runs_programs() {
	[ "$FLAVOUR" = um-distro ] && grep -qw amx_tile /proc/cpuinfo || return 0
	BOOT_LOG=$logs/boots "$ROOT/scripts/boot.sh" "$FLAVOUR" true > "$logs/boots.output" 2>&1 ||
		! grep -q put_fp_registers "$logs/boots.log"
}

# report PROGRAM SECONDS
report() {
	local pass fail skip ktap=$logs/$1.ktap

	read -r pass fail skip < <(count "$ktap")
	say "$(printf '%s: %-26s %3d passed, %d failed%s, %d s' "$FLAVOUR" "$1" \
		"$pass" "$fail" "$([ "$skip" = 0 ] || echo ", $skip skipped")" "$2")"
	[ "$fail" = 0 ] || show_failed "$ktap"
	printf '%s\t%s\t%s\n' "$FLAVOUR" "$1" "$2" >> "$BUILD/kselftest.times"
}

# All programs of $FLAVOUR, or those of TESTS, in two or three lists
run_flavour() {
	local name list all single=() races=()

	if [ -n "${TESTS:-}" ]; then
		read -ra all <<< "$TESTS"
	else
		case $FLAVOUR in
		um-distro) all=(ngtcp2_fallback.sh) ;;
		um-generic) all=("${CIPHERS[@]}") ;;
		*)
			list=$(all_tests)
			read -rd '' -a all <<< "$list" || true
			;;
		esac
	fi
	for name in "${all[@]}"; do
		case " ${RACES[*]} " in
		*" $name "*) races+=("$name") ;;
		*) single+=("$name") ;;
		esac
	done
	# What fails in <(...) goes unnoticed.
	list=$(list_tests "${single[@]}")
	read -rd '' -a single <<< "$list" || true
	list=$(list_tests "${races[@]}")
	read -rd '' -a races <<< "$list" || true

	if [ "$MACHINE" != um ]; then
		guest all "${single[@]}" "${races[@]}"
		attend "${single[@]}" "${races[@]}"
		return
	fi
	guests pinned "${single[@]}"
	guests smp "${races[@]}"
}

# Background jobs do not hear of an interrupt.
trap 'kill $(jobs -rp) 2> /dev/null || true; wait' EXIT
lock
optional_programs &
programs=$!
"$ROOT/scripts/assemble.sh"
export NETQUIC_ASSEMBLED=1
passed=0 failed=0 skipped=0 troubles=()
for name in $FLAVOURS; do
	flavour "$name"
	SECONDS=0
	[ -n "${ready[$OUT]:-}" ] || "$ROOT/scripts/build.sh" "$FLAVOUR"
	[ -n "${ready[$SELFTESTS]:-}" ] || install_selftests
	ready[$OUT]=1 ready[$SELFTESTS]=1
	built[$name]=$SECONDS
done
wait $programs || true
: > "$BUILD/kselftest.times"
for name in $FLAVOURS; do
	flavour "$name"
	settings
	logs=$BUILD/$FLAVOUR.kselftest
	rm -rf "$logs"
	mkdir "$logs"
	# A guest of another machine sees no other directory of the host.
	cp "$ROOT/scripts/guest-tests.sh" "$logs"
	if ! runs_programs; then
		say "$FLAVOUR: SKIPPED, it runs no program on a processor with AMX, see $logs/boots.log"
		skipped=$((skipped + 1)) ran[$name]=0
		continue
	fi
	say "Running the selftests in $FLAVOUR"
	SECONDS=0
	run_flavour
	ran[$name]=$SECONDS
	read -r pass fail skip < <(cat "$logs"/*.ktap /dev/null | count)
	[ $((pass + fail)) -gt 0 ] || troubles+=("$FLAVOUR: no test ran")
	say "$FLAVOUR: $pass passed, $fail failed, $skip skipped"
	passed=$((passed + pass)) failed=$((failed + fail)) skipped=$((skipped + skip))
done

for trouble in "${troubles[@]}"; do
	say "FAILED besides tests: $trouble"
done
for name in $FLAVOURS; do
	say "$name: built in ${built[$name]} s, ran in ${ran[$name]} s"
done
say "The slowest programs:"
sort -t$'\t' -k3,3rn "$BUILD/kselftest.times" | head -n 10 |
	awk -F'\t' '{ printf "  %4d s  %-10s %s\n", $3, $1, $2 }' >&2
echo "$passed passed, $failed failed$([ $skipped = 0 ] || echo ", $skipped skipped")"
[ "$failed" = 0 ] && [ ${#troubles[@]} -eq 0 ]
