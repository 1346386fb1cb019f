#!/bin/bash
# Bring what was edited in build/linux back into the repository: new files to
# the overlay, edits of the kernel's own files into series/, each into the
# last patch that touches the file or into the one that PATCH names.
#
#   scripts/refresh.sh                  PATCH=SET/NN-name scripts/refresh.sh
#
# To begin a patch, write subject and changelog to series/SET/NN-name.patch first.

. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
. "$(dirname "${BASH_SOURCE[0]}")/series-lib.sh"

LINUX=$BUILD/linux
WAS=refs/assembled/linux
PATCH=${PATCH:-}
PATCH=${PATCH%.patch}

# unchanged FILE BLOB: die if the repository, which has BLOB, moved away from
# what build/linux was assembled from, and not to what build/linux has now.
unchanged() {
	[ "$2" = "$(sgit "$REPO" rev-parse -q --verify "$WAS:$1")" ] ||
		[ "$2" = "$(blob "$LINUX/$1")" ] ||
		die "$1 was edited both in $LINUX and in the repository"
}

blob() {
	[ ! -e "$1" ] || sgit "$REPO" hash-object "$1"
}

overlay_back() {
	local file=$1

	unchanged "$file" "$(blob "$ROOT/$file")"
	if [ ! -e "$LINUX/$file" ]; then
		rm -f "$ROOT/$file"
		say "removed: $file"
		return
	fi
	mkdir -p "$ROOT/$(dirname "$file")"
	cp -P --preserve=mode "$LINUX/$file" "$ROOT/$file"
	say "overlay: $file"
}

# The patch that an edit of kernel file $1 belongs to.
owner() {
	local patch name last=$PATCH

	if [ -z "$last" ]; then
		while read -r patch; do
			name=$(patch_name "$patch")
			! patch_diff "$patch" | diff_files | grep -Fqx "$1" || last=$name
		done < <(patch_files)
	fi
	[ -n "$last" ] || die "no patch touches $1 yet: make refresh PATCH=SET/NN-name"
	echo "$last"
}

# Write patch $1 anew with the diff of commit $2.
rewrite() {
	local file=$1 kernel_files new

	new=$(grep -E '^(New|Until): ' <(sed '/^diff --git /,$d' "$file") || true)
	mapfile -t kernel_files < <(sgit "$REPO" diff-tree -r --no-commit-id --name-only "$2" |
		while read -r name; do [ ! -e "$PRISTINE/$name" ] || echo "$name"; done)
	{
		patch_message "$file" | sed -e :a -e '/^\n*$/{$d;N;ba' -e '}'
		[ -z "$new" ] || printf '\n%s\n' "$new"
		if [ ${#kernel_files[@]} -gt 0 ]; then
			echo
			sgit "$REPO" diff-tree -r -p --no-commit-id --no-renames "$2" -- "${kernel_files[@]}" |
				sed '/^index [0-9a-f]*\.\.[0-9a-f]*/d'
		fi
	} > "$file.new"
	if cmp -s "$file.new" "$file"; then
		rm "$file.new"
	else
		mv "$file.new" "$file"
		say "rewritten: ${file#"$ROOT/"}"
	fi
}

lock
sgit "$REPO" rev-parse -q --verify "$WAS" > /dev/null 2>&1 ||
	die "$LINUX was not assembled yet: scripts/assemble.sh"
[ -z "$PATCH" ] || [ -f "$ROOT/series/$PATCH.patch" ] ||
	die "write subject and changelog to series/$PATCH.patch first"

kernel_files=()
while read -r file; do
	if [ -e "$PRISTINE/$file" ]; then
		kernel_files+=("$file")
	else
		overlay_back "$file"
	fi
done < <(edited_files linux "$WAS")

series_commit "$REPO" "$PRISTINE" "${kernel_files[@]}"
for file in "${kernel_files[@]}"; do
	name=$(owner "$file")
	if sgit "$REPO" cat-file -e "$WAS:$file" 2> /dev/null; then
		unchanged "$file" "$(sgit "$REPO" rev-parse "series:$file")"
	fi
	echo "$file" | copy_files "$LINUX" "$REPO"
	sgit "$REPO" add "$file"
	sgit "$REPO" commit -q -m "fixup! $(sgit "$REPO" rev-parse "refs/patches/$name")"
	say "edit of $file goes into $name"
done
if [ ${#kernel_files[@]} -gt 0 ]; then
	GIT_SEQUENCE_EDITOR=: sgit "$REPO" rebase -q -i --autosquash --empty=keep \
		refs/patches/base > "$BUILD/refresh.log" 2>&1 || {
		cat "$BUILD/refresh.log" >&2
		sgit "$REPO" rebase --abort
		die "a later patch changes the same lines: name that one with PATCH="
	}
fi
paste -d ' ' <(sgit "$REPO" rev-list --reverse refs/patches/base..series) <(patch_files) |
	while read -r commit file; do rewrite "$file" "$commit"; done

"$ROOT/scripts/assemble.sh"
