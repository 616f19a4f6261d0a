"""Writes src/test/resources/formats: images of the kinds that readers understand differently, each with Pillow's RGB picture
next to it as NAME.png, turned upright as PIL.ImageOps.exif_transpose does.

Usage: python format_fixtures.py PHOTO OUTPUT    (Pillow 13 and NumPy; PHOTO is src/test/resources/photos/rocket.jpg)
"""

import io
import struct
import sys
import zlib
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

rng = np.random.default_rng(1)
out = Path(sys.argv[2])
out.mkdir(parents=True, exist_ok=True)
photo = Image.open(sys.argv[1]).convert("RGB").resize((31, 23))
W, H = 23, 11


def write(name, data):
    (out / name).write_bytes(data)


# BMP: written by hand, because Pillow writes few of its kinds.


def bmp(width, height, bits, compression, data, palette=b"", masks=b"", header=40, colors=0, size=None, data_size=0,
        offset=None, extra=b""):
    if header == 12:
        head = struct.pack("<IHHHH", 12, width, height, 1, bits)
    else:
        head = struct.pack("<IiiHHIIiiII", header, width, height, 1, bits, compression, data_size, 2835, 2835, colors, 0)
        head += extra
    start = 14 + len(head) + len(masks) + len(palette) if offset is None else offset
    body = head + masks + palette + data
    return b"BM" + struct.pack("<IHHI", 14 + len(body) if size is None else size, 0, 0, start) + body


def padded(rows):
    return b"".join(row + b"\0" * (-len(row) % 4) for row in rows)


def raw(array):
    return padded([row.tobytes() for row in array])


