#!/bin/bash
# Which lines of net/quic and net/ipv4/udp_ulp.c run in tests: build um-gcov,
# run the selftests in it, print how much of each file was reached, and every
# line that was not. Fails on one that coverage.md does not justify, and if a test
# failed.
#
#   scripts/torture/coverage.sh               the selftests
#   scripts/torture/coverage.sh command...    this, besides what ran before
#   scripts/torture/coverage.sh report        what ran before
#
# QUIC_TORTURE_SECONDS=300: how long each of the tests that take long takes; there
# are 50 of them. QUIC_SEED: theirs
# What the tests say goes to build/um-gcov/coverage.log.

. "$(dirname "${BASH_SOURCE[0]}")/../common.sh"

flavour um-gcov
RUNS=$OUT/coverage
patience=$((PATIENCE + 50 * ${QUIC_TORTURE_SECONDS:-0}))
tests=("$SELFTESTS/run_kselftest.sh" --override-timeout "$patience")
failed=

run() {
	local dir

	need_packages gcov:gcc
	"$ROOT/scripts/build.sh" "$FLAVOUR"
	install_selftests
	# Numbers of another build do not fit this one.
	[ ! "$OUT/vmlinux" -nt "$RUNS" ] || rm -rf "$RUNS"
	mkdir -p "$RUNS"
	dir=$(mktemp -d "$RUNS/run.XXXXXX")
	say "Running $*"
	BOOT_TIMEOUT=$patience "$ROOT/scripts/boot.sh" "$FLAVOUR" \
		bash "$ROOT/scripts/torture/coverage-guest.sh" "$dir" "$@" \
		>> "$OUT/coverage.log" 2>&1 || {
		say "It failed, see $OUT/coverage.log; it counts all the same"
		grep -E '^(# )?not ok' "$OUT/coverage.log" || true
		failed=1
	}
}

# All files of all runs, annotated by gcov
annotate() {
	local counts

	cd "$OUT" || exit
	for counts in "$RUNS"/run.*/*.gcda; do
		cp "$(find net/quic net/ipv4 -name "$(basename "$counts" .gcda).gcno")" \
			"${counts%/*}"
		gcov --stdout -o "${counts%/*}" "$counts" 2>> "$OUT/coverage.log"
	done
}

case ${1:-} in
report) ;;
'')
	rm -rf "$RUNS" "$OUT/coverage.log"
	run env QUIC_FILE_SIZE=5000000 QUIC_SLOW="it reaches no more lines" \
		${QUIC_TORTURE_SECONDS:+QUIC_TORTURE_SECONDS="$QUIC_TORTURE_SECONDS"} \
		${QUIC_SEED:+QUIC_SEED="$QUIC_SEED"} "${tests[@]}"
	# It has hundreds of failures to visit.
	run env QUIC_TORTURE_SECONDS=300 "${tests[@]}" -t net/quic/torture:fail_nth_module
	;;
*) run "$@" ;;
esac
annotate | awk -f "$ROOT/scripts/torture/coverage.awk" \
	"$ROOT/scripts/torture/coverage.md" -
[ -z "$failed" ] || die "a test failed"
