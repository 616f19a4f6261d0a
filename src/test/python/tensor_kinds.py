"""Writes src/test/resources/cases/kinds: state dicts with one tensor each of a kind that ConvZoo does not read.

python src/test/python/tensor_kinds.py src/test/resources/cases/kinds
"""

import pathlib
import sys
import warnings

import safetensors.torch
import torch

warnings.filterwarnings("ignore")

PLAIN = torch.ones(2, 2)
KINDS = {
    "sparse": PLAIN.to_sparse(),
    "sparse_csr": PLAIN.to_sparse_csr(),
    "quantized": torch.quantize_per_tensor(PLAIN, 0.1, 0, torch.qint8),
    "complex": PLAIN.to(torch.complex64),
    "half_complex": PLAIN.to(torch.complex32),
    "conjugate": PLAIN.to(torch.complex64).conj(),
    "negated": torch._neg_view(PLAIN),
    "meta": PLAIN.to("meta"),
    "meta_parameter": torch.nn.Parameter(PLAIN.to("meta")),
    "float8_e4m3fn": PLAIN.to(torch.float8_e4m3fn),
    "float8_e5m2": PLAIN.to(torch.float8_e5m2),
    "uint16": PLAIN.to(torch.uint16),
    "nested": torch.nested.nested_tensor([torch.ones(2), torch.ones(3)]),
    "jagged": torch.nested.nested_tensor([torch.ones(2), torch.ones(3)], layout=torch.jagged),
}
# What _reduce_ex_internal writes for a tensor on an XLA device, which no machine without one can make.
XLA = {"xla_numpy": "_rebuild_device_tensor_from_numpy", "xla": "_rebuild_device_tensor_from_cpu_tensor"}


class Xla:
    def __init__(self, function):
        self.function = function

    def __reduce__(self):
        return getattr(torch._utils, self.function), (PLAIN, torch.float32, "xla:0", False)


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, tensor in KINDS.items():
        torch.save({"state_dict": {"plain": PLAIN, "odd": tensor}}, folder / f"{name}.pth")
    for name, function in XLA.items():
        torch.save({"state_dict": {"plain": PLAIN, "odd": Xla(function)}}, folder / f"{name}.pth")
    for name in ("float8_e4m3fn", "float8_e5m2", "complex", "uint16"):
        safetensors.torch.save_file({"plain": PLAIN, "odd": KINDS[name]}, folder / f"{name}.safetensors")


main()
