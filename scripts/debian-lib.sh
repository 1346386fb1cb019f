# shellcheck shell=bash
# Another Debian suite than this machine's, without touching its apt.
#
#   . "$(dirname "${BASH_SOURCE[0]}")/debian-lib.sh"       after common.sh

# shellcheck disable=SC2034 # for those who read this file
KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg

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

# debootstrap_new DIRECTORY SUITE LOG [OPTION...]: a small Debian; sets "mirror"
debootstrap_new() {
	local directory=$1 suite=$2 log=$3
	shift 3

	need_packages debootstrap:debootstrap apt-get:apt "$KEYRING:debian-archive-keyring"
	mirror=$(debian_mirror)
	[ -n "$mirror" ] || die "apt on this machine names no Debian archive"
	rm -rf "$directory"
	debootstrap --variant=minbase --keyring="$KEYRING" "$@" "$suite" "$directory" \
		"$mirror" > "$log" 2>&1 ||
		{ tail -n 5 "$log" >&2; die "debootstrap failed, see $log"; }
}
