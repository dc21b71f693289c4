#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Boots the guest image with plain QEMU and checks what the lab relies on: readiness line, agent, hugepages, NICs on
# uio_pci_generic, a DPDK program on them, every way to stop, and a clear message for every way to fail.
# Ends with "N passed, N failed, N skipped"; exit code 1 when anything failed.
set -Eeuo pipefail

# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source-path=SCRIPTDIR source=settings.sh
. "$IMAGE_DIR/settings.sh"

QEMU=${VNFLAB_QEMU:-qemu-system-x86_64}

usage() {
    cat <<EOF
usage: images/guest/smoke-test.sh [--accel tcg|kvm] [--vhost SOCKET] [--only NAME] [--keep]
  --accel   tcg (default: works everywhere), kvm
  --vhost   a vhost-user switch is listening on SOCKET: run the NIC checks over it too
  --only    only the tests whose name has this word: template, normal, own, stop, error, vhost
  --keep    keep the folder with the console logs
environment: VNFLAB_QEMU (qemu-system-x86_64)
EOF
}

# Every limit below is generous for a host that does nothing else. One that does may take so many times as long before
# the guest is to blame, which costs nothing where all goes well.
PATIENCE=5

passed=0 failed=0 skipped=0
pass() { passed=$((passed + 1)) && printf 'ok    %s\n' "$*"; }
fail() {
    failed=$((failed + 1))
    printf 'FAIL  %s\n' "$*"
    [ ! -f "$RUN/console.log" ] || tail -n 15 "$RUN/console.log" | tr -d '\r' | sed 's/^/      | /'
    [ ! -s "$RUN/qemu.log" ] || sed 's/^/      | QEMU: /' "$RUN/qemu.log"
}
skip() { skipped=$((skipped + 1)) && printf 'skip  %s\n' "$*"; }
check() { # check NAME COMMAND...
    if "${@:2}"; then pass "$1"; else fail "$1"; fi
}
quiet() { "$@" >/dev/null; }
# Processor time that QEMU took: unlike the clock it does not depend on what else runs on the host.
qemu_cpu_ms() { awk '{ print ($14 + $15) * 10 }' "/proc/$QEMU_PID/stat"; }
what_qemu_does() { if machine_runs; then echo "QEMU has computed $(qemu_cpu_ms) ms"; else echo "QEMU has ended"; fi; }
now_ms() { echo $(($(date +%s%N) / 1000000)); }

# ---------------------------------------------------------------- one machine

# boot PAYLOAD_OR_EMPTY NETDEVS KERNEL_ARGS: starts QEMU; NETDEVS is hub (two NICs on one hub), none, or vhost
boot() {
    local payload=$1 net=$2 args=$3 manifest=$IMAGE/manifest.json devices=() fd
    RUN=$(mktemp -d "$WORK/run.XXXX")
    mkfifo "$RUN"/{agent,qmp}.{in,out}
    # Open both ways, so that neither this script nor QEMU waits for the other.
    exec {AGENT_IN}<>"$RUN/agent.in" {AGENT_OUT}<>"$RUN/agent.out" {QMP_IN}<>"$RUN/qmp.in" {QMP_OUT}<>"$RUN/qmp.out"
    [ -z "$payload" ] || devices+=(-drive "file=$payload,if=virtio,format=raw,readonly=on")
    case $net in
    hub)
        for fd in 1 2; do
            devices+=(-netdev "hubport,id=n$fd,hubid=0" -device "virtio-net-pci,netdev=n$fd,mac=02:00:00:00:00:0$fd")
        done
        ;;
    vhost)
        devices+=(-chardev "socket,id=c1,path=$VHOST" -netdev "vhost-user,id=n1,chardev=c1"
            -device "virtio-net-pci,netdev=n1,mac=02:00:00:00:00:01")
        ;;
    esac
    STARTED_MS=$(now_ms)
    "$QEMU" -M q35 -accel "$ACCEL" -cpu max -smp 2 -m 768 -nodefaults -no-user-config -display none -no-reboot \
        -object memory-backend-memfd,id=mem,size=768M,share=on -numa node,memdev=mem \
        -kernel "$IMAGE/vmlinuz" -initrd "$IMAGE/initrd.img" \
        -append "$(sed -n 's/.*"kernelArgs": "\(.*\)".*/\1/p' "$manifest") vnflab.hostname=smoke $args" \
        -drive "file=$IMAGE/root.img,if=virtio,format=raw,readonly=on" "${devices[@]}" -device pvpanic \
        -device virtio-serial-pci -chardev "pipe,id=agent,path=$RUN/agent" \
        -device virtserialport,chardev=agent,name=org.qemu.guest_agent.0 \
        -chardev "pipe,id=qmp,path=$RUN/qmp" -mon chardev=qmp,mode=control \
        -serial "file:$RUN/console.log" >"$RUN/qemu.log" 2>&1 {AGENT_IN}>&- {AGENT_OUT}>&- {QMP_IN}>&- {QMP_OUT}>&- &
    QEMU_PID=$!
    printf '{"execute":"qmp_capabilities"}\n' >&"$QMP_IN"
}

