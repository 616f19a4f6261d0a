"""Compares ConvZoo's predictions with timm's, image by image, given nothing but a model folder.

    python compare_with_timm.py FOLDER IMAGE... [--convzoo ../../../convzoo] [--tolerance 2e-5]

FOLDER may have been written by either. timm loads it with create_model("local-dir:FOLDER") and prepares images by its
own transform; ConvZoo runs as `convzoo predict --model FOLDER --jsonl`. Prints the largest difference of a probability
and ends with 1 if it is above the tolerance, or if the classes' names differ.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

import timm
import torch
from PIL import Image, ImageOps


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("images", nargs="+")
    parser.add_argument("--convzoo", default=str(Path(__file__).parents[3] / "convzoo"))
    parser.add_argument("--tolerance", type=float, default=2e-5)
    arguments = parser.parse_args()

    network = timm.create_model(f"local-dir:{arguments.folder}", pretrained=True).eval()
    transform = timm.data.create_transform(**timm.data.resolve_model_data_config(network))
    names = network.pretrained_cfg.get("label_names") or [str(i) for i in range(network.num_classes)]

    command = [arguments.convzoo, "predict", *arguments.images, "--model", str(arguments.folder)]
    command += ["--jsonl", "--top-k", str(network.num_classes)]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    results = {result["image"]: result["predictions"] for result in map(json.loads, lines)}

    worst = 0.0
    agreeing = 0
    for name, predictions in results.items():
        # ConvZoo turns images upright, as their EXIF orientation says.
        image = ImageOps.exif_transpose(Image.open(name)).convert("RGB")
        with torch.inference_mode():
            expected = network(transform(image)[None]).softmax(1)[0].tolist()
        for prediction in predictions:
            number = prediction["classNumber"]
            if prediction["label"] != names[number]:
                print(f"{name}: class {number} is {prediction['label']} here and {names[number]} in timm")
                return 1
            worst = max(worst, abs(prediction["probability"] - expected[number]))
        agreeing += predictions[0]["classNumber"] == max(range(len(expected)), key=expected.__getitem__)
    print(f"{len(results)} images, {agreeing} with the same best class, largest difference {worst:.1e}")
    return 0 if results and worst <= arguments.tolerance else 1


sys.exit(main())
