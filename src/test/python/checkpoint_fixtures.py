"""Makes the files under src/test/resources/checkpoint with the libraries that users have.

Run from the repository's root, with PyTorch, NumPy and safetensors installed:

    python src/test/python/checkpoint_fixtures.py

The committed files were made with Python 3.11, PyTorch 2.15.0, NumPy 2.4.6 and safetensors 0.8.0. They are read by
RealFilesTest. The build does not need this script.

Beside each file whose tensors are compared stands NAME.json: for each tensor, by its path, the element type as this library
calls it, the shape, and the elements (floats as text: the shortest that reads back as the same number).
"""

import argparse
import collections
import json
import math
import pathlib
import sys
import zipfile

import numpy as np
import safetensors.numpy
import safetensors.torch
import torch

OUT = pathlib.Path("src/test/resources/checkpoint")

TYPES = {
    torch.float64: "F64",
    torch.float32: "F32",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
    torch.int64: "I64",
    torch.int32: "I32",
    torch.int16: "I16",
    torch.int8: "I8",
    torch.uint8: "U8",
    torch.bool: "BOOL",
}

SPECIAL = [0.0, -0.0, 1.0, -2.5, 65504.0, 6.103515625e-05, 5.9604644775390625e-08, -3.0e-05, math.inf, -math.inf, math.nan]


def expect(name, tensors):
    """Writes what the reader should find."""
    described = {}
    for path, tensor in tensors.items():
        # What Java's conversion to float32 should give, which PyTorch's gives as well.
        values = tensor.detach().to(torch.float32).reshape(-1).tolist()
        described[path] = {
            "dtype": TYPES[tensor.dtype],
            "shape": list(tensor.shape),
            "values": [repr(v) for v in values],
        }
    (OUT / f"{name}.json").write_text(json.dumps(described, indent=0) + "\n")


def all_types():
    """One tensor an element type, with the values where conversions go wrong."""
    tensors = {}
    for dtype, name in TYPES.items():
        if dtype.is_floating_point:
            tensors[f"t.{name}"] = torch.tensor(SPECIAL, dtype=torch.float64).to(dtype)
        elif dtype == torch.bool:
            tensors[f"t.{name}"] = torch.tensor([[True, False], [False, True]])
        else:
            info = torch.iinfo(dtype)
            tensors[f"t.{name}"] = torch.tensor([info.min, info.max, 0, 1, 100], dtype=dtype)
    tensors["scalar"] = torch.tensor(3.25)
    tensors["empty"] = torch.zeros(0, 3)
    tensors["ünï.\U0001f600"] = torch.arange(6.0).reshape(1, 2, 3)
    return tensors


def views():
    """Storages that are shared, and elements that do not lie row-major in them."""
    base = torch.arange(24.0).reshape(2, 3, 4)
    return {
        "base": base,
        "transposed": base.transpose(0, 2),
        "sliced": base[:, 1:, ::2],
        "row": base[1, 2],
        "expanded": base[0, 0, :1].expand(5, 1, 2),
        "channels_last": torch.arange(24.0).reshape(1, 2, 3, 4).contiguous(memory_format=torch.channels_last),
        "flipped_sizes": torch.arange(6.0).half().reshape(2, 3).t(),
        "empty_view": base[:, :0],
        "scalar_view": base[1, 1, 1],
    }


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = torch.nn.Conv2d(3, 4, 3, bias=False)
        self.bn = torch.nn.BatchNorm2d(4)
        self.fc = torch.nn.Linear(4, 2)

    def forward(self, x):
        return self.fc(self.bn(self.conv(x)).mean((2, 3)))


