"""Weights and inputs that any language can rebuild from (salt, name, index).

The generator is splitmix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators",
OOPSLA 2014), started at the FNV-1a hash of a key, so that every tensor has a stream of its own and
no tensor depends on the order in which others are filled.
"""

import math

import numpy as np
import torch
from torch import nn

SALT = "convzoo/"

_MASK_64 = 0xFFFFFFFFFFFFFFFF


def fnv1a64(key: str) -> int:
    h = 0xCBF29CE484222325
    for byte in key.encode():
        h = ((h ^ byte) * 0x100000001B3) & _MASK_64
    return h


def uniform(key: str, count: int) -> np.ndarray:
    """The first `count` doubles in [0, 1) of the key's stream."""
    # The 64-bit products are meant to wrap.
    with np.errstate(over="ignore"):
        i = np.arange(1, count + 1, dtype=np.uint64)
        z = np.uint64(fnv1a64(key)) + i * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    return (z >> np.uint64(11)).astype(np.float64) * 2.0**-53


def weight(name: str, shape: tuple[int, ...]) -> np.ndarray:
    """The float32 value of the state entry `name`."""
    u = uniform(SALT + name, math.prod(shape))
    leaf = name.rsplit(".", 1)[-1]
    if leaf in ("running_mean", "bias"):
        values = (2 * u - 1) * 0.1
    elif leaf == "running_var":
        values = 0.75 + 0.5 * u
    elif len(shape) == 1:
        values = 0.5 + 0.5 * u
    else:
        # Five dimensions are the experts of a dynamic convolution: each is scaled as a kernel of its own.
        fan_in = math.prod(shape[2:] if len(shape) == 5 else shape[1:])
        values = (2 * u - 1) * math.sqrt(6.0 / fan_in)
    return values.astype(np.float32).reshape(shape)


def image(shape: tuple[int, int, int, int]) -> np.ndarray:
    """A float32 NCHW batch: an 8x8 pattern in [-4, 4), nearest-upsampled, plus noise in [-1, 1)."""
    n, c, h, w = shape
    coarse = 4 * (2 * uniform(SALT + "coarse", n * c * 64).reshape(n, c, 8, 8) - 1)
    rows, columns = np.arange(h) * 8 // h, np.arange(w) * 8 // w
    noise = 2 * uniform(SALT + "input", n * c * h * w).reshape(shape) - 1
    return (coarse[:, :, rows][:, :, :, columns] + noise).astype(np.float32)


def is_counter(name: str) -> bool:
    """BatchNorm's count of batches: PyTorch keeps it, no forward pass reads it, no fixture lists it."""
    return name.endswith(".num_batches_tracked")


def canonical_state(network: nn.Module) -> dict[str, torch.Tensor]:
    """The network's state in its order, by canonical name: all of it but the counters."""
    return {name: t for name, t in network.state_dict().items() if not is_counter(name)}


def fill(network: nn.Module) -> nn.Module:
    """Gives the network its deterministic weights, in place; its dtype stays."""
    for name, tensor in canonical_state(network).items():
        # State tensors share their storage with the network's parameters and buffers.
        tensor.copy_(torch.from_numpy(weight(name, tuple(tensor.shape))))
    return network
