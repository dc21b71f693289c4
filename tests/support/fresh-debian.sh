#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# fresh-debian.sh make ROOT            a Debian 12 with nothing but git and make, and this machine's way to the network
# fresh-debian.sh run ROOT ORIGIN CMD  CMD by a shell in it, in mount and process namespaces of its own; ORIGIN is
#                                      mounted on /origin, read-only. Whatever CMD starts ends with it.
# A changed root and not a chroot: the kernel refuses user namespaces in a chroot. Needs root.
set -eu

make_root() {
    root=$1
    # apt verifies the mirror's certificates with what this machine trusts, and so must the new one.
    mmdebstrap --quiet --variant=minbase --include=git,make,ca-certificates,procps bookworm "$root"
    cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
    cp -L /etc/resolv.conf /etc/hosts "$root/etc/"
    rm -f "$root"/etc/apt/sources.list "$root"/etc/apt/sources.list.d/*
    cp -rL /etc/apt/sources.list.d "$root/etc/apt/"
    for file in /etc/apt/sources.list /etc/apt/apt.conf /root/.npmrc /etc/npmrc; do
        [ ! -f "$file" ] || cp -L "$file" "$root$file"
    done
    cp -rL /etc/apt/apt.conf.d "$root/etc/apt/"
}

run_inside() {
    root=$1 origin=$2 command=$3
    mount --make-rprivate /
    mount --bind "$root" "$root"
    mkdir -p "$root/origin" "$root/old"
    mount --bind "$origin" "$root/origin"
    mount -o remount,bind,ro "$root/origin"
    mount -t proc proc "$root/proc"
    mount --rbind /sys "$root/sys"
    mount --rbind /dev "$root/dev"
    mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
    cd "$root"
    pivot_root . old
    umount -l /old
    cd /root
    exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 \
        NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt npm_config_cafile=/etc/ssl/certs/ca-certificates.crt \
        http_proxy="${http_proxy:-}" https_proxy="${https_proxy:-}" no_proxy="${no_proxy:-}" sh -c "$command"
}

case "${1:-}" in
make) make_root "$2" ;;
run) exec unshare --mount --pid --fork --kill-child -- "$0" inside "$2" "$3" "$4" ;;
inside) run_inside "$2" "$3" "$4" ;;
*) sed -n '/^# fresh/,/^# Whatever\|^#   /p' "$0" >&2; exit 2 ;;
esac
