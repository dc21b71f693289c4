#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Builds the fuzzers and runs each for SECONDS, two at a time. Fails on any finding; prints for each the number
# of executions, executions per second and covered edges. Inputs that reach new code stay in the corpus, so the
# next run goes on from there; a finding is kept beside the log.
set -euo pipefail

usage="usage: stack/fuzz/run.sh SECONDS [NAME...]    (FUZZ_DIR = build directory, FUZZ_JOBS = at a time)"
seconds=${1:?$usage}
[[ $seconds =~ ^[0-9]+$ ]] || { echo "$usage" >&2; exit 2; }
shift
cd "$(dirname "$0")/../.."
dir=${FUZZ_DIR:-build/fuzz}
jobs=${FUZZ_JOBS:-2}

mkdir -p "$dir"
if [[ ! -f $dir/build.ninja ]]; then
  CC=clang meson setup "$dir" -Dfuzz=true -Dtests=disabled -Dswitch=disabled -Db_lundef=false \
    -Dbuildtype=debugoptimized
fi
ninja -C "$dir" fuzz
"$dir/stack/fuzz/fuzz_seeds" "$dir/corpus"

names=("$@")
if [[ ${#names[@]} -eq 0 ]]; then
  for src in stack/fuzz/fuzz_*.c; do
    name=$(basename "$src" .c)
    [[ $name == fuzz_seeds ]] || names+=("${name#fuzz_}")
  done
fi
for name in "${names[@]}"; do
  [[ -x $dir/stack/fuzz/fuzz_$name ]] || { echo "no fuzzer '$name'" >&2; exit 2; }
done

run_one() { # NAME: leaves NAME.log and NAME.rc
  local name=$1 rc=0
  mkdir -p "$dir/corpus/$name" "$dir/findings"
  "$dir/stack/fuzz/fuzz_$name" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
    -artifact_prefix="$dir/findings/$name-" "$dir/corpus/$name" > "$dir/$name.log" 2>&1 || rc=$?
  echo "$rc" > "$dir/$name.rc"
}

trap 'trap - INT TERM; jobs -pr | xargs -r kill 2> /dev/null; exit 130' INT TERM
for name in "${names[@]}"; do
  while (($(jobs -pr | wc -l) >= jobs)); do wait -n; done
  run_one "$name" &
done
wait

passed=0 failed=0
printf '%-12s %12s %10s %7s  %s\n' fuzzer executions per-second edges result
for name in "${names[@]}"; do
  log=$dir/$name.log
  execs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
  edges=$(grep -o 'cov: [0-9]*' "$log" | tail -1 | cut -d' ' -f2 || true)
  if [[ $(< "$dir/$name.rc") == 0 ]]; then
    result=ok passed=$((passed + 1))
  else
    result="FINDING, see $log" failed=$((failed + 1))
  fi
  printf '%-12s %12s %10s %7s  %s\n' "$name" "${execs:-?}" "$((${execs:-0} / (seconds > 0 ? seconds : 1)))" \
    "${edges:-?}" "$result"
done
for name in "${names[@]}"; do
  [[ $(< "$dir/$name.rc") == 0 ]] || { echo; echo "== $name"; tail -n 40 "$dir/$name.log"; } >&2
done
echo "$passed passed, $failed failed, 0 skipped"
((failed == 0))
