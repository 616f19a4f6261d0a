"""Makes the decoder's fixtures: small encoded images, and what Pillow's convert("RGB") makes of each, as PNG.

    python src/test/python/image_fixtures.py src/test/resources

Made with Python 3.11, Pillow 13.0.0 (libjpeg-turbo 3.2.0), NumPy 2.4.6. The build does not need it. NAME.EXT is the
encoded image, NAME.EXT.png the expected one. crop_WxH_MODE_PCT_HxW.png, enhance* and part_* need
torchvision (0.29.2) and timm (1.0.31).
"""

import io
import struct
import sys
import zlib
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps
from timm.data.transforms_factory import transforms_imagenet_eval
from torchvision import transforms as T
from torchvision.transforms import functional as TF

root = Path(sys.argv[1])
out = root / "image"
out.mkdir(exist_ok=True)
# 37 x 27: odd, and no multiple of a chroma block. A part of the photo with edges and colors.
photo = Image.open(root / "photos" / "coffee.png").convert("RGB").resize((90, 60), Image.BICUBIC).crop((30, 20, 67, 47))


def expect(name, data, rgb=None):
    (out / name).write_bytes(data)
    if rgb is None:
        rgb = Image.open(io.BytesIO(data)).convert("RGB")
    rgb.save(out / (name + ".png"), optimize=True)


