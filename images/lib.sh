# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# What the scripts of images/*/ share. Source it first; then ME is the script's name, IMAGE_DIR its folder, TOP_DIR the
# repository, OUT_DIR where its results go (build/images/<folder>). SUITE, ARCH and MIRROR may be chosen from outside.
export LC_ALL=C
umask 022

IMAGE_DIR=$(cd "$(dirname "$0")" && pwd)
TOP_DIR=$(cd "$IMAGE_DIR/../.." && pwd)
ME=images/${IMAGE_DIR##*/}/${0##*/}
OUT_DIR=${VNFLAB_BUILD_DIR:-$TOP_DIR/build}/images/${IMAGE_DIR##*/}
trap 'echo "$ME: error: line $LINENO failed: $BASH_COMMAND" >&2' ERR

SUITE=${VNFLAB_IMAGE_SUITE:-bookworm}
ARCH=amd64
# A mirror's address, or a whole sources.list with newlines; empty: as the host's apt is configured.
MIRROR=${VNFLAB_IMAGE_MIRROR:-}

say() { printf '%s: %s\n' "$ME" "$*" >&2; }

die() {
    printf '%s: error: %s\n' "$ME" "$1" >&2
    [ $# -lt 2 ] || printf '%s: hint: %s\n' "$ME" "$2" >&2
    exit 1
}

# need_tools NAME:DEBIAN_PACKAGE...
need_tools() {
    local tool
    for tool in "$@"; do
        PATH=$PATH:/usr/sbin:/sbin command -v "${tool%%:*}" >/dev/null ||
            die "'${tool%%:*}' is missing" "apt-get install ${tool#*:} (or run 'make setup')"
    done
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

# extract_packages DIR LIST_FILE [SOURCE...]: download and unpack packages with their dependencies into DIR; those that
# are built from a SOURCE come from the suite's backports.
# mmdebstrap's variant "extract" runs no maintainer script and chroots nowhere, so no privilege is needed.
extract_packages() {
    local dir=$1 include log=$WORK/mmdebstrap.log options=()
    include=$(list_of "$2" | paste -sd,)
    mapfile -t options < <(apt_proxy_options)
    apt_sources >"$WORK/sources.list"
    rm -f "$WORK/preferences"
    if [ $# -gt 2 ]; then
        apt_sources | sed -n "1s/ $SUITE / $SUITE-backports /p" >>"$WORK/sources.list"
        { printf 'Package:' && printf ' src:%s' "${@:3}" &&
            printf '\nPin: release n=%s-backports\nPin-Priority: 990\n' "$SUITE"; } >"$WORK/preferences"
    fi
    say "packages of $SUITE from $(awk '{ print $2; exit }' "$WORK/sources.list")"
    mkdir -p "$dir"
    # shellcheck disable=SC2016 # $1 belongs to mmdebstrap
    WORK=$WORK mmdebstrap --variant=extract --mode=chrootless --format=directory --architectures="$ARCH" \
        --skip=check/chrootless,check/empty "${options[@]}" \
        --setup-hook='cd "$1" && mkdir -p usr/bin usr/sbin usr/lib usr/lib64 &&
            for d in bin sbin lib lib64; do ln -s "usr/$d" "$d"; done &&
            if [ -f "$WORK/preferences" ]; then
                mkdir -p etc/apt/preferences.d && cp "$WORK/preferences" etc/apt/preferences.d/vnflab
            fi' \
        --include="$include" "$SUITE" "$dir" - <"$WORK/sources.list" >"$log" 2>&1 && return
    tail -n 20 "$log" >&2
    die "mmdebstrap failed (its last lines are above)" \
        "see whether the mirror answers; VNFLAB_IMAGE_MIRROR chooses another, VNFLAB_IMAGE_SUITE another suite"
}

# prune ROOT LIST_FILE: removes what the patterns of the list name
prune() {
    local pattern
    while read -r pattern; do
        # shellcheck disable=SC2086 # patterns are meant to expand
        (cd "$1" && rm -rf $pattern)
    done < <(list_of "$2")
}

# needed_libraries FILE_OR_FOLDER...: libraries that programs and libraries ask for, each once
needed_libraries() {
    find "$@" -type f -print0 | { xargs -0 -r readelf -d 2>/dev/null || true; } |
        sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | sort -u
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

# hash_recipe FILE_OR_FOLDER...: of the suite, and of names, modes and contents of what is below IMAGE_DIR
hash_recipe() {
    (
        cd "$IMAGE_DIR" || exit
        printf 'suite=%s arch=%s\n' "$SUITE" "$ARCH"
        find ../lib.sh "$@" -type f -printf '%m %p\n' | sort
        find ../lib.sh "$@" -type f -print0 | sort -z | xargs -0 cat
    ) | sha256sum | cut -c 1-16
}

build_usage() {
    cat <<EOF
usage: $ME [--force] [--print]
  --force   build anew although the recipe did not change (newer packages)
  --print   print the folder of the current recipe's image and exit; fails when it is not built
environment: VNFLAB_IMAGE_SUITE ($SUITE), VNFLAB_IMAGE_MIRROR (address or sources.list; default: the host's),
  VNFLAB_BUILD_DIR (build), VNFLAB_LOCK_TIMEOUT (seconds to wait for another build, 1800)
EOF
}

is_built() { [ -f "$OUT_DIR/$1/manifest.json" ]; }

# In one step, so that nobody ever finds it missing; not touched when it is right.
point_current_to() {
    [ "$(readlink "$OUT_DIR/current" 2>/dev/null)" != "$1" ] || return 0
    [ -L "$OUT_DIR/current" ] || rm -rf "$OUT_DIR/current"
    ln -sfn "$1" "$OUT_DIR/.current.$$"
    mv -T "$OUT_DIR/.current.$$" "$OUT_DIR/current"
}

# build_image ARGUMENT...: the course of every build.sh, which has said TOOLS (as need_tools takes them), recipe_hash
# and build HASH, which fills $RESULT. Nothing is done when the recipe's image is there.
build_image() {
    local hash force=no print=no started=$SECONDS
    while [ $# -gt 0 ]; do
        case $1 in
        --force) force=yes ;;
        --print) print=yes ;;
        -h | --help) build_usage && exit 0 ;;
        *) build_usage >&2 && exit 2 ;;
        esac
        shift
    done
    hash=$(recipe_hash)
    if is_built "$hash" && [ $force = no ]; then
        point_current_to "$hash"
        [ $print = no ] || echo "$OUT_DIR/$hash"
        return 0
    fi
    [ $print = no ] || die "the image of this recipe ($hash) is not built" "run $ME"
    [ "$(uname -m)" = x86_64 ] || die "images can be built on x86_64 only, this is $(uname -m)"
    need_tools "${TOOLS[@]}" flock:util-linux
    lock build
    if is_built "$hash" && [ $force = no ]; then # another build made it meanwhile
        point_current_to "$hash"
        return 0
    fi
    make_work_dir build
    RESULT=$WORK/result
    mkdir -p "$RESULT"
    build "$hash"
    rm -rf "${OUT_DIR:?}/$hash"
    mv "$RESULT" "$OUT_DIR/$hash"
    point_current_to "$hash"
    say "built $OUT_DIR/$hash ($(du -sm "$OUT_DIR/$hash" | cut -f 1) MB) in $((SECONDS - started)) s"
}
