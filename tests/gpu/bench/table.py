"""Puts the benchmark's JSON lines side by side:  table.py OURS [PYTORCH]
Per row: microseconds, GB/s as a share of the device's copy or TFLOP/s, and how PyTorch's time compares. Ratios above 1: slower than PyTorch.
"""
import json
import math
import sys


def read(path):
    rows = {}
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            if line.startswith("{"):
                entry = json.loads(line)
                rows[entry.get("name", "")] = entry
    return rows


def main():
    ours = read(sys.argv[1])
    theirs = read(sys.argv[2]) if len(sys.argv) > 2 else {}
    copy = ours.get("device copy float32")
    ceiling = copy["bytes"] / copy["us"] / 1e3 if copy else 0
    if theirs.get(""):
        print(f"PyTorch {theirs['']['torch']} on {theirs['']['machine']}")
    print(f"device copy {ceiling:.0f} GB/s, counting bytes read and written\n")
    print("| kernel | us | rate | of the ceiling | PyTorch us | ratio |")
    print("|---|---|---|---|---|---|")
    ratios = []
    for name, r in ours.items():
        rate = share = other = ratio = ""
        if r.get("bytes"):
            speed = r["bytes"] / r["us"] / 1e3
            rate = f"{speed:.0f} GB/s"
            share = f"{100 * speed / ceiling:.0f} %" if ceiling else ""
        elif r.get("flops"):
            rate = f"{r['flops'] / r['us'] / 1e6:.1f} TFLOP/s"
            direct = ours.get(name + " (cuBLASLt)")
            share = f"{100 * direct['us'] / r['us']:.0f} %" if direct else ""
        if name in theirs:
            other = f"{theirs[name]['us']:.1f}"
            ratios.append(r["us"] / theirs[name]["us"])
            ratio = f"{ratios[-1]:.2f}"
        print(f"| {name} | {r['us']:.1f} | {rate} | {share} | {other} | {ratio} |")
    if ratios:
        print(f"\ngeometric mean of {len(ratios)} ratios: {math.exp(sum(map(math.log, ratios)) / len(ratios)):.3f}")


main()
