#!/usr/bin/env bash
# The one script that builds, tests and runs Flambeau on Linux and macOS; build.ps1 is its Windows twin.
set -eo pipefail  # not -u: the bash of macOS takes an empty array for an unset one
root="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
cores="$(getconf _NPROCESSORS_ONLN)"
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 DOTNET_CLI_UI_LANGUAGE=en
if command -v ninja >/dev/null; then export CMAKE_GENERATOR="${CMAKE_GENERATOR:-Ninja}"; fi

usage() {
  cat <<'EOF'
usage: ./build.sh VERB [arguments]
  build [--cuda] [--emulated] [dotnet build arguments]
                                   the native library and every managed project, in Release; --cuda adds flambeau_cuda (needs
                                   nvcc), --emulated adds flambeau_emulated, which runs the CUDA kernels on the CPU
  run   [program arguments]        builds and runs examples/FashionMnist
  test                             native tests, native tests under sanitizers, managed tests, and the CUDA device's tests under
                                   emulation
  bench [options]                  times every workload of tests/benchmarks in Flambeau and in TorchSharp (downloads libtorch, 130 MB);
                                   --filter TEXT, --quick, --json FILE and more: see docs/performance.md
  format [--check]                 clang-format and dotnet format; --check only verifies
  clean                            removes what was built
EOF
}

# ---- prerequisites --------------------------------------------------------------------------------------------------

have() { command -v "$1" >/dev/null 2>&1; }
have_header() { for dir in /usr/include /usr/local/include /opt/homebrew/include; do [ -e "$dir/$1" ] && return; done; return 1; }
have_font() { [ "$(uname)" = Darwin ] || [ -n "$(find /usr/share/fonts /usr/local/share/fonts ~/.fonts -name '*.[to]tf' -print -quit 2>/dev/null)" ]; }
have_clang() { have clang++-19 || have clang++-20 || have clang++-21; }
# grep without -q: it would close the pipe early, and pipefail would call that a failure.
have_sdk() { have dotnet && dotnet --list-sdks | grep '^10\.' >/dev/null; }

# Sets `required` and `optional` to the Debian packages that are missing.
find_missing() {
  required=() optional=()
  have_sdk || required+=(dotnet-sdk-10.0)
  have git || required+=(git)
  have cmake || required+=(cmake)
  have "${CXX:-c++}" || have g++ || have clang++ || required+=(g++)
  if ! have ninja; then
    if have make; then optional+=(ninja-build); else required+=(ninja-build); fi
  fi
  have_header dnnl.hpp || optional+=(libdnnl-dev)
  [ -e /usr/share/datasets/fashion-mnist ] || optional+=(dataset-fashion-mnist)
  have_font || optional+=(fonts-dejavu-core)
  have_clang || optional+=(clang-19)
}

# What a missing optional package costs, for the note.
loss() {
  case "$1" in
    ninja-build) echo "make builds instead, more slowly" ;;
    libdnnl-dev) echo "own, slower matrix products and convolutions are built in" ;;
    dataset-fashion-mnist) echo "the Fashion-MNIST example asks for its data folder" ;;
    clang-19) echo "CUDA kernels are not lowered to PTX by the tests" ;;
    fonts-dejavu-core) echo "plots have no text" ;;
  esac
}

candidate() { LC_ALL=C apt-cache policy "$1" 2>/dev/null | grep 'Candidate: [^(]' >/dev/null; }

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}
can_be_root() { [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null; }

apt_install() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@" </dev/null
}

