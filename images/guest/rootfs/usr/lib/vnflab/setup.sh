# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh disable=SC3043
# What makes a system a guest of the laboratory: arguments, hugepages, cards, payload, and telling how it went. For the
# init, and for cloud-setup, which does the same to other systems and has the arguments in a file.

hostname=guest
hugepages=0
hugepages_wanted=0
uio=auto
payload=auto
aliases=
routes=
forward=off
errors=0
error_list=
uio_list=
net_list=
payload_state=null

# shellcheck source=cards.sh
. /usr/lib/vnflab/cards.sh

# ---------------------------------------------------------------- telling

log() { echo "vnflab: $*" >/dev/console; }

error() {
    log "error: $*"
    errors=$((errors + 1))
    error_list=$error_list${error_list:+,}\"$(echo "$*" | sed 's/[\\"]/\\&/g')\"
}

# Everything before and after this point in one JSON object; written aside, then renamed, so that nobody reads half.
tell_result() {
    local name=ready memory_kb uptime rest
    [ $errors -eq 0 ] || name=failed
    read -r uptime rest </proc/uptime
    read -r rest memory_kb rest </proc/meminfo
    cat >/run/vnflab/.result <<EOF
{"hostname":"$hostname","uio":[$uio_list],"net":[$net_list],"hugepages":$hugepages,"hugepageKb":2048,"payload":$payload_state,"kernel":"$(uname -r)","cpus":$(nproc),"memoryKb":$memory_kb,"uptimeSeconds":$uptime,"errors":[$error_list]}
EOF
    mv /run/vnflab/.result /run/vnflab/$name
    if [ $errors -eq 0 ]; then log ready; else log "failed: $errors errors"; fi
}

# ---------------------------------------------------------------- setting up

read_arguments() {
    local argument arguments
    read -r arguments <"${VNFLAB_ARGUMENTS:-/proc/cmdline}"
    for argument in $arguments; do
        case $argument in
        vnflab.hostname=*) hostname=${argument#*=} ;;
        vnflab.hugepages=*) hugepages_wanted=${argument#*=} ;;
        vnflab.uio=auto | vnflab.uio=none) uio=${argument#*=} ;;
        vnflab.payload=auto | vnflab.payload=none) payload=${argument#*=} ;;
        vnflab.kernel=*,*/*) ;; # kernel_cards reads them
        vnflab.alias=*/*) aliases="$aliases ${argument#*=}" ;;
        vnflab.route=*/*,*) routes="$routes ${argument#*=}" ;;
        vnflab.forward=on | vnflab.forward=off) forward=${argument#*=} ;;
        vnflab.*) error "kernel argument $argument is unknown" ;;
        esac
    done
    case $hostname in
    '' | *[!A-Za-z0-9.-]*) error "vnflab.hostname=$hostname is no host name" && hostname=guest ;;
    esac
    case $hugepages_wanted in
    '' | *[!0-9]*) error "vnflab.hugepages=$hugepages_wanted is no number" && hugepages_wanted=0 ;;
    esac
}

setup_basics() {
    mount -t tmpfs -o mode=755 run /run
    mount -t tmpfs tmp /tmp
    mkdir -p /run/vnflab /run/lock /dev/pts /dev/shm
    mount -t devpts -o mode=620 devpts /dev/pts
    mount -t tmpfs -o mode=1777 shm /dev/shm
    ln -s /proc/self/fd /dev/fd
    echo "$hostname" >/proc/sys/kernel/hostname
    ip link set lo up
}

# The kernel would give away all memory and then kill the agent for want of it,
# so what would not leave 96 MB is refused.
setup_hugepages() {
    local dir=/sys/kernel/mm/hugepages/hugepages-2048kB available
    [ "$hugepages_wanted" -gt 0 ] || return
    available=$(sed -n 's/^MemAvailable: *\([0-9]*\).*/\1/p' /proc/meminfo)
    if [ $((hugepages_wanted * 2048 + 98304)) -gt "$available" ]; then
        error "no memory for $hugepages_wanted hugepages of 2 MB: $((available / 1024)) MB are free, 96 MB must remain"
        return
    fi
    echo "$hugepages_wanted" >$dir/nr_hugepages
    read -r hugepages <$dir/nr_hugepages
    [ "$hugepages" -eq "$hugepages_wanted" ] ||
        error "only $hugepages of $hugepages_wanted hugepages of 2 MB: memory is fragmented"
    mkdir -p /dev/hugepages
    mount -t hugetlbfs -o pagesize=2M hugetlbfs /dev/hugepages || error "cannot mount hugetlbfs"
}

