"""Makes ../resources/model-folder: configurations as timm writes them, and what timm computes with them.

    python model_folder_fixture.py ../resources

Each folder holds the config.json that timm.models.save_for_hf wrote and expected.json, the probabilities that timm
gives for the photos of ../resources/photos with nothing but the folder. The weights are those of deterministic.py, so
they are not committed. Made with timm 1.0.31, PyTorch 2.15.0, Pillow 13.0.0.
"""

import json
import sys
import tempfile
from pathlib import Path

import timm
import torch
from PIL import Image

from deterministic import fill

LABELS = ["cat", "coffee", "rocket"]

# Folder, model, channels, and what differs from the model's own preprocessing.
FOLDERS = (
    ("dla46x_c", "dla46x_c", 3, {}),
    ("dla46x_c_border", "dla46x_c", 3, {"crop_mode": "border", "crop_pct": 1.0, "interpolation": "bicubic"}),
    ("dpn68b", "dpn68b", 3, {"input_size": (3, 192, 192), "mean": (0.5, 0.5, 0.5), "std": (0.5, 0.5, 0.5)}),
)


def main() -> None:
    resources = Path(sys.argv[1])
    for name, model, channels, changes in FOLDERS:
        network = fill(timm.create_model(model, pretrained=False, num_classes=len(LABELS), in_chans=channels))
        folder = resources / "model-folder" / name
        with tempfile.TemporaryDirectory() as written:
            network.pretrained_cfg.update(changes)
            timm.models.save_for_hf(
                network, written, model_config={"label_names": LABELS}, safe_serialization=True
            )
            loaded = timm.create_model(f"local-dir:{written}", pretrained=True).eval()
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "config.json").write_text((Path(written) / "config.json").read_text() + "\n")
        transform = timm.data.create_transform(**timm.data.resolve_model_data_config(loaded))
        expected = {}
        for photo in ("cat.png", "coffee.png", "rocket.jpg"):
            image = Image.open(resources / "photos" / photo).convert("RGB")
            with torch.inference_mode():
                logits = loaded(transform(image)[None])
            expected[photo] = [round(p, 7) for p in logits.softmax(1)[0].tolist()]
        (folder / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")


main()
