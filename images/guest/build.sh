#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Builds the guest image: build/images/guest/<hash>/{vmlinuz,initrd.img,root.img,manifest.json} and the symlink
# `current`. The hash is that of the recipe (everything in this folder that shapes the image, and the settings):
# nothing is done when it exists. Needs no privilege, no loop device and no chroot.
set -Eeuo pipefail

# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source-path=SCRIPTDIR source=settings.sh
. "$IMAGE_DIR/settings.sh"

# shellcheck disable=SC2034 # read by build_image
TOOLS=(mmdebstrap:mmdebstrap mke2fs:e2fsprogs readelf:binutils)

recipe_hash() { hash_recipe build.sh settings.sh packages.list modules.list prune.list initrd rootfs; }

# Dependencies first, each once; what is built into the kernel needs no file. modules_with_dependencies TREE NAME...
modules_with_dependencies() {
    awk -v wanted="${*:2}" '
        function name_of(path) { sub(/.*\//, "", path); sub(/\.ko.*/, "", path); gsub(/-/, "_", path); return path }
        function visit(name,    list, n, i) {
            if (name in done) return
            done[name] = 1
            if (name in builtin) return
            if (!(name in path)) { print "?" name; return }
            n = split(needs[name], list, " ")
            for (i = n; i >= 1; i--) visit(name_of(list[i]))
            print path[name]
        }
        FILENAME ~ /builtin$/ { builtin[name_of($1)] = 1; next }
        { name = name_of(substr($1, 1, length($1) - 1)); path[name] = substr($1, 1, length($1) - 1)
          $1 = ""; needs[name] = $0 }
        END { n = split(wanted, list, " "); for (i = 1; i <= n; i++) { gsub(/-/, "_", list[i]); visit(list[i]) } }
    ' "$1/modules.builtin" "$1/modules.dep"
}

# module_paths KERNEL_TREE WHERE: paths of the modules of modules.list for one or more places
module_paths() {
    local tree=$1 where=$2 names paths
    names=$(list_of "$IMAGE_DIR/modules.list" | awk -v where="$where" 'index(where, $1) { print $2 }')
    # shellcheck disable=SC2086 # a list of words
    paths=$(modules_with_dependencies "$tree" $names)
    case $paths in
    *\?*) die "the kernel has no module $(printf '%s\n' "$paths" | sed -n 's/^?//p' | paste -sd' ')" "see modules.list" ;;
    esac
    printf '%s\n' "$paths"
}

# Numbered copies of modules, in loading order. copy_modules TREE TARGET PATH...
copy_modules() {
    local tree=$1 target=$2 number=10 path
    mkdir -p "$target"
    for path in "${@:3}"; do
        cp "$tree/$path" "$target/$number-${path##*/}"
        number=$((number + 1))
    done
}

build_initrd() {
    local root=$1 tree=$2 dir=$WORK/initrd modules
    mkdir -p "$dir/bin"
    cp "$root/usr/bin/busybox" "$dir/bin/busybox"
    cp "$IMAGE_DIR/initrd/init" "$dir/init"
    mapfile -t modules < <(module_paths "$tree" initrd)
    copy_modules "$tree" "$dir/modules" "${modules[@]}"
    # Not compressed: unpacking would cost more time in an emulated guest than reading 3 MB.
    (cd "$dir" && find . | sort | "$root/usr/bin/busybox" cpio -o -H newc -R 0:0 2>/dev/null) >"$RESULT/initrd.img"
}

# What is left of the packages becomes the root file system.
finish_root() {
    local root=$1 tree=$2 version=$3 applet path modules early
    # Modules: those of init in loading order, all of the list for modprobe.
    mapfile -t modules < <(module_paths "$tree" "initrd boot rest")
    mkdir -p "$WORK/kept"
    (cd "$tree" && cp --parents "${modules[@]}" modules.builtin modules.order "$WORK/kept")
    early=$(module_paths "$tree" initrd)
    mapfile -t modules < <(module_paths "$tree" "initrd boot" | grep -vxF "$early")
    copy_modules "$tree" "$WORK/boot-modules" "${modules[@]}"

    prune "$root" "$IMAGE_DIR/prune.list"

    mkdir -p "$root/usr/lib/modules/$version" "$root/usr/lib/vnflab"
    cp -r "$WORK/kept/." "$root/usr/lib/modules/$version"
    "$root/usr/bin/busybox" depmod -b "$root" "$version"
    cp -r "$WORK/boot-modules" "$root/usr/lib/vnflab/modules"

    # busybox stands in for every program that no package brought.
    for applet in $("$root/usr/bin/busybox" --list); do
        path=$root/usr/bin/$applet
        [ -e "$path" ] || [ -e "$root/usr/sbin/$applet" ] || ln -s busybox "$path"
    done
    ln -sf busybox "$root/usr/bin/sh"
    cp -r "$IMAGE_DIR/rootfs/." "$root"
    mkdir -p "$root"/{dev,proc,sys,run,tmp,root,opt/vnflab,var/log,var/tmp,mnt}
    chmod 1777 "$root/tmp" "$root/var/tmp"
    ln -sf /proc/self/mounts "$root/etc/mtab"
    ln -sfn ../run "$root/var/run"
    ln -sfn ../run/lock "$root/var/lock"
    chmod -R u+rwX "$root"
}

check_libraries() {
    local root=$1 missing
    missing=$(needed_libraries "$root/usr/bin" "$root/usr/sbin" "$root/usr/lib/x86_64-linux-gnu" |
        while read -r name; do
            [ -n "$(find "$root/usr/lib" -name "$name" -print -quit)" ] || echo "$name"
        done)
    [ -z "$missing" ] || die "the image lacks libraries that its own programs need: $(echo "$missing" | paste -sd' ')" \
        "packages.list or prune.list removes too much"
}

write_manifest() {
    local hash=$1 version=$2 dpdk=$3
    cat >"$RESULT/manifest.json" <<EOF
{
  "schemaVersion": 1,
  "kernel": "vmlinuz",
  "initrd": "initrd.img",
  "rootfs": "root.img",
  "kernelArgs": "$KERNEL_ARGS",
  "kernelVersion": "$version",
  "suite": "$SUITE",
  "dpdkVersion": "$dpdk",
  "recipeHash": "$hash"
}
EOF
}

build() {
    local hash=$1 root=$WORK/root kernel version dpdk
    FS_UUID=$(hash_uuid "$(printf '%s' "$hash" | sha256sum)")
    extract_packages "$root" "$IMAGE_DIR/packages.list"
    for kernel in "$root"/boot/vmlinuz-*; do version=${kernel##*/vmlinuz-}; done
    [ -f "$root/boot/vmlinuz-$version" ] || die "no kernel among the packages" "see packages.list"
    dpdk=$(zcat "$root"/usr/share/doc/librte-eal*/changelog.Debian.gz | sed -n '1s/.*(\([0-9.]*\).*/\1/p')
    cp "$root/boot/vmlinuz-$version" "$RESULT/vmlinuz"
    mv "$root/usr/lib/modules/$version" "$WORK/modules"
    mkdir -p "$WORK/depmod/lib/modules"
    mv "$WORK/modules" "$WORK/depmod/lib/modules/$version"
    # Newer kernels come with compressed modules, which the small tools of the guest need not know.
    find "$WORK/depmod" -name '*.ko.xz' -print0 | xargs -0 -r -n 100 xz -d
    "$root/usr/bin/busybox" depmod -b "$WORK/depmod" "$version" || die "busybox depmod failed"
    build_initrd "$root" "$WORK/depmod/lib/modules/$version"
    finish_root "$root" "$WORK/depmod/lib/modules/$version" "$version"
    check_libraries "$root"
    make_ext4 "$root" "$RESULT/root.img" root "$ROOT_SPARE_KB"
    # payload.sh compares with this what its programs need.
    find "$root/usr/lib" -name '*.so.*' -printf '%f\n' | sort -u >"$RESULT/libraries.list"
    write_manifest "$hash" "$version" "$dpdk"
}

build_image "$@"
