#!/usr/bin/env python3
"""Makes testdata/golden/: what pixmill's results are compared with, computed by other programs.

Pillow decodes, converts to luma, turns upright and resizes, and draws text with FreeType, in the fonts of the crate
that pixmill has them from (`cargo metadata` says where it lies), turns by angles, takes medians and mixes colours; numpy
computes the Gaussian and what is made with it in float64. Nothing of pixmill takes part. Run from the root of the repository, with scripts/golden-requirements.txt installed:

    python3 -m venv target/golden && target/golden/bin/pip install -r scripts/golden-requirements.txt
    target/golden/bin/python scripts/golden.py

The manifest's columns are described in testdata/golden/README.md.
"""

import io
import json
import struct
import subprocess
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms, ImageDraw, ImageFilter, ImageFont, ImageOps

TESTDATA = Path(__file__).resolve().parent.parent / "testdata"
GOLDEN = TESTDATA / "golden"

EXACT = "exact"
# A lossless path with a blur or a resize in fixed point: at most a level off here and there.
BLUR = "psnr:55"
RESIZE = "psnr:50"
# The result was a JPEG of quality 75, or the input a JPEG that decoders read one or two levels apart.
LOSSY = "psnr:45"
# Colour weighted by alpha loses up to a level where a program keeps the product in 8 bits, as Pillow does.
WEIGHTED = "psnr:45"
# Pillow cuts fractions off, and we round: one level, half of the time.
CUT = "psnr:50"
# Pillow mixes in single precision and we in double: a level where a mixture lies between two.
MIXED = "psnr:60"
# Colour managers interpolate and round each in their own way: a level here and there.
CONVERTED = "psnr:48"
# Tables of inks are coarse, and a JPEG lies before them.
INKS = "psnr:40"
# Large reductions of a JPEG may use its scaled decoding, which is another, equally good filter.
SHRUNK = "psnr:40"


def read(path: str) -> Image.Image:
    """Decodes to 8 bits a sample: L, LA, RGB or RGBA."""
    image = Image.open(TESTDATA / path)
    image.load()
    orientation = image.getexif().get(0x0112)
    has_alpha = "transparency" in image.info or image.mode in ("LA", "RGBA")
    is_gray = image.mode in ("1", "L", "LA", "I;16", "I;16B", "I")
    is_palette = image.format in ("BMP", "GIF") and is_gray
    if image.mode in ("I;16", "I;16B", "I"):
        image = Image.fromarray((np.asarray(image, dtype=np.uint32) >> 8).astype(np.uint8))
    is_gray = is_gray and not is_palette
    image = image.convert({(True, True): "LA", (True, False): "L", (False, True): "RGBA"}.get((is_gray, has_alpha), "RGB"))
    image.info = {"orientation": orientation}
    return image


