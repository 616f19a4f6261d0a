"""Makes the Fashion-MNIST test resources: a small real data set, and weights that were trained on it.

Takes a PeleeNet of 10 classes, saved by a PyTorch training script, and the files of the test set:

    python fashion_mnist_fixture.py --checkpoint peleenet_fmnist.pth.tar --data fashion-mnist \\
        [--expected peleenet_fmnist.json] [--evaluate-all]

and writes below src/test/resources (or --out DIR)

    checkpoints/peleenet_fmnist.safetensors    the weights alone, under canonical names
    checkpoints/peleenet_fmnist.json           the logits of the first 100 images
    fashion-mnist/t10k-*-ubyte.gz              those images and their labels
    fashion-mnist/ankle-boot.png, trouser.png  the first image of each of these classes

`labels.txt` and `README.md` beside them are written by hand.
"""

import argparse
import gzip
import json
import struct
import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor, nn

from deterministic import is_counter
from references import PeleeNet

PROJECT = Path(__file__).resolve().parents[3]

IMAGES_FILE = "t10k-images-idx3-ubyte.gz"
LABELS_FILE = "t10k-labels-idx1-ubyte.gz"
SLICE = 100
PHOTOS = {"ankle-boot.png": 9, "trouser.png": 1}

MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)
PADDING = 2
TOLERANCE = 1e-5


# --- IDX ----------------------------------------------------------------------------------------------


def read_idx(path: Path) -> np.ndarray:
    """Bytes in IDX form: two zeros, the type (8, unsigned byte), the rank, big-endian sizes, the values."""
    data = gzip.decompress(path.read_bytes())
    zeros, kind, rank = struct.unpack_from(">HBB", data)
    if zeros != 0 or kind != 8:
        raise ValueError(f"{path} does not hold unsigned bytes in IDX form")
    shape = struct.unpack_from(f">{rank}I", data, 4)
    return np.frombuffer(data, np.uint8, offset=4 + 4 * rank).reshape(shape)


def write_idx(values: np.ndarray, path: Path) -> None:
    header = struct.pack(f">HBB{values.ndim}I", 0, 8, values.ndim, *values.shape)
    # Without a time in its header the file is the same each time it is made.
    path.write_bytes(gzip.compress(header + values.tobytes(), mtime=0))


# --- The network on the images ------------------------------------------------------------------------


def read_weights(path: Path) -> dict[str, Tensor]:
    """The checkpoint's weights under canonical names, float32."""
    checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    return {
        name.removeprefix("module."): tensor.float().contiguous()
        for name, tensor in checkpoint["state_dict"].items()
        if not is_counter(name)
    }


def network_of(weights: dict[str, Tensor]) -> nn.Module:
    network = PeleeNet(num_classes=10).eval()
    loaded = network.load_state_dict(weights, strict=False)
    missing = [name for name in loaded.missing_keys if not is_counter(name)]
    if missing or loaded.unexpected_keys:
        raise ValueError(f"missing: {missing}, unexpected: {loaded.unexpected_keys}")
    return network


def prepare(images: np.ndarray) -> Tensor:
    """Gray bytes (N, 28, 28) as the network was trained on them: padded, three channels, normalized."""
    gray = F.pad(torch.from_numpy(images.copy()).float(), [PADDING] * 4) / 255
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in (MEAN, STD))
    return (gray.unsqueeze(1).expand(-1, 3, -1, -1) - mean) / std


def evaluate(network: nn.Module, images: np.ndarray) -> Tensor:
    with torch.inference_mode():
        return torch.cat([network(prepare(images[i : i + SLICE])) for i in range(0, len(images), SLICE)])


def correct(logits: Tensor, labels: np.ndarray) -> int:
    return int((logits.argmax(dim=1).numpy() == labels).sum())


# --- Command line -------------------------------------------------------------------------------------


def main() -> int:
    parser = argparse.ArgumentParser(description="Make the Fashion-MNIST test resources.")
    parser.add_argument("--checkpoint", type=Path, required=True, metavar="FILE")
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help=f"holds {IMAGES_FILE}")
    parser.add_argument(
        "--expected", type=Path, metavar="FILE", help="JSON whose logits_first4 must agree first"
    )
    parser.add_argument(
        "--evaluate-all", action="store_true", help="also count what is right of the whole test set"
    )
    parser.add_argument("--out", type=Path, default=PROJECT / "src/test/resources", metavar="DIR")
    arguments = parser.parse_args()

    weights = read_weights(arguments.checkpoint)
    network = network_of(weights)
    images = read_idx(arguments.data / IMAGES_FILE)
    labels = read_idx(arguments.data / LABELS_FILE)
    logits = evaluate(network, images[:SLICE])

    if arguments.expected is not None:
        expected = torch.tensor(json.loads(arguments.expected.read_text())["logits_first4"])
        deviation = ((logits[:4] - expected).abs().max() / expected.abs().max()).item()
        print(f"first four logits: {deviation:.1e} of their largest (at most {TOLERANCE:.0e})")
        if not deviation <= TOLERANCE:
            return 1
    if arguments.evaluate_all:
        print(f"whole test set: {correct(evaluate(network, images), labels)} of {len(labels)}")

    checkpoints = arguments.out / "checkpoints"
    slice_folder = arguments.out / "fashion-mnist"
    for folder in (checkpoints, slice_folder):
        folder.mkdir(parents=True, exist_ok=True)
    save_file(weights, checkpoints / "peleenet_fmnist.safetensors", metadata={"format": "pt"})
    fixture = {
        "model": "peleenet",
        "input_size": images.shape[1] + 2 * PADDING,
        "num_classes": 10,
        "correct": correct(logits, labels[:SLICE]),
        "total": SLICE,
        "logits": [[float(f"{v:.9g}") for v in row] for row in logits.tolist()],
    }
    (checkpoints / "peleenet_fmnist.json").write_text(json.dumps(fixture, separators=(",", ":")))
    print(f"slice: {fixture['correct']} of {SLICE}")

    write_idx(images[:SLICE], slice_folder / IMAGES_FILE)
    write_idx(labels[:SLICE], slice_folder / LABELS_FILE)
    for name, label in PHOTOS.items():
        first = int(np.flatnonzero(labels == label)[0])
        Image.fromarray(images[first]).save(slice_folder / name, optimize=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
