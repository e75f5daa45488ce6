#!/usr/bin/env bash
# The native tests on a processor with AVX-512 that Bochs emulates, for machines without one.
#   tests/avx512/run.sh [BUILD] [NAME...]     BUILD: a folder with a preset's output (build/no-onednn; build/release reaches what oneDNN does
#                                             with AVX-512 alone, such as products of half types); NAME: only these tests
# Needs Debian's bochs bochsbios vgabios isolinux syslinux-common xorriso cpio busybox-static, and a kernel image package, which is unpacked and
# not installed. Runs some 40 million instructions per second: a test of one second takes a minute and a half. double_functions_within_bounds
# fails there: Bochs takes logarithms in long double, the test's reference, with an error of up to 9 ULP of a double.
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
build="$(realpath "${1:-$root/build/no-onednn}")"
shift || true
tests="$build/tests/native/flambeau_native_tests"
[ -x "$tests" ] || { echo "no $tests: cmake --preset no-onednn -DFLAMBEAU_TESTS=ON && cmake --build --preset no-onednn" >&2; exit 2; }
work="$root/build/avx512"
mkdir -p "$work"/{kernel,iso/isolinux,root/{bin,proc,dev}}
cd "$work"

if [ ! -e iso/vmlinuz ]; then
  package="$(apt-cache depends linux-image-cloud-amd64 | sed -n 's/.*Depends: \(linux-image-[0-9].*\)/\1/p')"
  apt-get download -q "$package"
  dpkg-deb -x "$package"_*.deb kernel
  cp kernel/boot/vmlinuz-* iso/vmlinuz
fi
cp /usr/lib/ISOLINUX/isolinux.bin /usr/lib/syslinux/modules/bios/ldlinux.c32 iso/isolinux/
# Bochs reports sizes for compacted XSAVE that Linux refuses, and Linux would then hide AVX: clear XSAVEC and XSAVES.
cat >iso/isolinux/isolinux.cfg <<'END'
DEFAULT linux
PROMPT 0
LABEL linux
 KERNEL /vmlinuz
 APPEND initrd=/initrd.gz console=ttyS0 quiet mitigations=off nokaslr lpj=10000000 tsc=reliable clearcpuid=321,323
END

cp /bin/busybox root/bin/
cp "$tests" root/tests
ldd "$tests" | awk '/=> \// { print $3 } /^\t\// { print $1 }' | while read -r library; do
  mkdir -p "root$(dirname "$library")"
  cp -L "$library" "root$library"
done
mkdir -p "root$root/tests/golden"
cp -r "$root/tests/golden/random" "root$root/tests/golden/"
if [ $# -gt 0 ]; then printf '%s\n' "$@"; else grep -ho '^TEST(\w*)' "$root"/tests/native/*.cpp | sed 's/TEST(\(.*\))/\1/'; fi >root/names
cat >root/init <<'END'
#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t devtmpfs dev /dev
/bin/busybox grep -q avx512vl /proc/cpuinfo && echo "AVX-512 is there"
export OMP_NUM_THREADS=1
while read name; do
  /tests $name >/out 2>&1 && echo "passed $name" || { echo "FAILED $name"; /bin/busybox cat /out; }
done </names
echo finished
/bin/busybox sleep 2
/bin/busybox poweroff -f
END
chmod +x root/init
(cd root && find . | cpio -o -H newc --quiet | gzip -1) >iso/initrd.gz
xorriso -as mkisofs -quiet -o tests.iso -b isolinux/isolinux.bin -c isolinux/boot.cat -no-emul-boot -boot-load-size 4 -boot-info-table iso
cat >bochsrc <<END
megs: 1024
romimage: file=/usr/share/bochs/BIOS-bochs-latest
vgaromimage: file=/usr/share/bochs/VGABIOS-lgpl-latest
cpu: model=corei7_skylake_x, count=1, ips=50000000, ignore_bad_msrs=1
clock: sync=none
ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14
ata0-master: type=cdrom, path=tests.iso, status=inserted
boot: cdrom
com1: enabled=1, mode=file, dev=serial.txt
display_library: rfb, options="timeout=0"
sound: driver=dummy
speaker: enabled=0
log: bochs.log
END
rm -f serial.txt
yes c | bochs -q -f bochsrc >bochs.out 2>&1 || true # its debugger waits for `c`; power off ends it with an error
grep -E '^(AVX-512|passed|FAILED|finished)|CHECK|differ' serial.txt || true
echo "$(grep -c '^passed' serial.txt) passed, $(grep -c '^FAILED' serial.txt) failed, of $(wc -l <root/names)"
grep -q '^AVX-512' serial.txt && grep -q '^finished' serial.txt && ! grep -q '^FAILED' serial.txt
