#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# Does libmtcp_kernel have every function that libmtcp offers, and nothing else? An application links with
# either. Usage: symbols_test.sh LIBMTCP LIBMTCP_KERNEL
set -eu
public() { nm -D --defined-only "$1" | sed -n 's/^[0-9a-f]* T \([A-Za-z0-9_]*\)@@.*/\1/p' | sort; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
public "$1" >"$dir/libmtcp"
public "$2" >"$dir/libmtcp_kernel"
grep -q '^mtcp_init$' "$dir/libmtcp"
if ! diff -u "$dir/libmtcp" "$dir/libmtcp_kernel"; then
    echo "the two libraries do not offer the same functions (-: only in libmtcp, +: only in libmtcp_kernel)" >&2
    exit 1
fi