def split_alpha(image: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """The colour channels, and the alpha channel when there is one."""
    if image.mode in ("LA", "RGBA"):
        return image.convert(image.mode[:-1]), image.getchannel("A")
    return image, None


def orient(image: Image.Image) -> Image.Image:
    """Turns upright with Pillow's exif_transpose."""
    orientation = image.info.get("orientation")
    if orientation is None:
        return image
    exif = image.getexif()
    exif[0x0112] = orientation
    return ImageOps.exif_transpose(image)


def grayscale(image: Image.Image) -> Image.Image:
    """BT.601 luma as Pillow computes it; alpha is kept."""
    colour, alpha = split_alpha(image)
    gray = colour.convert("L")
    return gray if alpha is None else Image.merge("LA", (gray, alpha))


def convolve(plane: np.ndarray, sigma: float) -> np.ndarray:
    """Separable Gaussian in float64, cut where it adds less than 1e-15, the edge repeated."""
    radius = int(np.ceil(8.5 * sigma))
    offsets = np.arange(-radius, radius + 1, dtype=np.float64)
    kernel = np.exp(-(offsets**2) / (2.0 * sigma * sigma))
    kernel /= kernel.sum()
    for axis in (0, 1):
        pad = [(0, 0), (0, 0)]
        pad[axis] = (radius, radius)
        padded = np.pad(plane, pad, mode="edge")
        length = plane.shape[axis]
        plane = sum(
            weight * np.take(padded, np.arange(start, start + length), axis=axis)
            for start, weight in enumerate(kernel)
        )
    return plane


def to_bytes(plane: np.ndarray) -> np.ndarray:
    """Rounds half up and clamps."""
    return np.clip(np.floor(plane + 0.5), 0, 255).astype(np.uint8)


def soft(image: Image.Image, sigma: float) -> np.ndarray:
    """The exact Gaussian of every channel; colour weighted by alpha, so that what nobody sees does not bleed in."""
    samples = np.asarray(image, dtype=np.float64)
    planes = [samples] if samples.ndim == 2 else [samples[..., index] for index in range(samples.shape[2])]
    if image.mode in ("LA", "RGBA"):
        *colours, alpha = planes
        blurred_alpha = convolve(alpha, sigma)
        weight = np.where(blurred_alpha > 0, blurred_alpha, 1.0)
        planes = [convolve(colour * alpha, sigma) / weight for colour in colours] + [blurred_alpha]
    else:
        planes = [convolve(plane, sigma) for plane in planes]
    return planes[0] if len(planes) == 1 else np.stack(planes, axis=2)


def blur(image: Image.Image, sigma: float) -> Image.Image:
    """The exact Gaussian, rounded to levels."""
    return Image.fromarray(to_bytes(soft(image, sigma)), image.mode)


FILTERS = {
    "lanczos3": Image.Resampling.LANCZOS,
    "catmull_rom": Image.Resampling.BICUBIC,
    "bilinear": Image.Resampling.BILINEAR,
    "box": Image.Resampling.BOX,
    "nearest": Image.Resampling.NEAREST,
}


def resize(image: Image.Image, width: int, height: int, filter: str = "lanczos3", cover: bool = False) -> Image.Image:
    """Pillow's resize (it weights by alpha), or its fit() when the target is to be covered."""
    if cover:
        return ImageOps.fit(image, (width, height), FILTERS[filter])
    return image.resize((width, height), FILTERS[filter])


@dataclass
class Case:
    """One line of the manifest; `make` are the functions above, in the recipe's order."""

    name: str
    input: str
    recipe: str
    metric: str
    make: list
    region: tuple[int, int, int, int] | None = None
    source: str | None = None
    is_raw: bool = False


def blurred(sigma: float):
    """A step for `Case.make`."""
    return lambda image: blur(image, sigma)


def resized(width: int, height: int, filter: str = "lanczos3", cover: bool = False):
    """A step for `Case.make`."""
    return lambda image: resize(image, width, height, filter, cover)


def lossless_cases() -> list[Case]:
    """Nothing between input and result loses anything but the step itself."""
    cases = [Case("gray_kodak_14", "photos/kodak_14.png", "grayscale", EXACT, [grayscale])]
    # Every colour type and depth, interlaced or not, with and without transparency; but not tbbn0g04: Pillow compares
    # the transparent gray of a 4-bit file with samples of 8 bits, and so finds nothing transparent.
    for name in (
        "basn0g01 basn0g02 basn0g04 basn0g08 basn2c08 basn3p01 basn3p02 basn3p04 basn3p08 basn4a08 basn6a08 "
        "basi0g01 basi0g04 basi2c08 basi3p08 basi4a08 basi6a08 tbbn3p08 tbrn2c08 tm3n3p02 s07i3p02 s40n3p04"
    ).split():
        cases.append(Case(f"gray_{name}", f"pngsuite/{name}.png", "grayscale => png", EXACT, [grayscale]))
    for name in ("basn2c16", "basn0g16", "basn4a16", "basn6a16"):
        cases.append(Case(f"gray_{name}", f"pngsuite/{name}.png", "grayscale => png", LOSSY, [grayscale]))
    for kind in ("lossless", "lossless_alpha"):
        cases.append(Case(f"gray_webp_{kind}", f"webp/{kind}.webp", "grayscale => png", EXACT, [grayscale]))
        cases.append(Case(f"colour_webp_{kind}", f"webp/{kind}.webp", "orient => png", EXACT, [orient]))
    cases.append(Case("orient_png_6", "orientation/exif_6.png", "orient", EXACT, [orient]))
    cases.append(Case("orient_webp_6", "webp/orientation_6.webp", "orient => png", EXACT, [orient]))
    cases.append(Case("no_enlarging", "pngsuite/basn2c08.png", "resize:1000", EXACT, []))
    return cases


def blur_cases() -> list[Case]:
    """The Gaussian on lossless input and output: small and large sigma, gray, colour, alpha, wider than the picture."""
    cases = []
    for sigma in (0.5, 1, 2, 3.7, 8, 25):
        recipe = f"grayscale | blur:{sigma}"
        corner = (0, 0, 256, 192)
        cases.append(
            Case(f"blur_gray_{sigma}", "photos/kodak_23.png", recipe, BLUR, [grayscale, blurred(sigma)], corner)
        )
    far_corner = (512, 320, 256, 192)
    cases.append(Case("blur_colour_2", "photos/kodak_14.png", "blur:2", BLUR, [blurred(2)], far_corner))
    cases.append(Case("blur_colour_6", "photos/kodak_14.png", "blur:6", BLUR, [blurred(6)], far_corner))
    cases.append(Case("blur_tiny", "pngsuite/s07n3p02.png", "grayscale | blur:5 => png", BLUR, [grayscale, blurred(5)]))
    cases.append(Case("blur_one_pixel", "pngsuite/s01n3p01.png", "blur:2 => png", BLUR, [blurred(2)]))
    cases.append(Case("blur_alpha", "webp/lossless_alpha.webp", "blur:2 => png", WEIGHTED, [blurred(2)]))
    cases.append(Case("blur_alpha_hard_edge", "pngsuite/tp1n3p08.png", "blur:1.5", WEIGHTED, [blurred(1.5)]))
    return cases


def resize_cases() -> list[Case]:
    """Every filter and fit, on lossless input and output."""
    photo = "photos/kodak_14.png"
    return [
        Case("resize_half", photo, "resize:384", RESIZE, [resized(384, 256)], (0, 0, 192, 256)),
        Case("resize_inside", photo, "resize:200,200", RESIZE, [resized(200, 133)]),
        Case("resize_height", photo, "resize:height=100", RESIZE, [resized(150, 100)]),
        Case("resize_cover", photo, "resize:160,height=160,fit=cover", RESIZE, [resized(160, 160, cover=True)]),
        Case("resize_fill", photo, "resize:100,height=200,fit=fill", RESIZE, [resized(100, 200)]),
        Case("resize_cubic", photo, "resize:192,filter=catmull_rom", RESIZE, [resized(192, 128, "catmull_rom")]),
        Case("resize_bilinear", photo, "resize:192,filter=bilinear", RESIZE, [resized(192, 128, "bilinear")]),
        Case("resize_box", photo, "resize:192,filter=box", RESIZE, [resized(192, 128, "box")]),
        Case("resize_nearest", photo, "resize:256,filter=nearest", EXACT, [resized(256, 171, "nearest")]),
        Case("enlarge", "pngsuite/basn2c08.png", "resize:96,enlarge=true", RESIZE, [resized(96, 96)]),
        Case("resize_alpha", "webp/lossless_alpha.webp", "resize:128 => png", WEIGHTED, [resized(128, 96)]),
    ]


def table(function):
    """A function of levels from 0 to 1 on all of them, rounded once, halves up."""
    levels = [int(np.clip(np.floor(function(level / 255) * 255 + 0.5 + 1e-9), 0, 255)) for level in range(256)]
    return lambda image: image.point(levels * len(image.getbands()))


def mixed(rows: list[list[float]]):
    """Colours mixed by a matrix, as Pillow mixes them."""
    return lambda image: image.convert("RGB", [number for row in rows for number in (*row, 0)])


def sharpened(sigma: float, amount: float, threshold: int = 0):
    """The unsharp mask with the exact Gaussian."""

    def make(image: Image.Image) -> Image.Image:
        levels = np.asarray(image, dtype=np.float64)
        difference = levels - soft(image, sigma)
        difference = np.where(np.abs(difference) > threshold, difference, 0)
        return Image.fromarray(to_bytes(levels + amount * difference), image.mode)

    return make


def rotated(angle: float, width: int, height: int, background: tuple[int, int, int]):
    """Pillow's bilinear transform about the middles of both pictures."""

    def make(image: Image.Image) -> Image.Image:
        cos, sin = np.cos(np.radians(angle)), np.sin(np.radians(angle))
        left = image.width / 2 - cos * width / 2 - sin * height / 2
        top = image.height / 2 + sin * width / 2 - cos * height / 2
        places = (cos, sin, left, -sin, cos, top)
        return image.transform((width, height), Image.Transform.AFFINE, places, Image.Resampling.BILINEAR, fillcolor=background)

    return make


def pixelated(size: int):
    """The mean of every square, in float64."""

    def make(image: Image.Image) -> Image.Image:
        levels = np.asarray(image, dtype=np.float64).copy()
        for y in range(0, image.height, size):
            for x in range(0, image.width, size):
                square = levels[y : y + size, x : x + size]
                square[...] = square.mean(axis=(0, 1))
        return Image.fromarray(to_bytes(levels), image.mode)

    return make


def edges(image: Image.Image) -> Image.Image:
    """A quarter of the length of Sobel's gradient, in float64, the edge repeated."""
    levels = np.pad(np.asarray(image, dtype=np.float64), 1, mode="edge")
    height, width = image.height, image.width

    def at(y: int, x: int) -> np.ndarray:
        return levels[1 + y : 1 + y + height, 1 + x : 1 + x + width]

    across = sum(weight * (at(y, 1) - at(y, -1)) for y, weight in ((-1, 1), (0, 2), (1, 1)))
    down = sum(weight * (at(1, x) - at(-1, x)) for x, weight in ((-1, 1), (0, 2), (1, 1)))
    return Image.fromarray(to_bytes(np.hypot(across, down) / 4), "L")


def normalised(image: Image.Image) -> Image.Image:
    """Pillow's autocontrast of all channels alike."""
    return ImageOps.autocontrast(image, cutoff=1, preserve_tone=True)


def flattened(image: Image.Image) -> Image.Image:
    """Laid on a colour by Pillow."""
    below = Image.new("RGBA", image.size, (0x30, 0x60, 0xA0, 255))
    return Image.alpha_composite(below, image).convert("RGB")


def step_cases() -> list[Case]:
    """Steps on geometry and on single pixels, on a lossless picture: the matrices and functions are those of CSS."""
    photo, part, cos, sin = "webp/lossless.webp", (72, 56, 96, 72), np.cos(np.radians(70)), np.sin(np.radians(70))
    luma = np.array([[0.213, 0.715, 0.072]] * 3)
    cos_part = np.array([[0.787, -0.715, -0.072], [-0.213, 0.285, -0.072], [-0.213, -0.715, 0.928]])
    sin_part = np.array([[-0.213, -0.715, 0.928], [0.143, 0.140, -0.283], [-0.787, 0.715, 0.072]])
    saturated = luma * (1 - 1.6) + np.eye(3) * 1.6
    turned = luma + cos * cos_part + sin * sin_part
    sepia = [[0.393, 0.769, 0.189], [0.349, 0.686, 0.168], [0.272, 0.534, 0.131]]
    toned = np.outer(np.array([0x30, 0x60, 0xA0]) / 255, [0.299, 0.587, 0.114])
    # The sides that 256 x 192 needs when it is turned: the smallest that hold it.
    width, height = (int(np.ceil(side - 1e-6)) for side in (
        256 * np.cos(np.radians(20)) + 192 * np.sin(np.radians(20)),
        256 * np.sin(np.radians(20)) + 192 * np.cos(np.radians(20)),
    ))
    return [
        Case("step_flip", photo, "flip => png", EXACT, [ImageOps.flip], part),
        Case("step_flop", photo, "flop => png", EXACT, [ImageOps.mirror], part),
        Case("step_quarter_turn", photo, "rotate:90 => png", EXACT, [lambda image: image.rotate(-90, expand=True)], part),
        Case("step_crop", photo, "crop:90,height=70,left=33,top=21 => png", EXACT, [lambda image: image.crop((33, 21, 123, 91))]),
        Case("step_pad", photo, "crop:60,height=40,left=33,top=21 | pad:7,background=#3060a0 => png", EXACT,
             [lambda image: ImageOps.expand(image.crop((33, 21, 93, 61)), 7, (0x30, 0x60, 0xA0))]),
        Case("step_rotate", photo, "rotate:20,filter=bilinear,background=#3060a0 => png", CUT,
             [rotated(20, width, height, (0x30, 0x60, 0xA0))], (96, 80, 96, 72)),
        Case("step_median_1", photo, "median:1 => png", EXACT, [lambda image: image.filter(ImageFilter.MedianFilter(3))], part),
        Case("step_median_2", photo, "median:2 => png", EXACT, [lambda image: image.filter(ImageFilter.MedianFilter(5))], part),
        Case("step_median_4", photo, "median:4 => png", EXACT, [lambda image: image.filter(ImageFilter.MedianFilter(9))], (0, 0, 96, 72)),
        Case("step_sharpen", photo, "sharpen:1.5,amount=2 => png", BLUR, [sharpened(1.5, 2)], part),
        Case("step_brightness", photo, "brightness:1.25 => png", EXACT, [table(lambda level: level * 1.25)], part),
        Case("step_contrast", photo, "contrast:1.7 => png", EXACT, [table(lambda level: (level - 0.5) * 1.7 + 0.5)], part),
        Case("step_gamma", photo, "gamma:2.2 => png", EXACT, [table(lambda level: level ** (1 / 2.2))], part),
        Case("step_invert", photo, "invert => png", EXACT, [ImageOps.invert], part),
        Case("step_threshold", photo, "threshold:120 => png", EXACT, [grayscale, table(lambda level: float(level * 255 > 119.5))], part),
        Case("step_saturation", photo, "saturation:1.6 => png", MIXED, [mixed(saturated.tolist())], part),
        Case("step_hue", photo, "hue:70 => png", MIXED, [mixed(turned.tolist())], part),
        Case("step_sepia", photo, "sepia => png", MIXED, [mixed(sepia)], part),
        Case("step_tint", photo, "tint:#3060a0 => png", MIXED, [mixed(toned.tolist())], part),
        Case("step_normalise", photo, "normalise => png", CUT, [normalised], part),
        Case("step_pixelate", photo, "pixelate:7 => png", EXACT, [pixelated(7)], part),
        Case("step_edge", photo, "edge => png", EXACT, [grayscale, edges], part),
        Case("step_flatten", "webp/lossless_alpha.webp", "flatten:#3060a0 => png", EXACT, [flattened], part),
    ]


def jpeg_cases() -> list[Case]:
    """JPEG in: the default recipe with a JPEG out, and what a general decoder must cope with."""
    default = "orient | grayscale | blur:2"
    mill = [orient, grayscale, blurred(2)]
    middle = (700, 500, 384, 256)
    cases = [
        Case("default_photo", "bench/photo_0.3mp.jpg", default, LOSSY, mill, (256, 224, 384, 256)),
        Case("default_restart", "bench/restart_markers_0.3mp.jpg", default, LOSSY, mill, (0, 0, 384, 256)),
        Case("default_photo_2mp", "bench/photo_2mp.jpg", default, LOSSY, mill, middle),
        Case("default_444", "bench/photo_2mp_444.jpg", default, LOSSY, mill, (1280, 992, 384, 256)),
        Case("default_progressive", "bench/progressive_2mp.jpg", default, LOSSY, mill, middle),
        Case("default_gray", "bench/gray_2mp.jpg", default, LOSSY, mill, middle),
        Case("default_cmyk", "bench/cmyk_2mp.jpg", f"{default} => png", LOSSY, mill, middle),
        Case("default_canon", "camera/canon_hdr_NO.jpg", default, LOSSY, mill, (1152, 1792, 384, 256)),
        Case("default_dscn", "camera/DSCN0025.jpg", default, LOSSY, mill, (128, 128, 384, 256)),
        Case("default_after_end", "hostile/bytes_after_end.jpg", default, LOSSY, mill, (0, 0, 384, 256)),
        Case("blur_5_photo", "bench/photo_2mp.jpg", "grayscale | blur:5", LOSSY, [grayscale, blurred(5)], middle),
        Case("colour_blur", "bench/photo_0.3mp.jpg", "blur:3 => png", LOSSY, [blurred(3)], (192, 160, 256, 160)),
        Case("webp_lossy", "webp/lossy.webp", "grayscale | blur:2 => png", LOSSY, [grayscale, blurred(2)]),
    ]
    for orientation in range(9):
        width, height = (150, 100)
        cases.append(
            Case(
                f"orient_{orientation}",
                f"orientation/Landscape_{orientation}.jpg",
                "orient | grayscale | resize:150 => png",
                SHRUNK,
                [orient, grayscale, resized(width, height)],
            )
        )
    return cases


def format_cases() -> list[Case]:
    """Every other format that is read, decoded alone."""
    exact = (
        "still.gif interlaced.gif holes.gif rgb24.bmp gray8.bmp bits1.bmp rle4.bmp rle8.bmp indexed4.bmp "
        "rgba32.bmp rgb_raw.tiff rgb_lzw.tiff rgb_deflate.tiff rgb_packbits.tiff rgb_differences.tiff "
        "rgb_big.tiff rgba.tiff gray.tiff bits_group4.tiff bits_packbits.tiff cmyk.tiff palette.tiff pages.tiff "
        "orientation_6.tiff gray16_big_endian.tiff png.ico bitmap.ico rgb.qoi rgba.qoi p1.pbm p2.pgm p3.ppm p4.pbm "
        "p5.pgm p6.ppm p5_65535.pgm p5_15.pgm"
    ).split()
    cases = [Case(f"read_{name.replace('.', '_')}", f"formats/{name}", "orient => png", EXACT, [orient]) for name in exact]
    # Pillow cuts the fraction off where 32 levels become 256.
    cases.append(Case("read_top_down_565_bmp", "formats/top_down_565.bmp", "orient => png", RESIZE, []))
    cases.append(Case("read_rgb_jpeg_tiff", "formats/rgb_jpeg.tiff", "orient => png", LOSSY, []))
    cases.append(Case("read_ycbcr_jpeg_tiff", "formats/ycbcr_jpeg.tiff", "orient => png", LOSSY, []))
    # What Pillow does not read was made of pictures that it does.
    for name, of in (
        ("rgba_masks.bmp", "rgba"),
        ("rgb_tiles.tiff", "rgb"),
        ("rgb_planes.tiff", "rgb"),
        ("rgba.pam", "rgba"),
    ):
        case = Case(f"read_{name.replace('.', '_')}", f"formats/{name}", "orient => png", EXACT, [])
        case.source = f"formats/{of}.png"
        cases.append(case)
    return cases


def to_srgb(image: Image.Image) -> Image.Image:
    """What Little CMS makes of the profile; gray stays gray."""
    profile = ImageCms.ImageCmsProfile(io.BytesIO(image.info["icc_profile"]))
    mode = "RGB" if image.mode == "CMYK" else image.mode
    if mode == "L":
        # Gray as sRGB has it: through RGB, all of whose channels are the same.
        return ImageCms.profileToProfile(image, profile, ImageCms.createProfile("sRGB"), 1, "RGB").getchannel("G")
    return ImageCms.profileToProfile(image, profile, ImageCms.createProfile("sRGB"), 1, mode)


def color_cases() -> list[Case]:
    """Colour profiles, against Little CMS."""
    cases = []
    for name in ("p3.png", "adobe.png", "prophoto.png", "srgb.png", "adobe.tiff", "gray.png"):
        cases.append(Case(f"color_{name.replace('.', '_')}", f"color/{name}", "flip | flip => png", CONVERTED, [to_srgb]))
    for name in ("gray.jpg", "inks.jpg", "inks_ycck.jpg"):
        cases.append(Case(f"color_{name.replace('.', '_')}", f"color/{name}", "flip | flip => png", INKS, [to_srgb]))
    cases.append(Case("color_inks_tiff", "color/inks.tiff", "flip | flip => png", INKS, [to_srgb]))
    # One whose profile is damaged or for other pixels is what it is without.
    for name in ("damaged.png", "other_kind.png"):
        cases.append(Case(f"color_{name.replace('.', '_')}", f"color/{name}", "flip | flip => png", EXACT, []))
    for case in cases:
        case.is_raw = True
    return cases


def png_frames(path: Path) -> list[Image.Image]:
    """The frames of an APNG as the specification lays them on their canvas (Pillow forgets what was to be put back)."""
    data, at, chunks = path.read_bytes(), 8, []
    while at < len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        chunks.append((data[at + 4 : at + 8], data[at + 8 : at + 8 + length]))
        at += 12 + length
    header = chunks[0][1]
    parts: list[tuple[tuple[int, ...], bytes]] = []
    for kind, body in chunks:
        if kind == b"fcTL":
            parts.append((struct.unpack(">IIIIIHHBB", body), b""))
        elif kind in (b"IDAT", b"fdAT"):
            control, pixels = parts.pop()
            parts.append((control, pixels + (body[4:] if kind == b"fdAT" else body)))
    canvas = np.zeros((*struct.unpack(">II", header[:8])[::-1], 4), dtype=np.uint8)
    frames = []
    for (_, width, height, x, y, _, _, disposal, blend), pixels in parts:
        still = io.BytesIO()
        still.write(data[:8])
        for kind, body in ((b"IHDR", struct.pack(">II", width, height) + header[8:]), (b"IDAT", pixels), (b"IEND", b"")):
            still.write(struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)))
        still.seek(0)
        frame = np.asarray(Image.open(still).convert("RGBA"))
        before = canvas.copy()
        region = canvas[y : y + height, x : x + width]
        # Every pixel of these is either there or not.
        region[...] = np.where(frame[..., 3:] > 0, frame, region) if blend else frame
        frames.append(Image.fromarray(canvas.copy(), "RGBA"))
        if disposal == 1:
            region[...] = 0
        elif disposal == 2:
            canvas = before
    return frames


