#!/bin/bash
# Write the series as mails for `git am` to build/patches/.
#
#   scripts/series.sh                  against the kernel that is built here
#   KERNEL_SRC=dir scripts/series.sh   against that tree, which is only read
#   COVER=1 adds an empty cover letter
#
# The author is the one git is configured for; nobody is signed off.

. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

GIT_AUTHOR_NAME=$(git -C "$ROOT" config user.name) || die "git config user.name is not set"
GIT_AUTHOR_EMAIL=$(git -C "$ROOT" config user.email) || die "git config user.email is not set"
export GIT_AUTHOR_NAME GIT_AUTHOR_EMAIL
. "$(dirname "${BASH_SOURCE[0]}")/series-lib.sh"

MAILS=$BUILD/series-mail
PATCHES=$BUILD/patches

lock
if [ -n "${KERNEL_SRC:-}" ]; then
	[ -f "$KERNEL_SRC/Kbuild" ] || die "KERNEL_SRC=$KERNEL_SRC is no kernel tree"
	kernel=$(cd "$KERNEL_SRC" && pwd)
else
	"$ROOT/scripts/get-kernel.sh"
	kernel=$PRISTINE
fi

series_commit "$MAILS" "$kernel"
rm -rf "$PATCHES"
sgit "$MAILS" format-patch -q --no-signature --subject-prefix='PATCH net-next' \
	${COVER:+--cover-letter} -o "$PATCHES" refs/patches/base..series
find "$PATCHES" -name '*.patch' | sort
