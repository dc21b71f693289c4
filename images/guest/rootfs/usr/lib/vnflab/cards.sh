# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh disable=SC3043
# Who drives the virtio network cards. For the init and for vnflab-card.

# virtio_cards: the sysfs folders of all virtio network cards
virtio_cards() {
    local card vendor device
    for card in /sys/bus/pci/devices/*; do
        read -r vendor <"$card/vendor"
        [ "$vendor" = 0x1af4 ] || continue
        read -r device <"$card/device"
        case $device in 0x1000 | 0x1041) echo "$card" ;; esac
    done
}

# bind_card CARD DRIVER: true when the driver has the card; else $bound is who has it
bind_card() {
    bound=$(readlink "$1/driver")
    bound=${bound##*/}
    [ "$bound" != "$2" ] || return 0
    echo "$2" >"$1/driver_override"
    [ -z "$bound" ] || echo "${1##*/}" >"$1/driver/unbind"
    echo "${1##*/}" >/sys/bus/pci/drivers_probe
    bound=$(readlink "$1/driver")
    bound=${bound##*/}
    [ "$bound" = "$2" ]
}

# kernel_cards: MAC,ADDRESS/LENGTH of the cards that the kernel keeps, from its arguments
kernel_cards() {
    local argument arguments
    read -r arguments <"${VNFLAB_ARGUMENTS:-/proc/cmdline}"
    for argument in $arguments; do
        case $argument in vnflab.kernel=*) echo "${argument#*=}" ;; esac
    done
}

# is_kernel_card CARD: it is driven by the kernel, and is meant to be
is_kernel_card() {
    local mac
    mac=$(cat "$1"/virtio*/net/*/address 2>/dev/null) || return
    kernel_cards | grep -q "^$mac,"
}

# interface_of MAC
interface_of() {
    local interface mac
    for interface in /sys/class/net/*; do
        read -r mac <"$interface/address"
        [ "$mac" = "$1" ] && [ -e "$interface/device" ] && echo "${interface##*/}" && return
    done
    return 1
}

# Where there is udev it renames cards when the kernel gets them; the guest image has none.
settle_names() { ! command -v udevadm >/dev/null || udevadm settle --timeout=30; }

# A client that opens and closes thousands of connections must not run out of ports: no TIME-WAIT, as on the stack.
prepare_kernel() {
    echo 1024 65535 >/proc/sys/net/ipv4/ip_local_port_range
    echo 0 >/proc/sys/net/ipv4/tcp_max_tw_buckets
    echo 16384 >/proc/sys/net/ipv4/tcp_max_syn_backlog
    echo 65535 >/proc/sys/net/core/somaxconn
}
