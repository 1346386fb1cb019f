#!/bin/bash
# Put an unpacked kernel into build/pristine/, and into build/pristine.from
# what it is. Nothing edits it afterwards. Does nothing if it is there.
#
#   scripts/get-kernel.sh                  Debian's linux-source-7.3
#   KERNEL_SRC=dir scripts/get-kernel.sh   a copy of that tree, git or not

. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
. "$(dirname "${BASH_SOURCE[0]}")/debian-lib.sh"

PRISTINE=$BUILD/pristine
WANTED=linux-source-7.3
SUITE=trixie-backports
APT=$BUILD/apt

kernel_version() {
	make -s -C "$1" kernelversion
}

# keep WHAT: the tree in pristine.new is whole; only now it takes the place.
keep() {
	rm -rf "$PRISTINE"
	mv "$PRISTINE.new" "$PRISTINE"
	printf '%s\n' "$1" > "$BUILD/pristine.from"
	say "Kernel $(kernel_version "$PRISTINE") is in $PRISTINE"
}

# Print the name of the source package to take.
choose_package() {
	local newest

	if private_apt apt-cache show "$WANTED" > /dev/null 2>&1; then
		echo "$WANTED"
		return
	fi
	newest=$(private_apt apt-cache pkgnames linux-source-7. | sort -V | tail -n 1)
	[ -n "$newest" ] || die "$SUITE has no linux-source-7.*; give KERNEL_SRC=dir"
	say "$WANTED is GONE from $SUITE: taking $newest instead"
	echo "$newest"
}

from_debian() {
	local package

	case $(cat "$BUILD/pristine.from" 2> /dev/null) in
	linux-source-*) [ ! -d "$PRISTINE" ] || return 0 ;;
	esac

	need_packages dpkg-deb:dpkg xz:xz-utils make:make
	need_mirror "; give KERNEL_SRC=dir"
	configure_apt deb "$SUITE"
	package=$(choose_package)
	download "$package"
	say "Unpacking ${DEB##*/} (about 20 s)"
	rm -rf "$PRISTINE.new"
	mkdir "$PRISTINE.new"
	dpkg-deb --fsys-tarfile "$DEB" | tar -xO "./usr/src/$package.tar.xz" |
		xz -dc -T0 | tar -x -C "$PRISTINE.new" --strip-components=1
	keep "${DEB##*/}"
}

# One line that changes when the given tree does.
fingerprint() {
	if [ -e "$KERNEL_SRC/.git" ]; then
		printf 'git %s %s' "$(git -C "$KERNEL_SRC" rev-parse HEAD)" \
			"$(git -C "$KERNEL_SRC" diff HEAD | sha1sum | cut -c1-40)"
	else
		find "$KERNEL_SRC" -type f -printf '%P %s %T@\n' | sort | sha1sum | cut -c1-40
	fi
}

# What an in-tree build leaves behind; the kernel refuses to build outside a
# tree that has it.
litter=(--exclude='*.o' --exclude='*.ko' --exclude='*.a' --exclude='*.mod'
	--exclude='*.mod.c' --exclude='.*.cmd' --exclude='*.rej' --exclude='*.orig'
	--exclude=/.config --exclude=/vmlinux --exclude='/vmlinux.*'
	--exclude='/.tmp_*' --exclude=/System.map --exclude=/Module.symvers
	--exclude=/include/config --exclude=/include/generated
	--exclude='/arch/*/include/generated' --exclude=/.git)

from_directory() {
	local from

	[ -f "$KERNEL_SRC/Kbuild" ] || die "KERNEL_SRC=$KERNEL_SRC is no kernel tree"
	KERNEL_SRC=$(cd "$KERNEL_SRC" && pwd)
	need_packages rsync:rsync make:make git:git
	from="$KERNEL_SRC ($(fingerprint))"
	[ ! -d "$PRISTINE" ] || [ "$from" != "$(cat "$BUILD/pristine.from" 2> /dev/null)" ] || return 0

	say "Copying $KERNEL_SRC"
	rm -rf "$PRISTINE.new"
	mkdir "$PRISTINE.new"
	if [ -e "$KERNEL_SRC/.git" ]; then
		# Tracked files as they stand; a deleted one is not an error.
		git -C "$KERNEL_SRC" ls-files -z |
			rsync -a --from0 --files-from=- --ignore-missing-args \
				"$KERNEL_SRC/" "$PRISTINE.new/"
	else
		[ ! -e "$KERNEL_SRC/.config" ] ||
			say "It was built in place: leaving the build's output out"
		rsync -a "${litter[@]}" "$KERNEL_SRC/" "$PRISTINE.new/"
	fi
	keep "$from"
}

lock
if [ -n "${KERNEL_SRC:-}" ]; then
	from_directory
else
	from_debian
fi
