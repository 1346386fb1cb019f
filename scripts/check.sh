#!/bin/bash
# Static checks: checkpatch --strict over the formatted series, shellcheck over
# the scripts.
#
#   scripts/check.sh

. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

need_packages pod2text:perl git:git shellcheck:shellcheck \
	/usr/share/doc/python3-ply:python3-ply
status=0

"$ROOT/scripts/assemble.sh"
"$ROOT/scripts/series.sh" > "$BUILD/check.patches"
say "checkpatch"
(cd "$BUILD/linux" && mapfile -t patches < "$BUILD/check.patches" &&
	perl scripts/checkpatch.pl --strict --no-signoff --quiet --show-types \
		"${patches[@]}") || status=1

say "shellcheck"
git -C "$ROOT" ls-files -co --exclude-standard -- '*.sh' .ci/run |
	(cd "$ROOT" && xargs shellcheck -x -P SCRIPTDIR) || status=1

[ "$status" = 0 ] && say "clean"
exit "$status"
