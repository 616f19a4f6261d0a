"""Makes ../resources/explain/maps.json: class activation maps and Grad-CAM by PyTorch, in float64.

The networks are timm's and those of references.py, with the weights of deterministic.py. A class
activation map is the last map times the classifier's weights; Grad-CAM comes from autograd. Both are
divided by the number of positions, so that the first sums up to the logit without the bias; negative
numbers are kept.

    python explain_fixtures.py --out ../resources/explain/maps.json
    python explain_fixtures.py --check ../resources/explain/maps.json
"""

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import timm
import torch
from torch import Tensor, nn

from deterministic import SALT, fill, uniform
from references import PeleeNet, dpn92_post

SIZE = 96
CLASSES = 7
MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)
TOLERANCE = 1e-9


@dataclass(frozen=True)
class Network:
    """A row: the network, the module whose output is the last map, the classifier, inner layers."""

    model: str
    build: Callable[..., nn.Module]
    last: str
    classifier: str
    layers: tuple[str, ...]


NETWORKS = (
    Network(
        "dla34",
        partial(timm.create_model, "dla34", pretrained=False),
        "level5",
        "fc",
        ("level5", "level3", "level4.tree1.tree2.conv1"),
    ),
    Network(
        "dla46x_c",
        partial(timm.create_model, "dla46x_c", pretrained=False),
        "level5",
        "fc",
        ("level5", "level4", "level3.tree2.root.conv"),
    ),
    Network(
        "peleenet",
        PeleeNet,
        "features",
        "classifier",
        ("features.transition4", "features.transition2", "features.denseblock3.denselayer2"),
    ),
    Network(
        "dpn68",
        partial(timm.create_model, "dpn68", pretrained=False),
        "features",
        "classifier",
        ("features.conv5_bn_ac", "features.conv4_2.c3x3_b.conv"),
    ),
    Network("dpn92_post", dpn92_post, "conv5", "fc", ("conv5", "conv3")),
)


def pixels() -> np.ndarray:
    """Bytes (H, W, 3): an 8x8 pattern of three quarters of the range, and noise."""
    coarse = uniform(SALT + "explain/coarse", 8 * 8 * 3).reshape(8, 8, 3)
    noise = uniform(SALT + "explain/noise", SIZE * SIZE * 3).reshape(SIZE, SIZE, 3)
    cells = np.arange(SIZE) * 8 // SIZE
    return np.floor(192 * coarse[cells][:, cells] + 64 * noise).astype(np.uint8)


def network_input() -> Tensor:
    image = torch.from_numpy(pixels()).double().permute(2, 0, 1) / 255
    mean, std = (torch.tensor(v, dtype=torch.float64)[:, None, None] for v in (MEAN, STD))
    return ((image - mean) / std)[None]


def outputs(network: nn.Module, layer: str) -> tuple[Tensor, Tensor]:
    """The logits, and the layer's output, on which they depend."""
    kept: list[Tensor] = []

    def keep(module: nn.Module, inputs: Any, output: Tensor) -> Tensor:
        kept.append(output)
        output.retain_grad()
        # What follows may overwrite its input in place.
        return output.clone()

    handle = network.get_submodule(layer).register_forward_hook(keep)
    logits = network(network_input())[0]
    handle.remove()
    return logits, kept[0]


def class_map(network: nn.Module, row: Network, number: int) -> Tensor:
    _, last = outputs(network, row.last)
    weight = network.get_submodule(row.classifier).weight[number].flatten()
    return torch.einsum("c,chw->hw", weight, last[0]) / last[0, 0].numel()


def grad_cam(network: nn.Module, layer: str, number: int) -> Tensor:
    logits, output = outputs(network, layer)
    logits[number].backward()
    weight = output.grad[0].mean(dim=(1, 2))
    return torch.einsum("c,chw->hw", weight, output[0])


def rows(tensor: Tensor) -> list[list[float]]:
    return [[float(f"{v:.9g}") for v in row] for row in tensor.tolist()]


def made(row: Network) -> dict[str, Any]:
    network = fill(row.build(num_classes=CLASSES)).double().eval()
    logits, _ = outputs(network, row.last)
    best = int(logits.argmax())
    # Another class than the predicted one, to tell them apart.
    other = (best + 3) % CLASSES
    return {
        "model": row.model,
        "best": best,
        "other": other,
        "logits": [float(f"{v:.9g}") for v in logits.tolist()],
        "class_map": rows(class_map(network, row, best)),
        "other_class_map": rows(class_map(network, row, other)),
        "grad_cam": {layer: rows(grad_cam(network, layer, other)) for layer in row.layers},
    }


def fixture() -> dict[str, Any]:
    return {
        "salt": SALT,
        "size": SIZE,
        "classes": CLASSES,
        "networks": [made(row) for row in NETWORKS],
    }


def same(given: Any, fresh: Any) -> bool:
    if isinstance(given, dict):
        return given.keys() == fresh.keys() and all(same(given[k], fresh[k]) for k in given)
    if isinstance(given, list):
        return len(given) == len(fresh) and all(map(same, given, fresh))
    if isinstance(given, float):
        return abs(given - fresh) <= TOLERANCE * max(1, abs(given))
    return given == fresh


def main() -> int:
    parser = argparse.ArgumentParser(description="Make the fixture of explanations, or check it.")
    group = parser.add_mutually_exclusive_group(required=True)
    group.add_argument("--out", type=Path, metavar="FILE")
    group.add_argument("--check", type=Path, metavar="FILE")
    arguments = parser.parse_args()
    fresh = fixture()
    if arguments.out:
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        arguments.out.write_text(json.dumps(fresh, separators=(",", ":")) + "\n")
        return 0
    agrees = same(json.loads(arguments.check.read_text()), fresh)
    print("agrees" if agrees else "differs")
    return 0 if agrees else 1


if __name__ == "__main__":
    sys.exit(main())
