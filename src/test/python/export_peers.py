"""Exports timm's networks as timm's users do, as peers for `convzoo benchmark --peer`.

    python export_peers.py DIR [NAME...]

For each network: NAME-torchscript.onnx and NAME-dynamo.onnx (the two exporters of torch.onnx.export), and NAME.pt
(torch.jit.trace, channels-last, not frozen). Weights are random: times do not depend on them. PeleeNet, which timm does
not have, is our own reference implementation.
"""

import sys
import warnings
from pathlib import Path

import timm
import torch

from references import PeleeNet

warnings.filterwarnings("ignore")
NAMES = ("dla34", "dla46x_c", "dla60x", "dpn68", "dpn92", "peleenet")


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name in sys.argv[2:] or NAMES:
        network = PeleeNet() if name == "peleenet" else timm.create_model(name)
        network.eval().requires_grad_(False)
        images = torch.randn(2, 3, 224, 224)
        batch = torch.export.Dim("batch")
        torch.onnx.export(
            network,
            (images,),
            str(folder / f"{name}-torchscript.onnx"),
            input_names=["input"],
            output_names=["logits"],
            dynamic_axes={"input": {0: "batch"}, "logits": {0: "batch"}},
            dynamo=False,
        )
        torch.onnx.export(
            network,
            (images,),
            str(folder / f"{name}-dynamo.onnx"),
            input_names=["input"],
            output_names=["logits"],
            dynamic_shapes=({0: batch},),
            dynamo=True,
            external_data=False,
        )
        network.to(memory_format=torch.channels_last)
        torch.jit.trace(network, images.to(memory_format=torch.channels_last)).save(str(folder / f"{name}.pt"))
        print(name)


main()
