"""The web side of the usual stack: FastAPI takes the upload, writes it to a file and queues the task."""

import os
import shutil
import uuid

from celery.result import AsyncResult
from fastapi import FastAPI, UploadFile
from fastapi.concurrency import run_in_threadpool

from tasks import app as celery
from tasks import mill

DATA = os.environ["DATA"]
app = FastAPI()


@app.post("/upload", status_code=202)
def upload(file: UploadFile) -> dict:
    # A plain function: FastAPI runs it in its thread pool, since it blocks on the disk and on Redis.
    task_id = str(uuid.uuid4())
    source = os.path.join(DATA, f"{task_id}.jpg")
    with open(source, "wb") as target:
        shutil.copyfileobj(file.file, target)
    mill.apply_async((source, os.path.join(DATA, f"processed_{task_id}.jpg")), task_id=task_id)
    return {"message": "Image uploaded successfully.", "task_id": task_id, "filename": file.filename}


@app.get("/status/{task_id}")
async def status(task_id: str) -> dict:
    state = await run_in_threadpool(lambda: AsyncResult(task_id, app=celery).state)
    return {"task_id": task_id, "status": {"SUCCESS": "COMPLETED", "FAILURE": "FAILED"}.get(state, "PROCESSING")}


@app.get("/readyz")
async def ready() -> dict:
    return {"status": "ready"}
