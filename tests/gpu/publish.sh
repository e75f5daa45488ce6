#!/usr/bin/env bash
# Makes the self-contained programs that tests/gpu/run.sh takes:  tests/gpu/publish.sh [DIR]  (default build/gpu-programs)
# All go into one folder, so that they share one copy of the .NET runtime; DIR.tar.xz is the same in one file, to carry along.
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
programs="${1:-$root/build/gpu-programs}"
rm -rf "$programs"
for project in tests/Flambeau.Tests tests/gpu/Steps examples/FashionMnist; do
  dotnet publish "$root/$project" -c Release -r linux-x64 --self-contained --nologo -v quiet -p:DebugType=none -o "$programs"
done
rm -f "$programs"/libflambeau*.so  # the GPU machine builds its own
rm -rf "$programs/Microsoft.CodeCoverage"
cp -r "$root/tests/golden" "$programs/golden"
tar -C "$(dirname "$programs")" -cJf "$programs.tar.xz" "$(basename "$programs")"
du -sh "$programs" "$programs.tar.xz"