# Installs what it can of $@; a package without a candidate is left out.
install_packages() {
  local package known=()
  if [ -z "$(find /var/lib/apt/lists -name '*_Packages*' -mtime -7 -print -quit 2>/dev/null)" ]; then
    as_root apt-get update -q || true
  fi
  for package in "$@"; do if candidate "$package"; then known+=("$package"); fi; done
  [ ${#known[@]} = 0 ] && return
  echo "installing ${known[*]}"
  apt_install "${known[@]}" && return
  as_root apt-get update -q && apt_install "${known[@]}" || true
}

need_tools() {
  find_missing
  [ ${#required[@]} = 0 ] && [ ${#optional[@]} = 0 ] && return
  if have apt-get && can_be_root; then
    install_packages "${required[@]}" "${optional[@]}"
    hash -r
    find_missing
  fi
  local package
  for package in "${optional[@]}"; do echo "note: $package is missing: $(loss "$package")"; done
  [ ${#required[@]} = 0 ] && return
  echo "missing: ${required[*]}" >&2
  if have apt-get; then
    echo "type:    sudo apt-get install ${required[*]} ${optional[*]}" >&2
  fi
  exit 1
}

# ---- building and testing -------------------------------------------------------------------------------------------

# native PRESET: configures and builds one preset, quietly unless it fails.
native() {
  local log="$root/build/$1.log"
  mkdir -p "$root/build"
  echo "native: $1"
  (cd "$root" && cmake --preset "$1" && cmake --build "build/$1" --parallel "$cores") >"$log" 2>&1 || {
    cat "$log" >&2
    echo "the native build ($1) failed" >&2
    return 1
  }
  touch "$root/build/$1/configured.stamp"
}

managed() { (cd "$root" && dotnet build Solution.sln -c Release --nologo -v quiet "$@"); }

passed=0 failed=0 skipped=0 not_run=()

# count NAME STATUS PASSED FAILED SKIPPED: adds one run up; a run that died without a failed test counts as one.
count() {
  local broken="$4"
  if [ "$2" != 0 ] && [ "${4:-0}" = 0 ]; then broken=1; fi
  if [ -z "$3" ]; then broken=1; fi
  passed=$((passed + ${3:-0})) failed=$((failed + ${broken:-0})) skipped=$((skipped + ${5:-0}))
  if [ "$2" != 0 ] || [ -z "$3" ]; then echo "$1: FAILED (exit code $2)"; fi
}

# run_counted NAME COMMAND...: a program whose output ends with "N passed, N failed".
run_counted() {
  local name="$1" log="$root/build/${1// /-}.log" status=0 line
  shift
  "$@" 2>&1 | tee "$log" || status=$?
  line="$(grep -E '^[0-9]+ passed, [0-9]+ failed$' "$log" | tail -n 1 || true)"
  # shellcheck disable=SC2086
  set -- $line
  count "$name" "$status" "${1:-}" "${3:-}" 0
}

test_native() {
  if ! native "$1"; then count "native tests ($1)" 1 "" "" ""; return; fi
  run_counted "native tests ($1)" "$root/build/$1/tests/native/flambeau_native_tests"
}

# run_managed NAME FILTER: the managed tests of a category, or all others.
run_managed() {
  local results="$root/build/$1.trx" status=0 total executed
  rm -f "$results"
  (cd "$root" && dotnet test tests/Flambeau.Tests --no-build -c Release --nologo --filter "$2" \
    --logger "console;verbosity=minimal" --logger "trx;LogFileName=$results") || status=$?
  counter() { sed -n "s/.*<Counters.* $1=\"\([0-9]*\)\".*/\1/p" "$results" 2>/dev/null | tail -n 1; }
  total="$(counter total)" executed="$(counter executed)"
  count "$1" "$status" "$(counter passed)" "$(counter failed)" $((${total:-0} - ${executed:-0}))
}

# The CUDA kernels, executed on the CPU with every memory access checked, in the order of blocks and threads that the seed gives.
test_emulated() {
  local tests="$root/build/release/tests/native" seed="${FLAM_EMU_SEED:-$(date +%j)}" launches="$root/build/launches"
  rm -rf "$launches" && mkdir -p "$launches"
  echo "emulated CUDA device, seed $seed"
  run_counted "planted bugs" "$tests/flambeau_emulation_bugs"
  FLAM_EMU_LAUNCHES="$launches/forward" run_counted "native CUDA tests" "$tests/flambeau_emulated_tests"
  FLAM_EMU_ORDER=random FLAM_EMU_SEED="$seed" FLAM_EMU_LAZY=1 run_counted "native CUDA tests in random order" "$tests/flambeau_emulated_tests"
  # Stand-ins for the vendors' libraries check every call and every descriptor that cuBLASLt and cuDNN are given.
  FLAMBEAU_CUBLASLT=on FLAMBEAU_CUDA_LIBRARIES="$root/build/release/vendor" FLAM_EMU_LAUNCHES="$launches/cublaslt" \
    run_counted "native CUDA tests on cuBLASLt's stand-in" "$tests/flambeau_emulated_tests" cuda_matmul
  FLAMBEAU_CUDNN=on FLAMBEAU_CUDA_LIBRARIES="$root/build/release/vendor" FLAM_EMU_LAUNCHES="$launches/cudnn" \
    run_counted "native CUDA tests on cuDNN's stand-in" "$tests/flambeau_emulated_tests" cuda_conv
  FLAM_EMU_CAPABILITY=80 FLAM_EMU_LAUNCHES="$launches/sm80" \
    run_counted "native CUDA tests without Hopper's kernels" "$tests/flambeau_emulated_tests" cuda_attention
  run_counted "GPU benchmark in small" bash -c "'$root/build/release/tests/gpu/bench/flambeau_emulated_bench' --smoke && echo '1 passed, 0 failed'"
  FLAMBEAU_BACKEND=emulated FLAMBEAU_NATIVE_PATH="$root/build/release" FLAM_EMU_LAUNCHES="$launches/managed" \
    run_managed "managed CUDA tests" "TestCategory=Device"
  local fashion=/usr/share/datasets/fashion-mnist
  if [ -e "$fashion" ]; then
    run_counted "example on the emulated device" "$root/tests/emulation/example.sh" "$root/build/release" "$fashion" "$root/build/example"
  else
    not_run+=("examples/FashionMnist on the emulated device (no $fashion)")
  fi
  run_counted "kernel coverage" bash -c "bash '$root/tests/emulation/coverage.sh' '$launches'/*"
}

# Every .cu file lowered to PTX by clang, without a CUDA Toolkit.
test_ptx() {
  if ! have_clang; then not_run+=("PTX of the CUDA kernels (no clang 19 or later)"); return; fi
  run_counted "PTX" bash -c "cmake --build '$root/build/release' --target cuda-check --parallel $cores && echo '1 passed, 0 failed'"
}

# ---- verbs ----------------------------------------------------------------------------------------------------------

verb_build() {
  need_tools
  local rest=() argument
  for argument in "$@"; do
    case "$argument" in
      --cuda) rest+=(-p:FlambeauCuda=true) ;;
      --emulated) rest+=(-p:FlambeauEmulated=true) ;;
      *) rest+=("$argument") ;;
    esac
  done
  managed "${rest[@]}"
}

verb_run() {
  need_tools
  dotnet build "$root/examples/FashionMnist" -c Release --nologo -v quiet
  exec dotnet run --project "$root/examples/FashionMnist" -c Release --no-build -- "$@"
}

verb_bench() {
  need_tools
  dotnet build "$root/tests/benchmarks" -c Release --nologo -v quiet -p:WithLibtorch=true
  exec dotnet "$root/tests/benchmarks/bin/Release/net10.0/benchmarks.dll" --json "$root/build/benchmarks.json" \
    --markdown "$root/build/benchmarks.md" --plot "$root/build/benchmarks.png" "$@"
}

verb_test() {
  need_tools
  test_native release
  UBSAN_OPTIONS=print_stacktrace=1 test_native asan
  if managed; then
    run_managed "managed tests" "TestCategory!=Device"
    test_emulated
  else
    count "managed build" 1 "" "" ""
  fi
  test_ptx
  not_run+=("tests/gpu/run.sh (it wants a machine with a GPU and nvcc; see docs/gpu.md)")
  local check
  for check in "${not_run[@]}"; do echo "not run here: $check"; done
  local closing="$passed passed, $failed failed"
  if [ "$skipped" != 0 ]; then closing="$closing, $skipped skipped"; fi
  echo "$closing"
  [ "$failed" = 0 ]
}

verb_format() {
  local clang=(-i) managed=()
  if [ "${1:-}" = --check ]; then clang=(--dry-run --Werror) managed=(--verify-no-changes); fi
  need_tools
  have clang-format || { echo "missing: clang-format (Debian and Ubuntu: sudo apt-get install clang-format)" >&2; exit 1; }
  cd "$root"
  git ls-files -z --cached --others --exclude-standard '*.h' '*.cpp' '*.cu' '*.cuh' | xargs -0 clang-format "${clang[@]}"
  dotnet format Solution.sln "${managed[@]}"
}

verb_clean() {
  cd "$root"
  rm -rf build
  find managed tests examples -type d \( -name bin -o -name obj \) -prune -exec rm -rf {} +
}

verb="${1:-help}"
[ $# = 0 ] || shift
case "$verb" in
  build | run | test | bench | format | clean) "verb_$verb" "$@" ;;
  help | -h | --help) usage ;;
  *) usage >&2; exit 2 ;;
esac
