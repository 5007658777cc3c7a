#!/usr/bin/env python3
"""Measures pixmill's engine beside Pillow, libvips, OpenCV and sharp, in one run: the same photos, one core, taking turns.
Called by `make bench-engine`, which installs the peers below target/.

What is measured is the CPU time of the whole process a job, as the kernel counts it; medians over the rounds. Every round has
a photo of its own bytes, so that nothing is found in a cache. Peak memory is that of a fresh process at one job, less what it
took before. PSNR and SSIM are against a result worked out in floating point from the same decoded pixels. Prints Markdown and
writes it into docs/benchmarks.md.
"""

import argparse
import json
import os
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy
from PIL import Image, ImageOps

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(HERE.parent))
import page  # noqa: E402

INSTALLED = ROOT / "target/bench-engine"
PHOTOS = ROOT / "testdata/bench"
CORE = max(os.sched_getaffinity(0))
PEERS = {
    "pixmill": [ROOT / "target/release/examples/peer"],
    "OpenCV": [INSTALLED / "python/bin/python", HERE / "peer.py", "opencv"],
    "libvips": [INSTALLED / "python/bin/python", HERE / "peer.py", "libvips"],
    "sharp": ["node", INSTALLED / "node/sharp_peer.mjs"],
    "Pillow": [INSTALLED / "python/bin/python", HERE / "peer.py", "pillow"],
}
WIDTHS = [320, 960, 1920]


class Workload:
    def __init__(self, title, name, photo, recipe, bars, repeat=1, reference=None, orientation=None, matched=False, **more):
        self.title, self.photo, self.recipe, self.bars = title, photo, recipe, bars
        self.repeat, self.reference, self.orientation = repeat, reference, orientation
        # Whether bars hold only at a file as like and as small.
        self.matched = matched
        self.job = {"name": name, **more}


def gray_blur(title, photo, sigma, bars, repeat=1, orientation=None):
    return Workload(f"gray, blur {sigma}, JPEG: {title}", "gray_blur", photo, f"orient | grayscale | blur:{sigma} => jpeg:75",
                    bars, repeat, "blur", orientation, sigma=sigma)


LARGE = {"OpenCV": 1.5, "libvips": 3, "Pillow": 4.5}
SOFT = {"OpenCV": 2.8, "libvips": 5, "Pillow": 7}
THUMBNAIL = {"sharp": 1.4, "OpenCV": 1.5, "libvips": 1.7, "Pillow": 3.2}
WEB = "; ".join(f"resize:{width} | webp:80,name=w{width}; resize:{width} | jpeg:75,name=j{width}" for width in WIDTHS)
WORKLOADS = [
    gray_blur("0.3 MP", "photo_0.3mp.jpg", 2, {"OpenCV": 1.4, "Pillow": 3.5}, repeat=20),
    gray_blur("12 MP", "photo_12mp.jpg", 2, LARGE),
    gray_blur("dense 12 MP", "dense_12mp.jpg", 2, LARGE),
    gray_blur("dense 12 MP, orientation 6", "dense_12mp.jpg", 2, {**LARGE, "OpenCV": 1.3}, orientation=6),
    gray_blur("24 MP", "photo_24mp.jpg", 2, LARGE),
    gray_blur("12 MP", "photo_12mp.jpg", 5, SOFT),
    gray_blur("dense 12 MP", "dense_12mp.jpg", 5, SOFT),
    gray_blur("24 MP", "photo_24mp.jpg", 5, SOFT),
    Workload("400 px wide, JPEG: 12 MP", "thumbnail", "photo_12mp.jpg", "orient | resize:400 => jpeg:75", THUMBNAIL,
             reference="resize", width=400),
    Workload("400 px wide, JPEG: 24 MP", "thumbnail", "photo_24mp.jpg", "orient | resize:400 => jpeg:75", THUMBNAIL,
             reference="resize", width=400),
    Workload("PNG, gray, blur 2, PNG: 12 MP", "gray_blur_png", "photo_12mp.png", "grayscale | blur:2 => png", {"best": 2.2},
             reference="blur", sigma=2),
    Workload("JPEG to WebP, quality 80, effort 4: 2 MP", "webp", "photo_2mp.jpg", "orient => webp:80,effort=4", {"best": 1.0},
             reference="same"),
    Workload("six outputs for the web, WebP at effort 4: 12 MP", "web", "photo_12mp.jpg",
             f"orient => {WEB.replace('webp:80', 'webp:80,effort=4')}", {"sharp": 1.2}, widths=WIDTHS),
    *(Workload(f"JPEG to AVIF, quality 60{how}: 2 MP", "avif", "photo_2mp.jpg", f"orient => avif:60{told}", {"best": 0.9},
               reference="same", matched=True)
      for how, told in (("", ""), (", effort 0", ",effort=0"))),
]