def packed(indices, bits):
    rows = []
    for row in indices:
        digits = "".join(format(index, f"0{bits}b") for index in row)
        digits += "0" * (-len(digits) % 8)
        rows.append(int(digits, 2).to_bytes(len(digits) // 8, "big"))
    return padded(rows)


pixels16 = rng.integers(0, 1 << 16, (H, W), dtype="uint16")
pixels24 = rng.integers(0, 256, (H, W, 3), dtype="uint8")
pixels32 = rng.integers(0, 1 << 32, (H, W), dtype="uint32")
write("b16.bmp", bmp(W, H, 16, 0, raw(pixels16)))
write("b16_down.bmp", bmp(W, -H, 16, 0, raw(pixels16)))
write("b16_565.bmp", bmp(W, H, 16, 3, raw(pixels16), masks=struct.pack("<III", 0xF800, 0x7E0, 0x1F)))
write("b32.bmp", bmp(W, H, 32, 0, raw(pixels32)))
write("b32_masks.bmp", bmp(W, H, 32, 3, raw(pixels32), masks=struct.pack("<III", 0xFF000000, 0xFF00, 0xFF)))
for name, masks in {
    "rgba": (0xFF, 0xFF00, 0xFF0000, 0xFF000000),
    "zero": (0, 0, 0, 0),
    "abgr": (0xFF000000, 0xFF0000, 0xFF00, 0xFF),
}.items():
    extra = struct.pack("<IIII", *masks) + b"\0" * (124 - 56)
    write(f"b32_v5_{name}.bmp", bmp(W, H, 32, 3, raw(pixels32), header=124, extra=extra))
write("b24_core.bmp", bmp(W, H, 24, 0, raw(pixels24), header=12))
write("b24_size0.bmp", bmp(W, H, 24, 0, raw(pixels24), size=0))
write("b24_sizes.bmp", bmp(W, H, 24, 0, raw(pixels24), size=2**31 + 7, data_size=2**32 - 1))
write("b24_offset0.bmp", bmp(W, H, 24, 0, raw(pixels24), offset=0))
write("b24_unpadded_end.bmp", bmp(W, H, 24, 0, raw(pixels24))[:-3])
palette = rng.integers(0, 256, (256, 4), dtype="uint8")
for bits in (1, 4, 8):
    indices = rng.integers(0, 1 << bits, (H, W), dtype="uint8")
    data, n = packed(indices, bits), 1 << bits
    write(f"b{bits}_down.bmp", bmp(W, -H, bits, 0, data, palette=palette[:n].tobytes()))
    write(f"b{bits}_few.bmp", bmp(W, H, bits, 0, data, palette=palette[: n // 2 + 1].tobytes(), colors=n // 2 + 1))
    write(f"b{bits}_core.bmp", bmp(W, H, bits, 0, data, palette=palette[:n, :3].tobytes(), header=12))
    write(f"b{bits}_offset.bmp", bmp(W, H, bits, 0, data, palette=palette[:n].tobytes(), offset=54))
ramp4 = np.zeros((256, 4), "uint8")
ramp4[:, :3] = np.arange(256)[:, None]
write("b8_grays.bmp", bmp(W, H, 8, 0, packed(indices, 8), palette=ramp4[:100].tobytes(), colors=100))
runs = b""
for y in range(H):
    runs += bytes([3, y, 0, 5, 1, 2, 3, 4, 5, 0, W - 8, y + 20, 0, 0])
write("r8.bmp", bmp(W, H, 8, 1, runs + b"\0\1", palette=palette.tobytes()))
write("r8_long.bmp", bmp(W, H, 8, 1, bytes([40, 3, 0, 0]) * H + b"\0\1", palette=palette.tobytes()))
moves = bytes([5, 3, 0, 2, 3, 2, 9, 1, 0, 0]) + bytes([W, 2, 0, 0]) * 8 + b"\0\1"
write("r8_delta.bmp", bmp(W, H, 8, 1, moves, palette=palette.tobytes()))
runs = b""
for y in range(H):
    runs += bytes([9, 0x12, 0, 7, 0x34, 0x56, 0x78, 0x90, W - 16, 0xAB, 0, 0])
write("r4.bmp", bmp(W, H, 4, 2, runs + b"\0\1", palette=palette[:16].tobytes()))


# GIF


def lzw(indices, bits):
    """Without a dictionary: the codes are cleared before they get longer."""
    clear, code_bits = 1 << bits, bits + 1
    value = held = 0
    packed_codes = bytearray()
    codes = [clear]
    for i, index in enumerate(indices, 1):
        codes.append(int(index))
        if i % (clear - 2) == 0:
            codes.append(clear)
    for code in codes + [clear + 1]:
        value |= code << held
        held += code_bits
        while held >= 8:
            packed_codes.append(value & 255)
            value >>= 8
            held -= 8
    packed_codes.append(value & 255)
    blocks = [packed_codes[i : i + 255] for i in range(0, len(packed_codes), 255)]
    return bytes([bits]) + b"".join(bytes([len(block)]) + bytes(block) for block in blocks) + b"\0"


def color_table(colors):
    bits = max(1, (len(colors) - 1).bit_length())
    return bits - 1, colors.tobytes() + b"\0" * (3 * ((1 << bits) - len(colors)))


def gif(width, height, frame, x, y, colors=None, local=None, transparent=None, background=0, interlaced=False, bits=4,
        extension=b"", more=b""):
    rows, columns = frame.shape
    flags, table = (0, b"") if colors is None else color_table(colors)
    data = b"GIF89a" + struct.pack("<HHBBB", width, height, flags | (0 if colors is None else 0x80), background, 0) + table
    data += extension
    if transparent is not None:
        data += bytes([0x21, 0xF9, 4, 1, 0, 0, transparent, 0])
    flags, table = (0, b"") if local is None else color_table(local)
    flags |= (0 if local is None else 0x80) | (0x40 if interlaced else 0)
    data += b"," + struct.pack("<HHHHB", x, y, columns, rows, flags) + table
    order = range(rows)
    if interlaced:
        order = [*range(0, rows, 8), *range(4, rows, 8), *range(2, rows, 4), *range(1, rows, 2)]
    return data + lzw(np.concatenate([frame[row] for row in order]), bits) + more + b";"


frame = rng.integers(0, 16, (9, 13), dtype="uint8")
frame64 = rng.integers(0, 64, (9, 13), dtype="uint8")
colors = rng.integers(0, 256, (16, 3), dtype="uint8")
local = rng.integers(0, 256, (16, 3), dtype="uint8")
ramp = np.repeat(np.arange(16, dtype="uint8")[:, None], 3, 1)
write("g_offset.gif", gif(30, 20, frame, 5, 7, colors, background=9))
write("g_offset_transparent.gif", gif(30, 20, frame, 5, 7, colors, transparent=3))
write("g_local.gif", gif(30, 20, frame, 5, 7, colors, local, interlaced=True))
write("g_local_only.gif", gif(30, 20, frame, 0, 0, None, local, transparent=4))
write("g_no_palette.gif", gif(30, 20, frame, 5, 7, transparent=200))
write("g_grown.gif", gif(8, 30, frame, 4, 2, colors, transparent=1))
write("g_no_screen.gif", gif(0, 0, frame, 0, 0, colors))
write("g_past_palette.gif", gif(30, 20, frame64, 5, 7, colors, bits=6))
write("g_past_grays.gif", gif(30, 20, frame64, 5, 7, ramp, bits=6))
write("g_transparent_past_palette.gif", gif(30, 20, frame, 5, 7, colors, transparent=250))
write("g_comments.gif", gif(30, 20, frame, 5, 7, colors, extension=b"!\xfe\x05h,l;o\0!\xff\x0bNETSCAPE2.0\x03\1\0\0\0"))
control = bytes([0x21, 0xF9, 4, 1, 0, 0, 6, 0])
write("g_controls.gif", gif(30, 20, frame, 5, 7, colors, extension=control + bytes([0x21, 0xF9, 4, 0, 0, 0, 9, 0])))
second = b",\0\0\0\0\x1e\0\x14\0\0" + lzw(rng.integers(0, 16, 600), 4)
write("g_animated.gif", gif(30, 20, frame, 5, 7, colors, more=second))


# Orientation


def exif(value, kind=3, big=False):
    order = ">" if big else "<"
    stored = {1: struct.pack(order + "BBBB", value, 0, 0, 0), 3: struct.pack(order + "HH", value, 0),
              4: struct.pack(order + "I", value)}[kind]
    return ((b"MM\0*" if big else b"II*\0") + struct.pack(order + "IHHHI", 8, 1, 0x112, kind, 1) + stored
            + struct.pack(order + "I", 0))


def xmp(value, element=False):
    if element:
        return b"<rdf:Description><tiff:Orientation>%d</tiff:Orientation></rdf:Description>" % value
    return b'<rdf:Description tiff:Orientation="%d"/>' % value


def with_chunks(before, *chunks):
    at = png.index(before) - 4
    made = b"".join(struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
                    for kind, data in chunks)
    return png[:at] + made + png[at:]


def encoded(image, kind, **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


png = encoded(photo, "png")
for value in range(10):
    write(f"o_exif{value}.png", with_chunks(b"IDAT", (b"eXIf", exif(value))))
write("o_after.png", with_chunks(b"IEND", (b"eXIf", exif(6))))
write("o_long.png", with_chunks(b"IDAT", (b"eXIf", exif(6, 4, True))))
write("o_prefix.png", with_chunks(b"IDAT", (b"eXIf", b"Exif\0\0" + exif(8))))
digits = (b"Exif\0\0" + exif(6)).hex()
profile = ("\nexif\n%8d\n" % (len(digits) // 2) + digits[:72] + "\n" + digits[72:] + "\n").encode()
write("o_text.png", with_chunks(b"IDAT", (b"tEXt", b"Raw profile type exif\0" + profile)))
write("o_ztext.png", with_chunks(b"IDAT", (b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(profile))))
xmp_chunk = (b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp(6))
write("o_xmp.png", with_chunks(b"IDAT", xmp_chunk))
write("o_xmp_z.png", with_chunks(b"IDAT", (b"iTXt", b"XML:com.adobe.xmp\0\1\0en\0x\0" + zlib.compress(xmp(3, True)))))
write("o_xmp_exif8.png", with_chunks(b"IDAT", xmp_chunk, (b"eXIf", exif(8))))
write("o_xmp_exif1.png", with_chunks(b"IDAT", xmp_chunk, (b"eXIf", exif(1))))
jpeg = encoded(photo, "jpeg")


def with_segments(*segments):
    return jpeg[:2] + b"".join(b"\xff\xe1" + struct.pack(">H", len(s) + 2) + s for s in segments) + jpeg[2:]


XMP = b"http://ns.adobe.com/xap/1.0/\0"
write("o_xmp.jpg", with_segments(XMP + xmp(6)))
write("o_xmp_exif8.jpg", with_segments(XMP + xmp(6), b"Exif\0\0" + exif(8)))
write("o_two.jpg", with_segments(b"Exif\0\0" + exif(3), b"Exif\0\0" + exif(6)))
write("o_long.jpg", with_segments(b"Exif\0\0" + exif(6, 4, True)))
write("o_byte.jpg", with_segments(b"Exif\0\0" + exif(6, 1)))
write("o_twice.jpg", with_segments(b"Exif\0\0Exif\0\0" + exif(6)))


# WebP

alpha = photo.convert("RGBA")
alpha.putalpha(Image.fromarray(rng.integers(0, 256, (23, 31), dtype="uint8")))
write("w_exif3.webp", encoded(photo, "webp", lossless=True, exif=exif(3)))
write("w_exif6.webp", encoded(photo, "webp", quality=70, exif=b"Exif\0\0" + exif(6)))
write("w_xmp8.webp", encoded(photo, "webp", quality=70, xmp=xmp(8)))
write("w_lossy.webp", encoded(photo, "webp", quality=20))
write("w_lossy_alpha.webp", encoded(alpha, "webp", quality=50))
write("w_lossless_alpha.webp", encoded(alpha, "webp", lossless=True, exact=True))
write("w_gray.webp", encoded(photo.convert("L"), "webp", quality=60))
write("w_1x1.webp", encoded(photo.crop((0, 0, 1, 1)), "webp", quality=60))
write("w_animated.webp", encoded(photo, "webp", save_all=True, append_images=[photo.rotate(90)], quality=60))


def three_bytes(value):
    return struct.pack("<I", value)[:3]


chunk = encoded(photo.crop((0, 0, 20, 10)), "webp", lossless=True)[12:]
animated = b"".join(map(three_bytes, (3, 2, 19, 9, 100))) + b"\0" + chunk
body = (b"WEBPVP8X" + struct.pack("<I", 10) + bytes([2, 0, 0, 0]) + three_bytes(39) + three_bytes(29)
        + b"ANIM" + struct.pack("<I", 6) + b"\xff\x80\x40\xff\0\0" + b"ANMF" + struct.pack("<I", len(animated)) + animated)
write("w_animated_offset.webp", b"RIFF" + struct.pack("<I", len(body)) + body)


# TIFF

gray = photo.convert("L")
for kind in ("raw", "tiff_lzw", "packbits", "tiff_adobe_deflate", "jpeg"):
    write(f"t_{kind}.tif", encoded(photo, "tiff", compression=None if kind == "raw" else kind))
for value in range(10):
    write(f"t_turned{value}.tif", encoded(photo.crop((0, 0, 7, 5)), "tiff", tiffinfo={274: value}))
write("t_gray.tif", encoded(gray, "tiff"))
write("t_white_is_zero.tif", encoded(gray, "tiff", tiffinfo={262: 0}))
write("t_bits.tif", encoded(photo.convert("1"), "tiff"))
write("t_fax.tif", encoded(photo.convert("1"), "tiff", compression="group4"))
write("t_palette.tif", encoded(photo.quantize(50), "tiff"))
write("t_rgba.tif", encoded(alpha, "tiff"))
write("t_cmyk.tif", encoded(photo.convert("CMYK"), "tiff"))
write("t_ycc_jpeg.tif", encoded(photo.convert("YCbCr"), "tiff", compression="jpeg"))
write("t_predictor.tif", encoded(photo, "tiff", compression="tiff_lzw", tiffinfo={317: 2}))
write("t_strips.tif", encoded(photo, "tiff", compression="tiff_lzw", tiffinfo={278: 7}))
write("t_pages.tif", encoded(photo, "tiff", save_all=True, append_images=[photo.rotate(90)]))

for file in sorted(out.iterdir()):
    if file.name.count(".") == 1:
        ImageOps.exif_transpose(Image.open(file)).convert("RGB").save(out / (file.name + ".png"))