machine_runs() { kill -0 "$QEMU_PID" 2>/dev/null; }

# wait_for_console PATTERN SECONDS
wait_for_console() {
    local end=$(($(now_ms) + $2 * 1000 * PATIENCE))
    until grep -qE "$1" "$RUN/console.log" 2>/dev/null; do
        if ! machine_runs; then
            grep -qE "$1" "$RUN/console.log" 2>/dev/null && return
            sed 's/^/      | /' "$RUN/qemu.log" && return 1
        fi
        [ "$(now_ms)" -lt $end ] || return 1
        sleep 0.02
    done
}

wait_for_end() { # wait_for_end SECONDS
    local end=$(($(now_ms) + $1 * 1000 * PATIENCE))
    while machine_runs; do
        [ "$(now_ms)" -lt $end ] || return 1
        sleep 0.02
    done
    wait "$QEMU_PID" 2>/dev/null || true
}

finish_machine() {
    ! machine_runs || kill -KILL "$QEMU_PID" 2>/dev/null || true
    wait "$QEMU_PID" 2>/dev/null || true
    exec {AGENT_IN}>&- {AGENT_OUT}>&- {QMP_IN}>&- {QMP_OUT}>&-
}

agent() { # agent SECONDS JSON -> ANSWER; fails also when the machine has ended
    local line end=$(($(now_ms) + $1 * 1000 * PATIENCE))
    ANSWER=
    printf '%s\n' "$2" >&"$AGENT_IN"
    # What came of a line before the time was over is in $line.
    until IFS= read -r -t 1 -u "$AGENT_OUT" line; do
        ANSWER+=$line
        if ! machine_runs || [ "$(now_ms)" -ge $end ]; then return 1; fi
    done
    ANSWER+=$line
}