class Peer:
    """A process that does jobs, one at a time, on one core."""

    def __init__(self, name):
        self.name = name
        command = ["taskset", "-c", str(CORE), *map(str, PEERS[name])]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def run(self, workload, source, output, repeat):
        """Does a job; returns how many outputs it has, and the CPU time of one turn, milliseconds."""
        if self.name == "pixmill":
            line = "\t".join([str(repeat), workload.recipe, str(source), str(output)])
        else:
            line = json.dumps({**workload.job, "input": str(source), "output": str(output), "repeat": repeat})
        before = self.cpu_ms()
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            sys.exit(f"{self.name} gave up at {workload.title}")
        return int(answer), (self.cpu_ms() - before) / repeat

    def cpu_ms(self):
        total = 0
        for thread in Path(f"/proc/{self.process.pid}/task").iterdir():
            total += int((thread / "schedstat").read_text().split()[0])
        return total / 1e6

    def memory_kb(self, field):
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(field + ":"))

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def distinct(data, number, orientation):
    """The same picture in other bytes: a comment behind the start of a JPEG, and before that its orientation."""
    if not data.startswith(b"\xff\xd8"):
        return data
    exif = b""
    if orientation:
        tiff = b"II*\0\x08\0\0\0\x01\0" + struct.pack("<HHII", 0x0112, 3, 1, orientation) + b"\0\0\0\0"
        exif = b"\xff\xe1" + struct.pack(">H", 8 + len(tiff)) + b"Exif\0\0" + tiff
    comment = f"round {number}".encode()
    return data[:2] + exif + b"\xff\xfe" + struct.pack(">H", 2 + len(comment)) + comment + data[2:]


def blurred(plane, sigma):
    radius = int(numpy.ceil(sigma * 6))
    weights = numpy.exp(-0.5 * (numpy.arange(-radius, radius + 1) / sigma) ** 2)
    weights /= weights.sum()
    return cv2.sepFilter2D(plane.astype(numpy.float32), cv2.CV_32F, weights, weights, borderType=cv2.BORDER_REPLICATE)


def reference(workload, source):
    image = ImageOps.exif_transpose(Image.open(source))
    if workload.reference == "blur":
        return blurred(numpy.asarray(image.convert("L")), workload.job["sigma"])
    if workload.reference == "resize":
        height = round(image.height * workload.job["width"] / image.width)
        planes = [numpy.asarray(plane.convert("F").resize((workload.job["width"], height), Image.Resampling.LANCZOS))
                  for plane in image.convert("RGB").split()]
        return numpy.stack(planes, axis=-1)
    return numpy.asarray(image.convert("RGB"), numpy.float32)


def quality(exact, path):
    """PSNR in dB and SSIM (Wang et al. 2004, on luma) of a file against exact pixels."""
    image = Image.open(path)
    made = numpy.asarray(image.convert("L" if exact.ndim == 2 else "RGB"), numpy.float32)
    if made.shape != exact.shape:
        return None
    error = float(numpy.mean((made - exact) ** 2))
    if exact.ndim == 3:
        luma = numpy.array([0.299, 0.587, 0.114], numpy.float32)
        made, exact = made @ luma, exact @ luma
    mean = lambda plane: cv2.GaussianBlur(plane, (11, 11), 1.5)
    a, b = mean(made), mean(exact)
    aa, bb, ab = mean(made * made) - a * a, mean(exact * exact) - b * b, mean(made * exact) - a * b
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    ssim = ((2 * a * b + c1) * (2 * ab + c2)) / ((a * a + b * b + c1) * (aa + bb + c2))
    return 10 * numpy.log10(255**2 / max(error, 1e-9)), float(ssim.mean())


