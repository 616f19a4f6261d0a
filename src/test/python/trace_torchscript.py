"""Traces the TorchScript peers of the benchmark, with the fixtures' weights, and checks their logits.

For each network two files: `<name>.pt`, the trace, for any batch size, and `<name>.safetensors`, the same
weights under their canonical names. The trace keeps the in-place activations of its source and is
neither frozen nor fused: what an eager network is compared with is the same sequence of operations.

    python trace_torchscript.py [DIR]
"""

import argparse
import json
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from deterministic import canonical_state, image
from reference_fixtures import NETWORKS

PROJECT = Path(__file__).resolve().parents[3]
FIXTURES = PROJECT / "src/test/resources/reference"

TRACED = ("dla34", "dla60x", "dpn68", "peleenet")
NUM_CLASSES = 1000
TOLERANCE = 1e-5


def trace(network: nn.Module, images: Tensor) -> torch.jit.ScriptModule:
    network.eval().requires_grad_(False)
    with torch.no_grad():
        return torch.jit.trace(network, images)


def deviation(traced: nn.Module, images: Tensor, logits: Tensor) -> float:
    """The largest difference from the logits, relative to the largest of them in the same row."""
    with torch.no_grad():
        difference = (traced(images) - logits).abs().amax(dim=1)
    return (difference / logits.abs().amax(dim=1)).max().item()


def main() -> int:
    parser = argparse.ArgumentParser(description="Trace the TorchScript peers of the benchmark.")
    parser.add_argument("dir", nargs="?", type=Path, default=PROJECT / "target/benchmark", metavar="DIR")
    folder = parser.parse_args().dir
    folder.mkdir(parents=True, exist_ok=True)

    builders = {row.file: row for row in NETWORKS}
    failures = 0
    for name in TRACED:
        fixture = json.loads((FIXTURES / f"{name}.json").read_text())
        images = torch.from_numpy(image(tuple(fixture["input_shape"])))
        logits = torch.tensor(fixture["logits"])
        network = builders[name].filled(NUM_CLASSES)

        path = folder / f"{name}.pt"
        trace(network, images).save(path)
        weights = {n: t.contiguous() for n, t in canonical_state(network).items()}
        save_file(weights, folder / f"{name}.safetensors", metadata={"format": "pt"})

        # What was written is what is checked, and at other batch sizes than the traced one.
        traced = torch.jit.load(path)
        worst = max(
            deviation(traced, batch, expected)
            for batch, expected in (
                (images, logits),
                (images[:1], logits[:1]),
                (images.repeat(4, 1, 1, 1), logits.repeat(4, 1)),
            )
        )
        agrees = worst <= TOLERANCE
        failures += not agrees
        print("ok    " if agrees else "DIFFER", path, f"- logits {worst:.1e} (at most {TOLERANCE:.0e})")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
