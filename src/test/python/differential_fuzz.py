"""Compares what ConvZoo and the reference libraries read of mutated files.

    python differential_fuzz.py --classpath CLASSPATH --format torch --inputs 200000

The class path has the compiled classes and tests, and their libraries. Formats: torch (the archives of torch.save),
legacy (torch.save before 1.6), safetensors, npy, npz, paddle, mxnet. The libraries of the last two need a Python of their
own (MXNet 1.9.1: Python 3.8 with a NumPy before 1.24), which --python names; it needs nothing but the library.

A difference is an input that both read, and not alike; or one that ConvZoo reads and the reference refuses, unless the
reference refuses it for data that ConvZoo does not read. Where torch.load(weights_only=True) refuses a class or an opcode,
Python's own unpickler decides, with objects that do nothing in place of those of classes that ConvZoo does not know. Differences are written to differences/ with what either side made of them; the exit status is 1 if there are any.
"""

import argparse
import collections
import importlib
import io
import mmap
import os
import pathlib
import pickle
import random
import re
import resource
import struct
import subprocess
import sys
import warnings
import zipfile
import zlib

import numpy as np

try:
    import safetensors
    import torch
except ImportError:
    torch = None  # the Python of PaddlePaddle or MXNet

warnings.simplefilter("ignore")
RESOURCES = pathlib.Path(__file__).parent.parent / "resources" / "checkpoint"
TYPES = {
    "int64": "I64", "float64": "F64", "float32": "F32", "int32": "I32", "bfloat16": "BF16", "float16": "F16",
    "int16": "I16", "int8": "I8", "uint8": "U8", "bool": "BOOL",
}
# What a reference refuses although the values could mean only one thing: text of Python 2 that is bytes, PyTorch's note of
# how storages are aligned, a flag, the name of a device, Paddle's table of names, an empty storage without an entry (as some
# versions wrote them), the key of a dictionary that is no part of the values, and what it could do with an object of a class
# that ConvZoo does not know (one whose name has "Storage" in it counts as a storage there); types of MXNet 2, and arrays with
# NumPy's and with the older shapes in one file of MXNet, each of which says which it has.
POLICY = re.compile(
    "codec can't decode|requires_grad must be|can require gradients|_make_subclass.. argument .* must be bool"
    "|invalid literal for int.. with base 10: b'|Inert|device type at start of device string|Invalid device string"
    "|KeyError: |failed locating file data/|unhashable type|'StorageType' object is not callable"
    "|Unknown type enum (8|9|10|11)$|not saved in np shape semantics, but being loaded in np shape semantics")
# Of data that ConvZoo does not read.
UNREAD = re.compile(
    "EOF: reading array data|data type .*not understood|__setstate__.. argument 1 must be sequence of length 4, not 5"
    "|item [0-9] must be int|object pickle not returning list|pickle not returning string|descriptor '__setstate__'"
    "|has no attribute 'dtype'|torch.Size.. takes an iterable|resize storage that is not resizable"
    "|buffer size does not match array size|cannot be interpreted as an integer|inconsistent fields and names"
    "|incorrect subarray in __setstate__|leading zeros in decimal|Tuple must have size|X is not a type object"
    "|Cannot change data-type for array of references|'Broken' object has no attribute")


def hexed(text):
    return text.encode("utf-8").hex()


class Broken:
    """Stands for a tensor that PyTorch refuses because its storage is too short. What it is given does not matter."""


def built(build):
    """PyTorch's function, but a broken tensor does not refuse the whole file: ConvZoo may not read that tensor at all."""

    def safely(*arguments):
        try:
            return build(*arguments)
        except RuntimeError as e:
            if "not resizable" in str(e) or "out of bounds" in str(e):
                return Broken()
            raise

    return safely


if torch is not None:
    torch._utils._rebuild_tensor = built(torch._utils._rebuild_tensor)


class Inert:
    """An object of a class that ConvZoo does not know: whatever is done to it, it is the same afterwards."""

    def __new__(cls, *arguments, **named):
        return object.__new__(cls)

    def __init__(self, *arguments, **named):
        pass

    def __setstate__(self, state):
        pass

    def __call__(self, *arguments):
        return Inert()

    def __setitem__(self, name, value):
        pass

    def append(self, item):
        pass

    add = append


