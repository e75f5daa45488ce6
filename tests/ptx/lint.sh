#!/usr/bin/env bash
# What clang cannot check: it hands inline PTX on as text. Each instruction in it must be a spelling of allowed.txt, and only
# kernels/cuda/ptx.cuh and ptx_sm90.cuh may hold any.   lint.sh FILE.ptx...
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
failed=0

# The opcodes of inline PTX: without predicates, braces, labels, declarations and operands.
opcodes() {
  awk '/\/\/ begin inline asm/ { inside = 1; next } /\/\/ end inline asm/ { inside = 0 } inside' "$1" | tr ';' '\n' |
    sed -E 's://.*::; s/[{}]//g; s/^[[:space:]]*//; s/^@!?%?[A-Za-z0-9_]+[[:space:]]+//; s/^[A-Za-z0-9_$%]+:[[:space:]]*//; s/[[:space:]].*//' |
    grep -v -e '^$' -e '^\.' | sort -u || true
}

for file in "$@"; do
  unknown="$(opcodes "$file" | grep -v -x -F -f <(grep -v '^#' "$here/allowed.txt") || true)"
  [ -z "$unknown" ] || { echo "$file: inline PTX that tests/ptx/allowed.txt does not list:" $unknown; failed=1; }
done

elsewhere="$(grep -rlwE 'asm' "$here/../../kernels" --include='*.cu' --include='*.cuh' --include='*.h' | grep -v -E 'kernels/cuda/ptx(_sm90)?.cuh$' || true)"
[ -z "$elsewhere" ] || { echo "inline PTX outside kernels/cuda/ptx.cuh and ptx_sm90.cuh:" $elsewhere; failed=1; }
exit $failed
