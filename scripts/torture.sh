#!/bin/bash
# The selftests that look for races, leaks and unexpected answers, for hours, and
# all of them in kernels of other kinds. Says at the end how each part went; what it
# said is in build/torture-PART.log, its programs' output and the guests' logs in
# build/torture-PART/.
#
#   scripts/torture.sh                      everything
#   HOUR=60 scripts/torture.sh              what is an hour takes a minute
#   PARTS="fuzz races" scripts/torture.sh   these only, see below
#
# "nginx" builds Debian 13's nginx with tools/net/quic/nginx (scripts/nginx.sh) and has
# its clients, reloads and fallback tested in um; "nginx-distro" does in um-distro.
#
# A failure of a fuzzer or of a race prints its seed: QUIC_SEED=n repeats it.

. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

HOUR=${HOUR:-3600}
PARTS=${PARTS:-fuzz faults module races load speed kasan lockdep lockdep-races kcsan
	kcsan-races s390x arm64 nginx nginx-distro coverage}
RACES=(audit audit_receive race_attach race_device_keys race_devices race_flows
	race_memory race_receive race_receive_attach race_receive_devices
	race_receive_numbers race_receive_sockets race_sockets)

# part FLAVOUR SECONDS [test...]: all tests, unless some are named
part() {
	local seconds=$2 status=0

	flavour "$1"
	shift 2
	FLAVOURS=$FLAVOUR TESTS="$*" QUIC_TORTURE_SECONDS=$seconds \
		BOOT_TIMEOUT=$((HOUR * 4 + PATIENCE)) "$ROOT/scripts/kselftest.sh" ||
		status=$?
	mv "$BUILD/$FLAVOUR.kselftest" "$BUILD/torture-$name"
	return $status
}

run_part() {
	case $1 in
	# Ten million calls of each, at 2,000 a second
	fuzz) part um-debug $((HOUR * 3 / 2)) fuzz fuzz_device fuzz_receive ;;
	faults)
		part um-debug "$HOUR" fail_nth fail_nth_device fail_nth_send \
			fail_nth_receive fail_nth_rx_flows
		;;
	# Hundreds of network namespaces: UML's KASAN would take all memory.
	module) part x86_64-debug "$HOUR" fail_nth_module ;;
	# Minutes for each race
	races) part um-debug $((HOUR / 20)) "${RACES[@]}" ;;
	lockdep-races) part x86_64-debug $((HOUR / 20)) "${RACES[@]}" ;;
	kcsan-races) part x86_64-kcsan $((HOUR / 20)) "${RACES[@]}" ;;
	load) part um "$HOUR" load ;;
	# All selftests
	speed) part um 10 ;;
	kasan) part um-kasan 10 ;;
	lockdep) part x86_64-debug 10 ;;
	kcsan) part x86_64-kcsan 10 ;;
	s390x) part s390x 10 ;;
	arm64) part arm64 10 ;;
	# Debian 13's, built with tools/net/quic/nginx; and where the kernel has no feature
	nginx) "$ROOT/scripts/nginx.sh" && part um 10 nginx.sh nginx_faults.sh ;;
	nginx-distro) "$ROOT/scripts/nginx.sh" && part um-distro 10 nginx_faults.sh ;;
	coverage) "$ROOT/scripts/torture/coverage.sh" ;;
	*) die "there is no part '$1'" ;;
	esac
}

# Tests have limits of their own, and need some time to see anything.
if [ "$HOUR" -lt 60 ] || [ "$HOUR" -gt 3600 ]; then
	die "HOUR is 60 to 3600 seconds"
fi
results=() failed=
for name in $PARTS; do
	say "Part $name"
	log=$BUILD/torture-$name.log
	rm -rf "$BUILD/torture-$name"
	verdict=ok
	run_part "$name" 2>&1 | tee "$log" || verdict=FAILED failed=1
	results+=("$name: $verdict: $(tail -n 1 "$log")")
done
printf '%s\n' "${results[@]}"
[ -z "$failed" ]
