"""The worker's side of the usual stack: Celery and Pillow, as their documentation writes them."""

import os

from celery import Celery
from PIL import Image, ImageFilter, ImageOps

app = Celery("mill", broker=os.environ["REDIS_URL"], backend=os.environ["REDIS_URL"])
# What Celery's documentation advises for long tasks that must not get lost when a worker dies.
app.conf.update(
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=1,
    task_track_started=True,
    broker_connection_retry_on_startup=True,
)


@app.task(name="mill")
def mill(source: str, target: str) -> str:
    with Image.open(source) as image:
        upright = ImageOps.exif_transpose(image)
        upright.convert("L").filter(ImageFilter.GaussianBlur(2)).save(target, "JPEG", quality=75)
    return os.path.basename(target)
