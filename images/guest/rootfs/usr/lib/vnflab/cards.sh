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
