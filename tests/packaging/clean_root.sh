#!/usr/bin/env bash
# Installs the Debian package in a root with nothing else in it, upgrades it, uses both, and removes it:
#
#   sudo tests/packaging/clean_root.sh dist/filemill_0.1.0_amd64.deb dist/filemill_0.2.0_amd64.deb [SUITE]
#
# Needs root, debootstrap and a network to Debian. Two versions are made by
#   make installer && .venv/bin/python -m resources.packaging.deb --version 0.2.0
set -euo pipefail
old=$(realpath "$1") new=$(realpath "$2") suite=${3:-bookworm}
root=$(mktemp -d)
chmod 755 "$root"
trap 'umount -l "$root/proc" "$root/dev/pts" "$root/dev" 2>/dev/null || true; rm -rf --one-file-system "$root"' EXIT

echo "== a clean root of $suite"
debootstrap --variant=minbase "$suite" "$root" http://deb.debian.org/debian >"$root.log" 2>&1 || { tail "$root.log"; exit 1; }
rm "$root.log"
cp /etc/resolv.conf "$root/etc/"
cp -r /etc/apt/apt.conf.d/. "$root/etc/apt/apt.conf.d/"
mount --bind /proc "$root/proc"
mount --bind /dev "$root/dev"
mount --bind /dev/pts "$root/dev/pts"
cp "$old" "$root/old.deb"
cp "$new" "$root/new.deb"

run() { chroot "$root" env DEBIAN_FRONTEND=noninteractive "$@"; }
user() { chroot "$root" su - anna -c "$1"; }
list() { user 'filemill status --json' | grep -c '"status": "PROCESSED"'; }

echo "== install"
run apt-get update -qq
run apt-get install -y -qq --no-install-recommends /old.deb >/dev/null
run useradd -m anna
user 'filemill --self-test'
user 'seq 1000 >numbers.txt && printf "a\nb" >two.txt && filemill submit numbers.txt two.txt && filemill worker --until-idle 2>/dev/null'
[ "$(list)" = 2 ] || { echo "not both files are processed" >&2; exit 1; }

echo "== upgrade"
run apt-get install -y -qq --no-install-recommends /new.deb >/dev/null
run dpkg-query --show filemill
[ "$(list)" = 2 ] || { echo "the list is not what it was" >&2; exit 1; }
user 'filemill --self-test'

echo "== the window, on a screen"
run apt-get install -y -qq --no-install-recommends xvfb xauth >/dev/null
# SIGTERM, as at the end of a session: it has to end by itself, and the screen is still there meanwhile.
user 'printf x >third.txt; xvfb-run -a timeout --preserve-status 20 filemill third.txt'
[ "$(list)" = 3 ] || { echo "the window has not processed its file" >&2; exit 1; }

echo "== remove"
run apt-get remove -y -qq filemill >/dev/null
left=$(find "$root" -xdev -iname '*filemill*' -not -path "$root/home/anna/.local/share/Filemill*" -not -path "$root/proc/*")
[ -z "$left" ] || { echo "left behind: $left" >&2; exit 1; }
[ -e "$root/home/anna/.local/share/Filemill/filemill.db" ] || { echo "the list is gone" >&2; exit 1; }
echo "== all is well"
