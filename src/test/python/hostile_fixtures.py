"""Writes src/test/resources/cases/hostile/expanded.pth: a small file whose tensors have many elements.

Run in this folder: python hostile_fixtures.py
"""

import pathlib

import torch

out = pathlib.Path("../resources/cases/hostile")
tensors = {"plain": torch.tensor([1.0, 2.0])}
for i in range(200):
    # 256 MiB of the same number, of which the file has four bytes.
    tensors[f"expanded{i}"] = torch.tensor([3.0]).expand(8192, 8192)
torch.save(tensors, out / "expanded.pth")