def animations() -> None:
    """Every frame of an animation as it is to be seen, one below the other."""
    for path in ("formats/animated.gif", "formats/animated.png", "webp/animated.webp"):
        image = Image.open(TESTDATA / path)
        frames = png_frames(TESTDATA / path) if path.endswith("png") else []
        for index in range(image.n_frames if not frames else 0):
            image.seek(index)
            frames.append(image.convert("RGBA"))
        width, height = image.size
        strip = Image.new("RGBA", (width, height * len(frames)))
        for index, frame in enumerate(frames):
            strip.paste(frame, (0, height * index))
        strip.save(GOLDEN / f"frames_{path.rsplit('.', 1)[1]}.png", optimize=True)


def fonts() -> Path:
    """The folder of the built-in fonts."""
    metadata = subprocess.run(
        ["cargo", "metadata", "--format-version", "1"], check=True, capture_output=True, cwd=TESTDATA.parent
    )
    package = next(package for package in json.loads(metadata.stdout)["packages"] if package["name"] == "dejavu")
    return Path(package["manifest_path"]).parent / "assets/dejavu-fonts-ttf-2.37/ttf"


def texts() -> None:
    """White text on black as FreeType draws it, and the recipe that is to do the same."""
    folder = fonts()
    margin, width, height = 20, 480, 160
    lines = ["# name\trecipe for a black picture of 480 x 160 pixels"]
    for name, text, size, bold, outline in (
        ("latin", "Hamburg", 96, False, 0),
        ("greek", "Ελληνικά", 88, False, 0),
        ("cyrillic", "Подпись", 90, False, 0),
        ("bold", "Bold & 5%", 72, True, 0),
        ("outline", "Outline", 84, False, 8),
    ):
        path = str(folder / ("DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"))
        ascent = ImageFont.truetype(path, 2048).getmetrics()[0] / 2048
        stroke = size * outline / 100
        image = Image.new("L", (width, height))
        at = (margin + stroke, round(margin + stroke + ascent * size))
        font = ImageFont.truetype(path, size)
        ImageDraw.Draw(image).text(at, text, fill=255, font=font, anchor="ls", stroke_width=stroke, stroke_fill=128)
        image.save(GOLDEN / f"text_{name}.png", optimize=True)
        recipe = f'text:"{text}",size={size},gravity=north-west,margin={margin},width={width}'
        recipe += ",bold=true" if bold else ""
        recipe += f",outline={outline},outline_color=#808080" if outline else ""
        lines.append(f"text_{name}\t{recipe}")
    (GOLDEN / "texts.tsv").write_text("\n".join(lines) + "\n")


def write(case: Case) -> str:
    """Writes one reference and returns its line of the manifest."""
    if case.is_raw:
        image = Image.open(TESTDATA / case.input)
        image.load()
    else:
        image = read(case.source or case.input)
    for step in case.make:
        image = step(image)
    width, height = image.size
    x, y, columns, rows = case.region or (0, 0, width, height)
    reference = image.crop((x, y, x + columns, y + rows))
    reference.info = {}
    reference.save(GOLDEN / f"{case.name}.png", optimize=True)
    region = f"{x},{y},{columns},{rows}"
    return "\t".join((case.name, case.input, case.recipe, f"{width}x{height}", region, case.metric))


def main() -> None:
    """Writes all references and the manifest."""
    GOLDEN.mkdir(exist_ok=True)
    for stale in GOLDEN.glob("*.png"):
        stale.unlink()
    cases = lossless_cases() + blur_cases() + resize_cases() + step_cases() + jpeg_cases() + format_cases() + color_cases()
    animations()
    texts()
    lines = ["# name\tinput\trecipe\tsize\tregion\tmetric"] + [write(case) for case in cases]
    (GOLDEN / "manifest.tsv").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