def encode(image, kind, **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def segments(jpeg):
    """(marker, body) of each segment before the first scan, then the rest from the scan's marker on."""
    at, parts = 2, []
    while jpeg[at + 1] != 0xDA:
        size = struct.unpack(">H", jpeg[at + 2 : at + 4])[0]
        parts.append((jpeg[at + 1], jpeg[at + 4 : at + 2 + size]))
        at += 2 + size
    return parts, jpeg[at:]


def join(parts, rest):
    return b"\xff\xd8" + b"".join(struct.pack(">BBH", 0xFF, m, len(b) + 2) + b for m, b in parts) + rest


# JPEG: sampling, coding, quality
for sampling in ("4:4:4", "4:2:2", "4:2:0"):
    for progressive in (False, True):
        name = f"ycc_{sampling.replace(':', '')}_{'progressive' if progressive else 'baseline'}.jpg"
        expect(name, encode(photo, "JPEG", quality=80, subsampling=sampling, progressive=progressive))
expect("ycc_quality50.jpg", encode(photo, "JPEG", quality=50))
expect("ycc_restart.jpg", encode(photo, "JPEG", quality=80, restart_marker_rows=1))
expect("gray.jpg", encode(photo.convert("L"), "JPEG", quality=85))
expect("gray_progressive.jpg", encode(photo.convert("L"), "JPEG", quality=85, progressive=True))
plain = encode(photo, "JPEG", quality=85)
expect("trailing_garbage.jpg", plain + bytes(range(256)))

# JPEG: colors as the markers tell them
parts, rest = segments(encode(photo, "JPEG", quality=90, keep_rgb=True))
expect("rgb_by_adobe.jpg", join(parts, rest))
expect("rgb_by_names.jpg", join([p for p in parts if p[0] not in (0xE0, 0xEE)], rest))
parts, rest = segments(encode(photo, "JPEG", quality=90, subsampling="4:4:4"))
bare = [p for p in parts if p[0] not in (0xE0, 0xEE)]
expect("ycc_without_markers.jpg", join(bare, rest))
renamed = [(m, b[:6] + bytes(b[i] - 1 if i % 3 == 0 else b[i] for i in range(6, len(b))) if m == 0xC0 else b) for m, b in bare]
scan = bytearray(rest)
for i in range(3):
    scan[5 + 2 * i] -= 1
expect("ycc_components_from_0.jpg", join(renamed, bytes(scan)))
# A profile that swaps nothing in Pillow but that a color-managed reader would apply.
profile = Image.open(root / "photos" / "rocket.jpg").info["icc_profile"]
expect("ycc_profile.jpg", encode(photo, "JPEG", quality=85, icc_profile=profile))
expect("ycc_broken_profile.jpg", encode(photo, "JPEG", quality=85, icc_profile=profile[:100]))
inks = Image.merge("CMYK", [*photo.convert("CMYK").split()[:3], photo.convert("L").point(lambda v: (255 - v) // 2)])
cmyk = encode(inks, "JPEG", quality=90)
expect("cmyk.jpg", cmyk)
parts, rest = segments(cmyk)
expect("cmyk_without_adobe.jpg", join([p for p in parts if p[0] != 0xEE], rest))
# The same samples read as YCCK: other colors, but any decoder must agree on them.
expect("ycck.jpg", join([(m, b[:11] + b"\x02" if m == 0xEE else b) for m, b in parts], rest))
photo_ycc = photo.convert("YCbCr").split()
ycck = encode(Image.merge("CMYK", [*(ImageOps.invert(c) for c in photo_ycc), photo.convert("L").point(lambda v: (255 - v) // 2)]), "JPEG", quality=90)
parts, rest = segments(ycck)
expect("ycck_photo.jpg", join([(m, b[:11] + b"\x02" if m == 0xEE else b) for m, b in parts], rest))

# JPEG: orientation. The expected image is upright; orientation 1 is what a reader that ignores it sees.
for value in range(1, 9):
    exif = Image.Exif()
    exif[0x0112] = value
    exif[0x010E] = "entry before"
    data = encode(photo, "JPEG", quality=85, exif=exif)
    opened = Image.open(io.BytesIO(data))
    expect(f"orientation_{value}.jpg", data, ImageOps.exif_transpose(opened).convert("RGB"))
little = b"Exif\0\0II*\0" + struct.pack("<IHHHIHHI", 8, 1, 0x0112, 3, 1, 6, 0, 0)
parts, rest = segments(plain)
data = join(parts[:1] + [(0xE1, little)] + parts[1:], rest)
expect("orientation_6_little_endian.jpg", data, ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB"))
exif = b"Exif\0\0MM\0*" + struct.pack(">IHHHI", 8, 9000, 0x0100, 3, 1)
expect("orientation_broken.jpg", join(parts[:1] + [(0xE1, exif)] + parts[1:], rest), Image.open(io.BytesIO(plain)).convert("RGB"))


# PNG
def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width, height, bits, color, rows, interlace=0, extra=b""):
    header = struct.pack(">IIBBBBB", width, height, bits, color, 0, 0, interlace)
    body = zlib.compress(b"".join(b"\0" + r for r in rows), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def passes(samples):
    """The rows of an interlaced image's seven passes, for whole-byte samples of shape (H, W, bytes)."""
    rows = []
    for y, x, dy, dx in ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)):
        rows += [r.tobytes() for r in samples[y::dy, x::dx] if r.size]
    return rows


rgb8 = np.asarray(photo)
h, w = rgb8.shape[:2]
alpha = np.linspace(0, 255, h * w).astype(np.uint8).reshape(h, w)
expect("rgb.png", encode(photo, "PNG"))
expect("rgb_interlaced.png", png(w, h, 8, 2, passes(rgb8), 1))
expect("rgba.png", encode(Image.fromarray(np.dstack([rgb8, alpha])), "PNG"))
gray = np.asarray(photo.convert("L"))
expect("gray.png", encode(Image.fromarray(gray), "PNG"))
gamma = chunk(b"gAMA", struct.pack(">I", 100000))
expect("gray_gamma.png", png(w, h, 8, 0, list(map(bytes, gray)), extra=gamma))
expect("rgb_gamma_profile.png", encode(photo, "PNG", icc_profile=profile))
expect("gray_alpha.png", encode(Image.merge("LA", [Image.fromarray(gray), Image.fromarray(alpha)]), "PNG"))
expect("gray_interlaced.png", png(w, h, 8, 0, passes(gray[..., None]), 1))
expect("gray_transparent_level.png", png(w, h, 8, 0, list(map(bytes, gray)), extra=chunk(b"tRNS", b"\0\x40")))
expect("rgb_transparent_color.png", png(w, h, 8, 2, list(map(bytes, rgb8)), extra=chunk(b"tRNS", b"\0\x40\0\x40\0\x40")))
for bits in (1, 2, 4):
    values = gray >> (8 - bits)
    padded = np.zeros((h, -(-w * bits // 8) * 8 // bits), np.uint8)
    padded[:, :w] = values
    packed = sum(padded[:, i :: 8 // bits].astype(int) << (8 - bits * (i + 1)) for i in range(8 // bits)).astype(np.uint8)
    expect(f"gray_{bits}bit.png", png(w, h, bits, 0, list(map(bytes, packed))))
indexed = photo.quantize(60)
expect("palette.png", encode(indexed, "PNG"))
expect("palette_transparent.png", encode(indexed, "PNG", transparency=bytes([0, 128, 255, 7])))
expect("palette_4bit.png", encode(photo.quantize(13), "PNG", bits=4))
indices = np.asarray(indexed)
table = chunk(b"PLTE", bytes(indexed.getpalette()[:180]))
expect("palette_interlaced.png", png(w, h, 8, 3, passes(indices[..., None]), 1, table))
# 16 bits, the low byte being noise. Pillow takes RGB's high byte, but clips gray: here the high byte is expected too.
low = np.random.default_rng(1).integers(0, 256, (h, w, 4), dtype=np.uint8)
interleave = lambda high: np.stack([high, low[..., : high.shape[2]]], -1).reshape(h, w, -1)
expect("rgb_16bit.png", png(w, h, 16, 2, list(map(bytes, interleave(rgb8)))))
expect("rgba_16bit.png", png(w, h, 16, 6, list(map(bytes, interleave(np.dstack([rgb8, alpha]))))))
expect("rgb_16bit_interlaced.png", png(w, h, 16, 2, passes(interleave(rgb8)), 1))
expect("gray_16bit.png", png(w, h, 16, 0, list(map(bytes, interleave(gray[..., None])))), Image.fromarray(gray).convert("RGB"))
expect("gray_alpha_16bit.png", png(w, h, 16, 4, list(map(bytes, interleave(np.dstack([gray, alpha]))))))

# GIF and BMP
expect("palette.gif", encode(indexed, "GIF"))
expect("animated.gif", encode(indexed, "GIF", save_all=True, append_images=[indexed.transpose(Image.FLIP_LEFT_RIGHT)]))
expect("rgb.bmp", encode(photo, "BMP"))
expect("gray.bmp", encode(photo.convert("L"), "BMP"))
expect("palette.bmp", encode(indexed, "BMP"))

# Resizes to many sizes and shapes. Pillow makes the columns first, then the rows; 13.0 turns that round where the image
# gets wider and lower, which earlier ones (9.4 was compared) do not. Two calls fix the order.
small = Image.open(root / "photos" / "coffee.png").convert("RGB").crop((200, 100, 257, 131))
small.save(out / "resize_input.png", optimize=True)
for filter_name, kind in (("bilinear", Image.BILINEAR), ("bicubic", Image.BICUBIC), ("nearest", Image.NEAREST)):
    for size in ((1, 1), (57, 31), (57, 10), (20, 31), (13, 7), (80, 70), (3, 90), (170, 2), (58, 30)):
        resized = small.resize((size[0], small.height), kind).resize(size, kind)
        resized.save(out / f"resize_{filter_name}_{size[0]}x{size[1]}.png", optimize=True)

# timm's evaluation transform without the normalization, of tall, wide and too small images; the mode unresized is
# torchvision's center crop alone.
for width, height, crop_mode, crop_pct, size in (
    *((w, h, mode, pct, size) for w, h in ((57, 31), (31, 57)) for mode, pct, size in (
        ("center", 0.875, (13, 13)), ("center", 1.3, (16, 16)), ("center", 0.8, (12, 20)),
        ("squash", 1.0, (13, 13)), ("squash", 0.8, (12, 20)), ("squash", 1.2, (12, 18)),
        ("border", 1.0, (16, 16)), ("border", 0.8, (20, 15)))),
    (57, 31, "unresized", 1.0, (30, 40)), (57, 31, "unresized", 1.0, (33, 60)), (57, 31, "unresized", 1.0, (64, 64)),
    (30, 31, "center", 0.999, (15, 15)),
):
    image = small.resize((width, height), Image.BICUBIC) if (width, height) != small.size else small
    if crop_mode == "unresized":
        made = T.CenterCrop(size)(image)
    elif crop_mode == "squash":
        # As timm does it, but columns first, as above.
        rows, columns = (int(side / crop_pct) for side in size)
        made = T.CenterCrop(size)(image.resize((columns, height), Image.BICUBIC).resize((columns, rows), Image.BICUBIC))
    else:
        transform = transforms_imagenet_eval(size, crop_pct, crop_mode, interpolation="bicubic", normalize=False)
        made = T.ToPILImage()(transform(image))
    made.save(out / f"crop_{width}x{height}_{crop_mode}_{crop_pct}_{size[0]}x{size[1]}.png", optimize=True)


# Colors changed: of all colors whose samples are multiples of 5, the CRC-32 of the samples that come out. A line is
# operation, factor, CRC.
levels = np.arange(0, 256, 5, dtype=np.uint8)
cube = np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), -1).reshape(levels.size, -1, 3)
colors = Image.fromarray(cube)
enhancements = {
    "brightness": (TF.adjust_brightness, (0.0, 0.3, 0.71234, 1.0, 1.4, 3.3)),
    "contrast": (TF.adjust_contrast, (0.0, 0.3, 0.71234, 1.0, 1.4, 3.3)),
    "saturation": (TF.adjust_saturation, (0.0, 0.3, 0.71234, 1.0, 1.4, 3.3)),
    "hue": (TF.adjust_hue, (-0.5, -0.1, -0.013, 0.0, 0.037, 0.1, 0.5)),
}
with open(out / "enhancement.txt", "w") as lines:
    for name, (change, factors) in enhancements.items():
        for factor in factors:
            lines.write(f"{name} {factor} {zlib.crc32(np.asarray(change(colors, factor)).tobytes()):08x}\n")
# One of each on the photo, to look at.
for name, factor in (("brightness", 1.4), ("contrast", 0.6), ("saturation", 1.7), ("hue", 0.2)):
    enhancements[name][0](photo, factor).save(out / f"enhanced_{name}_{factor}.png", optimize=True)
# A part resized as if it were the whole: left, top, width, height, then the size.
for box, size in (((3, 5, 20, 15), (8, 8)), ((0, 10, 37, 9), (24, 24)), ((11, 2, 7, 21), (7, 12)), ((11, 2, 7, 21), (14, 21))):
    name = "part_" + "_".join(map(str, box)) + "_" + "x".join(map(str, size)) + ".png"
    left, top, w, h = box
    TF.resized_crop(photo, top, left, h, w, size[::-1], TF.InterpolationMode.BILINEAR).save(out / name, optimize=True)
