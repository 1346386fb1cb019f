# shellcheck shell=bash
# Another Debian suite than this machine's, without touching its apt.
#
#   . "$(dirname "${BASH_SOURCE[0]}")/debian-lib.sh"       after common.sh

# shellcheck disable=SC2034 # for those who read this file
KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg
# shellcheck disable=SC2034
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/net-quic

# logged WHAT COMMAND...: its output goes to $LOG; WHAT says what failed
logged() {
	local what=$1
	shift
	"$@" >> "$LOG" 2>&1 ||
		{ tail -n 15 "$LOG" >&2; die "$what, see $LOG"; }
}

# The main archive of this machine, as its own apt configuration names it.
debian_mirror() {
	local codename

	codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
	# shellcheck disable=SC2016 # apt expands these
	apt-get indextargets --format '$(ORIGIN)|$(RELEASE)|$(COMPONENT)|$(SITE)' \
		'Created-By: Packages' |
		awk -F'|' -v codename="$codename" '
			$3 == "main" && ($1 == "Debian" || $1 == "") &&
			($2 == codename || $2 ~ /^(old)?stable$/) { print $4; exit }'
}

# need_mirror [WHAT-ELSE]: set "mirror"
# shellcheck disable=SC2120 # a script may say more
need_mirror() {
	need_packages apt-get:apt "$KEYRING:debian-archive-keyring"
	mirror=$(debian_mirror)
	[ -n "$mirror" ] || die "apt on this machine names no Debian archive${1:-}"
}

# private_apt COMMAND [ARGUMENT...]: apt with lists, cache and sources of its own in
# $APT: the system's stay untouched.
private_apt() {
	local command=$1
	shift
	"$command" -q -o Dir::Etc::sourcelist="$APT/net-quic.sources" \
		-o Dir::Etc::sourceparts=/dev/null \
		-o Dir::State::lists="$APT/lists" \
		-o Dir::Cache="$APT/cache" \
		-o Acquire::Languages=none -o APT::Sandbox::User=root "$@"
}

# configure_apt deb|deb-src SUITE...: what private_apt knows of "mirror"
configure_apt() {
	local type=$1
	shift

	mkdir -p "$APT/lists/partial" "$APT/cache/archives/partial"
	cat > "$APT/net-quic.sources" <<-END
		Types: $type
		URIs: $mirror
		Suites: $*
		Components: main
		Signed-By: $KEYRING
	END
	say "Reading the package list of $*"
	private_apt apt-get update > "$APT.log" 2>&1 ||
		{ cat "$APT.log" >&2; die "cannot read $*"; }
}

# download PACKAGE: of what private_apt knows, unless an earlier clone did; set DEB. apt
# checks the signature of the list, the list has the checksum of the package.
download() {
	local shown sum file size

	shown=$(private_apt apt-cache show --no-all-versions "$1")
	sum=$(awk '$1 == "SHA256:" { print $2 }' <<< "$shown")
	file=$(awk '$1 == "Filename:" { print $2 }' <<< "$shown")
	size=$(awk '$1 == "Size:" { print int($2 / 1000000 + 1) }' <<< "$shown")
	DEB=$CACHE/${file##*/}
	if [ -f "$DEB" ] && echo "$sum  $DEB" | sha256sum --status -c; then
		say "Using $DEB, checksum as in the archive"
		return
	fi
	say "Downloading $1 ($size MB)"
	mkdir -p "$CACHE"
	rm -rf "$APT/download"
	mkdir "$APT/download"
	(cd "$APT/download" && private_apt apt-get download "$1") \
		> "$APT.log" 2>&1 || { cat "$APT.log" >&2; die "cannot download $1"; }
	mv "$APT/download/"*.deb "$DEB.$$"
	echo "$sum  $DEB.$$" | sha256sum --status -c || die "$1: wrong checksum"
	mv "$DEB.$$" "$DEB"
}

# debootstrap_new DIRECTORY SUITE LOG [OPTION...]: a small Debian; sets "mirror"
debootstrap_new() {
	local directory=$1 suite=$2 log=$3
	shift 3

	need_packages debootstrap:debootstrap
	need_mirror
	rm -rf "$directory"
	debootstrap --variant=minbase --keyring="$KEYRING" "$@" "$suite" "$directory" \
		"$mirror" > "$log" 2>&1 ||
		{ tail -n 5 "$log" >&2; die "debootstrap failed, see $log"; }
}
