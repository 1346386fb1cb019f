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
# checkpatch OPTION... < file names. The MAINTAINERS entry is the first patch's.
checkpatch() {
	local patches

	mapfile -t patches
	(cd "$BUILD/linux" && perl scripts/checkpatch.pl --no-signoff --quiet \
		--show-types --ignore FILE_PATH_CHANGES "$@" "${patches[@]}")
}

say "checkpatch"
grep -vE -- '-(selftests|tools)-' "$BUILD/check.patches" | checkpatch --strict || status=1
# Programs for userspace, where errno is positive, with the harness's macros where
# types stand, names of libraries that changed, and a published example that is
# kept as it is
userspace=USE_NEGATIVE_ERRNO,SPACING,LEADING_SPACE,MACRO_WITH_FLOW_CONTROL,ENOSYS,SPLIT_STRING
userspace+=,BRACES,NEW_TYPEDEFS,VOLATILE,PREFER_DEFINED_ATTRIBUTE_MACRO,EMBEDDED_FUNCTION_NAME
grep -E -- '-(selftests|tools)-' "$BUILD/check.patches" | checkpatch --ignore $userspace || status=1

say "shellcheck"
git -C "$ROOT" ls-files -co --exclude-standard -- scripts .ci/run |
	(cd "$ROOT" && xargs grep -lE '^#!/bin/bash|^# shellcheck shell=bash' |
	xargs shellcheck -x -P SCRIPTDIR) || status=1
git -C "$ROOT" ls-files -co --exclude-standard -- 'tools/*.sh' |
	(cd "$ROOT" && xargs shellcheck -S warning -e SC1091,SC2154) || status=1

[ "$status" = 0 ] && say "clean"
exit "$status"
