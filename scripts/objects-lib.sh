# shellcheck shell=bash
# To compile what the series touches, and nothing else: sourced by bisect.sh, configs.sh
# and check.sh, after series-lib.sh. No kernel is linked.
#
# A tree of its own, build/objects, is at one commit of build/series-git after the other.

OBJECTS_TREE=$BUILD/objects
OBJECTS_AT=$BUILD/objects.at

# The commits that are mailed, the first to the last
mailed_commits() {
	local last

	last=$(patch_files | grep -v /9-not-mailed/ | tail -n 1)
	sgit "$REPO" rev-list --reverse "refs/patches/base..refs/patches/$(patch_name "$last")"
}

# Bring build/objects to commit $1: what differs is written, with its time.
checkout_objects() {
	local was file

	if [ ! -d "$OBJECTS_TREE" ] || ! cmp -s "$BUILD/pristine.from" "$OBJECTS_TREE.from"; then
		say "Copying the kernel to $OBJECTS_TREE"
		rm -rf "$OBJECTS_TREE" "$OBJECTS_AT"
		cp -a --reflink=auto "$PRISTINE" "$OBJECTS_TREE"
		cp "$BUILD/pristine.from" "$OBJECTS_TREE.from"
	fi
	# What is there, not what a commit said that may be gone
	was=$(cat "$OBJECTS_AT" 2> /dev/null || true)
	{
		[ -z "$was" ] || tr ' ' '\n' <<< "$was"
		sgit "$REPO" ls-tree -r --name-only "$1"
	} | sort -u | while read -r file; do
		[ -n "$file" ] || continue
		if sgit "$REPO" cat-file -e "$1:$file" 2> /dev/null; then
			mkdir -p "$OBJECTS_TREE/$(dirname "$file")"
			sgit "$REPO" show "$1:$file" > "$BUILD/objects.new"
			cmp -s "$BUILD/objects.new" "$OBJECTS_TREE/$file" ||
				cp "$BUILD/objects.new" "$OBJECTS_TREE/$file"
		elif [ -e "$PRISTINE/$file" ]; then
			cmp -s "$PRISTINE/$file" "$OBJECTS_TREE/$file" ||
				cp "$PRISTINE/$file" "$OBJECTS_TREE/$file"
		else
			rm -f "$OBJECTS_TREE/$file"
		fi
	done
	sgit "$REPO" ls-tree -r --name-only "$1" | tr '\n' ' ' > "$OBJECTS_AT"
}

# The objects of the kernel's own files that the series edits
edited_objects() {
	sgit "$REPO" diff --name-only --diff-filter=M refs/patches/base series -- '*.c' |
		sed 's/\.c$/.o/'
}

# What is ours, and what is not in the module or another directory of ours
new_objects() {
	printf '%s\n' net/ipv4/udp_ulp.o drivers/net/netdevsim/quic.o net/quic/
}

# objects_make OUT ARCH make's arguments..., and what else stands in OBJECTS_FLAGS
OBJECTS_FLAGS=()
objects_make() {
	local out=$1 arch=$2
	shift 2

	make -s -C "$OBJECTS_TREE" O="$out" ARCH="$arch" CC="ccache ${CROSS:-}gcc" \
		HOSTCC="ccache gcc" CROSS_COMPILE="${CROSS:-}" -j"$JOBS" "${OBJECTS_FLAGS[@]}" "$@" < /dev/null
}

# configure_objects OUT ARCH LINE...: the options of all flavours, and these lines
configure_objects() {
	local out=$1 arch=$2
	shift 2

	mkdir -p "$out"
	fragments common objects > "$out.fragment"
	printf '%s\n' "$@" >> "$out.fragment"
	objects_make "$out" "$arch" allnoconfig KCONFIG_ALLCONFIG="$out.fragment" \
		> "$out.config.log" 2>&1 ||
		{ tail -n 20 "$out.config.log" >&2; die "no configuration, see $out.config.log"; }
}

export CCACHE_BASEDIR=$BUILD CCACHE_NOHASHDIR=1 CCACHE_DEPEND=1