REAL = {
    "collections": {"OrderedDict", "Counter", "defaultdict", "deque"},
    "builtins": {"set", "frozenset", "list", "tuple", "dict", "bytes", "bytearray"},
    "_codecs": {"encode"},
    "torch": {"Size", "device", "UntypedStorage"},
    "torch.storage": {"UntypedStorage"},
    "torch._utils": {
        "_rebuild_tensor", "_rebuild_tensor_v2", "_rebuild_tensor_v3", "_rebuild_parameter", "_rebuild_parameter_with_state"},
    "torch._tensor": {"_rebuild_from_type_v2"},
    "numpy": {"ndarray", "dtype"},
}


def reconstruct(kind, shape, code):
    return np.ndarray.__new__(np.ndarray, shape, code) if kind is np.ndarray else Inert()


class Unpickler(pickle._Unpickler):
    """
    Python's, which reads what torch.load(weights_only=True) would not, but makes every object of a class that is not known
    inert. The one in Python, whose memo is not as long as its largest index.
    """

    dispatch = dict(pickle._Unpickler.dispatch)

    def load_frame(self):
        # The unpickler in C reads a frame ahead, but does not mind where it ends.
        self.read(8)

    dispatch[pickle.FRAME[0]] = load_frame

    def find_class(self, module, name):
        module = {"__builtin__": "builtins", "copy_reg": "copyreg"}.get(module, module)
        if name == "_reconstruct" and module in ("numpy.core.multiarray", "numpy._core.multiarray"):
            return reconstruct
        if name in REAL.get(module, ()) or (module == "torch" and isinstance(getattr(torch, name, None), torch.dtype)):
            return super().find_class(module, name)
        return type("Inert", (Inert,), {})


class InertPickle:
    """Stands for the module pickle."""

    Unpickler = Unpickler
    UnpicklingError = pickle.UnpicklingError

    @staticmethod
    def load(stream, **arguments):
        return Unpickler(stream, **arguments).load()


def shown(value):
    if isinstance(value, Broken):
        return "broken"
    if torch is not None and isinstance(value, torch.Tensor):
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
        if value.dtype == np.bool_ and value.view(np.uint8).max(initial=0) > 1:
            # Whether other bytes than 0 and 1 are kept as they are is for each library to say.
            return "large"
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
    if torch is not None and isinstance(value, (torch.dtype, torch.device)):
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
    elif isinstance(value, (list, tuple)):
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
        try:
            return flat(torch.load(io.BytesIO(data), weights_only=True, map_location="cpu"), "", [])
        except Exception:  # noqa: BLE001 - whatever it is, the older way says whether the file is to blame
            return flat(torch.load(io.BytesIO(data), weights_only=False, map_location="cpu", pickle_module=InertPickle), "", [])


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


class Paddle:
    """Its tensors of uint16 hold bfloat16 numbers; a tensor inside other things is a pair of its name and an array."""

    def __init__(self, rng):
        self.rng = rng
        self.files = [p.read_bytes() for p in RESOURCES.glob("*.pdparams")]
        self.files += [p.read_bytes() for p in RESOURCES.glob("numpy_*.pkl")]

    def file(self):
        return mutated(self.rng.choice(self.files), self.rng, 3, PICKLE_PARTS + ARRAY_PARTS)

    @staticmethod
    def read(data):
        import paddle

        TYPES["uint16"] = "BF16"
        paddle.framework.io.pickle = paddle.framework.io_utils.pickle = InertPickle
        return flat(paddle.load(io.BytesIO(data), return_numpy=True, keep_name_table=True), "", [])


class Mxnet:
    def __init__(self, rng):
        self.rng = rng
        self.files = [p.read_bytes() for p in RESOURCES.glob("*.params")]

    def file(self):
        return mutated(self.rng.choice(self.files), self.rng, 3, MXNET_PARTS)

    @staticmethod
    def read(data):
        import mxnet

        try:
            arrays = mxnet.nd.load_frombuffer(data)
        except mxnet.base.MXNetError as e:
            if "np shape semantics" not in str(e):
                raise
            with mxnet.util.np_shape(True):
                arrays = mxnet.nd.load_frombuffer(data)
                return Mxnet.lines(arrays)
        return Mxnet.lines(arrays)

    @staticmethod
    def lines(arrays):
        out = []
        for name, array in arrays.items() if isinstance(arrays, dict) else enumerate(arrays):
            # Without a shape it is not an array; if the shape is partly unknown, only the name is compared.
            value = "None"
            if array.handle and array.stype == "undefined":
                value = "None"
            elif array.handle and array.shape is not None:
                try:
                    value = shown(array.asnumpy())
                except Exception:  # noqa: BLE001
                    value = "None" if len(array.shape) == 0 else "other"
            out.append(f"/{hexed(str(name))}={value}")
        return out


