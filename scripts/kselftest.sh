#!/bin/bash
# Run tools/testing/selftests/net/quic in each flavour through the kernel's own
# kselftest runner, KTAP on standard output, and count. The last line is
# "N passed, N failed", with ", N skipped" if any. Fails on a failed test, on a
# dirty kernel log, and when nothing ran.
#
# um-pristine has no feature to test: programs that would use it have to work.
#
#   scripts/kselftest.sh                 FLAVOURS=um scripts/kselftest.sh
#
# TESTS="tx flows" runs these programs only. QUIC_TORTURE_SECONDS and QUIC_SEED
# reach those that know them, see scripts/torture.sh.

. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

FLAVOURS=${FLAVOURS:-um um-debug um-pristine}

# What clients other than those of ngtcp2 need; without it their tests skip.
optional_clients() {
	case $FLAVOURS in
	um-pristine | s390x) return ;;
	esac
	case ${TESTS:-ngtcp2.sh} in
	*ngtcp2.sh*) ;;
	*) return ;;
	esac
	(need_packages chromium:chromium) || say "No Chromium: its tests will skip"
	"$ROOT/scripts/trixie.sh" || say "No Debian 13: tests with curl will skip"
}

# Tests to run, and what they are told, in $FLAVOUR
what_to_run() {
	local name

	which=()
	for name in "${COLLECTIONS[@]}"; do
		which+=(-c "$name")
	done
	settings=(QUIC_CHROOT="$BUILD/trixie")
	case $FLAVOUR in
	um-debug) settings+=(QUIC_FILE_SIZE=5000000 QUIC_SLOW="too slow with KASAN") ;;
	x86_64*) settings+=(QUIC_FILE_SIZE=1000000 QUIC_SLOW="too slow in QEMU") ;;
	s390x) settings=(QUIC_FILE_SIZE=1000000 QUIC_SLOW="too slow in QEMU") ;;
	um-pristine) which=(-t net/quic/tools:ngtcp2_fallback.sh) ;;
	esac
	for name in QUIC_TORTURE_SECONDS QUIC_SEED; do
		[ -z "${!name:-}" ] || settings+=("$name=${!name}")
	done
	[ -z "${TESTS:-}" ] || which=()
	for name in ${TESTS:-}; do
		which+=(-t "$(grep ":$name\$" "$BUILD/$FLAVOUR/selftests/kselftest-list.txt")")
	done
}

# Results of one KTAP log: "passed failed skipped". The tests inside a program
# count, not the program; but one that says "not ok" without a failed test
# inside (crash, timeout), or that ran fewer than it planned, is a failure.
count() {
	awk '
		function result(line) {
			if (line ~ /# SKIP/) return "skip"
			return line ~ /^not ok/ ? "fail" : "pass"
		}
		/^# 1\.\.[0-9]+/ { planned = substr($2, 4) + 0 }
		/^# (not )?ok [0-9]/ { n[result(substr($0, 3))]++; inside[result(substr($0, 3))]++; ran++ }
		/^(not )?ok [0-9]/ {
			r = result($0)
			if (!ran) n[r]++
			else if ((r == "fail" || ran < planned) && !inside["fail"]) n["fail"]++
			delete inside; ran = planned = 0
		}
		END { print n["pass"] + 0, n["fail"] + 0, n["skip"] + 0 }' "$1"
}

# The failed tests of a KTAP log, each with what it printed, and programs that
# failed by themselves.
show_failed() {
	awk '
		/^# # .*RUN / { text = "" }
		{ text = text $0 "\n" }
		/^# not ok/ { printf "%s", text; inside = 1 }
		/^not ok/ && !inside { print }
		/^(# )?(not )?ok/ { text = "" }
		/^(not )?ok/ { inside = 0 }' "$1" | tail -n 60
}

optional_clients
passed=0 failed=0 skipped=0 troubles=()
for name in $FLAVOURS; do
	flavour "$name"
	"$ROOT/scripts/build.sh" "$FLAVOUR"
	install_selftests

	say "Running the selftests in $FLAVOUR"
	ktap=$BUILD/$FLAVOUR/kselftest.ktap
	what_to_run
	"$ROOT/scripts/boot.sh" "$FLAVOUR" env "${settings[@]}" \
		"$BUILD/$FLAVOUR/selftests/run_kselftest.sh" "${which[@]}" \
		--override-timeout "${BOOT_TIMEOUT:-$PATIENCE}" | tee "$ktap" ||
		troubles+=("$FLAVOUR: the guest or its kernel log, $BUILD/$FLAVOUR/kernel.log
$(head -n 20 "$BUILD/$FLAVOUR/kernel.trouble" || true)")
	read -r pass fail skip < <(count "$ktap")
	[ $((pass + fail)) -gt 0 ] || troubles+=("$FLAVOUR: no test ran")
	say "$FLAVOUR: $pass passed, $fail failed, $skip skipped"
	[ "$fail" = 0 ] || show_failed "$ktap"
	passed=$((passed + pass)) failed=$((failed + fail)) skipped=$((skipped + skip))
done

for trouble in "${troubles[@]}"; do
	say "FAILED besides tests: $trouble"
done
echo "$passed passed, $failed failed$([ $skipped = 0 ] || echo ", $skipped skipped")"
[ "$failed" = 0 ] && [ ${#troubles[@]} -eq 0 ]
