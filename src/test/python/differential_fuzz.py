"""Compares what ConvZoo and the reference libraries read of mutated files.

    python differential_fuzz.py --classpath CLASSPATH --format torch --inputs 200000

The class path has the compiled classes and tests, and their libraries. Formats: torch (the archives of torch.save),
legacy (torch.save before 1.6), safetensors, npy, npz. MXNet and PaddlePaddle are not compared: neither library is needed
for anything else, and MXNet is no longer maintained.

A difference is an input that both read, and not alike; or one that ConvZoo reads and the reference refuses, unless the
reference refuses it by a policy on classes or opcodes and not for what the file holds. Differences are written to
differences/ with what either side made of them; the exit status is 1 if there are any.
"""

import argparse
import collections
import io
import pathlib
import random
import re
import struct
import subprocess
import sys
import warnings
import zipfile
import zlib

import numpy as np
import safetensors
import torch

warnings.simplefilter("ignore")
RESOURCES = pathlib.Path(__file__).parent.parent / "resources" / "checkpoint"
TYPES = {
    "int64": "I64", "float64": "F64", "float32": "F32", "int32": "I32", "bfloat16": "BF16", "float16": "F16",
    "int16": "I16", "int8": "I8", "uint8": "U8", "bool": "BOOL",
}
# What torch.load(weights_only=True) says of files that it would not load at all, whatever they hold.
POLICY = re.compile(
    "Unsupported global|Unsupported operand|unrecognized function|Can only |whose module .* is blocked"
    "|weights_only|codec can't decode|utf-8.*decode|invalid literal for int|requires_grad must be"
    # Of sparse and quantized tensors, which ConvZoo does not build, it checks the parts.
    "|_rebuild_qtensor|_rebuild_parameter_with_state|expected dict, got|KeyError: '[^0-9]|inconsistent with indices|negative index|indices|values|quantizer|scale|zero_point"
)


def hexed(text):
    return text.encode("utf-8").hex()


def shown(value):
    if isinstance(value, torch.Tensor):
        kind = TYPES.get(str(value.dtype).removeprefix("torch."))
        if kind is None or value.layout != torch.strided or value.is_conj() or value.is_neg():
            return "other"
        if value.numel() > 1 << 16:
            return "large"
        if value.dtype == torch.bool:
            # PyTorch makes any byte but 0 a 1 when it copies.
            return "large"
        data = torch.empty(value.shape, dtype=value.dtype)
        data.copy_(value.detach())
        raw = data.reshape(-1).view(torch.uint8).numpy().tobytes() if data.numel() else b""
        return f"{kind}:{','.join(map(str, value.shape))}:{zlib.crc32(raw):x}"
    if isinstance(value, np.ndarray):
        kind = TYPES.get(str(value.dtype))
        if kind is None or (value.dtype.byteorder == ">" and value.dtype.itemsize > 1):
            return "other"
        if value.size > 1 << 16:
            return "large"
        return f"{kind}:{','.join(map(str, value.shape))}:{zlib.crc32(np.ascontiguousarray(value).tobytes()):x}"
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, str):
        return "text:" + hexed(value)
    if isinstance(value, int):
        return f"whole:{value}"
    if isinstance(value, float):
        return "nan" if value != value else f"real:{struct.unpack('>Q', struct.pack('>d', value))[0]:x}"
    if isinstance(value, (torch.dtype, torch.device)):
        return "text:" + hexed(str(value))
    return "None" if value is None else "other"


def key(name):
    if isinstance(name, str):
        return name
    if isinstance(name, float):
        # Java prints numbers in another way; only that there is one is compared.
        return None
    return str(name) if isinstance(name, (bool, int)) or name is None else None


def flat(value, path, out, depth=0):
    if depth > 70:
        raise RecursionError
    if isinstance(value, dict) or (isinstance(value, collections.abc.Mapping) and not isinstance(value, str)):
        used = set()
        for name, each in value.items():
            name = key(name)
            if name is not None and name not in used:
                used.add(name)
                flat(each, f"{path}/{hexed(name)}", out, depth + 1)
    elif isinstance(value, (list, tuple)) and not isinstance(value, torch.Tensor):
        for i, each in enumerate(value):
            flat(each, f"{path}/{hexed(str(i))}", out, depth + 1)
    else:
        out.append(f"{path}={shown(value)}")
    return out


