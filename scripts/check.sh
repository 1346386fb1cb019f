#!/bin/bash
# Static checks of the series and of the scripts. Prints what is wrong, and what could not
# be looked at; what is let pass stands in scripts/exceptions.txt.
#
#   scripts/check.sh                    CHECKS="checkpatch sparse" scripts/check.sh

# shellcheck disable=SC2317 # the checks are called by their names
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
. "$(dirname "${BASH_SOURCE[0]}")/debian-lib.sh"
. "$(dirname "${BASH_SOURCE[0]}")/series-lib.sh"
. "$(dirname "${BASH_SOURCE[0]}")/objects-lib.sh"
. "$(dirname "${BASH_SOURCE[0]}")/check-lib.sh"
. "$(dirname "${BASH_SOURCE[0]}")/docs-lib.sh"

CHECKS=${CHECKS:-checkpatch shellcheck headers kernel_doc htmldocs maintainers gcc clang
	sparse smatch coccinelle size selftests unmailed}
CLANG=19
WRONG=$BUILD/check.wrong
LINUX=$BUILD/linux

# wrong FILE: show what a tool has said, and remember, also behind a pipe
wrong() {
	cat "$1"
	: > "$WRONG"
}

# Files that are mailed: of the overlay, or of the kernel
mailed_files() {
	awk -F'\t' '$1 !~ /^9-not-mailed/ { print $2 }' "$BUILD/series-new"
}

# The objects that are ours, and those of the kernel's files that the series edits
x86_objects() {
	edited_objects
	new_objects
}

# compile_at COMMIT OUT VARIABLE...: the objects that come as input, of a commit of
# build/series-git and with these variables of make's; what is said is in OUT.log
compile_at() {
	local commit=$1 out=$2 objects OBJECTS_FLAGS
	shift 2
	OBJECTS_FLAGS=("$@")

	mapfile -t objects
	checkout_objects "$(sgit "$REPO" rev-parse "$commit")"
	configure_objects "$out" x86_64 CONFIG_QUIC=m CONFIG_CRYPTO_AES_NI_INTEL=y
	objects_make "$out" x86_64 "${objects[@]}" > "$out.log" 2>&1 || true
}

# The same of ours and what is edited
compile_log() {
	x86_objects | compile_at series "$@"
}

# The same, where nothing is to be said
compile() {
	compile_log "$@"
	[ ! -s "$1.log" ] || wrong "$1.log"
}

# Warnings of a log without the numbers of lines, sorted
unnumbered() {
	sed -E 's/:[0-9]+:[0-9]+:/:/' "$1" | sort
}