# guest SECONDS COMMAND: runs it by the agent; GUEST_OUT is its output (both streams), its exit code is returned
guest() {
    local seconds=$1 command=$2 pid end
    GUEST_OUT=
    command=${command//\\/\\\\}
    command=${command//\"/\\\"}
    command=${command//$'\n'/\\n}
    agent 10 '{"execute":"guest-exec","arguments":{"path":"/bin/sh","capture-output":true,"arg":["-c","exec 2>&1; '"$command"'"]}}' || return 125
    pid=$(sed -n 's/.*"pid": *\([0-9]*\).*/\1/p' <<<"$ANSWER")
    [ -n "$pid" ] || return 125
    end=$(($(now_ms) + seconds * 1000 * PATIENCE))
    while [ "$(now_ms)" -lt $end ]; do
        agent 10 '{"execute":"guest-exec-status","arguments":{"pid":'"$pid"'}}' || return 125
        if [[ $ANSWER == *'"exited": true'* ]]; then
            GUEST_OUT=$(sed -n 's/.*"out-data": *"\([^"]*\)".*/\1/p' <<<"$ANSWER" | base64 -d)
            return "$(sed -n 's/.*"exitcode": *\([0-9]*\).*/\1/p' <<<"$ANSWER")"
        fi
        sleep 0.1
    done
    return 124
}

# ---------------------------------------------------------------- what is tested

# A payload disk with dpdk-testpmd of the image's suite and the libraries that the image lacks.
make_test_payload() {
    local sysroot dir=$WORK/testpmd queue name next
    sysroot=$("$IMAGE_DIR/payload.sh" --sysroot)
    mkdir -p "$dir/bin" "$dir/lib"
    cp "$sysroot/usr/bin/dpdk-testpmd" "$dir/bin"
    queue=$dir/bin/dpdk-testpmd
    while [ -n "$queue" ]; do
        next=
        # shellcheck disable=SC2086 # a list of paths without blanks
        for name in $(needed_libraries $queue); do
            if [ -e "$dir/lib/$name" ] || grep -qxF "$name" "$IMAGE/libraries.list"; then continue; fi
            cp -L "$sysroot/usr/lib/x86_64-linux-gnu/$name" "$dir/lib/$name"
            next="$next $dir/lib/$name"
        done
        queue=$next
    done
    FS_UUID=$(hash_uuid "$(echo test | sha256sum)")
    printf smoke-test >"$dir/.hash"
    make_ext4 "$dir" "$WORK/testpmd.img" payload 64
}

# Without -i testpmd forwards until its standard input ends, then prints what went through.
TESTPMD='export LD_LIBRARY_PATH=/opt/vnflab/lib
sleep 4 | dpdk-testpmd -l 0,1 -m 192 --no-telemetry -- --nb-cores=1 --total-num-mbufs=4096 --tx-first'

test_normal_life() {
    local ready_ms agent_ms cpu_ms started code
    boot "$WORK/testpmd.img" hub "vnflab.hugepages=128"
    if ! agent 60 '{"execute":"guest-ping"}'; then
        fail "guest agent answers: not in $((($(now_ms) - STARTED_MS) / 1000)) s; $(what_qemu_does)"
        finish_machine
        return
    fi
    agent_ms=$(($(now_ms) - STARTED_MS)) cpu_ms=$(qemu_cpu_ms)
    check "vnflab: ready on the console" wait_for_console 'vnflab: (ready|failed)' 30
    ready_ms=$(($(now_ms) - STARTED_MS))
    printf '      agent %s ms, ready %s ms after the start, %s ms of processor time\n' $agent_ms $ready_ms "$cpu_ms"
    check "guest agent answers within 10 s of processor time" [ "$cpu_ms" -lt 10000 ]
    guest 10 'cat /run/vnflab/ready' || true
    check "ready file: $GUEST_OUT" [ "$(grep -c '"hugepages":128,.*"errors":\[\]' <<<"$GUEST_OUT")" = 1 ]
    guest 10 'ls -d /sys/bus/pci/drivers/uio_pci_generic/0000:*' || true
    check "both NICs are on uio_pci_generic" [ "$(wc -l <<<"$GUEST_OUT")" = 2 ]
    guest 10 'grep HugePages_Free /proc/meminfo; mount | grep hugetlbfs' || true
    check "128 free hugepages and a hugetlbfs" [ "$(grep -cE 'HugePages_Free: +128|/dev/hugepages' <<<"$GUEST_OUT")" = 2 ]
    check "/ is writable, and what is written stays in memory" guest 10 'echo x >/etc/x && rm /etc/x'
    check "orphans are reaped" guest 10 '(sh -c "sleep 0.2 & exec true" &); sleep 0.6; ! grep -l ") Z " /proc/[0-9]*/stat'
    code=0
    guest 10 'exit 7' || code=$?
    check "exit codes come through" [ $code = 7 ]
    guest 20 'vnflab-card kernel 02:00:00:00:00:02 169.254.9.2/24 &&
        ip -4 -o address | grep -c "169.254.9.2/24" && vnflab-card dpdk && ls /sys/class/net' || true
    check "the kernel gets a NIC with address and link, and gives it back" [ "$GUEST_OUT" = $'1\nlo' ]
    # shellcheck disable=SC2016 # for the guest's shell
    guest 20 'cd /proc/sys/net/ipv4 && for name in reno cubic; do
        echo $name >tcp_congestion_control && cat tcp_congestion_control; done' || true
    check "the kernel has reno and cubic" [ "$GUEST_OUT" = $'reno\ncubic' ]
    # shellcheck disable=SC2016 # for the guest's shell
    guest 20 'vnflab-cpus online 1 && nproc && cat /sys/devices/system/cpu/online
        for n in 0 3 1x ""; do vnflab-cpus online $n 2>/dev/null && echo "took $n"; done
        vnflab-cpus online 2 && vnflab-cpus online all && nproc' || true
    check "the kernel runs on one CPU, then on both again" [ "$GUEST_OUT" = $'1\n0\n2' ]
    guest 60 "$TESTPMD" || true
    check "dpdk-testpmd sends and receives on both NICs" \
        [ "$(grep -cE 'RX-packets: [1-9]' <<<"$GUEST_OUT")" -ge 2 ]
    [ "$(grep -cE 'RX-packets: [1-9]' <<<"$GUEST_OUT")" -ge 2 ] || tail -n 40 <<<"$GUEST_OUT"
    started=$(now_ms)
    printf '{"execute":"guest-shutdown"}\n' >&"$AGENT_IN"
    check "guest-shutdown of the agent powers off" wait_for_end 10
    printf '      %s ms\n' $(($(now_ms) - started))
    finish_machine
}

# The stack in the guest: TCP between its two NICs, one process on each, every byte verified.
test_own_applications() {
    if ! grep -qs '"tcp_sink"' "$OUT_DIR/payload.json"; then
        skip "TCP between the NICs: the payload has no tcp_sink (images/guest/payload.sh builds it)"
        return
    fi
    boot "$OUT_DIR/payload.img" hub "vnflab.hugepages=192"
    check "boots with the payload of the stack" wait_for_console 'vnflab: ready' 60
    # shellcheck disable=SC2016 # for the guest's shell
    guest 100 'cd /run/vnflab
        for n in 1 2; do
            printf "io = dpdk\nport = 0000:00:0$n.0\naddress = 169.254.9.$n/24\nidle = sleep\n" >$n.conf
            echo "eal = --file-prefix nic$n" >>$n.conf
        done
        timeout -s INT 80 tcp_sink -f 1.conf -N 1 -l 9999 -n 1 --json >sink.out 2>sink.err &
        while ! grep -q listening sink.out; do sleep 0.2; kill -0 $! || break; done
        timeout -s INT 60 tcp_source -f 2.conf -N 1 -a 169.254.9.1 -p 9999 -b 4m -c 1 --json
        wait $!; echo "exit code of the sink: $?"; cat sink.out sink.err' || true
    check "4 MiB over TCP from NIC to NIC, verified" \
        [ "$(grep -cE '"app":"tcp_sink".*"bytes":4194304,|exit code of the sink: 0' <<<"$GUEST_OUT")" = 2 ]
    if [ $failed -eq 0 ]; then grep '"app":"tcp_sink"' <<<"$GUEST_OUT" | tail -n 1; else tail -n 60 <<<"$GUEST_OUT"; fi
    finish_machine
}

# test_stop NAME HOW: a fresh machine must be gone within 10 s of a quiet host
test_stop() {
    local started
    boot "" none "vnflab.uio=none vnflab.payload=none"
    if ! wait_for_console 'vnflab: ready' 60; then
        fail "boots without NIC and payload when told so"
        finish_machine
        return
    fi
    started=$(now_ms)
    case $2 in
    acpi) printf '{"execute":"system_powerdown"}\n' >&"$QMP_IN" ;;
    term) echo '{"execute":"guest-exec","arguments":{"path":"/bin/kill","arg":["-TERM","1"]}}' >&"$AGENT_IN" ;;
    panic) echo '{"execute":"guest-exec","arguments":{"path":"/bin/sh","arg":["-c","echo c >/proc/sysrq-trigger"]}}' >&"$AGENT_IN" ;;
    esac
    check "$1 ends the machine" wait_for_end 10
    printf '      %s ms\n' $(($(now_ms) - started))
    finish_machine
}