class Torch:
    seeds = ["small.pth", "odd.pth", "views.pth", "parameters.pth", "training_protocol1.pt", "types.pth"]

    def __init__(self, rng):
        self.rng = rng
        self.archives = []
        for name in self.seeds:
            with zipfile.ZipFile(RESOURCES / name) as archive:
                self.archives.append([(i.filename, archive.read(i)) for i in archive.infolist()])
        self.archives = [a for a in self.archives if sum(len(d) for _, d in a) < 40_000]
        self.files = [self.pack(archive) for archive in self.archives]

    @staticmethod
    def pack(entries):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            for name, data in entries:
                archive.writestr(zipfile.ZipInfo(name), data)
        return out.getvalue()

    def file(self):
        archive = self.rng.randrange(len(self.archives))
        if self.rng.random() < 0.25:
            return mutated(self.files[archive], self.rng, 3)
        entries = list(self.archives[archive])
        pickles = [i for i, (name, _) in enumerate(entries) if name.endswith("data.pkl")]
        chosen = self.rng.choice(pickles) if self.rng.random() < 0.9 else self.rng.randrange(len(entries))
        name, data = entries[chosen]
        if self.rng.random() < 0.02:
            name = name.swapcase()
        entries[chosen] = (name, mutated(data, self.rng, 4, PICKLE_PARTS))
        return self.pack(entries)

    @staticmethod
    def read(data):
        return flat(torch.load(io.BytesIO(data), weights_only=True, map_location="cpu"), "", [])


class Legacy:
    def __init__(self, rng):
        self.rng = rng
        self.files = [(RESOURCES / "legacy.pth").read_bytes()]
        for value in (
            {"a": torch.arange(6.0).view(2, 3), "b": torch.arange(3), "c": {"d": 1, 2: "x"}},
            {"a": torch.arange(12.0)[2:8], "t": torch.arange(6.0).view(2, 3).t(), "l": [1, 2.5, None, True]},
        ):
            out = io.BytesIO()
            torch.save(value, out, _use_new_zipfile_serialization=False)
            self.files.append(out.getvalue())

    def file(self):
        return mutated(self.rng.choice(self.files), self.rng, 3, PICKLE_PARTS)

    read = staticmethod(Torch.read)


class Safetensors:
    def __init__(self, rng):
        self.rng = rng
        self.files = [p.read_bytes() for p in RESOURCES.glob("*.safetensors")]

    def file(self):
        data = self.rng.choice(self.files)
        length = struct.unpack("<Q", data[:8])[0]
        if self.rng.random() < 0.2:
            return mutated(data, self.rng, 2)
        header = mutated(data[8 : 8 + length], self.rng, 3, JSON_PARTS)
        return struct.pack("<Q", len(header)) + header + data[8 + length :]

    @staticmethod
    def read(data):
        out = []
        names = {"F64": "F64", "F32": "F32", "F16": "F16", "BF16": "BF16", "I64": "I64", "I32": "I32", "I16": "I16",
                 "I8": "I8", "U8": "U8", "BOOL": "BOOL"}
        for name, info in safetensors.deserialize(data):
            kind = names.get(info["dtype"])
            raw = bytes(info["data"])
            shape = info["shape"]
            if kind is None:
                out.append(f"/{hexed(name)}=other")
            else:
                out.append(f"/{hexed(name)}={kind}:{','.join(map(str, shape))}:{zlib.crc32(raw):x}")
        return out


