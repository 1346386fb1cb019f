#!/bin/bash
# Compile what the series touches at each of its steps that are mailed, with CONFIG_QUIC=y,
# =m and off, and the selftests where a step brings some. Any warning is an error.
#
#   scripts/bisect.sh                   FROM=2-receive/02-quic-open scripts/bisect.sh
#
# Files of net/quic that nothing builds yet are compiled all the same, each by itself, and
# so is what CONFIG_UDP_ULP adds to UDP. Nothing is linked: that a step calls nothing that
# is not there is seen by its undefined symbols. All is compiled for User Mode Linux, but
# what is x86's own.

. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
. "$(dirname "${BASH_SOURCE[0]}")/series-lib.sh"
. "$(dirname "${BASH_SOURCE[0]}")/objects-lib.sh"

# Until the series hooks net/quic into the build, do so with its last Kconfig.
hook() {
	local file

	[ ! -e "$OBJECTS_TREE/net/quic/Makefile" ] || return 0
	mkdir -p "$OBJECTS_TREE/net/quic"
	for file in net/Kconfig net/Makefile net/quic/Kconfig; do
		sgit "$REPO" show "series:$file" > "$OBJECTS_TREE/$file"
	done
	(
		cd "$OBJECTS_TREE/net/quic" || exit
		# shellcheck disable=SC2016 # for make
		printf 'obj-$(CONFIG_QUIC) += %s\n' *.c | sed 's/\.c$/.o/; /\*/d' > Makefile
	)
	echo "$(cat "$OBJECTS_AT") net/quic/Makefile net/quic/Kconfig" > "$OBJECTS_AT"
}

# What is called in net/quic, and not there: of names that nobody else has
undefined() {
	[ -n "$(compgen -G "$1/net/quic/*.o")" ] || return 0
	nm "$1"/net/quic/*.o 2> /dev/null | awk '
		$1 == "U" && $2 ~ /^quic_/ { wanted[$2] }
		$2 ~ /[TtDdBbRr]/ { has[$3] }
		END { for (name in wanted) if (!(name in has)) print name }'
}

lock
need_packages gcc:gcc make:make flex:flex bison:bison bc:bc perl:perl ccache:ccache \
	rsync:rsync git:git /usr/include/libelf.h:libelf-dev
[ -n "${NETQUIC_ASSEMBLED:-}" ] || "$ROOT/scripts/assemble.sh"
log=$BUILD/bisect.log
: > "$log"
steps=0
mapfile -t objects < <(edited_objects | grep -v '^arch/')
mapfile -t x86_objects < <(edited_objects | grep '^arch/x86/')
from=$(sgit "$REPO" rev-parse "refs/patches/${FROM:-base}")
for commit in $(mailed_commits); do
	[ "$commit" != "$from" ] || from=$(sgit "$REPO" rev-parse refs/patches/base)
	[ "$from" = "$(sgit "$REPO" rev-parse refs/patches/base)" ] || continue
	subject=$(sgit "$REPO" log -1 --format=%s "$commit")
	mapfile -t files < <(sgit "$REPO" diff-tree -r --no-commit-id --name-only "$commit")
	checkout_objects "$commit"
	hooked=
	[ -e "$OBJECTS_TREE/net/quic/Makefile" ] || hooked=1
	hook
	case " ${files[*]}" in
	*" net/"* | *" include/"* | *" io_uring/"* | *" kernel/"* | *" drivers/"* | *" crypto/"*)
		for choice in y m n; do
			out=$BUILD/objects.$choice
			configure_objects "$out" um "CONFIG_QUIC=$choice"
			rm -rf "$out/net/quic"
			wanted=("${objects[@]}")
			if [ "$choice" != n ]; then
				[ ! -e "$OBJECTS_TREE/net/ipv4/udp_ulp.c" ] || wanted+=(net/ipv4/udp_ulp.o)
				[ ! -e "$OBJECTS_TREE/drivers/net/netdevsim/quic.c" ] ||
					wanted+=(drivers/net/netdevsim/quic.o)
				[ -z "$(compgen -G "$OBJECTS_TREE/net/quic/*.c")" ] || wanted+=(net/quic/)
			fi
			objects_make "$out" um KCFLAGS=-Werror "${wanted[@]}" >> "$log" 2>&1 ||
				{ tail -n 30 "$log" >&2; die "CONFIG_QUIC=$choice does not compile at: $subject"; }
			# Before the last piece is there nothing is linked.
			undefined=$(undefined "$out")
			[ -n "$hooked" ] || [ -z "$undefined" ] ||
				die "CONFIG_QUIC=$choice lacks $undefined at: $subject"
		done
		;;
	esac
	case " ${files[*]}" in
	*" arch/x86/"*)
		out=$BUILD/objects.x86_64
		configure_objects "$out" x86_64 CONFIG_QUIC=m CONFIG_CRYPTO_AES_NI_INTEL=y
		objects_make "$out" x86_64 KCFLAGS=-Werror "${x86_objects[@]}" >> "$log" 2>&1 ||
			{ tail -n 30 "$log" >&2; die "x86_64 does not compile at: $subject"; }
		;;
	esac
	case " ${files[*]}" in
	*" tools/testing/"*)
		out=$BUILD/objects.selftests
		rm -rf "$out"
		objects_make "$out" um headers >> "$log" 2>&1 || die "no headers, see $log"
		make -s -C "$OBJECTS_TREE/tools/testing/selftests" TARGETS=net/quic FORCE_TARGETS=1 \
			O="$out" KHDR_INCLUDES="-isystem $out/usr/include" USERCFLAGS=-Werror \
			>> "$log" 2>&1 ||
			{ tail -n 30 "$log" >&2; die "the selftests do not compile at: $subject"; }
		;;
	esac
	steps=$((steps + 1))
	say "compiles: $subject"
done
say "$steps steps, each with CONFIG_QUIC=y, =m and off"
