#!/bin/sh
# Checks this bundle, measures its experiment again and compares: reproduce.sh [OPTIONS OF `vnflab experiment run`]
#
# --quick is the most useful of them. vnflab is what VNFLAB names, or the one in the PATH, or that of a clone beside this
# script (`git clone REPOSITORY vnflab`). The new run goes to the folder again/ beside this script, or to what OUT names.
# Exit code: 0 no difference that is worse, 1 there is one, 2 and more: it could not be done.
set -eu

fail() {
	echo "reproduce.sh: $1" >&2
	exit 2
}

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
out=${OUT:-$here/again}
revision=$(cat "$here/revision")

(cd "$here" && sha256sum --check --quiet SHA256SUMS) || fail "the bundle is damaged"

if [ -n "${VNFLAB:-}" ]; then
	vnflab=$VNFLAB
elif command -v vnflab >/dev/null 2>&1; then
	vnflab=vnflab
elif [ -x "$here/vnflab/lab/bin/vnflab.js" ]; then
	vnflab=$here/vnflab/lab/bin/vnflab.js
	git -C "$here/vnflab" diff --quiet "$revision" -- || echo "note: $here/vnflab is not at revision $revision" >&2
else
	fail "no vnflab: clone its repository, check out revision $revision, run \`make setup build\`, and set VNFLAB to the
clone's lab/bin/vnflab.js"
fi
[ ! -e "$out" ] || fail "$out is there already: remove it, or set OUT to another folder"

# What was given on the command line comes last, and so counts.
set -- "$@" --out "$out"
given=$#
while IFS= read -r word; do
	set -- "$@" "$word"
done <"$here/arguments"
while [ "$given" -gt 0 ]; do
	first=$1
	shift
	set -- "$@" "$first"
	given=$((given - 1))
done

status=0
"$vnflab" experiment run "$here/experiment.yaml" "$@" || status=$?
# 1: a trial failed; the comparison tells which cells are lost.
[ "$status" -le 1 ] || exit "$status"
exec "$vnflab" results compare "$here/run" "$out"
