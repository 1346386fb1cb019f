#!/bin/bash
# Assemble build/linux (pristine kernel + series diffs + overlay), and
# build/linux-um, the same plus the test-only um-speed.diff for User Mode Linux.
#
#   scripts/assemble.sh            FORCE=1 drops edits that are not in series/
#
# Only files whose content changes are written, so that make rebuilds little.

. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
. "$(dirname "${BASH_SOURCE[0]}")/series-lib.sh"

# Put file $2 of tree $1 back to what the kernel has, which may be nothing.
restore() {
	if [ -e "$PRISTINE/$2" ]; then
		cp --preserve=mode --remove-destination "$PRISTINE/$2" "$1/$2"
	else
		rm -f "$1/$2"
	fi
}

# build/linux is a copy, since people edit there. build/linux-um shares its
# files with build/pristine: a file is replaced, never written to.
copy_kernel() {
	local tree=$1 how=--reflink=auto

	[ "$tree" != "$BUILD/linux-um" ] || how=--link
	say "Copying the kernel to $tree"
	rm -rf "$tree" "$tree.new"
	cp -a "$how" "$PRISTINE" "$tree.new"
	cp "$BUILD/pristine.from" "$tree.from"
	touch "$tree.stamp"
	mv "$tree.new" "$tree"
}

executable() {
	[ ! -x "$1" ] || echo yes
}

# assemble_tree NAME COMMIT
assemble_tree() {
	local tree=$BUILD/$1 stage=$BUILD/stage edited='' file count=0

	[ ! -d "$tree" ] || edited=$(edited_files "$1" "$2")
	if [ -n "$edited" ]; then
		printf '%s\n' "$edited" >&2
		[ "${FORCE:-}" = 1 ] ||
			die "edited in $tree, not in series/: run 'make refresh' (or FORCE=1 to drop)"
		say "FORCE=1: dropping the edits above"
		while read -r file; do restore "$tree" "$file"; done <<< "$edited"
	fi
	if [ ! -d "$tree" ] || ! cmp -s "$BUILD/pristine.from" "$tree.from"; then
		sgit "$REPO" update-ref -d "refs/assembled/$1"
		copy_kernel "$tree"
	fi

	rm -rf "$stage"
	mkdir "$stage"
	sgit "$REPO" archive "$2" | tar -x -C "$stage"
	while read -r file; do
		if cmp -s "$stage/$file" "$tree/$file" &&
			[ "$(executable "$stage/$file")" = "$(executable "$tree/$file")" ]; then
			continue
		fi
		mkdir -p "$tree/$(dirname "$file")"
		cp -P --preserve=mode --remove-destination "$stage/$file" "$tree/$file"
		count=$((count + 1))
	done < <(sgit "$REPO" ls-tree -r --name-only "$2")
	while read -r file; do
		[ -e "$stage/$file" ] || restore "$tree" "$file"
	done < <(sgit "$REPO" ls-tree -r --name-only "$(assembled "$1")")
	rm -rf "$stage"

	sgit "$REPO" update-ref "refs/assembled/$1" "$2"
	touch "$tree.stamp"
	[ "$count" = 0 ] || say "$count files written to $tree"
}

# A shared file that somebody wrote to all the same.
check_shared() {
	local file

	[ -d "$BUILD/linux-um" ] || return 0
	file=$(find "$BUILD/linux-um" -type f -links +1 -cnewer "$BUILD/linux-um.stamp" -print -quit)
	[ -z "$file" ] ||
		die "$file was edited, and build/pristine with it: remove both trees, and edit build/linux"
}

lock
check_shared
"$ROOT/scripts/get-kernel.sh"
series_commit "$REPO" "$PRISTINE"
speed_commit "$REPO"
assemble_tree linux series
assemble_tree linux-um um
