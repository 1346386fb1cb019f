#!/bin/bash
# Build Debian packages of the kernel with the series into build/deb/: the kernel and
# its modules, headers for building modules, and the user API. The configuration is
# Debian's own for this kernel, with the modules of flavours/deb.modules and none else,
# and what flavours/deb.config changes.
#
#   scripts/deb.sh             TRY=1 scripts/deb.sh: and see that they work, in QEMU

. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
. "$(dirname "${BASH_SOURCE[0]}")/debian-lib.sh"
. "$(dirname "${BASH_SOURCE[0]}")/build-lib.sh"

SUITE=trixie-backports
APT=$BUILD/apt
DIR=$BUILD/deb
FLAVOUR=deb
TREE=$BUILD/linux
OUT=$DIR/kernel		# make puts packages beside it
KARCH=x86_64
CROSS=
LOG=$BUILD/deb.log

# Debian's configuration, into $DIR/debian.config
debian_config() {
	local version package

	! cmp -s "$BUILD/pristine.from" "$DIR/debian.config.from" || return 0
	version=$(make -s -C "$BUILD/pristine" kernelversion)
	package=linux-config-$(cut -d. -f1,2 <<< "$version")
	need_packages dpkg-deb:dpkg xz:xz-utils
	need_mirror
	configure_apt deb "$SUITE"
	download "$package"
	dpkg-deb --fsys-tarfile "$DEB" |
		tar -xO "./usr/src/$package/config.amd64_none_amd64.xz" |
		xz -dc > "$DIR/debian.config"
	cp "$BUILD/pristine.from" "$DIR/debian.config.from"
}

# What of deb.modules has a slash in it, or has not
kept() {
	sed 's/#.*//' "$ROOT/scripts/flavours/deb.modules" | tr -s '[:space:]' '\n' |
		grep "$@"
}

# Debian's modules but those that are to be kept, and those that they need, are
# switched off; then the fragment has the last word.
configure() {
	local log=$DIR/config.log fragment=$ROOT/scripts/flavours/deb.config

	cp "$DIR/debian.config" "$OUT/.config"
	kept -v / > "$DIR/lsmod"
	{
		kmake olddefconfig &&
		# It asks about what is new.
		LSMOD=$DIR/lsmod LMC_KEEP=$(kept / | paste -sd:) \
			kmake localmodconfig < <(yes '' 2> /dev/null) &&
		cat "$fragment" >> "$OUT/.config" &&
		kmake olddefconfig
	} > "$log" 2>&1 || { tail -n 30 "$log" >&2; die "no configuration, see $log"; }
	! grep -E '^[a-zA-Z0-9_]+ config not found|^module .* did not have' "$log" >&2 ||
		say "Not every module of deb.modules is in this kernel"
	check_config "$fragment"
	say "$(grep -c '=y$' "$OUT/.config") options and $(grep -c '=m$' "$OUT/.config") modules of Debian's" \
		"$(grep -c '=y$' "$DIR/debian.config") and $(grep -c '=m$' "$DIR/debian.config")"
}

lock
need_compiler
need_packages dpkg-buildpackage:dpkg-dev dh_prep:debhelper python3:python3 xz:xz-utils \
	openssl:openssl /usr/include/openssl/evp.h:libssl-dev
[ -n "${NETQUIC_ASSEMBLED:-}" ] || "$ROOT/scripts/assemble.sh"
mkdir -p "$DIR"
make_output
rm -f "$DIR"/*.deb "$DIR"/*.changes "$DIR"/*.buildinfo
fresh=
[ -e "$OUT/arch/x86/boot/bzImage" ] || fresh=1
expect_steps 4400
debian_config
configure

# A later commit is a later package, of a date that does not depend on the clock.
KBUILD_BUILD_VERSION=$(git -C "$ROOT" rev-list --count HEAD 2> /dev/null || echo 1)
SOURCE_DATE_EPOCH=$(git -C "$ROOT" log -1 --format=%ct 2> /dev/null || echo 0)
KBUILD_BUILD_TIMESTAMP=$(date -u -d "@$SOURCE_DATE_EPOCH")
KDEB_PKGVERSION=$(make -s -C "$TREE" kernelversion)-$KBUILD_BUILD_VERSION
export SOURCE_DATE_EPOCH KDEB_PKGVERSION KDEB_CHANGELOG_DIST=unstable
say "Building packages${fresh:+: about $(minutes 2700) minutes here, if ccache has none of it}"
# -d: of what the packages say that they want for being built, some is for options
# that are off.
watched kmake bindeb-pkg DPKG_FLAGS=-d
[ -z "$fresh" ] || remember_steps

image=$(echo "$DIR"/linux-image-*.deb)
say "Built, of commit $(git -C "$ROOT" describe --always --dirty 2> /dev/null || echo unknown):"
(cd "$DIR" && du -h -- *.deb) >&2
say "Install the kernel: apt install $image"
say "and for programs the user API: apt install $DIR/linux-libc-dev_*.deb"
[ "${TRY:-}" != 1 ] || exec "$ROOT/scripts/deb-try.sh"
