#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# soak.sh SECONDS: the soak program in every design at once, each for so long; build/c must be there.
set -u
cd "$(dirname "$0")/../../.." || exit 1
out=build/test/soak
mkdir -p "$out"
for place in 'direct 4 4' 'shared 4 1' 'shared 3 2' '1kb 3 1' '2kb 2 1' 'auto 4 1'; do
    file="$out/$(echo "$place" | tr ' ' '-').txt"
    # shellcheck disable=SC2086 # a design and two numbers
    { build/c/stack/testing/soak "$1" $place >"$file" 2>&1 || echo "FAILED with $?" >>"$file"; } &
done
wait
cat "$out"/*.txt
! grep -q FAILED "$out"/*.txt