def training_checkpoint():
    """What training scripts save, with everything that is not a tensor in it."""
    torch.manual_seed(1)
    net = torch.nn.DataParallel(Net())
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
    net(torch.randn(2, 3, 5, 5)).sum().backward()
    optimizer.step()
    state = net.state_dict()
    checkpoint = {
        "epoch": 12,
        "arch": "net",
        "state_dict": state,
        "optimizer": optimizer.state_dict(),
        "best_acc1": np.float64(71.5),
        "loss": np.arange(3.0),
        "args": argparse.Namespace(lr=0.1, milestones=[30, 60]),
        "shape": torch.Size([1, 3, 5, 5]),
        "device": torch.device("cuda", 0),
        "dtype": torch.float16,
        "counts": collections.Counter("aab"),
        "groups": collections.defaultdict(list, {1: [2]}),
        "classes": {3, 5},
        "raw": b"\x00\xff",
        "big": 1 << 100,
        "nothing": None,
        "mixed": {(1, 2): "tuple", 7: "int", "7": "text", None: "none"},
    }
    tensors = {f"state_dict/{k}": v for k, v in state.items()}
    for index, entry in optimizer.state_dict()["state"].items():
        for key, value in entry.items():
            tensors[f"optimizer/state/{index}/{key}"] = value
    return checkpoint, tensors


def rewrite(source, target, changed):
    """Copies an archive of torch.save entry by entry with other contents for some."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as new:
        for info in old.infolist():
            entry = zipfile.ZipInfo(info.filename)
            data = old.read(info.filename)
            for name, content in changed.items():
                if info.filename.endswith("/" + name):
                    data = content
            new.writestr(entry, data)


def legacy():
    """The format before PyTorch 1.6. Expectations are those of the files of the same tensors in the format since."""

    def save(value, name, **options):
        torch.save(value, OUT / name, _use_new_zipfile_serialization=False, **options)

    save(all_types(), "types_legacy.pth")
    save(views(), "views_legacy.pth")
    checkpoint, tensors = training_checkpoint()
    for protocol in (1, 2, 4):
        save(checkpoint, f"training_legacy_protocol{protocol}.pt", pickle_protocol=protocol)


def npz():
    """NumPy's archives of arrays, stored and deflated."""
    tensors = {name: tensor for name, tensor in all_types().items() if tensor.dtype != torch.bfloat16}
    tensors["path/column_major"] = torch.arange(6.0).reshape(3, 2).t()
    arrays = {name: tensor.numpy() for name, tensor in tensors.items()}
    assert arrays["path/column_major"].flags.f_contiguous
    np.savez(OUT / "arrays.npz", **arrays)
    np.savez_compressed(OUT / "arrays_compressed.npz", **arrays)
    expect("arrays", {name.replace("/", "%"): tensor for name, tensor in tensors.items()})
    np.savez(OUT / "odd.npz", fine=np.ones(2, np.float32), complex=np.zeros(1, np.complex64), text=np.array(["a"]))


def sharded():
    """A model in two files and their index, with the index's fields as huggingface_hub names them."""
    folder = OUT / "sharded"
    folder.mkdir(exist_ok=True)
    tensors = all_types()
    names = list(tensors)
    files = {"model-00001-of-00002.safetensors": names[::2], "model-00002-of-00002.safetensors": names[1::2]}
    for file, held in files.items():
        safetensors.torch.save_file({n: tensors[n] for n in held}, folder / file, metadata={"format": "pt"})
    index = {
        "metadata": {"total_size": sum(t.numel() * t.element_size() for t in tensors.values())},
        "weight_map": {n: file for n in names for file, held in files.items() if n in held},
    }
    (folder / "model.safetensors.index.json").write_text(json.dumps(index, indent=2, sort_keys=True) + "\n")


class Scripted(torch.nn.Module):
    """A module whose parts are nested, listed and shared, and whose code has a constant."""

    def __init__(self):
        super().__init__()
        self.net = Net()
        self.blocks = torch.nn.ModuleList([torch.nn.Linear(2, 2), torch.nn.Linear(2, 2)])
        self.shared = self.blocks[0]
        self.scales = [1, 2]

    def forward(self, x):
        x = self.net(x) * torch.tensor([2.0, 3.0])
        for block in self.blocks:
            x = block(x)
        return self.shared(x)


def without_sources(path):
    """Takes out of a TorchScript archive where its code came from, which is another place on each machine."""
    with zipfile.ZipFile(path) as old:
        entries = [(info, old.read(info.filename)) for info in old.infolist() if not info.filename.endswith("debug_pkl")]
    with zipfile.ZipFile(path, "w") as new:
        for info, data in entries:
            kept = zipfile.ZipInfo(info.filename)
            new.writestr(kept, data, compress_type=info.compress_type)


