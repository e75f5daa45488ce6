# The one script that builds, tests and runs Flambeau on Windows; build.sh is its twin for Linux and macOS.
#   ./build.ps1 build|run|test|format|clean [arguments]
param(
    [Parameter(Position = 0)][ValidateSet('build', 'run', 'test', 'format', 'clean')][string]$Verb,
    [Parameter(ValueFromRemainingArguments)][string[]]$Rest = @()
)
$ErrorActionPreference = 'Stop'
$root = $PSScriptRoot
$env:DOTNET_CLI_TELEMETRY_OPTOUT = '1'
$env:DOTNET_NOLOGO = '1'
$env:DOTNET_CLI_UI_LANGUAGE = 'en'
$isWindowsHost = $env:OS -eq 'Windows_NT'
$program = if ($isWindowsHost) { 'flambeau_native_tests.exe' } else { 'flambeau_native_tests' }

function Test-Tool([string]$name) { [bool](Get-Command $name -CommandType Application -ErrorAction SilentlyContinue) }

# The sources are written for GCC and Clang: on Windows that is LLVM's clang++, with Ninja.
function Assert-Tools {
    $missing = @()
    if (-not (Test-Tool dotnet) -or -not (dotnet --list-sdks | Select-String '^10\.')) { $missing += 'the .NET 10 SDK' }
    if (-not (Test-Tool git)) { $missing += 'git' }
    if (-not (Test-Tool cmake)) { $missing += 'cmake' }
    if ($isWindowsHost -and -not (Test-Tool ninja)) { $missing += 'ninja' }
    if ($isWindowsHost -and -not (Test-Tool clang++)) { $missing += 'clang++ (LLVM)' }
    if ($missing) { Write-Host "missing: $($missing -join ', ')"; exit 1 }
    if (Test-Tool ninja) { $env:CMAKE_GENERATOR = 'Ninja' }
    if ($isWindowsHost -and -not $env:CXX) { $env:CXX = 'clang++' }
}

function Invoke-Checked([string]$name, [string[]]$arguments) {
    & $name @arguments | Out-Host
    if ($LASTEXITCODE -ne 0) { exit $LASTEXITCODE }
}

function Invoke-Build([string[]]$more = @()) {
    Invoke-Checked dotnet (@('build', "$root/Solution.sln", '-c', 'Release', '--nologo', '-v', 'quiet') + $more)
}

$script:passed = 0
$script:failed = 0
$script:skipped = 0

# Adds one run up; a run that died without a failed test, or without a count, counts as one failure.
function Add-Count([string]$name, [int]$status, $passed, $failed, $skipped) {
    if ($null -eq $passed -or ($status -ne 0 -and $failed -eq 0)) { $failed = 1; Write-Host "${name}: FAILED (exit code $status)" }
    $script:passed += [int]$passed
    $script:failed += [int]$failed
    $script:skipped += [int]$skipped
}

function Test-Native([string]$preset) {
    Invoke-Checked cmake @('--preset', $preset)
    Invoke-Checked cmake @('--build', "$root/build/$preset", '--parallel', [Environment]::ProcessorCount)
    # Windows looks for the library next to the program or on the path.
    if ($isWindowsHost) { $env:PATH = "$root/build/$preset;$env:PATH" }
    $output = & "$root/build/$preset/tests/native/$program" | ForEach-Object { Write-Host $_; $_ }
    $status = $LASTEXITCODE
    $line = $output | Select-String '^(\d+) passed, (\d+) failed$' | Select-Object -Last 1
    if ($line) { $numbers = $line.Matches[0].Groups } else { $numbers = $null, $null, $null }
    Add-Count "native tests ($preset)" $status $numbers[1].Value $numbers[2].Value 0
}

function Test-Managed {
    Invoke-Build
    $results = "$root/build/managed-tests.trx"
    Remove-Item $results -ErrorAction SilentlyContinue
    dotnet test "$root/tests/Flambeau.Tests" --no-build -c Release --nologo --logger 'console;verbosity=minimal' --logger "trx;LogFileName=$results" | Out-Host
    $status = $LASTEXITCODE
    $counters = if (Test-Path $results) { ([xml](Get-Content $results -Raw)).TestRun.ResultSummary.Counters } else { $null }
    Add-Count 'managed tests' $status $counters.passed $counters.failed ([int]$counters.total - [int]$counters.executed)
}

function Invoke-Tests {
    Test-Native release
    if ($isWindowsHost) { Write-Host 'not run here: native tests under sanitizers (Linux only)' } else { Test-Native asan }
    Test-Managed
    Write-Host 'not run here: 1 GPU check (no CUDA device)'
    $closing = "$script:passed passed, $script:failed failed"
    if ($script:skipped) { $closing += ", $script:skipped skipped" }
    Write-Host $closing
    if ($script:failed) { exit 1 }
}

function Invoke-Format([string[]]$arguments) {
    $check = $arguments -contains '--check'
    $files = git ls-files --cached --others --exclude-standard '*.h' '*.cpp' '*.cu' '*.cuh'
    Invoke-Checked clang-format (@(if ($check) { '--dry-run', '--Werror' } else { '-i' }) + $files)
    Invoke-Checked dotnet (@('format', 'Solution.sln') + @(if ($check) { '--verify-no-changes' }))
}

function Clear-Build {
    if (Test-Path "$root/build") { Remove-Item "$root/build" -Recurse -Force }
    Get-ChildItem "$root/managed", "$root/tests", "$root/examples" -Recurse -Directory |
        Where-Object { $_.Name -in 'bin', 'obj' } | Remove-Item -Recurse -Force -ErrorAction SilentlyContinue
}

if (-not $Verb) { Write-Host 'usage: ./build.ps1 build|run|test|format|clean [arguments]'; exit 2 }
Push-Location $root
try {
    if ($Verb -ne 'clean') { Assert-Tools }
    switch ($Verb) {
        'build' { Invoke-Build $Rest }
        'run' { Invoke-Checked dotnet (@('run', '--project', 'examples/FashionMnist', '-c', 'Release', '--') + $Rest) }
        'test' { Invoke-Tests }
        'format' { Invoke-Format $Rest }
        'clean' { Clear-Build }
    }
}
finally { Pop-Location }
