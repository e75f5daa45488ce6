#!/usr/bin/env bash
# Everything that needs a GPU, on a machine with an NVIDIA GPU and nvcc but with neither a .NET SDK nor a network.
#   tests/gpu/run.sh [--programs DIR] [--out DIR] [STAGE...]      stages: build native managed example bench steps sanitize (all by default)
# FLAMBEAU_TESTS_ONLY, FLAMBEAU_SANITIZERS, FLAMBEAU_SANITIZE_SECONDS, FLAMBEAU_WORKERS make less of it; docs/gpu.md says how.
# DIR holds what tests/gpu/publish.sh made elsewhere: self-contained test, example and benchmark programs. Prints one table at the end.
set -uo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
programs="$root/build/gpu-programs" out="$root/build/gpu-results" stages=()
while [ $# -gt 0 ]; do
  case "$1" in
    --programs) programs="$2"; shift 2 ;;
    --out) out="$2"; shift 2 ;;
    *) stages+=("$1"); shift ;;
  esac
done
[ ${#stages[@]} -gt 0 ] || stages=(build native managed example bench steps sanitize)
mkdir -p "$out"
build="$root/build/cuda"
export FLAMBEAU_BACKEND=cuda FLAMBEAU_NATIVE_PATH="$build" DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1
export PATH="$PATH:/usr/local/cuda/bin"
rows=() workers="${FLAMBEAU_WORKERS:-$(( ($(nproc) + 1) / 2 ))}"
tests="$build/tests/native/flambeau_cuda_tests"

# stage NAME SECONDS COMMAND...: runs it with a time limit and its output in a file; remembers result, time and closing line.
stage() {
  local name="$1" limit="$2" log="$out/$1.log" start=$SECONDS status=0 closing
  shift 2
  timeout "$limit" "$@" >"$log" 2>&1 || status=$?
  closing="$(grep -E 'passed|failed:|geometric mean|test accuracy|error:' "$log" | tail -n 1 | cut -c1-110)"
  rows+=("$(printf '%-22s %-7s %5d s  %s' "$name" "$([ $status = 0 ] && echo passed || echo "FAILED($status)")" $((SECONDS - start)) "$closing")")
  [ $status = 0 ] || { echo "==== $name failed, the end of its output:"; tail -n 40 "$log"; }
}

missing() { rows+=("$(printf '%-22s not run: %s' "$1" "$2")"); }

build() {
  local generator=()
  command -v ninja >/dev/null && generator=(-G Ninja)
  cmake -S "$root" -B "$build" "${generator[@]}" -DFLAMBEAU_CUDA=ON -DFLAMBEAU_TESTS=ON -DFLAMBEAU_MULTI_ISA=OFF \
    -DCMAKE_CUDA_ARCHITECTURES="${FLAMBEAU_CUDA_ARCHITECTURES:-native}" && cmake --build "$build" --parallel
}

# one_by_one EACH ALL COMMAND...: `COMMAND tests --exactly NAME` for each native test, a process each, several at a time; EACH seconds for
# one, ALL for the whole.
one_by_one() {
  local limit="$1" all="$2" logs
  shift 2
  logs="$(mktemp -d)"
  export limit logs
  "$tests" --list | grep -E "${FLAMBEAU_TESTS_ONLY:-.}" >"$logs/.names"
  timeout "$all" xargs -a "$logs/.names" -P "$workers" -I{} bash -c '
    timeout "$limit" "$@" "$tests" --exactly {} >"$logs/{}" 2>&1; echo "$? {}" >>"$logs/.status"' one "$@"
  local status name passed=0 failed=0 idle=0 unfinished=()
  while read -r status name; do
    if [ "$status" = 255 ] && grep -q 'before first instrumented API call' "$logs/$name"; then idle=$((idle + 1)); continue; fi
    case "$status" in
      0) passed=$((passed + 1)) ;;
      124) unfinished+=("$name") ;;
      *) failed=$((failed + 1)); echo "---- $name: exit status $status"; grep -v 'Host Frame' "$logs/$name" | head -n 20 | cut -c1-240 ;;
    esac
  done <"$logs/.status"
  [ ${#unfinished[@]} = 0 ] || echo "not finished in $limit s: ${unfinished[*]}"
  [ $idle = 0 ] || echo "$idle asked nothing of the device"
  echo "$passed passed, $failed failed, $(($(wc -l <"$logs/.names") - passed - failed - idle)) not finished"
  [ $failed = 0 ]
}

# beside NAME PROGRAM...: our rows NAME.json and PyTorch's, NAME-torch.json, in one table. What PyTorch took is kept if it is there already.
beside() {
  local name="$1" script="$2"
  shift 2
  "$@" >"$out/$name.json" || return
  if [ -s "$out/$name-torch.json" ]; then
    echo "PyTorch's times are those of $out/$name-torch.json"
  elif python3 -c 'import torch; assert torch.cuda.is_available()' 2>/dev/null; then
    python3 "$root/tests/gpu/bench/$script" >"$out/$name-torch.json" || return
  else
    echo "no PyTorch on this machine: no column beside ours"
    : >"$out/$name-torch.json"
  fi
  python3 "$root/tests/gpu/bench/table.py" "$out/$name.json" "$out/$name-torch.json" | tee "$out/$name.md"
}

nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader || true
nvcc --version | tail -n 2 || true
export -f build beside one_by_one
export root build programs out tests workers
for s in "${stages[@]}"; do
  case "$s" in
    build) stage build 400 bash -c build ;;
    native) stage native 320 bash -c 'one_by_one 60 300' ;;
    managed)
      if [ -x "$programs/Flambeau.Tests" ]; then stage managed 300 "$programs/Flambeau.Tests" --filter TestCategory=Device
      else missing managed "no $programs/Flambeau.Tests"; fi ;;
    example)
      if [ -x "$programs/FashionMnist" ]; then
        stage example 120 "$programs/FashionMnist" --device cuda --epochs 3 --out "$out/example" --data "${FLAMBEAU_FASHION_MNIST:-/usr/share/datasets/fashion-mnist}"
      else missing example "no $programs/FashionMnist"; fi ;;
    bench) stage bench 300 bash -c "beside kernels kernels.py '$build/tests/gpu/bench/flambeau_cuda_bench'" ;;
    steps)
      if [ -x "$programs/Steps" ]; then stage steps 200 bash -c "beside steps steps.py '$programs/Steps'"
      else missing steps "no $programs/Steps"; fi ;;
    sanitize)
      for tool in ${FLAMBEAU_SANITIZERS:-memcheck racecheck synccheck initcheck}; do
        # Without the cache each block is one of the driver's own, so that memcheck sees the space between them. Failed calls are what some
        # tests provoke. The vendors' libraries stay out: it is our kernels that are looked at.
        FLAMBEAU_NO_CACHING=1 FLAMBEAU_CUBLASLT=off FLAMBEAU_CUDNN=off stage "sanitize-$tool" 1300 bash -c "one_by_one 120 ${FLAMBEAU_SANITIZE_SECONDS:-1200} compute-sanitizer --tool $tool --report-api-errors no --error-exitcode 9"
      done ;;
    *) echo "no stage '$s'" >&2; exit 2 ;;
  esac
done
echo
printf '%s\n' "${rows[@]}" | tee "$out/summary.txt"
! printf '%s\n' "${rows[@]}" | grep -q FAILED
