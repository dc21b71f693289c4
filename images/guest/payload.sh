#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Compiles the stack (stack/, root meson project) against the libraries of the guest image and packs what it installs
# into build/images/guest/payload.img (ext4, label `payload`, mounted by the guest on /opt/vnflab) + payload.json.
# The headers and libraries come from a sysroot of the image's suite, the compiler is the host's: right whatever the
# host runs, and no chroot. Nothing is done while the sources are unchanged; else only what changed is compiled.
set -Eeuo pipefail

# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source-path=SCRIPTDIR source=settings.sh
. "$IMAGE_DIR/settings.sh"

CC=${CC:-gcc}

usage() {
    cat <<EOF
usage: images/guest/payload.sh [--force] [--sysroot]
  --force     compile and pack anew although no source changed
  --sysroot   make only the sysroot and print its folder
environment: CC (gcc), VNFLAB_IMAGE_SUITE, VNFLAB_IMAGE_MIRROR, VNFLAB_BUILD_DIR, VNFLAB_LOCK_TIMEOUT as for build.sh
EOF
}

sysroot_hash() {
    { printf 'suite=%s arch=%s\n' "$SUITE" "$ARCH" && list_of "$IMAGE_DIR/sysroot-packages.list" &&
        cat "$IMAGE_DIR/../lib.sh" "$IMAGE_DIR/prune.list"; } | sha256sum | cut -c 1-16
}

# The sources, how they are compiled, and by what.
source_hash() {
    { cd "$TOP_DIR" && sysroot_hash && $CC --version && cat "$IMAGE_DIR/payload.sh" &&
        find stack meson.build meson_options.txt -type f ! -name '*_test.c' ! -path 'stack/fuzz/*' ! -path 'stack/testing/*' \
            -print0 | sort -z | xargs -0 sha256sum; } | sha256sum | cut -c 1-16
}

make_sysroot() {
    [ ! -d "$SYSROOT" ] || return 0
    local root=$WORK/sysroot link target
    extract_packages "$root" "$IMAGE_DIR/sysroot-packages.list"
    # No program of it is run except the smoke test's dpdk-testpmd; static DPDK and documentation are most of its size.
    (cd "$root" && rm -rf boot var etc usr/share/doc usr/share/man usr/share/locale usr/share/info usr/share/perl* \
        usr/sbin usr/lib/x86_64-linux-gnu/perl* usr/lib/x86_64-linux-gnu/librte_*.a)
    find "$root/usr/bin" -mindepth 1 ! -name dpdk-testpmd -delete
    # Absolute links would lead out of the sysroot.
    while read -r link target; do
        ln -sfn "$(realpath -m --relative-to="$(dirname "$link")" "$root$target")" "$link"
    done < <(find "$root" -type l -lname '/*' -printf '%p %l\n')
    chmod -R u+rwX "$root"
    mv "$root" "$SYSROOT"
    # Sysroots of other suites or lists are of no use any more.
    find "$OUT_DIR" -mindepth 1 -maxdepth 1 -name 'sysroot-*' ! -path "$SYSROOT" -exec rm -rf {} +
}

# -B because gcc would otherwise find the host's libc beside its own files before that of the sysroot.
write_cross_file() {
    local lib=$SYSROOT/usr/lib/x86_64-linux-gnu
    # shellcheck disable=SC2016 # $ORIGIN is for the dynamic linker
    cat <<EOF
[binaries]
c = ['$CC', '--sysroot=$SYSROOT', '-B$lib/']
ar = 'ar'
strip = 'strip'
pkgconfig = 'pkg-config'
[built-in options]
c_link_args = ['-Wl,-rpath,\$ORIGIN/../lib']
[properties]
sys_root = '$SYSROOT'
pkg_config_libdir = '$lib/pkgconfig:$SYSROOT/usr/share/pkgconfig'
needs_exe_wrapper = false
[host_machine]
system = 'linux'
cpu_family = 'x86_64'
cpu = 'x86_64'
endian = 'little'
EOF
}

# The build folder stays, so that meson compiles only what changed; another sysroot or compiler starts afresh.
compile() {
    local dir=$OUT_DIR/payload-build log=$WORK/meson.log setup=(--reconfigure)
    write_cross_file >"$WORK/cross.ini"
    if ! cmp -s "$WORK/cross.ini" "$OUT_DIR/payload-cross.ini" || [ ! -f "$dir/build.ninja" ]; then
        rm -rf "$dir"
        cp "$WORK/cross.ini" "$OUT_DIR/payload-cross.ini"
        setup=()
    fi
    if [ ! -f "$dir/build.ninja" ]; then
        meson setup "$dir" "$TOP_DIR" --cross-file "$OUT_DIR/payload-cross.ini" "${setup[@]}" --prefix=/ --libdir=lib \
            -Dwerror=false -Dtests=disabled -Dswitch=disabled >"$log" 2>&1 || meson_failed "meson setup" "$log"
    fi
    ninja -C "$dir" ${VNFLAB_JOBS:+-j "$VNFLAB_JOBS"} >"$log" 2>&1 || meson_failed "compiling the stack" "$log"
    DESTDIR=$WORK/payload meson install -C "$dir" --no-rebuild --quiet --strip >"$log" 2>&1 ||
        meson_failed "meson install" "$log"
    add_yardstick "$dir"
}

