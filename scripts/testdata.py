#!/usr/bin/env python3
"""Makes the files of testdata/ that nobody else publishes: WebP of every kind, bombs, cut-off and mislabelled files.

Run from the root of the repository, with scripts/golden-requirements.txt installed:

    python3 -m venv target/golden && target/golden/bin/pip install -r scripts/golden-requirements.txt
    target/golden/bin/python scripts/testdata.py

The same versions write the same bytes again.
"""

import struct
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


if __name__ == "__main__":
    webp_set()
    hostile_set()
    oriented_png()
