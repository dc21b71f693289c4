# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# Functions that build.sh and payload.sh share. Source it after settings.sh; needs $GUEST_DIR (this folder)
# and $OUT_DIR (build/images/guest).

say() { printf '%s: %s\n' "$ME" "$*" >&2; }

die() {
    printf '%s: error: %s\n' "$ME" "$1" >&2
    [ $# -lt 2 ] || printf '%s: hint: %s\n' "$ME" "$2" >&2
    exit 1
}

# need_tool NAME DEBIAN_PACKAGE
need_tool() {
    PATH=$PATH:/usr/sbin:/sbin command -v "$1" >/dev/null ||
        die "'$1' is missing" "apt-get install $2 (or run 'make setup')"
}

# Lines of a list file without comments.
list_of() { sed -e 's/#.*//' -e 's/[[:space:]]*$//' -e '/^$/d' "$1"; }

# One build at a time: the lock lives as long as this process. lock NAME
lock() {
    mkdir -p "$OUT_DIR" || die "cannot create $OUT_DIR"
    exec 9>"$OUT_DIR/.$1.lock"
    flock -n 9 && return
    say "another build is running, waiting for it"
    flock -w "${VNFLAB_LOCK_TIMEOUT:-1800}" 9 || die "the other build did not end" "it holds $OUT_DIR/.$1.lock"
}

# A temporary folder beside the results (so that a rename finishes the job), gone at exit whatever happens.
# Leftovers of killed builds go too; only called with the lock held.
make_work_dir() {
    rm -rf "$OUT_DIR"/.work-"$1".*
    WORK=$(mktemp -d "$OUT_DIR/.work-$1.XXXXXX") || die "cannot create a folder in $OUT_DIR"
    chmod 755 "$WORK"
    trap 'rm -rf "$WORK"' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
}

# sources.list for SUITE: MIRROR if given, else the archives that the host's apt knows with only the suite
# exchanged, so that a private mirror or cache of the host serves the image too.
apt_sources() {
    case $MIRROR in
    *deb\ *) printf '%s\n' "$MIRROR"; return ;;
    ?*) printf 'deb %s %s main\n' "$MIRROR" "$SUITE"; return ;;
    esac
    local archive='' security=''
    if command -v apt-get >/dev/null; then
        archive=$(host_archive Debian)
        security=$(host_archive Debian-Security)
    fi
    if [ -z "$archive" ]; then
        archive=http://deb.debian.org/debian
        security=http://deb.debian.org/debian-security
    fi
    printf 'deb %s %s main\ndeb %s %s-updates main\n' "$archive" "$SUITE" "$archive" "$SUITE"
    [ -z "$security" ] || printf 'deb %s %s-security main\n' "$security" "$SUITE"
}

# host_archive LABEL: address of the archive with that label in the host's apt
host_archive() {
    # shellcheck disable=SC2016 # the names are apt's
    apt-get indextargets --format '$(LABEL) $(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
        awk -v label="$1" '$1 == label { print $2; exit }'
}

# The host's proxies, as mmdebstrap options, one a line.
apt_proxy_options() {
    command -v apt-config >/dev/null || return 0
    apt-config dump 2>/dev/null | sed -n 's/^\(Acquire::[a-z]*::.*[Pp]roxy.* "..*";\)$/--aptopt=\1/p'
}

# extract_packages DIR LIST_FILE: download and unpack packages with their dependencies into DIR.
# mmdebstrap's variant "extract" runs no maintainer script and chroots nowhere, so no privilege is needed.
extract_packages() {
    local dir=$1 list=$2 include log=$WORK/mmdebstrap.log options=()
    include=$(list_of "$list" | paste -sd,)
    mapfile -t options < <(apt_proxy_options)
    apt_sources >"$WORK/sources.list"
    say "packages of $SUITE from $(awk '{ print $2; exit }' "$WORK/sources.list")"
    mkdir -p "$dir"
    # shellcheck disable=SC2016 # $1 belongs to mmdebstrap
    mmdebstrap --variant=extract --mode=chrootless --format=directory --architectures="$ARCH" \
        --skip=check/chrootless,check/empty "${options[@]}" \
        --setup-hook='cd "$1" && mkdir -p usr/bin usr/sbin usr/lib usr/lib64 &&
            for d in bin sbin lib lib64; do ln -s "usr/$d" "$d"; done' \
        --include="$include" "$SUITE" "$dir" - <"$WORK/sources.list" >"$log" 2>&1 && return
    tail -n 20 "$log" >&2
    die "mmdebstrap failed (its last lines are above)" \
        "see whether the mirror answers; VNFLAB_IMAGE_MIRROR chooses another, VNFLAB_IMAGE_SUITE another suite"
}

# make_ext4 FOLDER IMAGE LABEL SPARE_KB: a file system image from a folder, without loop device and without
# journal (it is only ever read). Files of an ordinary builder become root's by a user namespace.
make_ext4() {
    local folder=$1 image=$2 label=$3 spare_kb=$4 size_kb inodes as_root=()
    if [ "$(id -u)" -ne 0 ]; then
        if unshare -r true 2>/dev/null; then
            as_root=(unshare -r)
        else
            say "no user namespaces: files in $label belong to uid $(id -u), which the guest does not mind"
        fi
    fi
    inodes=$(find "$folder" | wc -l)
    # Blocks of 4 KB by file, 256 bytes an inode, and 2 % for block maps and group descriptors.
    size_kb=$(find "$folder" -printf '%s\n' | awk '{ kb += int(($1 + 4095) / 4096) * 4 } END { print kb + 0 }')
    size_kb=$((size_kb + size_kb / 50 + inodes / 2 + 1024 + spare_kb))
    "${as_root[@]}" env PATH="$PATH:/usr/sbin:/sbin" mke2fs -q -t ext4 -d "$folder" -L "$label" -b 4096 -m 0 -I 256 \
        -N "$((inodes + 64))" -O '^has_journal,^resize_inode,^metadata_csum' \
        -E "hash_seed=$FS_UUID,root_owner=0:0" -U "$FS_UUID" "$image" "${size_kb}k" >"$WORK/mke2fs.log" 2>&1 ||
        die "mke2fs could not make $label: $(tail -n 2 "$WORK/mke2fs.log")"
}

# hash_uuid HEX: a UUID made of a hash, so that equal input gives an equal image
hash_uuid() { printf '%s-%s-4%s-8%s-%s' "${1:0:8}" "${1:8:4}" "${1:13:3}" "${1:17:3}" "${1:20:12}"; }
