"""Makes a small file that looks like the checkpoints of DLA's authors, unused entries included.

Their networks build a projection in every tree whose in and out channels differ, but use it in trees of
depth 1 only; what the deeper trees hold is in the published files all the same. Only names, dtypes and
shapes matter to the test that reads this: each tensor repeats one deterministic value, stored once.

    python dla_authors_checkpoint.py [FILE]
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import timm
import torch
from timm.models.dla import DlaTree
from torch import Tensor, nn

from deterministic import is_counter, weight

PROJECT = Path(__file__).resolve().parents[3]


def unused_projections(network: nn.Module) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Name and shape of what the authors' trees deeper than 1 hold beyond timm's."""
    for path, tree in network.named_modules():
        if not isinstance(tree, DlaTree) or tree.levels == 1:
            continue
        # A deeper tree's channels are those of the first and of the last tree of depth 1 in it.
        first, last = tree, tree
        while first.levels > 1:
            first = first.tree1
        while last.levels > 1:
            last = last.tree2
        inputs = first.tree1.conv1.in_channels
        outputs = last.root.conv.out_channels
        if inputs != outputs:
            yield f"{path}.project.0.weight", (outputs, inputs, 1, 1)
            for leaf in ("weight", "bias", "running_mean", "running_var"):
                yield f"{path}.project.1.{leaf}", (outputs,)
            yield f"{path}.project.1.num_batches_tracked", ()


def repeated(name: str, shape: tuple[int, ...]) -> Tensor:
    """A tensor of one value in every place: strides of zero over a storage of one element."""
    if is_counter(name):
        return torch.tensor(0)
    value = torch.from_numpy(weight(name, (1,) * len(shape))).half()
    return value.expand(shape)


def main() -> None:
    parser = argparse.ArgumentParser(description="Make a small likeness of the DLA authors' checkpoints.")
    parser.add_argument(
        "file",
        nargs="?",
        type=Path,
        default=PROJECT / "src/test/resources/checkpoints/dla46x_c_authors.pth",
        metavar="FILE",
    )
    file = parser.parse_args().file
    network = timm.create_model("dla46x_c", pretrained=False)
    shapes = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    shapes |= dict(unused_projections(network))
    file.parent.mkdir(parents=True, exist_ok=True)
    torch.save({name: repeated(name, shape) for name, shape in shapes.items()}, file)


if __name__ == "__main__":
    main()
