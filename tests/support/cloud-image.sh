#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# cloud-image.sh OUT     writes a qcow2 of Debian 12 as its cloud images are: GPT, GRUB for BIOS in a partition of its
#                        own, serial console, cloud-init, guest agent, netplan that asks every card for an address
# From packages alone, without a loop device. Needs root.
set -eu

# As in the release's own image, without what only people use (ssh, editors, man pages).
PACKAGES=linux-image-cloud-amd64,initramfs-tools,grub-pc-bin,systemd-sysv,systemd-resolved,udev,dbus,cloud-init,netplan.io
PACKAGES=$PACKAGES,qemu-guest-agent,cloud-initramfs-growroot,cloud-guest-utils,fdisk,iproute2,iputils-ping,kmod,procps
ROOT_UUID=5c2f1e86-3a0b-4d57-9f61-8f0e6c1d2b3a
# Sectors of 512 bytes: where GRUB's core lies, and where the root file system begins.
CORE_SECTOR=2048
ROOT_SECTOR=8192
ROOT_MB=1100

make_root() {
    # shellcheck disable=SC2016 # $1 belongs to mmdebstrap
    mmdebstrap --quiet --variant=minbase --include="$PACKAGES" \
        --dpkgopt='path-exclude=/usr/share/doc/*' \
        --dpkgopt='path-exclude=/usr/share/man/*' --aptopt='Apt::Install-Recommends "false"' \
        --customize-hook='chroot "$1" grub-mkimage -O i386-pc -o /boot/core.img -p "(hd0,gpt1)/boot/grub" \
            biosdisk part_gpt ext2 normal linux serial terminal echo search search_fs_uuid configfile' \
        bookworm "$1"
}

configure_root() {
    mkdir -p "$1/boot/grub" "$1/etc/netplan"
    printf 'UUID=%s / ext4 rw,discard,errors=remount-ro,x-systemd.growfs 0 1\n' $ROOT_UUID >"$1/etc/fstab"
    printf 'localhost\n' >"$1/etc/hostname"
    : >"$1/etc/machine-id"
    cat >"$1/etc/netplan/90-default.yaml" <<EOF
network:
    version: 2
    ethernets:
        all-en:
            match: {name: en*}
            dhcp4: true
            dhcp6: true
        all-eth:
            match: {name: eth*}
            dhcp4: true
            dhcp6: true
EOF
    chroot "$1" systemctl -q enable systemd-networkd systemd-resolved
    cat >"$1/boot/grub/grub.cfg" <<EOF
serial --unit=0 --speed=115200
terminal_input console serial
terminal_output console serial
set timeout=0
search --no-floppy --fs-uuid --set=root $ROOT_UUID
linux /vmlinuz root=UUID=$ROOT_UUID ro console=tty0 console=ttyS0,115200 earlyprintk=ttyS0,115200 consoleblank=0
initrd /initrd.img
boot
EOF
}

# little_endian NUMBER BYTES
little_endian() {
    number=$1
    for _ in $(seq "$2"); do
        # shellcheck disable=SC2059 # an octal escape
        printf "\\$(printf %03o $((number % 256)))"
        number=$((number / 256))
    done
}

put() { dd of="$disk" bs=1 seek="$1" conv=notrunc status=none; }

# What grub-install does to a real disk: boot.img finds the first sector of the core, that finds the others.
install_grub() {
    head -c 440 "$1/usr/lib/grub/i386-pc/boot.img" | put 0
    little_endian $CORE_SECTOR 8 | put 92
    # Instead of a jump: the drive is the one that the BIOS tells.
    printf '\220\220' | put 102
    dd if="$1/boot/core.img" of="$disk" bs=512 seek=$CORE_SECTOR conv=notrunc status=none
    little_endian $((CORE_SECTOR + 1)) 8 | put $((CORE_SECTOR * 512 + 500))
}

make_disk() {
    truncate -s $((ROOT_SECTOR / 2048 + ROOT_MB + 2))M "$disk"
    # Debian's cloud images have the root file system first and the rest far behind it.
    printf 'label: gpt\n1: start=%d, size=%d, type=L\n14: start=%d, size=%d, type=21686148-6449-6E6F-744E-656564454649\n' \
        $ROOT_SECTOR $((ROOT_MB * 2048)) $CORE_SECTOR $((ROOT_SECTOR - CORE_SECTOR)) >"$1/tmp/layout"
    mv "$disk" "$1/tmp/disk"
    chroot "$1" sh -c 'sfdisk -q /tmp/disk </tmp/layout'
    mv "$1/tmp/disk" "$disk"
    rm "$1/tmp/layout"
    mke2fs -q -t ext4 -d "$1" -U $ROOT_UUID -E "offset=$((ROOT_SECTOR * 512))" "$disk" "${ROOT_MB}M"
    install_grub "$1"
}

out=${1:?$(sed -n 's/^# \(cloud-image.sh.*\)/usage: \1/p' "$0")}
work=$(mktemp -d "$out.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP
disk=$work/disk.raw
make_root "$work/root"
configure_root "$work/root"
make_disk "$work/root"
qemu-img convert -f raw -O qcow2 "$disk" "$work/disk.qcow2"
mv "$work/disk.qcow2" "$out"