# The applications on the kernel's sockets, which `vnflab bench` compares with; they are not installed elsewhere.
add_yardstick() {
    mkdir -p "$WORK/payload/bin" "$WORK/payload/lib"
    find "$1/stack/apps" -maxdepth 1 -type f -name '*-kernel' -exec cp {} "$WORK/payload/bin" \;
    find "$1/stack/kernel" -maxdepth 1 -type f -name 'libmtcp_kernel.so*' -exec cp {} "$WORK/payload/lib" \;
    find "$WORK/payload/bin" "$WORK/payload/lib" -name '*kernel*' -type f -exec strip {} +
}

meson_failed() {
    tail -n 30 "$2" >&2
    die "$1 failed (its last lines are above)" "the build folder is $OUT_DIR/payload-build"
}

# Every library that a program needs must be in the payload or in the image.
check_libraries() {
    local image_libraries=$OUT_DIR/current/libraries.list missing
    [ -f "$image_libraries" ] || return 0
    missing=$(needed_libraries "$WORK/payload/bin" "$WORK/payload/lib" |
        while read -r name; do
            [ -e "$WORK/payload/lib/$name" ] || grep -qxF "$name" "$image_libraries" || echo "$name"
        done)
    [ -z "$missing" ] || die "the stack needs libraries that the guest image lacks: $(echo "$missing" | paste -sd' ')" \
        "add their packages to images/guest/packages.list and run images/guest/build.sh"
}

# Versions of libc's symbols that programs ask for must be known to the sysroot's libc, as proof of the right linking.
check_libc() {
    local known unknown
    known=$(readelf -V "$SYSROOT/usr/lib/x86_64-linux-gnu/libc.so.6" | grep -o 'GLIBC_[0-9.]*' | sort -u)
    unknown=$(find "$WORK/payload/bin" "$WORK/payload/lib" -type f -print0 | { xargs -0 -r readelf -V 2>/dev/null || true; } |
        { grep -o 'GLIBC_[0-9.]*' || true; } | sort -u | { grep -vxF "$known" || true; } | paste -sd' ')
    [ -z "$unknown" ] || die "the programs were linked with a newer libc than the guest's ($unknown)" \
        "$CC did not use the sysroot; try CC=gcc or CC=clang of the distribution"
}

pack() {
    local hash=$1 programs
    mkdir -p "$WORK/payload/bin" "$WORK/payload/lib"
    rm -rf "$WORK/payload/include" "$WORK/payload/lib/pkgconfig"
    find "$WORK/payload/lib" -name '*.a' -delete
    check_libraries
    check_libc
    printf '%s' "$hash" >"$WORK/payload/.hash"
    FS_UUID=$(hash_uuid "$(printf '%s' "$hash" | sha256sum)")
    make_ext4 "$WORK/payload" "$WORK/payload.img" payload 64
    programs=$(find "$WORK/payload/bin" -mindepth 1 -printf '"%f"\n' | sort | paste -sd, | sed 's/,/, /g')
    cat >"$WORK/payload.json" <<EOF
{
  "schemaVersion": 1,
  "hash": "$hash",
  "suite": "$SUITE",
  "image": "payload.img",
  "programs": [$programs]
}
EOF
    mv "$WORK/payload.img" "$OUT_DIR/payload.img"
    mv "$WORK/payload.json" "$OUT_DIR/payload.json"
}

up_to_date() {
    [ "$force" = no ] && [ -f "$OUT_DIR/payload.img" ] && grep -qs "\"hash\": \"$1\"" "$OUT_DIR/payload.json"
}

force=no
only_sysroot=no
while [ $# -gt 0 ]; do
    case $1 in
    --force) force=yes ;;
    --sysroot) only_sysroot=yes ;;
    -h | --help) usage && exit 0 ;;
    *) usage >&2 && exit 2 ;;
    esac
    shift
done

need_tools "$CC:gcc" meson:meson ninja:ninja-build pkg-config:pkgconf mke2fs:e2fsprogs readelf:binutils flock:util-linux
SYSROOT=$OUT_DIR/sysroot-$(sysroot_hash)
hash=$(source_hash)
[ $only_sysroot = yes ] || ! up_to_date "$hash" || exit 0

[ -d "$SYSROOT" ] || need_tools mmdebstrap:mmdebstrap
lock payload
make_work_dir payload
started=$SECONDS
make_sysroot
if [ $only_sysroot = yes ]; then
    echo "$SYSROOT"
    exit 0
fi
up_to_date "$hash" && exit 0 # another build made it meanwhile
compile
pack "$hash"
say "built $OUT_DIR/payload.img ($(du -k "$OUT_DIR/payload.img" | cut -f 1) KB) in $((SECONDS - started)) s"