PICKLE_PARTS = [
    b"N", b"K\x01", b"K\x00", b"\x88", b"\x89", b"G?\xf0\0\0\0\0\0\0", b"X\x01\0\0\0a", b"}", b"]", b")", b"(", b"t", b"u",
    b"s", b"e", b"a", b"\x85", b"\x86", b"\x87", b"h\x00", b"h\x01", b"h\x02", b"q\x01", b"q\x05", b"R", b"b", b"Q", b"0",
    b"2", b".", b"ccollections\nOrderedDict\n", b"ccollections\nCounter\n", b"c__builtin__\nset\n", b"\x8a\x01\x02",
    b"ctorch\nFloatStorage\n", b"ctorch\nIntStorage\n", b"ctorch\nDoubleStorage\n", b"M\x01\x00", b"J\x02\0\0\0",
    b"U\x01a", b"\x8f", b"ctorch._utils\n_rebuild_tensor\n", b"ctorch._utils\n_rebuild_tensor_v2\n",
    b"ctorch._utils\n_rebuild_parameter_with_state\n", b"ctorch._tensor\n_rebuild_from_type_v2\n", b"ctorch\nTensor\n",
    b"X\x04\0\0\0data", b"X\x04\0\0\0real", b"}X\x04\0\0\0dataNs",
]
ARRAY_PARTS = [b"X\x02\0\0\0f4", b"X\x02\0\0\0u2", b"X\x02\0\0\0i8", b"X\x01\0\0\0<", b"X\x01\0\0\0>", b"X\x01\0\0\0|", b"cnumpy\ndtype\n",
               b"cnumpy\nndarray\n", b"cnumpy.core.multiarray\n_reconstruct\n", b"c_codecs\nencode\n", b"X\x06\0\0\0latin1"]
MXNET_PARTS = [struct.pack("<i", n) for n in (0, 1, 2, 3, -1, 4, 5, 6, 7, 8, 9, 12)] + [struct.pack("<q", n) for n in (0, 1, 2, 3, -1)] + [
    b"\x12\x01\0\0\0\0\0\0", b"\xc8\xfa\x93\xf9", b"\xc9\xfa\x93\xf9", b"\xca\xfa\x93\xf9", b"arg:", b"aux:"]
JSON_PARTS = [b'"', b"{", b"}", b"[", b"]", b",", b":", b"0", b"1", b"-", b".5", b"e1", b" ", b"\n", b"\\u0061", b"\\ud800",
              b"null", b"true", b'"__metadata__":{"a":"b"},', b'"F32"', b'"I32"', b"\xc3\xa9", b"\t", b"00", b"\0"]
NPY_PARTS = [b"(", b")", b",", b"L", b"0", b"1", b"_", b"-", b"+", b" ", b"\n", b"\t", b"'", b'"', b"u'", b"b'", b"True", b"False",
             b"<", b">", b"|", b"=", b"'<f4'", b"'|u1'", b"'<i8'", b"{", b"}", b":", b"\\x66", b"#", b"\r", b"\x0c", b"\\", b"(2)", b"02",
             b"0x2", b"1e0", b"2L", b"f", b"i", b"8", b"4", b"2"]
ZIP_PARTS = [b"PK\x01\x02", b"PK\x03\x04", b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07", b"PK\x07\x08", b"\0", b"\0\0", b"\x01\0", b"\xff\xff",
             b"\xff\xff\xff\xff", b"\x08", b"\x08\x08", b"up", b"\x01\0\x08\0"]


def mutated(data, rng, most, parts=()):
    data = bytearray(data)
    # Most inputs with several changes are refused by both for one of them.
    for _ in range(min(rng.randrange(1, most + 1), rng.randrange(1, most + 1))):
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


FORMATS = {"torch": Torch, "legacy": Legacy, "safetensors": Safetensors, "npy": Npy, "npz": Npz, "paddle": Paddle, "mxnet": Mxnet}
# Their libraries may end the process that they read in.
APART = ("paddle", "mxnet")
# A corrupt length can make a library ask for all there is: the most address space here, and in a process apart in addition to
# what the library has taken once it is imported, in bytes.
MOST_MEMORY = 32 << 30
MORE_MEMORY_APART = 256 << 20


def received(fd, length):
    data = b""
    while len(data) < length:
        more = os.read(fd, length - len(data))
        if not more:
            return None
        data += more
    return data


