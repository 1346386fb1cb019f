#!/bin/bash
# Write the series as mails for `git am`: build/patches/SET/*.patch for each set of
# series/ but what is not mailed. A set of several patches has a cover letter, the text
# of which is series/SET/cover.txt: subject, empty line, body.
#
#   scripts/series.sh                  against the kernel that is built here
#   KERNEL_SRC=dir scripts/series.sh   against that tree, which is only read
#   NAMES=udp_quic scripts/series.sh   under names that clash with no other QUIC
#   PROVE=1 scripts/series.sh          and show that git am makes of them what is built
#
# The author is the one git is configured for; nobody is signed off. Lists and
# maintainers are what scripts/get_maintainer.pl of the kernel says.

. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

GIT_AUTHOR_NAME=$(git -C "$ROOT" config user.name) || die "git config user.name is not set"
GIT_AUTHOR_EMAIL=$(git -C "$ROOT" config user.email) || die "git config user.email is not set"
export GIT_AUTHOR_NAME GIT_AUTHOR_EMAIL
. "$(dirname "${BASH_SOURCE[0]}")/series-lib.sh"

MAILS=$BUILD/series-mail
PATCHES=$BUILD/patches
# What netdev takes
MAX_PATCHES=15
MAX_BYTES=100000
MAX_LINES=2500

# The tree a set is for, as its mails' subjects say
prefix() {
	case $1 in
	[12]-*) echo "PATCH net-next" ;;
	0-addrform) echo "PATCH net" ;;
	*) echo PATCH ;;
	esac
}

# Put text $2 into cover letter $1.
fill_cover() {
	awk -v cover="$2" '
		function rest(line) {
			while ((getline line < cover) > 0)
				print line
		}
		/\*\*\* SUBJECT HERE \*\*\*/ {
			getline subject < cover
			sub(/\*\*\* SUBJECT HERE \*\*\*/, subject)
			getline empty < cover
		}
		/^\*\*\* BLURB HERE \*\*\*$/ { rest(); next }
		{ print }' "$1" > "$1.new"
	mv "$1.new" "$1"
}

# write_set SET FROM TO
write_set() {
	local set=$1 count cover=()

	count=$(sgit "$MAILS" rev-list --count "$2..$3")
	[ "$count" -le $MAX_PATCHES ] || die "$set has $count patches, more than $MAX_PATCHES"
	[ "$count" = 1 ] || cover=(--cover-letter)
	sgit "$MAILS" format-patch -q --no-signature --subject-prefix="$(prefix "$set")" \
		"${cover[@]}" -o "$PATCHES/$set" "$2..$3"
	[ "$count" = 1 ] ||
		fill_cover "$PATCHES/$set/0000-cover-letter.patch" "$ROOT/series/$set/cover.txt"
	# A cover letter has no diff, and the text of one is no longer than it has to be.
	wc -lc "$PATCHES/$set"/*.patch | awk -v lines=$MAX_LINES -v bytes=$MAX_BYTES '
		$3 != "total" && ($1 > lines || $2 > bytes) {
			print "error: " $3 ": " $1 " lines, " $2 " bytes" > "/dev/stderr"
			bad = 1
		}
		END { exit bad }' || die "too large for a mail"
}

# git am in repository $1 of all mails below $2
apply_mails() {
	local mails

	mapfile -t mails < <(find "$2" -name '*.patch' ! -name '0000-*' | sort)
	sgit "$1" am -q "${mails[@]}"
}

# Apply all mails to the kernel's own files, each small set also by itself, and compare
# with the branch that the trees are assembled from.
prove() {
	local repo=$BUILD/series-proof last=$1 set

	rm -rf "$repo"
	sgit "$BUILD" clone -q --no-checkout "$MAILS" "$repo"
	sgit "$repo" config user.name "$GIT_AUTHOR_NAME"
	sgit "$repo" config user.email "$GIT_AUTHOR_EMAIL"
	for set in "$PATCHES"/0-* "$PATCHES/1-transmit"; do
		sgit "$repo" checkout -q -f --detach "$base"
		apply_mails "$repo" "$set"
	done
	sgit "$repo" checkout -q -f --detach "$base"
	apply_mails "$repo" "$PATCHES"
	[ "$(sgit "$repo" rev-parse 'HEAD^{tree}')" = "$(sgit "$MAILS" rev-parse "$last^{tree}")" ] ||
		die "the mails do not make what is built"
	say "git am: each small set and the first one alone, and all in order: what is built"
}

lock
if [ -n "${KERNEL_SRC:-}" ]; then
	[ -f "$KERNEL_SRC/Kbuild" ] || die "KERNEL_SRC=$KERNEL_SRC is no kernel tree"
	kernel=$(cd "$KERNEL_SRC" && pwd)
else
	"$ROOT/scripts/get-kernel.sh"
	kernel=$PRISTINE
fi

if [ -n "${NAMES:-}" ]; then
	"$ROOT/scripts/names.sh" "$NAMES"
	copy=$BUILD/$NAMES
	NAMES='' BUILD=$copy/build KERNEL_SRC=$kernel exec "$copy/scripts/series.sh"
fi

series_commit "$MAILS" "$kernel"
rm -rf "$PATCHES"
base=$(sgit "$MAILS" rev-parse refs/patches/base)
from=$base
for set in $(patch_sets); do
	[ "$set" != 9-not-mailed ] || continue
	last=$(patch_files | grep "/$set/" | tail -n 1)
	to=$(sgit "$MAILS" rev-parse "refs/patches/$(patch_name "$last")")
	write_set "$set" "$from" "$to"
	from=$to
done
[ -z "${PROVE:-}" ] || prove "$from"
find "$PATCHES" -name '*.patch' | sort