class Npy:
    def __init__(self, rng):
        self.rng = rng
        self.files = [p.read_bytes() for p in RESOURCES.glob("*.npy")]
        for version in ((1, 0), (2, 0), (3, 0)):
            for array in (np.arange(6, dtype="<f4").reshape(2, 3), np.asfortranarray(np.arange(6.0).reshape(3, 2)),
                          np.array(1.5), np.zeros(0, "i2"), np.arange(3) > 1):
                out = io.BytesIO()
                np.lib.format.write_array(out, array, version)
                self.files.append(out.getvalue())

    def array(self):
        data = self.rng.choice(self.files)
        wide = data[6] > 1
        begin = 12 if wide else 10
        length = struct.unpack("<I" if wide else "<H", data[8:begin])[0]
        if self.rng.random() < 0.2:
            return mutated(data, self.rng, 2)
        header = mutated(data[begin : begin + length].rstrip(b" \n") + b"\n", self.rng, 3, NPY_PARTS)[:60000]
        version = bytes([self.rng.choice([data[6], 1, 2, 3]), 0])
        wide = version[0] > 1
        return data[:6] + version + struct.pack("<I" if wide else "<H", len(header)) + header + data[begin + length :]

    file = array

    @staticmethod
    def read(data):
        stream = io.BytesIO(data)
        array = np.lib.format.read_array(stream, allow_pickle=False)
        return flat(array, "", [])


class Npz(Npy):
    names = ["a.npy", "b.npy", "A.npy", "a.npy.npy", "\u00e9.npy", "d/e.npy"]

    def file(self):
        out = io.BytesIO()
        method = self.rng.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
        with zipfile.ZipFile(out, "w", method) as archive:
            for name in self.rng.sample(self.names, self.rng.randrange(1, 4)):
                data = self.array() if self.rng.random() < 0.3 else self.rng.choice(self.files)
                archive.writestr(zipfile.ZipInfo(name), data, method)
        data = out.getvalue()
        return mutated(data, self.rng, 2, ZIP_PARTS) if self.rng.random() < 0.7 else data

    @staticmethod
    def read(data):
        out = []
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            for name in arrays.files:
                out.append(f"/{hexed(name)}={shown(arrays[name])}")
        return out


PICKLE_PARTS = [
    b"N", b"K\x01", b"K\x00", b"\x88", b"\x89", b"G?\xf0\0\0\0\0\0\0", b"X\x01\0\0\0a", b"}", b"]", b")", b"(", b"t", b"u",
    b"s", b"e", b"a", b"\x85", b"\x86", b"\x87", b"h\x00", b"h\x01", b"h\x02", b"q\x01", b"q\x05", b"R", b"b", b"Q", b"0",
    b"2", b".", b"ccollections\nOrderedDict\n", b"ccollections\nCounter\n", b"c__builtin__\nset\n", b"\x8a\x01\x02",
    b"ctorch\nFloatStorage\n", b"ctorch\nIntStorage\n", b"ctorch\nDoubleStorage\n", b"M\x01\x00", b"J\x02\0\0\0",
    b"U\x01a", b"\x8f", b"ctorch._utils\n_rebuild_tensor\n", b"ctorch._utils\n_rebuild_tensor_v2\n",
]
JSON_PARTS = [b'"', b"{", b"}", b"[", b"]", b",", b":", b"0", b"1", b"-", b".5", b"e1", b" ", b"\n", b"\\u0061", b"\\ud800",
              b"null", b"true", b'"__metadata__":{"a":"b"},', b'"F32"', b'"I32"', b"\xc3\xa9", b"\t", b"00", b"\0"]
NPY_PARTS = [b"(", b")", b",", b"L", b"0", b"1", b"_", b"-", b"+", b" ", b"\n", b"\t", b"'", b'"', b"u'", b"b'", b"True", b"False",
             b"<", b">", b"|", b"=", b"'<f4'", b"'|u1'", b"'<i8'", b"{", b"}", b":", b"\\x66", b"#", b"\r", b"\x0c", b"\\", b"(2)", b"02",
             b"0x2", b"1e0", b"2L", b"f", b"i", b"8", b"4", b"2"]
ZIP_PARTS = [b"PK\x01\x02", b"PK\x03\x04", b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07", b"PK\x07\x08", b"\0", b"\0\0", b"\x01\0", b"\xff\xff",
             b"\xff\xff\xff\xff", b"\x08", b"\x08\x08", b"up", b"\x01\0\x08\0"]


