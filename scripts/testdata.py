#!/usr/bin/env python3
"""Makes the files of testdata/ that nobody else publishes: WebP of every kind, bombs, cut-off and mislabelled files.

Run from the root of the repository, with scripts/golden-requirements.txt installed:

    python3 -m venv target/golden && target/golden/bin/pip install -r scripts/golden-requirements.txt
    target/golden/bin/python scripts/testdata.py

The same versions write the same bytes again.
"""

import struct
import subprocess
import tempfile
import zlib
from pathlib import Path

from PIL import Image

TESTDATA = Path(__file__).resolve().parent.parent / "testdata"


def png_chunk(kind: bytes, body: bytes) -> bytes:
    """One PNG chunk with its length and CRC."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_bomb(path: Path, side: int) -> None:
    """A valid 1-bit gray PNG of side x side black pixels: half a megabyte that asks for gigabytes."""
    row = bytes(1 + side // 8)
    pack = zlib.compressobj(9)
    body = b"".join(pack.compress(row * 64) for _ in range(side // 64)) + pack.flush()
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", body) + png_chunk(b"IEND", b"")
    )


def jpeg_bomb(path: Path, small: bytes) -> None:
    """A JPEG whose frame header claims 65500 x 65500 pixels over the data of a small picture."""
    frame = small.index(b"\xff\xc0")
    claimed = struct.pack(">HH", 65500, 65500)
    path.write_bytes(small[: frame + 5] + claimed + small[frame + 9 :])


def webp_set() -> None:
    """Lossy, lossless, with alpha, animated, and one with an EXIF orientation; cut from a Kodak picture."""
    folder = TESTDATA / "webp"
    crop = Image.open(TESTDATA / "photos/kodak_23.png").crop((200, 100, 456, 292))
    ramp = Image.linear_gradient("L").resize(crop.size)
    see_through = crop.copy()
    see_through.putalpha(ramp)
    crop.save(folder / "lossy.webp", quality=80, method=6)
    crop.save(folder / "lossless.webp", lossless=True, method=6)
    see_through.save(folder / "lossy_alpha.webp", quality=80, method=6)
    see_through.save(folder / "lossless_alpha.webp", lossless=True, exact=True, method=6)
    exif = Image.Exif()
    exif[0x0112] = 6
    crop.save(folder / "orientation_6.webp", lossless=True, method=6, exif=exif)
    frames = [crop, crop.rotate(180)]
    frames[0].save(folder / "animated.webp", save_all=True, append_images=frames[1:], duration=100, quality=60)
    webp_animations(folder, crop)


def webp_animations(folder: Path, crop: Image.Image) -> None:
    """Animations whose frames must be laid on a canvas: what was there is disposed of, or shows through."""
    walk = []
    for step in range(4):
        frame = Image.new("RGBA", (100, 40))
        frame.paste((255, 0, 0, 255), (step * 25, 10, step * 25 + 20, 30))
        walk.append(frame)
    walk[0].save(folder / "walk.webp", save_all=True, append_images=walk[1:], duration=100, loop=3, lossless=True)
    pan = [crop.crop((step * 11, 20, step * 11 + 80, 80)) for step in range(4)]
    pan[0].save(folder / "pan.webp", save_all=True, append_images=pan[1:], duration=50, lossless=True)


def rare_jpegs() -> None:
    """JPEGs laid out as few are, by cjpeg and jpegtran 2.1 (Debian's libjpeg-turbo-progs) and ImageMagick 6: a scan a component, rare
    sampling factors, of luma and chroma or of inks."""
    folder = TESTDATA / "rare_jpeg"
    folder.mkdir(exist_ok=True)
    picture = Image.open(TESTDATA / "photos/kodak_23.png").convert("RGB").crop((200, 100, 337, 203))
    with tempfile.TemporaryDirectory() as scratch:
        source, scans = Path(scratch) / "source.ppm", Path(scratch) / "scans.txt"
        picture.save(source)
        scans.write_text("0;\n1;\n2;\n")
        layouts = {"one_scan": [], "progressive": ["-progressive"], "scan_each": ["-scans", str(scans)]}
        for sampling in ("1x1", "1x2", "2x2", "3x1", "1x1,2x1,2x1", "1x1,2x2,1x1", "2x1,1x2,1x1"):
            for layout, options in layouts.items():
                path = folder / f"{layout}_{sampling.replace(',', '_')}.jpg"
                command = ["cjpeg", "-quality", "90", "-sample", sampling, *options, "-outfile", str(path), str(source)]
                subprocess.run(command, check=True)
        inks, scans = folder / "inks_one_scan_2x2.jpg", Path(scratch) / "inks.txt"
        scans.write_text("0;\n1;\n2;\n3;\n")
        # Luma and chroma of inks by ImageMagick, inks as they are by Pillow.
        for sampling in ("2x2", "3x1,1x1,1x1,3x1"):
            path = folder / f"inks_one_scan_{sampling.replace(',', '_')}.jpg"
            options = ["-colorspace", "CMYK", "-quality", "90", "-sampling-factor", sampling]
            subprocess.run(["convert", str(source), *options, str(path)], check=True)
        plain = Path(scratch) / "plain.jpg"
        picture.convert("CMYK").save(plain, quality=90, subsampling="4:2:0")
        for path, name in ((inks, "inks_scan_each_2x2.jpg"), (plain, "inks_scan_each_plain.jpg")):
            command = ["jpegtran", "-scans", str(scans), "-outfile", str(folder / name), str(path)]
            subprocess.run(command, check=True)


def hostile_set() -> None:
    """Files that lie about themselves or stop too early."""
    folder = TESTDATA / "hostile"
    photo = (TESTDATA / "bench/photo_0.3mp.jpg").read_bytes()
    picture = (TESTDATA / "photos/kodak_23.png").read_bytes()
    webp = (TESTDATA / "webp/lossless.webp").read_bytes()
    png_bomb(folder / "bomb_65536.png", 65536)
    jpeg_bomb(folder / "bomb_65500.jpg", photo[:20_000])
    (folder / "header_cut.jpg").write_bytes(photo[: photo.index(b"\xff\xc0") + 4])
    (folder / "header_cut.png").write_bytes(picture[:20])
    (folder / "header_cut.webp").write_bytes(webp[:16])
    (folder / "body_cut.jpg").write_bytes(photo[: len(photo) // 2])
    (folder / "body_cut.png").write_bytes(picture[:40_000])
    (folder / "body_cut.webp").write_bytes(webp[: len(webp) // 2])
    (folder / "bytes_after_end.jpg").write_bytes(photo + b"<?php echo 1; ?>\n" * 64)
    (folder / "png_named.jpg").write_bytes((TESTDATA / "pngsuite/basn2c08.png").read_bytes())
    # Of a screen of 4 x 4: nothing wide and all high.
    narrow = b"GIF89a" + struct.pack("<HHBBB", 4, 4, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff"
    narrow += b"," + struct.pack("<HHHHB", 0, 0, 0, 4, 0) + b"\x02\x02\x4c\x01\0;"
    (folder / "no_columns.gif").write_bytes(narrow)
    (folder / "picture.svg").write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"><rect width="8" height="8"/></svg>\n'
    )
    (folder / "document.pdf").write_bytes(b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n")


def oriented_png() -> None:
    """A PNG that carries its orientation in an eXIf chunk."""
    exif = Image.Exif()
    exif[0x0112] = 6
    crop = Image.open(TESTDATA / "photos/kodak_23.png").crop((200, 100, 328, 196))
    crop.save(TESTDATA / "orientation/exif_6.png", exif=exif, optimize=True)


def bmp(path: Path, width: int, height: int, bits: int, compression: int, behind: bytes, pixels: bytes) -> None:
    """A BMP with the plain header: `behind` it masks or a palette, then the pixels as they are."""
    start = 14 + 40 + len(behind)
    used = len(behind) // 4 if bits <= 8 else 0
    info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, compression, len(pixels), 2835, 2835, used, 0)
    path.write_bytes(b"BM" + struct.pack("<IHHI", start + len(pixels), 0, 0, start) + info + behind + pixels)


def run_lengths(rows: list[bytes], bits: int) -> bytes:
    """RLE8 or RLE4 of rows of indices, the lowest first: runs where there are any, literals elsewhere."""
    packed = b""
    for row in rows:
        at = 0
        while at < len(row):
            run = 1
            while at + run < len(row) and row[at + run] == row[at] and run < 255:
                run += 1
            if run >= 3 or len(row) - at < 3:
                value = row[at] * 17 if bits == 4 else row[at]
                packed += bytes((run, value))
                at += run
                continue
            literal = row[at : at + 3]
            if bits == 4:
                packed += bytes((0, 3, literal[0] << 4 | literal[1], literal[2] << 4))
            else:
                packed += bytes((0, 3)) + literal + b"\0"
            at += 3
        packed += b"\0\0"
    return packed + b"\0\1"


def bmp_set(folder: Path, rgb: Image.Image, rgba: Image.Image) -> None:
    """Every depth, masks, run lengths, a picture from top to bottom, and alpha."""
    width, height = rgb.size
    rgb.save(folder / "rgb24.bmp")
    rgba.save(folder / "rgba32.bmp")
    rgb.convert("L").save(folder / "gray8.bmp")
    rgb.convert("1").save(folder / "bits1.bmp")
    for colors, bits in ((16, 4), (200, 8)):
        few = rgb.quantize(colors, dither=Image.Dither.NONE)
        indices = few.tobytes()
        palette = few.getpalette()[: colors * 3]
        entries = b"".join(bytes((*palette[at : at + 3][::-1], 0)) for at in range(0, len(palette), 3))
        rows = [indices[y * width : (y + 1) * width] for y in range(height)][::-1]
        bmp(folder / f"rle{bits}.bmp", width, height, bits, 3 - bits // 4, entries, run_lengths(rows, bits))
        if bits == 4:
            packed = b"".join(bytes(row[x] << 4 | row[x + 1] for x in range(0, width, 2)) for row in rows)
            bmp(folder / "indexed4.bmp", width, height, 4, 0, entries, packed)
    pixels = [rgb.getpixel((x, y)) for y in range(height) for x in range(width)]
    bgra = b"".join(bytes((b, g, r, a)) for r, g, b, a in (rgba.getpixel((x, y)) for y in range(height) for x in range(width)))
    masks = struct.pack("<IIII", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    bmp(folder / "rgba_masks.bmp", width, -height, 32, 6, masks, bgra)
    five_six_five = b"".join(struct.pack("<H", r >> 3 << 11 | g >> 2 << 5 | b >> 3) for r, g, b in pixels)
    bmp(folder / "top_down_565.bmp", width, -height, 16, 3, struct.pack("<III", 0xF800, 0x07E0, 0x001F), five_six_five)


def tiff(path: Path, entries: list[tuple[int, int, list[int]]], pieces: list[bytes], order: str) -> None:
    """A TIFF of one directory behind its pieces. An entry is tag, type (3, 4 or 7) and numbers; offsets (273 or 324) are filled in."""
    body, offsets = b"", []
    for piece in pieces:
        offsets.append(8 + len(body))
        body += piece + b"\0" * (len(piece) % 2)
    start = 8 + len(body)
    behind = start + 2 + 12 * len(entries) + 4
    head, values = struct.pack(order + "H", len(entries)), b""
    for tag, kind, numbers in entries:
        numbers = offsets if tag in (273, 324) else numbers
        value = struct.pack(f"{order}{len(numbers)}{ {3: 'H', 4: 'I', 7: 'B'}[kind] }", *numbers)
        place = value.ljust(4, b"\0")
        if len(value) > 4:
            place = struct.pack(order + "I", behind + len(values))
            values += value
        head += struct.pack(order + "HHI", tag, kind, len(numbers)) + place
    magic = b"II*\0" if order == "<" else b"MM\0*"
    path.write_bytes(magic + struct.pack(order + "I", start) + body + head + b"\0" * 4 + values)


def tiff_set(folder: Path, rgb: Image.Image, rgba: Image.Image) -> None:
    """Every packing, depth and kind of colour; tiles, planes, pages, both byte orders, BigTIFF, an orientation."""
    width, height = rgb.size
    gray = rgb.convert("L")
    for name, packing in (("raw", None), ("lzw", "tiff_lzw"), ("deflate", "tiff_adobe_deflate"), ("packbits", "packbits")):
        rgb.save(folder / f"rgb_{name}.tiff", compression=packing)
    rgb.save(folder / "rgb_differences.tiff", compression="tiff_lzw", tiffinfo={317: 2})
    rgb.save(folder / "rgb_jpeg.tiff", compression="jpeg", quality=90)
    rgb.convert("YCbCr").save(folder / "ycbcr_jpeg.tiff", compression="jpeg", quality=90)
    rgb.save(folder / "rgb_big.tiff", big_tiff=True)
    rgba.save(folder / "rgba.tiff", compression="tiff_lzw")
    gray.save(folder / "gray.tiff", compression="tiff_lzw")
    gray.convert("1").save(folder / "bits_group4.tiff", compression="group4")
    gray.convert("1").save(folder / "bits_packbits.tiff", compression="packbits")
    rgb.convert("CMYK").save(folder / "cmyk.tiff", compression="tiff_lzw")
    rgb.quantize(64, dither=Image.Dither.NONE).save(folder / "palette.tiff", compression="tiff_lzw")
    rgb.save(folder / "pages.tiff", save_all=True, append_images=[rgb.rotate(180)], compression="tiff_lzw")
    turned = Image.Exif()
    turned[0x0112] = 6
    rgb.rotate(90, expand=True).save(folder / "orientation_6.tiff", exif=turned, compression="tiff_lzw")
    levels = gray.tobytes()
    deep = b"".join(struct.pack(">H", level * 257) for level in levels)
    size = [(256, 4, [width]), (257, 4, [height])]
    strip = [(273, 4, []), (277, 3, [1]), (278, 4, [height])]
    tiff(
        folder / "gray16_big_endian.tiff",
        size + [(258, 3, [16]), (259, 3, [1]), (262, 3, [1])] + strip + [(279, 4, [len(deep)])],
        [deep],
        ">",
    )
    tiles = []
    for top in range(0, height, 16):
        for left in range(0, width, 32):
            tile = rgb.crop((left, top, left + 32, top + 16))
            tiles.append(zlib.compress(tile.tobytes()))
    tiff(
        folder / "rgb_tiles.tiff",
        size
        + [(258, 3, [8, 8, 8]), (259, 3, [8]), (262, 3, [2]), (277, 3, [3]), (322, 4, [32]), (323, 4, [16])]
        + [(324, 4, []), (325, 4, [len(tile) for tile in tiles])],
        tiles,
        "<",
    )
    planes = [channel.tobytes() for channel in rgb.split()]
    tiff(
        folder / "rgb_planes.tiff",
        size
        + [(258, 3, [8, 8, 8]), (259, 3, [1]), (262, 3, [2]), (273, 4, []), (277, 3, [3]), (278, 4, [height])]
        + [(279, 4, [len(plane) for plane in planes]), (284, 3, [2])],
        planes,
        "<",
    )


def pnm_set(folder: Path, rgb: Image.Image, rgba: Image.Image) -> None:
    """P1 to P6, a largest sample of 15 and of 65535, comments, and PAM with alpha."""
    width, height = rgb.size
    gray, bits = rgb.convert("L"), rgb.convert("1")
    bits.save(folder / "p4.pbm")
    gray.save(folder / "p5.pgm")
    rgb.save(folder / "p6.ppm")
    ink = "".join("0" if level else "1" for level in bits.get_flattened_data())
    lines = "\n".join(ink[at : at + width] for at in range(0, len(ink), width))
    (folder / "p1.pbm").write_text(f"P1\n# no space between the bits\n{width} {height}\n{lines}\n")
    levels = " ".join(str(level) for level in gray.get_flattened_data())
    (folder / "p2.pgm").write_text(f"P2 {width} {height} 255\n{levels}")
    samples = " ".join(str(sample) for sample in rgb.tobytes())
    (folder / "p3.ppm").write_text(f"P3\n{width}\n{height} # then the largest sample\n255\n{samples}\n")
    deep = b"".join(struct.pack(">H", level * 257) for level in gray.tobytes())
    (folder / "p5_65535.pgm").write_bytes(f"P5 {width} {height} 65535\n".encode() + deep)
    (folder / "p5_15.pgm").write_bytes(f"P5 {width} {height} 15\n".encode() + bytes(x >> 4 for x in gray.tobytes()))
    head = f"P7\nWIDTH {width}\nHEIGHT {height}\nDEPTH 4\nMAXVAL 255\nTUPLTYPE RGB_ALPHA\nENDHDR\n"
    (folder / "rgba.pam").write_bytes(head.encode() + rgba.tobytes())


def gif_set(folder: Path, rgb: Image.Image) -> None:
    """Still, interlaced, see-through, and an animation whose frames are parts of the screen, kept, wiped and put back."""
    few = rgb.quantize(200, dither=Image.Dither.NONE)
    few.save(folder / "still.gif", interlace=0)
    few.save(folder / "interlaced.gif", interlace=1)
    few.save(folder / "holes.gif", transparency=few.getpixel((20, 20)))
    colours = bytes((0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255))

    def frame(place: tuple[int, int, int, int], index: int, disposal: int, delay: int) -> bytes:
        left, top, width, height = place
        # Two bits an index, and a clear code before every two of them, so that all codes have three bits.
        codes = [code for _ in range(width * height) for code in (4, index)] + [5]
        bits = sum(code << (3 * at) for at, code in enumerate(codes))
        data = bits.to_bytes((3 * len(codes) + 7) // 8, "little")
        blocks = b"".join(bytes((len(data[at : at + 255]),)) + data[at : at + 255] for at in range(0, len(data), 255))
        control = b"!\xf9\x04" + struct.pack("<BHBB", disposal << 2 | 1, delay, 0, 0)
        return control + b"," + struct.pack("<HHHHB", *place, 0) + b"\x02" + blocks + b"\0"

    screen = b"GIF89a" + struct.pack("<HHBBB", 16, 12, 0x81, 0, 0) + colours
    repeat = b"!\xff\x0bNETSCAPE2.0\x03\x01\x03\x00\x00"
    frames = [
        frame((0, 0, 16, 12), 1, 1, 10),
        frame((2, 2, 6, 4), 2, 2, 20),
        frame((4, 4, 8, 6), 3, 3, 30),
        frame((12, 8, 4, 4), 2, 1, 5),
    ]
    (folder / "animated.gif").write_bytes(screen + repeat + b"".join(frames) + b";")


def icc_profile(space: bytes, tags: list[tuple[bytes, bytes]], pcs: bytes = b"XYZ ") -> bytes:
    """An ICC profile of version 2.1 (4.2 with parametric curves): a header, a table of tags, and what they hold."""
    body, table = b"", b""
    start = 128 + 4 + 12 * len(tags)
    for name, value in tags:
        table += struct.pack(">4sII", name, start + len(body), len(value))
        body += value + b"\0" * (-len(value) % 4)
    size = start + len(body)
    header = struct.pack(">I4sI4s4s4s", size, b"none", 0x04200000, b"mntr", space, pcs)
    header += struct.pack(">6H4s4sIII", 2026, 1, 1, 0, 0, 0, b"acsp", b"\0" * 4, 0, 0, 0)
    header += struct.pack(">IIIII", 0, 0, 0x0000F6D6, 0x00010000, 0x0000D32D) + b"\0" * 48
    return header[:128].ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body


def fixed(value: float) -> int:
    """A number as s15Fixed16."""
    return round(value * 65536)


def text_tag(text: str) -> bytes:
    """A multi-localised text of one language."""
    coded = text.encode("utf-16-be")
    return b"mluc" + struct.pack(">IIIHHII", 0, 1, 12, 0x656E, 0x5553, len(coded), 28) + coded


def xyz_tag(x: float, y: float, z: float) -> bytes:
    """A colour."""
    return b"XYZ \0\0\0\0" + struct.pack(">iii", fixed(x), fixed(y), fixed(z))


def curve_tag(numbers: list[float]) -> bytes:
    """A parametric curve: a power alone, or that of sRGB with its five numbers."""
    kind = {1: 0, 5: 3}[len(numbers)]
    return b"para\0\0\0\0" + struct.pack(">HH", kind, 0) + b"".join(struct.pack(">i", fixed(n)) for n in numbers)


SRGB_CURVE = [2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045]
WHITE_D50 = (0.96420288, 1.0, 0.82490540)


def rgb_profile(name: str, primaries: list[tuple[float, float, float]], curve: list[float]) -> bytes:
    """A display's profile: primaries in the light of D50, and one curve."""
    tags = [(b"desc", text_tag(name)), (b"cprt", text_tag("CC0")), (b"wtpt", xyz_tag(*WHITE_D50))]
    tags += [(b"rXYZ", xyz_tag(*primaries[0])), (b"gXYZ", xyz_tag(*primaries[1])), (b"bXYZ", xyz_tag(*primaries[2]))]
    tags += [(channel, curve_tag(curve)) for channel in (b"rTRC", b"gTRC", b"bTRC")]
    return icc_profile(b"RGB ", tags)


def ink_profile() -> bytes:
    """Inks that let through a part of each of L, a and b: a table of three steps an ink (lut8Type)."""
    table = b""
    for index in range(81):
        c, m, y, k = (index // step % 3 / 2 for step in (27, 9, 3, 1))
        light = 100 * (1 - 0.45 * c) * (1 - 0.55 * m) * (1 - 0.1 * y) * (1 - 0.9 * k)
        a = (70 * m - 35 * c) * (1 - k)
        b = (85 * y - 45 * c - 5 * m) * (1 - k)
        table += bytes((round(light * 2.55), round(128 + a), round(128 + b)))
    straight = bytes(range(256))
    lut = b"mft1\0\0\0\0" + bytes((4, 3, 3, 0))
    lut += b"".join(struct.pack(">i", fixed(n)) for n in (1, 0, 0, 0, 1, 0, 0, 0, 1))
    lut += straight * 4 + table + straight * 3
    tags = [(b"desc", text_tag("test inks")), (b"cprt", text_tag("CC0")), (b"wtpt", xyz_tag(*WHITE_D50)), (b"A2B0", lut)]
    return icc_profile(b"CMYK", tags, b"Lab ")


def animated_png(folder: Path, rgb: Image.Image) -> None:
    """An APNG whose frames are parts of the canvas: laid over what is there, wiped, and put back; all play three times."""
    frames = []
    for index in range(4):
        frame = Image.new("RGBA", (48, 32), (0, 0, 0, 0))
        if index == 0:
            frame = rgb.crop((0, 0, 48, 32)).convert("RGBA")
        else:
            patch = Image.new("RGBA", (16, 12), (255 * (index == 1), 255 * (index == 2), 255 * (index == 3), 255))
            frame.paste(patch, (4 * index, 3 * index))
        frames.append(frame)
    frames[0].save(
        folder / "animated.png",
        save_all=True,
        append_images=frames[1:],
        duration=[100, 250, 40, 2000],
        loop=3,
        disposal=[0, 1, 2, 0],
        blend=[0, 1, 1, 1],
    )


def color_set() -> None:
    """Pictures with colour profiles, of every kind that changes what is seen, and damaged ones."""
    folder = TESTDATA / "color"
    folder.mkdir(exist_ok=True)
    rgb = Image.open(TESTDATA / "photos/kodak_23.png").convert("RGB").crop((120, 60, 504, 348)).resize((128, 96))
    p3 = rgb_profile(
        "Display P3 (test)",
        [(0.51512, 0.2412, -0.00105), (0.29198, 0.69225, 0.04189), (0.1571, 0.06657, 0.78407)],
        SRGB_CURVE,
    )
    adobe = rgb_profile(
        "Adobe RGB (test)",
        [(0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457)],
        [2.19921875],
    )
    wide = rgb_profile(
        "ProPhoto (test)", [(0.7977, 0.288, 0.0), (0.1352, 0.7119, 0.0), (0.0313, 0.0001, 0.8249)], [1.8]
    )
    srgb = rgb_profile(
        "sRGB (test)", [(0.4361, 0.2225, 0.0139), (0.3851, 0.7169, 0.0971), (0.1431, 0.0606, 0.7141)], SRGB_CURVE
    )
    gray_tags = [(b"desc", text_tag("gray (test)")), (b"cprt", text_tag("CC0")), (b"wtpt", xyz_tag(*WHITE_D50))]
    gray = icc_profile(b"GRAY", gray_tags + [(b"kTRC", curve_tag([1.6]))])
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x013B] = "A. Painter"
    exif[0x8298] = "(c) 2026 A. Painter"
    exif[0x010F] = "Camera"
    exif.get_ifd(0x8825)[1] = "N"
    exif.get_ifd(0x8825)[2] = (47.0, 11.0, 12.0)
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf/></x:xmpmeta>'
    for name, profile in (("p3", p3), ("adobe", adobe), ("prophoto", wide), ("srgb", srgb)):
        rgb.save(folder / f"{name}.png", icc_profile=profile, optimize=True)
    rgb.save(folder / "p3.jpg", quality=92, icc_profile=p3, exif=exif, xmp=xmp)
    rgb.save(folder / "p3.webp", lossless=True, icc_profile=p3, exif=exif, xmp=xmp)
    rgb.save(folder / "adobe.tiff", icc_profile=adobe, compression="tiff_lzw")
    rgb.save(folder / "srgb.jpg", quality=92, icc_profile=srgb, exif=exif, xmp=xmp, comment="secret")
    rgb.convert("L").save(folder / "gray.png", icc_profile=gray, optimize=True)
    rgb.convert("L").save(folder / "gray.jpg", quality=92, icc_profile=gray)
    cmyk = rgb.convert("CMYK")
    cmyk.save(folder / "inks.jpg", quality=92, icc_profile=ink_profile())
    cmyk.save(folder / "inks.tiff", icc_profile=ink_profile(), compression="tiff_lzw")
    deep = struct.pack(f"<{len(cmyk.tobytes())}H", *(level * 257 for level in cmyk.tobytes()))
    packed, icc = zlib.compress(deep), ink_profile()
    tiff(
        folder / "inks_16.tiff",
        [(256, 4, [cmyk.width]), (257, 4, [cmyk.height]), (258, 3, [16] * 4), (259, 3, [8]), (262, 3, [5])]
        + [(273, 4, []), (277, 3, [4]), (278, 4, [cmyk.height]), (279, 4, [len(packed)]), (34675, 7, list(icc))],
        [packed],
        "<",
    )
    inks = (folder / "inks.jpg").read_bytes()
    # The same data, said to be luma and chroma of the inks.
    transform = inks.index(b"Adobe") + 11
    (folder / "inks_ycck.jpg").write_bytes(inks[:transform] + b"\2" + inks[transform + 1 :])
    rgb.save(folder / "damaged.png", icc_profile=p3[:200], optimize=True)
    rgb.save(folder / "other_kind.png", icc_profile=ink_profile(), optimize=True)


def describe(jxl: Path, jpeg: bytes) -> None:
    """Gives a JPEG XL in boxes EXIF and XMP of a JPEG as they are; cjxl 0.7 packs them with Brotli, which is not read."""
    exif = jpeg[jpeg.index(b"Exif\0\0") + 6 :][: struct.unpack_from(">H", jpeg, jpeg.index(b"Exif\0\0") - 2)[0] - 8]
    signature = b"http://ns.adobe.com/xap/1.0/\0"
    start = jpeg.index(signature)
    xmp = jpeg[start + len(signature) : start - 2 + struct.unpack_from(">H", jpeg, start - 2)[0]]
    made, file = b"", jxl.read_bytes()
    while file:
        length, kind = struct.unpack_from(">I4s", file)
        length = length or len(file)
        if kind in (b"jxlc", b"jxlp") and b"Exif" not in made:
            for name, body in [(b"Exif", bytes(4) + exif), (b"xml ", xmp)]:
                made += struct.pack(">I4s", 8 + len(body), name) + body
        if kind not in (b"brob", b"jbrd"):
            made += file[:length]
        file = file[length:]
    jxl.write_bytes(made)


def jxl_set() -> None:
    """JPEG XL by cjxl 0.7 (Debian's libjxl-tools): lossless and lossy, alpha, gray, 16 bits, turned, animated, with profiles."""
    folder = TESTDATA / "jxl"
    folder.mkdir(exist_ok=True)

    def coded(source: Path, name: str, *options: str) -> None:
        subprocess.run(["cjxl", "--quiet", source, folder / f"{name}.jxl", *options], check=True)

    def saved(image: Image.Image, name: str, *options: str, **more: bytes) -> None:
        with tempfile.TemporaryDirectory() as scratch:
            image.save(Path(scratch) / "image.png", **more)
            coded(Path(scratch) / "image.png", name, *options)

    (folder / "rgb16.ppm").write_bytes(
        b"P6\n16 12\n65535\n" + b"".join(struct.pack(">H", 40_503 * at & 0xFFFF) for at in range(16 * 12 * 3))
    )
    for name, source in [("rgb", "formats/rgb.png"), ("rgba", "formats/rgba.png"), ("gray", "formats/p5.pgm"),
                         ("gray16", "formats/p5_65535.pgm"), ("rgb16", "jxl/rgb16.ppm"), ("animated", "formats/animated.png")]:
        coded(TESTDATA / source, name, "-d", "0")
    gray = Image.open(TESTDATA / "formats/p5.pgm")
    gray.putalpha(Image.open(TESTDATA / "formats/rgba.png").getchannel("A"))
    saved(gray, "gray_alpha", "-d", "0")
    coded(TESTDATA / "formats/rgb.png", "boxes", "-d", "0", "--container=1")
    coded(TESTDATA / "formats/rgb.png", "lossy", "-d", "1")
    # The same coefficients, in boxes, with EXIF and XMP; the orientation becomes the codestream's own.
    with tempfile.TemporaryDirectory() as scratch:
        jpeg = (TESTDATA / "color/p3.jpg").read_bytes()
        profile = jpeg.index(b"\xff\xe2")
        behind = profile + 2 + struct.unpack_from(">H", jpeg, profile + 2)[0]
        (Path(scratch) / "image.jpg").write_bytes(jpeg[:profile] + jpeg[behind:])
        coded(Path(scratch) / "image.jpg", "of_jpeg", "-j", "1")
    describe(folder / "of_jpeg.jxl", jpeg)
    # Several groups, in several passes.
    saved(Image.open(TESTDATA / "photos/kodak_23.png").resize((600, 300)), "photo", "-d", "2", "-p")
    # Display P3 by its name, and ProPhoto by a profile whose header cjxl finds whole.
    wide = Image.open(TESTDATA / "color/p3.png").convert("RGB")
    wide.info = {}
    for name, distance in [("p3", "0"), ("p3_lossy", "0.5")]:
        saved(wide, name, "-d", distance, "-x", "color_space=RGB_D65_DCI_Rel_SRG")
    profiled = Image.open(TESTDATA / "color/prophoto.png")
    icc = profiled.info["icc_profile"]
    whole = icc[:64] + bytes(4) + bytes.fromhex("0000f6d6000100000000d32d") + icc[80:]
    saved(profiled.convert("RGB"), "prophoto", "-d", "0", icc_profile=whole)


def formats_set() -> None:
    """Files of the formats that are read beside JPEG, PNG and WebP; cut from a Kodak picture."""
    folder = TESTDATA / "formats"
    folder.mkdir(exist_ok=True)
    rgb = Image.open(TESTDATA / "photos/kodak_23.png").convert("RGB").crop((200, 100, 456, 292)).resize((64, 48))
    rgba = rgb.copy()
    rgba.putalpha(Image.linear_gradient("L").resize(rgb.size))
    rgb.save(folder / "rgb.png", optimize=True)
    rgba.save(folder / "rgba.png", optimize=True)
    bmp_set(folder, rgb, rgba)
    tiff_set(folder, rgb, rgba)
    pnm_set(folder, rgb, rgba)
    gif_set(folder, rgb)
    animated_png(folder, rgb)
    square = rgba.crop((0, 0, 48, 48))
    square.save(folder / "png.ico", sizes=[(16, 16), (48, 48)])
    square.save(folder / "bitmap.ico", sizes=[(16, 16), (48, 48)], bitmap_format="bmp")
    rgb.save(folder / "rgb.qoi")
    rgba.save(folder / "rgba.qoi")


if __name__ == "__main__":
    color_set()
    formats_set()
    rare_jpegs()
    webp_set()
    hostile_set()
    oriented_png()
    jxl_set()
