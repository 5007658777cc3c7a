"""Pillow, libvips or OpenCV as a peer of the engine benchmark: one job a line of standard input, one answer a line of
standard output. Usage: peer.py pillow|libvips|opencv

Each does a job as its own documentation advises, on one thread, from bytes to bytes.
"""

import json
import os
import sys
from pathlib import Path


def pillow():
    from io import BytesIO

    from PIL import Image, ImageFilter, ImageOps

    def encoded(image, **options):
        out = BytesIO()
        image.save(out, **options)
        return out.getvalue()

    def run(job, data):
        image = Image.open(BytesIO(data))
        name = job["name"]
        if name == "thumbnail":
            # Before anything decodes, so that the decoder can scale.
            image.draft("RGB", (job["width"], job["width"]))
        image = ImageOps.exif_transpose(image)
        if name in ("gray_blur", "gray_blur_png"):
            image = image.convert("L").filter(ImageFilter.GaussianBlur(job["sigma"]))
            return [encoded(image, format="PNG") if name == "gray_blur_png" else encoded(image, format="JPEG", quality=75)]
        if name == "thumbnail":
            image.thumbnail((job["width"], image.height))
            return [encoded(image, format="JPEG", quality=75)]
        if name == "webp":
            return [encoded(image, format="WEBP", quality=80, method=4)]
        if name == "avif":
            return [encoded(image, format="AVIF", quality=60, speed=6, max_threads=1)]
        outputs = []
        for width in job["widths"]:
            small = image.resize((width, round(image.height * width / image.width)), Image.Resampling.LANCZOS, reducing_gap=3)
            outputs += [encoded(small, format="WEBP", quality=80, method=4), encoded(small, format="JPEG", quality=75)]
        return outputs

    return run


def libvips():
    os.environ["VIPS_CONCURRENCY"] = "1"
    import pyvips

    pyvips.cache_set_max(0)

    def run(job, data):
        name = job["name"]
        if name == "thumbnail":
            return [pyvips.Image.thumbnail_buffer(data, job["width"], height=10_000_000).jpegsave_buffer(Q=75, keep="none")]
        if name == "web":
            outputs = []
            for width in job["widths"]:
                small = pyvips.Image.thumbnail_buffer(data, width, height=10_000_000).copy_memory()
                outputs += [small.webpsave_buffer(Q=80, effort=4, keep="none"), small.jpegsave_buffer(Q=75, keep="none")]
            return outputs
        image = pyvips.Image.new_from_buffer(data, "", access="sequential")
        if image.get_typeof("orientation") and image.get("orientation") > 1:
            image = image.copy_memory().autorot()
        if name in ("gray_blur", "gray_blur_png"):
            image = image.colourspace("b-w").gaussblur(job["sigma"])
            return [image.pngsave_buffer(keep="none") if name == "gray_blur_png" else image.jpegsave_buffer(Q=75, keep="none")]
        if name == "webp":
            return [image.webpsave_buffer(Q=80, effort=4, keep="none")]
        return [image.heifsave_buffer(Q=60, effort=4, compression="av1", keep="none")]

    return run


def opencv():
    import cv2
    import numpy

    cv2.setNumThreads(1)

    def encoded(image, extension, *options):
        return cv2.imencode(extension, image, list(options))[1].tobytes()

    def run(job, data):
        data = numpy.frombuffer(data, numpy.uint8)
        name = job["name"]
        if name in ("gray_blur", "gray_blur_png"):
            image = cv2.GaussianBlur(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), (0, 0), job["sigma"])
            if name == "gray_blur_png":
                return [encoded(image, ".png", cv2.IMWRITE_PNG_COMPRESSION, 6)]
            return [encoded(image, ".jpg", cv2.IMWRITE_JPEG_QUALITY, 75)]
        if name == "thumbnail":
            image = cv2.imdecode(data, cv2.IMREAD_REDUCED_COLOR_4)
            return [encoded(scaled(image, job["width"]), ".jpg", cv2.IMWRITE_JPEG_QUALITY, 75)]
        image = cv2.imdecode(data, cv2.IMREAD_COLOR)
        if name == "webp":
            return [encoded(image, ".webp", cv2.IMWRITE_WEBP_QUALITY, 80)]
        if name == "avif":
            return [encoded(image, ".avif", cv2.IMWRITE_AVIF_QUALITY, 60, cv2.IMWRITE_AVIF_SPEED, 6)]
        outputs = []
        for width in job["widths"]:
            small = scaled(image, width)
            outputs.append(encoded(small, ".webp", cv2.IMWRITE_WEBP_QUALITY, 80))
            outputs.append(encoded(small, ".jpg", cv2.IMWRITE_JPEG_QUALITY, 75))
        return outputs

    def scaled(image, width):
        height = round(image.shape[0] * width / image.shape[1])
        return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)

    return run


def main():
    run = {"pillow": pillow, "libvips": libvips, "opencv": opencv}[sys.argv[1]]()
    for line in sys.stdin:
        job = json.loads(line)
        data = Path(job["input"]).read_bytes()
        for _ in range(job["repeat"]):
            outputs = run(job, data)
        for index, output in enumerate(outputs):
            Path(f"{job['output']}.{index}").write_bytes(output)
        print(len(outputs), flush=True)


if __name__ == "__main__":
    main()
