#!/bin/bash
# The whole repository once more, as build/NAME, under names that clash with no other
# QUIC in the kernel: net/NAME, include/uapi/linux/NAME.h, networking/NAME.rst, module
# NAME, CONFIG_NAME, /proc/net/NAME_stat, selftests/net/NAME. What programs see of the
# interface, UDP_QUIC_* and the structures, stays; so do the ULP's name and
# symbols, which clash with nothing.
#
#   scripts/names.sh udp_quic
#   make -C build/udp_quic kselftest, series, ...
#
# Everything there is made anew each time, but its build/.

. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

NAME=${1:-}
[[ $NAME =~ ^[a-z][a-z0-9_]*_quic$ ]] || die "NAMES=$NAME: it has to end with _quic"
COPY=$BUILD/$NAME

# Which lines to change where, for $NAME and its uppercase form
script() {
	cat <<-END
		s,net/quic\>,net/$NAME,g
		s,net\\\\\\/quic\>,net\\\\/$NAME,g
		s,uapi/linux/quic\.h,uapi/linux/$NAME.h,g
		s,\<linux/quic\.h,linux/$NAME.h,g
		s,networking/quic\.rst,networking/$NAME.rst,g
		s,\`\`quic\.rst,\`\`$NAME.rst,g
		s,_UAPI_LINUX_QUIC_H,_UAPI_LINUX_${NAME^^}_H,g
		s,CONFIG_QUIC,CONFIG_${NAME^^},g
		s,"quic_stat",$(printf '"%s_stat"' "$NAME"),g
		s,net/quic_stat,net/${NAME}_stat,g
		s/EXPORT_SYMBOL_FOR_MODULES(\(.*\)quic")/EXPORT_SYMBOL_FOR_MODULES(\1$NAME")/
	END
}

# More of it, where the word is the module's, and only there
module_script() {
	case $1 in
	net/quic/Makefile) printf '%s\n' "s/\<quic\([-.]\)/$NAME\1/g" ;;
	net/quic/Kconfig)
		printf '%s\n' "s/\<QUIC\([_=]\| &&\|$\)/${NAME^^}\1/; s/\<quic\. /$NAME. /"
		;;
	series/*-quic-sendmsg.patch) echo "s,+= quic/,+= $NAME/," ;;
	series/*-quic-dev.patch) echo "s,+= quic/,+= $NAME/,; s/config QUIC_/config ${NAME^^}_/g" ;;
	series/*-netdevsim.patch) echo "s/if QUIC_DEV/if ${NAME^^}_DEV/" ;;
	series/*-documentation.patch) echo "s/^+   quic$/+   $NAME/" ;;
	Documentation/networking/quic.rst) echo "s/called \`\`quic\`\`/called \`\`$NAME\`\`/" ;;
	tools/testing/selftests/net/quic/* | tools/net/quic/tests/*) module_words ;;
	esac
}

# Modules are named in programs and scripts as arguments, and at the beginning of lines
# of /proc/modules.
module_words() {
	cat <<-END
		s/\(\(modprobe\|rmmod\|modinfo\) \(-[a-z]* \)*\|\^\)quic\>/\1$NAME/g
		s,/sys/module/quic\>,/sys/module/$NAME,g
		s/SYS_delete_module, "quic"/SYS_delete_module, "$NAME"/
	END
}

lock
need_packages git:git rsync:rsync
mkdir -p "$COPY"
find "$COPY" -mindepth 1 -maxdepth 1 ! -name build -exec rm -rf {} +
git -C "$ROOT" ls-files -co --exclude-standard | while read -r file; do
	[ -f "$ROOT/$file" ] || continue
	to=${file//net\/quic\//net\/$NAME\/}
	to=${to/linux\/quic.h/linux\/$NAME.h}
	to=${to/networking\/quic.rst/networking\/$NAME.rst}
	mkdir -p "$COPY/$(dirname "$to")"
	cp -P --preserve=mode "$ROOT/$file" "$COPY/$to"
	[ ! -L "$ROOT/$file" ] || continue
	grep -qI . "$COPY/$to" || continue
	case $file in
	scripts/names.sh | series/*/cover.txt) continue ;;
	esac
	{ script; module_script "$file"; } > "$BUILD/names.sed"
	sed -i -f "$BUILD/names.sed" "$COPY/$to"
done
git -C "$COPY" init -q
git -C "$COPY" config user.name "$(git -C "$ROOT" config user.name)"
git -C "$COPY" config user.email "$(git -C "$ROOT" config user.email)"
git -C "$COPY" add -A
git -C "$COPY" commit -q -m "As $NAME, of $(git -C "$ROOT" rev-parse HEAD)"
say "The same with names of $NAME is in $COPY"