def serve(name):
    """Reads files from standard input, and answers what the reference makes of them, in a process that may die of one."""
    answers = os.dup(1)
    os.dup2(2, 1)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    def answer(text):
        data = text.encode("utf-8", "backslashreplace")
        os.write(answers, struct.pack(">I", len(data)) + data)

    importlib.import_module(name)  # here, so that not every process that follows a dead one takes seconds for it
    taken = int(pathlib.Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (taken + MORE_MEMORY_APART, taken + MORE_MEMORY_APART))
    reading = mmap.mmap(-1, 1)  # 1 in all processes while a file has no answer: threads of a library may also die between two
    while True:
        child = os.fork()
        if child == 0:
            while (head := received(0, 4)) is not None:
                data = received(0, struct.unpack(">I", head)[0])
                reading[0] = 1
                try:
                    answer("\n".join(["read"] + FORMATS[name].read(data)))
                except BaseException as e:  # noqa: BLE001 - whatever a library raises is its refusal
                    answer(f"{type(e).__name__}: {str(e)[-300:]}")
                reading[0] = 0
            os._exit(0)
        status = os.waitpid(child, 0)[1]
        if status == 0:
            return
        if reading[0]:
            answer(f"the process died: {status}")
            reading[0] = 0


class Apart:
    """A reference that is read in another process."""

    def __init__(self, python, name):
        self.process = subprocess.Popen(
            [python, __file__, "--serve", name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)

    def read(self, data):
        self.process.stdin.write(struct.pack(">I", len(data)) + data)
        self.process.stdin.flush()
        length = struct.unpack(">I", self.process.stdout.read(4))[0]
        lines = self.process.stdout.read(length).decode("utf-8").split("\n")
        if lines[0] != "read":
            raise RuntimeError("\n".join(lines))
        return lines[1:]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--serve", choices=FORMATS, help=argparse.SUPPRESS)
    parser.add_argument("--classpath")
    parser.add_argument("--format", choices=FORMATS)
    parser.add_argument("--python", default=sys.executable, help="the Python that has the reference library")
    parser.add_argument("--inputs", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("differences"))
    arguments = parser.parse_args()
    if arguments.serve:
        serve(arguments.serve)
        return
    if torch is not None:
        torch.set_num_threads(1)
        resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    reader = Apart(arguments.python, arguments.format) if arguments.format in APART else FORMATS[arguments.format]
    fuzzed = FORMATS[arguments.format](random.Random(arguments.seed))
    java = subprocess.Popen(
        ["java", "-Xmx512m", "-XX:+UseSerialGC", "-cp", arguments.classpath,
         "io.github.convzoo.checkpoint.DifferentialReader", arguments.format],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    counts = collections.Counter()
    kinds = collections.Counter()
    policies = collections.Counter()
    for number in range(arguments.inputs):
        data = fuzzed.file()
        java.stdin.write(struct.pack(">I", len(data)) + data)
        java.stdin.flush()
        try:
            reference = sorted(reader.read(data))
            broken = any(line.endswith("=broken") for line in reference)
            error = None
        except Exception as e:  # noqa: BLE001 - whatever a library raises is its refusal
            reference, error, broken = None, f"{type(e).__name__}: {e}", False
        length = struct.unpack(">I", java.stdout.read(4))[0]
        answer = java.stdout.read(length).decode("utf-8")
        if answer.startswith("refused"):
            counts["refused by both" if error or broken else "refused by ConvZoo"] += 1
            continue
        mine = sorted(answer.removeprefix("read ").split(" ")) if len(answer) > 5 else []
        mine = without_names(mine) if arguments.format == "paddle" else mine
        if error is not None and POLICY.search(error):
            counts["refused by the reference's policy"] += 1
            policies[re.sub(r"[0-9]+|'.*'", "#", error)[:100]] += 1
        elif error is not None and UNREAD.search(error) and any(v.endswith("=other") for v in mine):
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
    for name, count in policies.most_common(30):
        print(f"  policy: {count} {name}")
    sys.exit(1 if kinds else 0)


def without_names(lines):
    """Paddle makes one value of a tensor's name for itself and the array: lines that end in 0 and 1, and none in 2."""
    values = dict(line.split("=", 1) for line in lines if line)
    for path in [p for p in values if p.endswith("/31")]:
        pair = path[:-3]
        named = values.get(pair + "/30", "").startswith("text:") and re.match("[A-Z]+[0-9]*:|other|large", values[path])
        if named and pair + "/32" not in values:
            del values[pair + "/30"]
            values[pair] = values.pop(path)
    return sorted(f"{path}={value}" for path, value in values.items())


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
