#!/usr/bin/env bash
# The example's training, saving and reloading with --device cuda on the emulated device: 16 images to learn from, 60 to test.
#   example.sh FOLDER_WITH_THE_LIBRARY FOLDER_WITH_FASHION_MNIST WORKING_FOLDER
set -euo pipefail
root="$(cd "$(dirname "$0")/../.." && pwd)"
library="$1" data="$2" work="$3"

# first NAME COUNT HEADER EACH: the first images (or labels) of an IDX file, whose bytes 4 to 7 are their number.
first() {
  {
    zcat "$data/$1.gz" | head -c 4 || true
    # shellcheck disable=SC2059
    printf "$(printf '\\x00\\x00\\x%02x\\x%02x' $(($2 / 256)) $(($2 % 256)))"
    zcat "$data/$1.gz" | head -c $(($3 + $2 * $4)) | tail -c +9 || true  # zcat complains that nobody reads the rest
  } 2>/dev/null >"$work/$1"
}
rm -rf "$work" && mkdir -p "$work"
first train-images-idx3-ubyte 16 16 784 && first train-labels-idx1-ubyte 16 8 1
first t10k-images-idx3-ubyte 60 16 784 && first t10k-labels-idx1-ubyte 60 8 1

FLAMBEAU_BACKEND=emulated FLAMBEAU_NATIVE_PATH="$library" "$root/examples/FashionMnist/bin/Release/net10.0/FashionMnist" \
  --device cuda --epochs 1 --batch-size 8 --data "$work" --out "$work/out" | tee "$work/output.txt"
if grep -q 'the same numbers' "$work/output.txt"; then echo "1 passed, 0 failed"; else echo "0 passed, 1 failed"; exit 1; fi