# test_error NAME PAYLOAD NET ARGS PATTERN: init must say what is wrong, and never say ready
test_error() {
    boot "$2" "$3" "$4"
    if wait_for_console 'vnflab: (ready|failed)' 60 && ! grep -q 'vnflab: ready' "$RUN/console.log" &&
        grep -qE "vnflab: error: $5" "$RUN/console.log"; then
        pass "$1: $(grep -oE "vnflab: error: $5.*" "$RUN/console.log" | head -n 1 | tr -d '\r')"
        agent 20 '{"execute":"guest-ping"}' || fail "$1: agent answers nevertheless"
    else
        fail "$1"
    fi
    finish_machine
}

test_vhost_user() {
    if [ -z "$VHOST" ]; then
        skip "vhost-user NIC: no --vhost SOCKET given"
        return
    fi
    boot "$WORK/testpmd.img" vhost "vnflab.hugepages=128"
    check "boots with a vhost-user NIC" wait_for_console 'vnflab: ready' 60
    guest 60 "$TESTPMD" || true
    check "dpdk-testpmd runs on the vhost-user NIC" [ "$(grep -c 'TX-packets: [1-9]' <<<"$GUEST_OUT")" -ge 1 ]
    grep -E 'RX-packets|TX-packets' <<<"$GUEST_OUT" | head -n 2 || tail -n 40 <<<"$GUEST_OUT"
    finish_machine
}

