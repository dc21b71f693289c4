#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# Installs what building and running needs and is missing: Debian packages, a QEMU that works with vhost-user,
# Node.js 20 and the npm packages of the lock file. Does nothing, quickly, when nothing is missing.
# Exit codes: 0 done, 1 an installation failed, 3 a distribution that this script does not know.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
toolchain="$root/build/toolchain"
min_qemu_major=8
min_node_major=20
packages_dir="$root/tools/packages"

say() { printf 'setup: %s\n' "$*" >&2; }

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null 2>&1; then
        sudo "$@"
    else
        say "this needs root and there is no sudo: $*"
        exit 1
    fi
}

# Package names of the lists given, comments taken off.
names() {
    for list in "$@"; do
        sed -e 's/#.*//' -e '/^[[:space:]]*$/d' "$packages_dir/$list.txt"
    done | tr -s ' \t' '\n' | sort -u
}

# Of the names on standard input those that are not installed.
missing() {
    while read -r name; do
        state=$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null || true)
        [ "$state" = installed ] || printf '%s\n' "$name"
    done
}

# First number of a program's --version, 0 when there is no such program.
major_of() {
    { "$@" --version 2>/dev/null || echo 0; } | head -n 1 | sed -e 's/^[^0-9]*\([0-9]*\).*/\1/'
}

known_release() {
    [ -r /etc/os-release ] || return 1
    # shellcheck source=/dev/null
    . /etc/os-release
    case "${ID:-}:${VERSION_ID:-}" in
    debian:12 | debian:13) return 0 ;;
    *) return 1 ;;
    esac
}

apt_updated=no
apt_install() {
    if [ $apt_updated = no ]; then
        as_root apt-get update -q >&2
        apt_updated=yes
    fi
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "$@" >&2
}

# Debian 12's own QEMU is too old: add the release's backports from the mirror that apt uses already.
add_backports() {
    suite="$1-backports"
    # shellcheck disable=SC2016  # the fields are for apt to fill in
    if apt-get indextargets --format '$(RELEASE)' | grep -qx "$suite"; then
        return
    fi
    # shellcheck disable=SC2016  # likewise
    uri=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE)' | sed -n "s/ $1\$//p" | head -n 1)
    [ -n "$uri" ] || { say "cannot tell which mirror apt uses for $1"; exit 1; }
    say "adding $suite to apt: its QEMU works with vhost-user, the release's own does not"
    printf 'Types: deb\nURIs: %s\nSuites: %s\nComponents: main\nSigned-By: %s\n' "$uri" "$suite" /usr/share/keyrings/debian-archive-keyring.gpg |
        as_root tee /etc/apt/sources.list.d/vnflab-backports.sources >/dev/null
    apt_updated=no
}

setup_packages() {
    # As in CI: VNFLAB_PLACES=1 also what the tests of containers and other hosts need, VNFLAB_BROWSER=1 those of reports.
    absent=$(names common ${VNFLAB_PLACES:+places} ${VNFLAB_BROWSER:+browser} | missing)
    if [ -n "$absent" ]; then
        say "installing: $(echo "$absent" | tr '\n' ' ')"
        # shellcheck disable=SC2086  # one word a package
        apt_install $absent
    fi
    if [ "$(major_of qemu-system-x86_64)" -lt $min_qemu_major ]; then
        # shellcheck source=/dev/null
        . /etc/os-release
        from=""
        if [ "$VERSION_ID" = 12 ]; then
            add_backports "$VERSION_CODENAME"
            from="-t $VERSION_CODENAME-backports"
        fi
        say "installing QEMU (at least $min_qemu_major; here: $(major_of qemu-system-x86_64))"
        # shellcheck disable=SC2046,SC2086  # one word a package
        apt_install $from $(names qemu)
    fi
}

# The Node.js of the system when it is new enough, else one from the npm registry under build/toolchain, which the
# Makefile puts first in PATH.
setup_node() {
    [ "$(major_of node)" -lt $min_node_major ] || ! command -v npm >/dev/null 2>&1 || return 0
    [ -x "$toolchain/bin/node" ] && return 0
    say "Node.js $min_node_major is not here (found: $(major_of node)); fetching it from the npm registry"
    command -v npm >/dev/null 2>&1 || apt_install nodejs npm
    mkdir -p "$toolchain/bin"
    case "$(uname -m)" in
    x86_64) arch=x64 ;;
    aarch64) arch=arm64 ;;
    *) say "no Node.js package for $(uname -m): install Node.js $min_node_major by hand"; exit 1 ;;
    esac
    npm install --silent --no-audit --no-fund --no-save --prefix "$toolchain" \
        "node-linux-$arch@$min_node_major" npm@10 >&2
    ln -sf "../node_modules/node-linux-$arch/bin/node" "$toolchain/bin/node"
    ln -sf ../node_modules/npm/bin/npm-cli.js "$toolchain/bin/npm"
    ln -sf ../node_modules/npm/bin/npx-cli.js "$toolchain/bin/npx"
}

setup_npm() {
    stamp="$root/node_modules/.vnflab-lock"
    if [ -f "$stamp" ] && cmp -s "$stamp" "$root/package-lock.json"; then
        return
    fi
    say "npm ci"
    (cd "$root" && npm ci --no-audit --no-fund >&2)
    cp "$root/package-lock.json" "$stamp"
}

PATH="$toolchain/bin:$PATH"
export PATH

if known_release; then
    setup_packages
else
    wanted=$(names common qemu | tr '\n' ' ')
    if [ "${VNFLAB_SKIP_PACKAGES:-}" != 1 ]; then
        say "this distribution is not known. Install what these Debian packages hold, QEMU at least $min_qemu_major and"
        say "Node.js at least $min_node_major, then run again with VNFLAB_SKIP_PACKAGES=1:"
        printf '%s\n' "$wanted" >&2
        exit 3
    fi
fi
setup_node
setup_npm