# checkpatch LOG OPTIONS... < file names
checkpatch() {
	local log=$1 names
	shift

	mapfile -t names
	[ ${#names[@]} = 0 ] || (cd "$LINUX" && perl scripts/checkpatch.pl --no-signoff --quiet \
		--show-types "$@" "${names[@]}") > "$log" 2>&1 || wrong "$log"
}

# Each mail, with what may be in a mail like this
check_checkpatch() {
	local mails=$BUILD/check.mails log=$BUILD/check.checkpatch

	"$ROOT/scripts/series.sh" | grep -v '/0000-' > "$mails"
	grep -- -selftests- "$mails" |
		checkpatch "$log" --strict --ignore "$(exceptions checkpatch,userspace)"
	grep -v -- -selftests- "$mails" | xargs grep -L '^+++ b/include/trace/' |
		checkpatch "$log" --strict --ignore "$(exceptions checkpatch)"
	xargs grep -l '^+++ b/include/trace/' < "$mails" |
		checkpatch "$log" --strict --ignore "$(exceptions checkpatch,tracepoints)"
}

# What is not mailed has to look the same, less strictly.
check_unmailed() {
	awk -F'\t' '$1 ~ /^9-not-mailed/ && /\.[ch]$/ { print $2 }' "$BUILD/series-new" |
		sed "s,^,$ROOT/," |
		checkpatch "$BUILD/check.unmailed" --no-tree --file \
			--ignore "$(exceptions checkpatch,userspace)"
}

check_shellcheck() {
	local log=$BUILD/check.shellcheck

	git -C "$ROOT" ls-files -co --exclude-standard -- scripts .ci/run |
		(cd "$ROOT" && xargs grep -lE '^#!/bin/bash|^# shellcheck shell=bash' |
		xargs shellcheck -x -P SCRIPTDIR) > "$log" || wrong "$log"
	git -C "$ROOT" ls-files -co --exclude-standard -- 'tools/*.sh' |
		(cd "$ROOT" && xargs shellcheck -S warning -e "$(exceptions shellcheck)") > "$log" || wrong "$log"
}

# The user API by itself, as C and as C++
check_headers() {
	local log=$BUILD/check.headers header language

	flavour um
	need_packages g++:g++
	uapi_headers
	for header in linux/quic.h linux/udp.h; do
		for language in c c++; do
			echo "#include <$header>" |
				gcc -x "$language" -std="gnu${language/c/}11" -Wall -Wextra -Werror -pedantic \
					-isystem "$OBJECTS/usr/include" -fsyntax-only - ||
				echo "$header as $language"
		done
	done > "$log" 2>&1
	[ ! -s "$log" ] || wrong "$log"
}

check_kernel_doc() {
	local log=$BUILD/check.kernel-doc files

	mapfile -t files < <(mailed_files | grep -E '^(net|include)/.*\.[ch]$')
	(cd "$ROOT" && "$LINUX/scripts/kernel-doc" -none -Wall "${files[@]}") > "$log" 2>&1 || true
	[ ! -s "$log" ] || wrong "$log"
}

check_htmldocs() {
	local log=$BUILD/check.htmldocs

	need_packages sphinx-build:python3-sphinx \
		/usr/lib/python3/dist-packages/yaml/__init__.py:python3-yaml
	new_docs_warnings > "$log"
	[ ! -s "$log" ] || { wrong "$log"; say "$BUILD/docs.log has the lines"; }
}

# An entry of MAINTAINERS, not only those of the directories above, for each new file
check_maintainers() {
	local log=$BUILD/check.maintainers file

	: > "$log"
	while read -r file; do
		(cd "$LINUX" && perl scripts/get_maintainer.pl --no-tree --no-git \
			--no-git-fallback --sections -f "$file" 2> /dev/null) |
			grep '^QUIC PACKET PROTECTION' > /dev/null || echo "$file: no entry" >> "$log"
	done < <(mailed_files)
	[ ! -s "$log" ] || wrong "$log"
}

check_gcc() {
	compile "$BUILD/objects.gcc" W=1
}

check_clang() {
	need_packages "clang-$CLANG:clang-$CLANG" "ld.lld-$CLANG:lld-$CLANG" \
		"llvm-ar-$CLANG:llvm-$CLANG"
	compile "$BUILD/objects.clang" W=1 LLVM="-$CLANG" CC="clang-$CLANG" HOSTCC=gcc
}

check_sparse() {
	need_sparse || { say "sparse: NOT RUN, there is none that is new enough"; : > "$WRONG"; return; }
	# Of the kernel's files that are edited, what it says without the series is not ours.
	local out=$BUILD/objects.sparse log=$BUILD/check.sparse

	edited_objects | compile_at refs/patches/base "$out.base" C=2 CHECK="$SPARSE"
	compile_log "$out" C=2 CHECK="$SPARSE"
	comm -13 <(unnumbered "$out.base.log") <(unnumbered "$out.log") > "$log"
	[ ! -s "$log" ] || { wrong "$log"; say "$out.log has the lines"; }
}

# No Debian has a package of it: it looks where somebody has installed one. What its half
# that is sparse has to say is left to sparse, which is newer.
check_smatch() {
	local out=$BUILD/objects.smatch log=$BUILD/check.smatch

	command -v smatch > /dev/null ||
		{ say "smatch: NOT RUN, it is not installed, and no Debian has a package of it"; return; }
	# A silent make throws away what programs print, errors excepted.
	printf '#!/bin/sh\nexec smatch -p=kernel "$@" >&2\n' > "$out.run"
	chmod +x "$out.run"
	compile_log "$out" C=2 CHECK="$out.run"
	grep -E ' [A-Za-z0-9_]+\(\) (warn|error): |\*\*\*|is not available' "$out.log" > "$log" || true
	[ ! -s "$log" ] || wrong "$log"
}

# Of what it looks at it makes one directory: ours, and what stands in another's
check_coccinelle() {
	local log=$BUILD/check.coccinelle dir=$BUILD/coccinelle out=$BUILD/objects.coccinelle

	need_packages spatch:coccinelle ocamlopt:ocaml-nox
	checkout_objects "$(sgit "$REPO" rev-parse series)"
	rm -rf "$dir"
	mkdir "$dir"
	cp "$OBJECTS_TREE"/net/quic/*.[ch] "$OBJECTS_TREE/net/ipv4/udp_ulp.c" \
		"$OBJECTS_TREE/drivers/net/netdevsim/quic.c" "$dir"
	configure_objects "$out" x86_64 CONFIG_QUIC=m
	objects_make "$out" x86_64 coccicheck MODE=report M="$dir" J="$JOBS" \
		> "$log" 2>&1 || { wrong "$log"; return; }
	exceptions coccinelle | tr , '\n' > "$log.pass"
	sed -nE 's/^([^ ]+):[0-9]+:[-0-9]+: /\1: /p' "$log" | grep -vFf "$log.pass" > "$log.found" ||
		return 0
	wrong "$log.found"
	say "$log has the lines"
}

# What a kernel with CONFIG_QUIC=n pays: bytes of the objects that the two sets edit
check_size() {
	local log=$BUILD/check.size limit=200 objects object

	mapfile -t objects < <(patch_files | grep -E '/[12]-[a-z]+/[^/]*$' | while read -r object; do
		patch_diff "$object"
	done | diff_files | sed -n 's/\.c$/.o/p' | sort -u)
	checkout_objects "$(sgit "$REPO" rev-parse series)"
	compile_off() {
		configure_objects "$1" x86_64 CONFIG_QUIC=n
		objects_make "$1" x86_64 "${objects[@]}"
	}
	{
		(OBJECTS_TREE=$PRISTINE compile_off "$BUILD/objects.pristine")
		compile_off "$BUILD/objects.off"
	} > "$log" 2>&1 || { wrong "$log"; return; }
	for object in "${objects[@]}"; do
		"$LINUX/scripts/bloat-o-meter" "$BUILD/objects.pristine/$object" \
			"$BUILD/objects.off/$object" | tail -n 1
	done | awk -F'[=,]' -v limit="$limit" '
		{ bytes += $4 - $2 }
		END { print bytes " bytes with CONFIG_QUIC=n"; exit bytes > limit }' > "$log" ||
		wrong "$log"
	say "$(cat "$log")"
}

# A tar file of the selftests has what git is to ignore, which are the programs, and the
# scripts.
check_selftests() {
	local out=$BUILD/objects.selftests log=$BUILD/check.selftests name
	local dir=$ROOT/tools/testing/selftests/net/quic

	flavour um
	need_packages gcc:gcc rsync:rsync /usr/include/openssl/evp.h:libssl-dev
	uapi_headers
	rm -rf "$out"
	make -s -C "$LINUX/tools/testing/selftests" TARGETS=net/quic FORCE_TARGETS=1 \
		O="$out" KHDR_INCLUDES="-isystem $OBJECTS/usr/include" USERCFLAGS=-Werror \
		gen_tar > "$log" 2>&1 || wrong "$log"
	find "$out" -name 'kselftest.tar*' -exec tar -tf {} \; > "$log.tar"
	{ grep -v '[*/#]' "$dir/.gitignore"; (cd "$dir" && ls -- *.sh settings); } |
		while read -r name; do
			grep -q "/net/quic/$name\$" "$log.tar" || echo "gen_tar: no net/quic/$name"
		done > "$log"
	[ ! -s "$log" ] || wrong "$log"
}

for check in $CHECKS; do
	declare -F "check_$check" > /dev/null || die "there is no check '$check'"
done
need_packages pod2text:perl git:git shellcheck:shellcheck \
	/usr/share/doc/python3-ply:python3-ply
"$ROOT/scripts/assemble.sh"
rm -f "$WRONG"
for check in $CHECKS; do
	say "$check"
	"check_$check"
done
[ ! -e "$WRONG" ] || exit 1
say "clean"
