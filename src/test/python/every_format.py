"""Writes the tensors of a safetensors file in the formats of other libraries, with these libraries.

    python every_format.py IN.safetensors OUT_DIR

writes what the libraries at hand can: NumPy's in.npz; PyTorch's in.pth, legacy.pth and in.pt, and sharded safetensors;
Paddle's in.pdparams; MXNet's mxnet.params. Run it once for each environment. Then

    for file in OUT_DIR/in.* OUT_DIR/legacy.pth OUT_DIR/mxnet.params OUT_DIR/*.index.json; do
      ./convzoo convert $file OUT_DIR/out.safetensors --model MODEL && cmp OUT_DIR/out.safetensors IN.safetensors
    done

finds nothing to say where IN.safetensors is itself an output of `convzoo convert`. EveryFormatTest does the same with files
that it writes itself.
"""

import argparse
import importlib
import json
import pathlib
import struct

import numpy as np

DPN_STATISTICS = {"weight": "gamma", "bias": "beta", "running_mean": "moving_mean", "running_var": "moving_var"}


def read(path):
    """A safetensors file of float32, without a library, so that any environment will do."""
    data = pathlib.Path(path).read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    arrays = {}
    for name, entry in header.items():
        if name != "__metadata__":
            assert entry["dtype"] == "F32", name
            begin, end = (8 + length + offset for offset in entry["data_offsets"])
            arrays[name] = np.frombuffer(data[begin:end], "<f4").reshape(entry["shape"])
    return arrays


def save_torch(arrays, out):
    import safetensors.torch
    import torch

    class Holder(torch.nn.Module):
        """A part of a model: whatever stands below one part of the names."""

        def forward(self, x: torch.Tensor):
            return x

    tensors = {name: torch.from_numpy(array.copy()) for name, array in arrays.items()}
    torch.save(tensors, out / "in.pth")
    torch.save(tensors, out / "legacy.pth", _use_new_zipfile_serialization=False)
    root = Holder()
    for name, tensor in tensors.items():
        *parts, leaf = name.split(".")
        module = root
        for part in parts:
            if part not in module._modules:
                module.add_module(part, Holder())
            module = module._modules[part]
        if leaf.startswith("running"):
            module.register_buffer(leaf, tensor)
        else:
            module.register_parameter(leaf, torch.nn.Parameter(tensor))
    assert list(root.state_dict()) and set(root.state_dict()) == set(tensors)
    torch.jit.script(root).save(out / "in.pt")
    names = list(tensors)
    held = {f"model-0000{i + 1}-of-00003.safetensors": names[i::3] for i in range(3)}
    for file, members in held.items():
        safetensors.torch.save_file({n: tensors[n] for n in members}, out / file, metadata={"format": "pt"})
    index = {"metadata": {}, "weight_map": {n: file for file, members in held.items() for n in members}}
    (out / "model.safetensors.index.json").write_text(json.dumps(index, indent=2, sort_keys=True))


def save_paddle(arrays, out):
    import paddle

    state = {}
    for name, array in arrays.items():
        name = name.replace("running_mean", "_mean").replace("running_var", "_variance")
        state[name] = paddle.to_tensor(array.T.copy() if array.ndim == 2 else array)
    paddle.save(state, str(out / "in.pdparams"))


def dpn_name(name):
    """What the DPN authors call it, in the models whose blocks' last convolution is in one part."""
    *parts, leaf = name.split(".")
    kind = "aux" if leaf.startswith("running") else "arg"
    if parts == ["classifier"]:
        return f"arg:fc6_{leaf}"
    if parts[1] == "conv1_1":
        return "arg:conv1_x_1__conv_weight" if parts[2] == "conv" else f"{kind}:conv1_x_1__relu-sp__bn_{DPN_STATISTICS[leaf]}"
    if parts[1] == "conv5_bn_ac":
        return f"{kind}:conv5_x_x__relu-sp__bn_{DPN_STATISTICS[leaf]}"
    stage, block = parts[1].split("_")
    layer = {"c1x1_w_s1": "c1x1-w(s/1)", "c1x1_w_s2": "c1x1-w(s/2)"}.get(parts[2], parts[2].replace("_", "-"))
    place = f"{kind}:{stage}_x__{block}_{layer}__"
    return place + ("conv_weight" if parts[3] == "conv" else f"bn__bn_{DPN_STATISTICS[leaf]}")


def save_mxnet(arrays, out):
    import mxnet

    dpn = "features.conv1_1.conv.weight" in arrays
    given = {}
    for name, array in arrays.items():
        mx_name = dpn_name(name) if dpn else ("aux:" if ".running_" in name else "arg:") + name
        if mx_name == "arg:fc6_weight":
            array = array[:, :, 0, 0]
        given[mx_name] = mxnet.nd.array(array, dtype="float32")
    mxnet.nd.save(str(out / "mxnet.params"), given)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    arrays = read(arguments.file)
    np.savez(arguments.out / "in.npz", **arrays)
    for library, save in {"torch": save_torch, "paddle": save_paddle, "mxnet": save_mxnet}.items():
        try:
            module = importlib.import_module(library)
        except ImportError:
            print(f"{library}: not here")
        else:
            save(arrays, arguments.out)
            print(f"{library} {module.__version__}: written")


if __name__ == "__main__":
    main()