def torchscript():
    """Archives of torch.jit, scripted, and traced with its constant in constants.pkl."""
    torch.manual_seed(1)
    module = Scripted().eval()
    torch.jit.script(module).save(OUT / "torchscript_nested.pt")
    torch.jit.trace(module, torch.zeros(1, 3, 5, 5)).save(OUT / "torchscript_traced.pt")
    for name in ("torchscript_nested.pt", "torchscript_traced.pt"):
        without_sources(OUT / name)
    expect("torchscript_nested", module.state_dict())


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    assert sys.byteorder == "little"

    types = all_types()
    torch.save(types, OUT / "types.pth")
    expect("types", types)
    safetensors.torch.save_file(types, OUT / "types.safetensors")
    safetensors.torch.save_file(types, OUT / "metadata.safetensors", metadata={"quote\"\\\n\x01é": "value/\u2028"})
    safetensors.numpy.save_file({}, OUT / "none.safetensors")

    tensors = views()
    torch.save(tensors, OUT / "views.pth")
    expect("views", tensors)

    checkpoint, tensors = training_checkpoint()
    torch.save(checkpoint, OUT / "training.pth.tar")
    expect("training", tensors)
    for protocol in (1, 3, 4, 5):
        torch.save(checkpoint, OUT / f"training_protocol{protocol}.pt", pickle_protocol=protocol)

    parameters = collections.OrderedDict(w=torch.nn.Parameter(torch.tensor([1.0, 2.0])))
    parameters["tied"] = parameters["w"]
    named = torch.nn.Parameter(torch.tensor([3.0]), requires_grad=False)
    named.note = "an attribute"
    parameters["noted"] = named
    torch.save(parameters, OUT / "parameters.pth")
    expect("parameters", parameters)

    odd = {
        "fine": torch.ones(2),
        "complex": torch.zeros(2, dtype=torch.complex64),
        "float8": torch.zeros(2, dtype=torch.float8_e4m3fn),
        "uint16": torch.zeros(2, dtype=torch.uint16),
        "sparse": torch.eye(2).to_sparse(),
        "quantized": torch.quantize_per_tensor(torch.ones(2), 0.1, 0, torch.qint8),
        "storage": torch.ones(2).storage(),
    }
    torch.save(odd, OUT / "odd.pth")
    del odd["sparse"], odd["quantized"], odd["storage"]
    safetensors.torch.save_file(odd, OUT / "odd.safetensors")

    torch.serialization.set_crc32_options(False)
    torch.save({"w": torch.arange(3.0)}, OUT / "no_checksums.pth")
    torch.serialization.set_crc32_options(True)

    small = OUT / "small.pth"
    torch.save({"w": torch.arange(3.0)}, small)
    rewrite(small, OUT / "big_endian.pth", {"byteorder": b"big"})
    rewrite(small, OUT / "rezipped.pth", {})
    with zipfile.ZipFile(small) as old, zipfile.ZipFile(OUT / "compressed.pth", "w", zipfile.ZIP_DEFLATED) as new:
        for info in old.infolist():
            new.writestr(info.filename, old.read(info.filename))
    torch.save({"w": torch.arange(3.0)}, OUT / "legacy.pth", _use_new_zipfile_serialization=False)
    torch.jit.script(torch.nn.Linear(2, 1)).save(OUT / "torchscript.pt")

    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    np.save(OUT / "c_order.npy", array)
    np.save(OUT / "fortran_order.npy", np.asfortranarray(array))
    np.save(OUT / "big_endian.npy", array.astype(">f4"))
    np.save(OUT / "scalar.npy", np.float64(2.5))
    np.save(OUT / "halves.npy", np.array(SPECIAL, dtype=np.float16))
    with open(OUT / "version2.npy", "wb") as out:
        np.lib.format.write_array(out, array, version=(2, 0))
    with open(OUT / "version3.npy", "wb") as out:
        np.lib.format.write_array(out, array, version=(3, 0))
    np.save(OUT / "fields.npy", np.zeros(2, dtype=[("a", "<f4"), ("é", "<i4")]))

    legacy()
    npz()
    sharded()
    torchscript()


if __name__ == "__main__":
    main()