test_qemu_version() {
    local version
    version=$("$QEMU" --version | sed -n '1s/.*version \([0-9]*\).*/\1/p')
    if [ "${version:-0}" -ge 8 ]; then
        pass "QEMU $version"
    elif [ -n "$VHOST" ]; then
        die "QEMU $version crashes under TCG when a guest drives a vhost-user NIC" \
            "Debian 12: apt-get install -t bookworm-backports qemu-system-x86"
    else
        skip "QEMU $version: fine here, but it crashes with vhost-user under TCG"
    fi
}

ACCEL=tcg VHOST='' only='' keep=no
while [ $# -gt 0 ]; do
    case $1 in
    --accel) ACCEL=${2:?} && shift ;;
    --vhost) VHOST=${2:?} && shift ;;
    --only) only=${2:?} && shift ;;
    --keep) keep=yes ;;
    -h | --help) usage && exit 0 ;;
    *) usage >&2 && exit 2 ;;
    esac
    shift
done
[ "$ACCEL" != tcg ] || ACCEL=tcg,thread=multi

need_tools "$QEMU:qemu-system-x86"
IMAGE=$("$IMAGE_DIR/build.sh" --print)
WORK=$(mktemp -d /tmp/vnflab-smoke.XXXXXX)
QEMU_PID=
RUN=$WORK
clean_up() {
    [ -z "$QEMU_PID" ] || kill -KILL "$QEMU_PID" 2>/dev/null || true
    if [ $keep = yes ]; then echo "logs: $WORK"; else rm -rf "$WORK"; fi
}
trap clean_up EXIT
trap 'exit 130' INT TERM

# The domain that the lab renders from vm-templates/guest.xml (its golden file) against libvirt's schema.
test_template() {
    local domain=$TOP_DIR/lab/src/render/golden/guest.xml
    if ! command -v virt-xml-validate >/dev/null || ! command -v xmllint >/dev/null; then
        skip "template against libvirt's schema: needs virt-xml-validate (libvirt-clients) and xmllint (libxml2-utils)"
        return
    fi
    check "rendered template is valid by libvirt's schema" quiet virt-xml-validate "$domain" domain
}

wanted() { [[ -z $only || $1 == *$only* ]]; }

make_test_payload
test_qemu_version
if wanted template; then test_template; fi
if wanted normal; then test_normal_life; fi
if wanted own; then test_own_applications; fi
if wanted stop; then
    test_stop "ACPI power button" acpi
    test_stop "SIGTERM to init" term
    test_stop "kernel panic" panic
fi
if wanted error; then
    test_error "no NIC" "$WORK/testpmd.img" none "" "no virtio network card"
    test_error "no payload disk" "" hub "" "payload disk is missing"
    test_error "too many hugepages" "$WORK/testpmd.img" hub "vnflab.hugepages=4000" "no memory for 4000 hugepages"
    test_error "unknown argument" "$WORK/testpmd.img" hub "vnflab.hugepage=12" "kernel argument vnflab.hugepage=12 is unknown"
fi
if wanted vhost; then test_vhost_user; fi

echo "$passed passed, $failed failed, $skipped skipped"
[ $failed -eq 0 ]