def measure(workload, peers, rounds, scratch):
    data = photo(workload.photo, scratch)
    times = {peer.name: [] for peer in peers}
    counts = {}
    for number in range(rounds + 1):
        source = scratch / f"in{Path(workload.photo).suffix}"
        source.write_bytes(distinct(data, number, workload.orientation))
        for peer in peers:
            counts[peer.name], spent = peer.run(workload, source, scratch / peer.name, workload.repeat)
            # The first round warms up.
            if number:
                times[peer.name].append(spent)
    exact = reference(workload, source) if workload.reference else None
    figures = {}
    for name, spent in times.items():
        files = [scratch / f"{name}.{index}" for index in range(counts[name])]
        figures[name] = {
            "ms": statistics.median(spent),
            "bytes": sum(file.stat().st_size for file in files),
            "quality": None if exact is None else quality(exact, files[0]),
            "peak_mb": peak_mb(name, workload, source, scratch),
        }
    return figures


def peak_mb(name, workload, source, scratch):
    peer = Peer(name)
    # A small job first, so that libraries are loaded and tables built.
    small = scratch / "small.jpg"
    small.write_bytes((PHOTOS / "photo_0.3mp.jpg").read_bytes())
    peer.run(workload, small, scratch / "warm", 1)
    Path(f"/proc/{peer.process.pid}/clear_refs").write_text("5")
    before = peer.memory_kb("VmRSS")
    peer.run(workload, source, scratch / "warm", 1)
    peak = peer.memory_kb("VmHWM") - before
    peer.close()
    return peak / 1024


def photo(name, scratch):
    path = PHOTOS / name
    if not path.exists():
        path = scratch / name
        if not path.exists():
            Image.open(PHOTOS / (Path(name).stem + ".jpg")).convert("RGB").save(path)
    return path.read_bytes()


def verdict(workload, figures):
    parts = []
    own = figures["pixmill"]
    for name, bar in workload.bars.items():
        peer = name
        if name == "best":
            peer = min((other for other in figures if other != "pixmill"), key=lambda other: figures[other]["ms"])
        ratio = figures[peer]["ms"] / own["ms"]
        missed = "" if ratio >= bar else " (missed)"
        if workload.matched:
            missed += differences(own, figures[peer])
        parts.append(f"{name} {ratio:.1f}x of {bar}x{missed}")
    return ", ".join(parts)


def differences(own, peer):
    """What of a file falls behind the peer's: SSIM by more than 0.0002, bytes by more than a hundredth."""
    (_, own_ssim), (_, peer_ssim) = own["quality"], peer["quality"]
    less_like = f", SSIM {own_ssim - peer_ssim:.4f}" if own_ssim < peer_ssim - 0.0002 else ""
    larger = own["bytes"] / peer["bytes"] - 1
    return less_like + (f", {larger:.0%} larger" if larger > 0.01 else "")


def table(results, rounds):
    names = list(PEERS)
    lines = [
        f"{time.strftime('%Y-%m-%d')}, {page.machine()}, one core, medians of {rounds} rounds: CPU milliseconds a job.",
        "",
        f"| job | {' | '.join(names)} | ratio against the bar |",
        "|---" * (len(names) + 2) + "|",
    ]
    for workload, figures in results:
        cells = " | ".join(f"{figures[name]['ms']:.2f}" for name in names)
        lines.append(f"| {workload.title} | {cells} | {verdict(workload, figures)} |")
    lines += ["", "Beside speed: PSNR in dB / SSIM / size in KB / peak memory of the job in MB, the input included.", ""]
    lines += [f"| job | {' | '.join(names)} |", "|---" * (len(names) + 1) + "|"]
    for workload, figures in results:
        cells = []
        for name in names:
            figure = figures[name]
            seen = "– / –" if figure["quality"] is None else "{:.1f} / {:.4f}".format(*figure["quality"])
            cells.append(f"{seen} / {figure['bytes'] / 1000:.0f} / {figure['peak_mb']:.0f}")
        lines.append(f"| {workload.title} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--only", default="", help="measure the jobs whose title has this in it; writes nothing")
    options = parser.parse_args()
    results = []
    with tempfile.TemporaryDirectory(dir=INSTALLED) as folder:
        scratch = Path(folder)
        for workload in WORKLOADS:
            if options.only not in workload.title:
                continue
            print(workload.title, file=sys.stderr)
            peers = [Peer(name) for name in PEERS]
            results.append((workload, measure(workload, peers, options.rounds, scratch)))
            for peer in peers:
                peer.close()
    text = table(results, options.rounds)
    print(text)
    if not options.only:
        page.write("engine", text)


if __name__ == "__main__":
    main()