def mutated(data, rng, most, parts=()):
    data = bytearray(data)
    for _ in range(rng.randrange(1, most + 1)):
        at = rng.randrange(len(data) + 1) if data else 0
        length = rng.randrange(1, 9)
        kind = rng.randrange(8 if parts else 5)
        if kind == 0 and at < len(data):
            data[at] = rng.randrange(256)
        elif kind == 1 and at < len(data):
            data[at] ^= 1 << rng.randrange(8)
        elif kind == 2:
            del data[at : at + length]
        elif kind == 3:
            other = rng.randrange(len(data) + 1)
            data[at:at] = data[other : other + rng.randrange(1, 30)]
        elif kind == 4:
            other = rng.randrange(len(data) + 1)
            data[at : at + length] = data[other : other + length]
        elif parts and kind < 7:
            part = rng.choice(parts)
            data[at : at + (len(part) if kind == 5 else 0)] = part
    return bytes(data)


FORMATS = {"torch": Torch, "legacy": Legacy, "safetensors": Safetensors, "npy": Npy, "npz": Npz}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--classpath", required=True)
    parser.add_argument("--format", required=True, choices=FORMATS)
    parser.add_argument("--inputs", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("differences"))
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    fuzzed = FORMATS[arguments.format](random.Random(arguments.seed))
    java = subprocess.Popen(
        ["java", "-Xmx512m", "-XX:+UseSerialGC", "-cp", arguments.classpath,
         "io.github.convzoo.checkpoint.DifferentialReader", arguments.format],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    counts = collections.Counter()
    kinds = collections.Counter()
    for number in range(arguments.inputs):
        data = fuzzed.file()
        java.stdin.write(struct.pack(">I", len(data)) + data)
        java.stdin.flush()
        try:
            reference = sorted(fuzzed.read(data))
            error = None
        except Exception as e:  # noqa: BLE001 - whatever a library raises is its refusal
            reference, error = None, f"{type(e).__name__}: {e}"
        length = struct.unpack(">I", java.stdout.read(4))[0]
        answer = java.stdout.read(length).decode("utf-8")
        if answer.startswith("refused"):
            counts["refused by both" if error else "refused by ConvZoo"] += 1
            continue
        mine = sorted(answer.removeprefix("read ").split(" ")) if len(answer) > 5 else []
        if error is not None and POLICY.search(error):
            counts["refused by the reference's policy"] += 1
        elif error is not None and "EOF: reading array data" in error and any(v.endswith("=other") for v in mine):
            counts["refused by the reference for data that ConvZoo does not read"] += 1
        elif error is not None:
            counts["REFUSED BY THE REFERENCE ALONE"] += 1
            kinds[re.sub(r"[0-9]+|'.*'", "#", error)[:120]] += 1
            keep(arguments, number, data, error, answer, kinds[re.sub(r"[0-9]+|'.*'", "#", error)[:120]])
        elif same(mine, reference):
            counts["read alike"] += 1
        else:
            counts["READ DIFFERENTLY"] += 1
            kinds["different"] += 1
            keep(arguments, number, data, "\n".join(reference), answer.replace(" ", "\n"), kinds["different"])
    java.stdin.close()
    for name, count in sorted(counts.items()):
        print(f"{arguments.format}: {name}: {count}")
    for name, count in kinds.most_common(20):
        print(f"  {count} {name}")
    sys.exit(1 if kinds else 0)


def same(mine, reference):
    """Whether both have the same values; of what ConvZoo does not build only the place counts."""
    mine = dict(line.split("=", 1) for line in mine if line)
    reference = dict(line.split("=", 1) for line in reference if line)
    for path in mine.keys() | reference.keys():
        one, other = mine.get(path), reference.get(path)
        if one == "other" or other == "other" or one == "large" or other == "large":
            continue
        if any(path.startswith(p + "/") for p in list(mine) if mine[p] == "other"):
            continue
        if any(path.startswith(p + "/") for p in list(reference) if reference[p] == "other"):
            continue
        if one != other:
            return False
    return True


def keep(arguments, number, data, reference, answer, count):
    if count > 5:
        return
    arguments.out.mkdir(parents=True, exist_ok=True)
    name = f"{arguments.format}-{arguments.seed}-{number}"
    (arguments.out / name).write_bytes(data)
    (arguments.out / f"{name}.txt").write_text(f"{reference}\n----\n{answer}\n")


if __name__ == "__main__":
    main()
