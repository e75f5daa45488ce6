#!/usr/bin/python3
"""Packs recorded PyTorch samples into the one file that the op table reads.

  /usr/bin/python3 opinfo_dump.py --all --out DUMP        (once; takes a while)
  /usr/bin/python3 pack_opinfo.py DUMP opinfo.zip         takes the ops named in ops.txt

Of each op it keeps <id>.json (samples as opinfo_dump.py describes them) and <id>.bin (all tensors, one after the other; a tensor's
record says where: [offset, dtype, shape, stride, requires_grad]). Samples with complex, sparse or opaque values are left out.
"""
import json, os, struct, sys, zipfile

PLAIN = {"bool", "uint8", "int8", "int16", "int32", "int64", "float16", "bfloat16", "float32", "float64"}


def read_safetensors(path):
    blob = open(path, "rb").read()
    n, = struct.unpack("<Q", blob[:8])
    head = json.loads(blob[8:8 + n])
    return {k: blob[8 + n + v["data_offsets"][0]:8 + n + v["data_offsets"][1]] for k, v in head.items() if k != "__metadata__"}


def plain(sample):
    text = json.dumps([sample["input"], sample["args"], sample["kwargs"]])
    if any(w in text for w in ('"opaque"', '"sparse"', '"complex"', "complex64", "complex128")):
        return False
    return sample["replayable"] and all(t["dtype"] in PLAIN for t in sample["tensors"].values())


def pack(folder, op, out):
    meta = json.load(open(os.path.join(folder, "ops", op + ".json")))
    data = read_safetensors(os.path.join(folder, "ops", op + ".safetensors"))
    blob, samples = bytearray(), []
    for s in meta["samples"]:
        if not plain(s):
            continue
        records = {}
        for key, t in s["tensors"].items():
            records[key] = [len(blob), t["dtype"], t["shape"], t["stride"], t["requires_grad"]]
            blob += data[key]
            blob += bytes(-len(blob) % 8)
        samples.append({k: s[k] for k in ("dtype", "input", "args", "kwargs", "output", "deterministic", "processed", "cotangents", "grads")}
                       | {"tensors": records})
    head = {"id": op, "dtypes": meta["dtypes"], "samples": samples}
    for name, content in ((op + ".json", json.dumps(head, separators=(",", ":")).encode()), (op + ".bin", bytes(blob))):
        info = zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0))
        info.compress_type = zipfile.ZIP_DEFLATED
        out.writestr(info, content, compresslevel=9)
    return len(samples)


def main():
    folder, target = sys.argv[1:3]
    ops = open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "ops.txt")).read().split()
    total = 0
    with zipfile.ZipFile(target, "w") as out:
        for op in sorted(set(ops)):
            n = pack(folder, op, out)
            if n == 0:
                print("no usable sample:", op)
            total += n
    print(len(set(ops)), "ops,", total, "samples,", os.path.getsize(target), "bytes")


main()