load_modules() {
    local module
    for module in /usr/lib/vnflab/modules/*; do
        insmod "$module" || error "cannot load the kernel module ${module##*/}"
    done
}

# Every virtio network card goes to uio_pci_generic, but those of vnflab.kernel; with vnflab.uio=none all stay.
setup_cards() {
    local card address driver=uio_pci_generic found=0 bound
    if [ "$uio" = none ] || [ -n "$(kernel_cards)" ]; then give_cards_to_kernel; fi
    if [ -n "$(kernel_cards)" ]; then setup_kernel_cards; fi
    for card in $(virtio_cards); do
        found=$((found + 1))
        address=${card##*/}
        [ "$uio" = auto ] || continue
        ! is_kernel_card "$card" || continue
        if bind_card "$card" $driver; then
            uio_list=$uio_list${uio_list:+,}\"$address\"
        else
            error "network card $address could not be bound to $driver (driver now: $bound)"
        fi
    done
    for card in /sys/class/net/*; do
        [ ! -e "$card/device" ] || net_list=$net_list${net_list:+,}\"${card##*/}\"
    done
    if [ "$uio" = auto ] && [ $found -eq 0 ]; then
        error "no virtio network card (vnflab.uio=none if none is meant)"
    fi
}

# The kernel must have a card before it can tell its MAC address.
give_cards_to_kernel() {
    local card bound
    modprobe virtio_net || error "cannot load virtio_net"
    for card in $(virtio_cards); do
        bind_card "$card" virtio-pci || error "network card ${card##*/} could not be bound to virtio-pci (driver now: $bound)"
    done
    settle_names
}

setup_kernel_cards() {
    local spec interface
    for spec in $(kernel_cards); do
        if ! interface=$(interface_of "${spec%%,*}"); then
            error "no network card has the MAC address ${spec%%,*}"
        elif ! ip address add "${spec#*,}" dev "$interface" || ! ip link set "$interface" up; then
            error "$interface (${spec%%,*}) does not take the address ${spec#*,}"
        fi
    done
    setup_kernel_network
}

setup_kernel_network() {
    local alias route hop hops
    prepare_kernel
    for alias in $aliases; do
        ip address add "$alias" dev lo || error "the kernel does not take the address $alias"
    done
    # Several next hops share by connection.
    echo 1 >/proc/sys/net/ipv4/fib_multipath_hash_policy
    for route in $routes; do
        hops=
        for hop in $(echo "${route#*,}" | tr , ' '); do hops="$hops nexthop via $hop"; done
        # shellcheck disable=SC2086 # a list of words
        full_ip route add "${route%%,*}" $hops || error "the kernel does not take the route $route"
    done
    [ "$forward" = off ] || echo 1 >/proc/sys/net/ipv4/ip_forward
}

# iproute2's: busybox, whose shell takes its own for `ip`, knows no next hops.
full_ip() {
    local folder
    for folder in /usr/sbin /usr/bin /sbin /bin; do
        [ -x $folder/ip ] || continue
        $folder/ip "$@"
        return
    done
    return 127
}

setup_payload() {
    local disk
    [ "$payload" = auto ] || return
    mkdir -p /opt/vnflab
    if ! disk=$(findfs LABEL=payload); then
        error "payload disk is missing: no disk has the label 'payload' (vnflab.payload=none if none is meant)"
    elif ! mount -t ext4 -o ro,noatime "$disk" /opt/vnflab; then
        error "cannot mount the payload disk $disk"
    else
        payload_state=\"$(cat /opt/vnflab/.hash 2>/dev/null)\"
    fi
}
