"""Makes a folder of JPEG files, 500 x 375 pixels each and all different, from photos, to measure streams with.

Usage: make_jpegs.py PHOTOS FOLDER COUNT
"""

import random
import sys
from pathlib import Path

from PIL import Image

SIZE = (500, 375)


def main(photos, folder, count):
    sources = [Image.open(each).convert("RGB") for each in sorted(Path(photos).iterdir())
               if each.suffix.lower() in (".jpg", ".jpeg", ".png")]
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    rng = random.Random(1)
    for i in range(count):
        source = sources[i % len(sources)]
        part = rng.uniform(0.6, 1)
        width, height = (round(part * side) for side in source.size)
        left, top = rng.randint(0, source.width - width), rng.randint(0, source.height - height)
        crop = source.resize(SIZE, Image.Resampling.BICUBIC, (left, top, left + width, top + height))
        crop.save(folder / f"{i:05d}.jpg", quality=rng.randint(75, 92))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
