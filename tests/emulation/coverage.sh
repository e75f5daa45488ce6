#!/usr/bin/env bash
# Fails if a kernel of kernels/**/*.cu and *.cuh was never executed.
#   FLAM_EMU_LAUNCHES=launches.txt flambeau_emulated_tests; tests/emulation/coverage.sh launches.txt...
# The rule for kernel authors: a kernel's name is a literal in the source, the first of several arguments of a call. That is cuda::launch, or
# a template of yours that hands the name on to it:  cuda::launch("transpose", &kernel, ...)   random_fill<T>("integers", y, ...)
set -euo pipefail
[ $# -gt 0 ] || { sed -n '2,5s/^# \?//p' "$0"; exit 2; }
root="$(cd "$(dirname "$0")/../.." && pwd)"

# flam_op_id("scan", ...) asks for an operator's number: no kernel.
named() {
  find "$root/kernels" \( -name '*.cu' -o -name '*.cuh' \) -exec sed 's://.*::' {} + | tr '\n' ' ' |
    grep -oP '(?<=[A-Za-z0-9_>])(?<!flam_op_id)\(\s*"\K[a-z][a-z0-9_]*(?="\s*,)' | sort -u
}
executed() { cat "$@" | sort -u; }

missed="$(comm -23 <(named) <(executed "$@"))"
unknown="$(comm -13 <(named) <(executed "$@"))"
count() { grep -c . <<<"$1" || true; }
# shellcheck disable=SC2086
echo "$(named | wc -l) kernels, $(count "$missed") not executed:" $missed
# shellcheck disable=SC2086
[ -z "$unknown" ] || echo "executed, but no literal in kernels/ names them:" $unknown
if [ -n "$missed$unknown" ]; then echo "0 passed, 1 failed"; exit 1; fi
echo "1 passed, 0 failed"
