#!/usr/bin/env python3
"""Measures pixmill beside the stacks it replaces, in one run: the same default job on the same distinct photos through the
same load generator (`pixmill load`). Called by `make bench-pipeline`, which installs the peers below target/.

Each stack is started afresh for each round, the stacks take turns, each with a full page cache, medians are reported. Prints
Markdown and writes it into docs/benchmarks.md. Takes some 15 GB of disk for three rounds, until it ends.
"""

import argparse
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(HERE.parent))
import page  # noqa: E402
from page_cache import PageCache  # noqa: E402

CORES = os.cpu_count() or 1
PHOTOS = {
    # photo: tasks a round, connections, uploads a second in the open loop
    "photo_0.3mp.jpg": (4000, 8, 40),
    "photo_12mp.jpg": (300, 4, 0),
    "dense_12mp.jpg": (200, 4, 0),
}
# With so many tasks unfinished, uploads wait: what is measured is a steady state, not how a pile is worked off.
BACKLOG = 32


class Stack:
    """Processes behind one address."""

    name = ""
    durable = ""

    def __init__(self, options, scratch: Path):
        self.options = options
        self.scratch = Path(tempfile.mkdtemp(prefix=f"{type(self).__name__.lower()}-", dir=scratch))
        self.port = free_port()
        self.processes: list[subprocess.Popen] = []
        self.start()
        until_answered(f"{self.url}/readyz")
        self.watch = PeakMemory([process.pid for process in self.processes])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        raise NotImplementedError

    def spawn(self, *command, **environment) -> None:
        log = open(self.scratch / "log.txt", "ab")
        self.processes.append(
            subprocess.Popen(
                [str(part) for part in command],
                env={**os.environ, **{key: str(value) for key, value in environment.items()}},
                cwd=self.scratch,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        )

    def redis(self, *settings: str) -> str:
        """Starts a Redis of this stack's own; returns its URL."""
        port = free_port()
        folder = self.scratch / "redis"
        folder.mkdir()
        self.spawn("redis-server", "--port", port, "--bind", "127.0.0.1", "--dir", folder, "--save", "", *settings)
        until_connected(port)
        return f"redis://127.0.0.1:{port}"

    def stop(self) -> float:
        """Ends all processes; returns the peak of their memory together, bytes."""
        peak = self.watch.stop()
        for process in self.processes:
            # The whole session: forked workers too.
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        return peak


class PixmillAlone(Stack):
    name = "pixmill, one process"
    durable = "files and tasks synced before each 202"
    settings = ()

    def start(self) -> None:
        self.spawn(
            self.options.pixmill, "serve", "--listen", f"127.0.0.1:{self.port}", "--data", self.scratch / "data",
            "--log-level", "error", *self.settings,
        )  # fmt: skip


class PixmillAloneUnsynced(PixmillAlone):
    name = "pixmill, one process, at equal durability"
    durable = "nothing synced (`--sync never`), as the stacks below"
    settings = ("--sync", "never")


class PixmillRedis(Stack):
    name = "pixmill, gateway and worker over Redis"
    durable = "the same: files synced, appendfsync always"
    redis_settings = ("--appendonly", "yes", "--appendfsync", "always")
    settings = ()

    def start(self) -> None:
        shared = ["--broker", self.redis(*self.redis_settings), "--data", self.scratch / "data", "--log-level", "error"]
        shared += self.settings
        self.spawn(self.options.pixmill, "gateway", "--listen", f"127.0.0.1:{self.port}", *shared)
        self.spawn(self.options.pixmill, "worker", *shared)


class PixmillRedisUnsynced(PixmillRedis):
    name = "the same over Redis, at equal durability"
    durable = "nothing synced (`--sync never`), tasks in memory alone, as the stacks below"
    redis_settings = ("--appendonly", "no")
    settings = ("--sync", "never")


class Celery(Stack):
    name = "FastAPI + Celery + Redis + Pillow"
    durable = "nothing synced"

    def start(self) -> None:
        folder = HERE / "celery_stack"
        python = Path(self.options.python)
        data = self.scratch / "data"
        data.mkdir()
        environment = {"REDIS_URL": self.redis("--appendonly", "no"), "DATA": data, "PYTHONPATH": folder}
        self.spawn(
            python, "-m", "uvicorn", "server:app", "--host", "127.0.0.1", "--port", self.port,
            "--workers", CORES, "--log-level", "error", "--no-access-log", **environment,
        )  # fmt: skip
        self.spawn(
            python, "-m", "celery", "-A", "tasks", "worker", "--pool", "prefork", "--concurrency", CORES,
            "--loglevel", "error", "--without-gossip", "--without-mingle", **environment,
        )  # fmt: skip


class BullMq(Stack):
    name = "Fastify + BullMQ + Redis + sharp"
    durable = "nothing synced"

    def start(self) -> None:
        folder = Path(self.options.node)
        data = self.scratch / "data"
        data.mkdir()
        environment = {
            "REDIS_URL": self.redis("--appendonly", "no"),
            "DATA": data,
            "PORT": self.port,
            "CONCURRENCY": CORES,
            "NODE_ENV": "production",
        }
        self.spawn("node", folder / "server.mjs", **environment)
        self.spawn("node", folder / "worker.mjs", **environment)


STACKS = [PixmillAlone, PixmillAloneUnsynced, PixmillRedis, PixmillRedisUnsynced, Celery, BullMq]


class PeakMemory:
    """Watches what processes and all they started take together: proportional set size, so that shared pages count once."""

    def __init__(self, pids: list[int]):
        self.pids = pids
        self.peak = 0
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self) -> None:
        while not self.over.wait(0.05):
            self.peak = max(self.peak, sum(proportional_bytes(pid) for pid in with_descendants(self.pids)))

    def stop(self) -> int:
        self.over.set()
        self.thread.join()
        return self.peak


def with_descendants(pids: list[int]) -> list[int]:
    found, todo = [], list(pids)
    while todo:
        pid = todo.pop()
        found.append(pid)
        for children in Path(f"/proc/{pid}/task").glob("*/children"):
            try:
                todo += [int(child) for child in children.read_text().split()]
            except OSError:
                continue
    return found


def proportional_bytes(pid: int) -> int:
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in rollup.splitlines() if line.startswith("Pss:"))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def until(answers, what: str) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            return answers()
        except OSError:
            if time.monotonic() > deadline:
                raise SystemExit(f"{what} does not answer") from None
            time.sleep(0.05)


def until_connected(port: int) -> None:
    until(lambda: socket.create_connection(("127.0.0.1", port)).close(), f"port {port}")


def until_answered(url: str) -> None:
    until(lambda: urllib.request.urlopen(url).read(), url)


def load(options, stack: Stack, photo: str, tasks: int, connections: int, rate: int = 0) -> dict:
    command = [options.pixmill, "load", "--json", "--url", stack.url, "--tasks", str(tasks)]
    command += ["--connections", str(connections)] + (["--rate", str(rate)] if rate else ["--backlog", str(BACKLOG)])
    done = subprocess.run([*command, str(options.photos / photo)], check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout)


def measure(options, stack_type, scratch: Path, cache: PageCache, photo: str) -> dict:
    tasks, connections, rate = PHOTOS[photo]
    stack = stack_type(options, scratch)
    try:
        cache.fill()
        # The first tasks start processes, load libraries and fill pools.
        load(options, stack, photo, 4 * CORES, connections)
        figures = load(options, stack, photo, tasks, connections)
        if rate:
            paced = load(options, stack, photo, rate * options.seconds, connections, rate)
            figures["paced_p50_ms"], figures["paced_p99_ms"] = paced["acknowledged_p50_ms"], paced["acknowledged_p99_ms"]
    finally:
        figures_memory = stack.stop()
    figures["memory_mb"] = figures_memory / 1e6
    return figures


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pixmill", type=Path, default=ROOT / "target/release/pixmill")
    parser.add_argument("--python", type=Path, default=ROOT / "target/bench-pipeline/python/bin/python")
    parser.add_argument("--node", type=Path, default=ROOT / "target/bench-pipeline/bullmq")
    parser.add_argument("--photos", type=Path, default=ROOT / "testdata/bench")
    parser.add_argument("--scratch", type=Path, default=ROOT / "target/bench-pipeline/scratch")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=5, help="length of the paced run")
    parser.add_argument("--only", default="", help="measure the photos whose name has this in it; writes nothing")
    parser.add_argument("--json", type=Path, help="also write all rounds to this file")
    options = parser.parse_args()
    options.pixmill = options.pixmill.resolve()
    options.scratch.mkdir(parents=True, exist_ok=True)

    photos = [photo for photo in PHOTOS if options.only in photo]
    rounds: dict[str, dict[str, list[dict]]] = {photo: {stack.name: [] for stack in STACKS} for photo in photos}
    scratch = Path(tempfile.mkdtemp(dir=options.scratch)).resolve()
    cache = PageCache(scratch)
    for photo in photos:
        for number in range(options.rounds):
            for stack in STACKS:
                print(f"{photo}, round {number + 1}: {stack.name}", file=sys.stderr)
                rounds[photo][stack.name].append(measure(options, stack, scratch, cache, photo))
    # Not before all is measured: deletions slow the file system down for those that come after.
    shutil.rmtree(scratch, ignore_errors=True)
    if options.json:
        options.json.write_text(json.dumps(rounds, indent=2) + "\n")
    text = f"{time.strftime('%Y-%m-%d')}, {page.machine()}, medians of {options.rounds} rounds.\n\n{table(rounds)}\n"
    print(text)
    if not options.only:
        page.write("pipeline", text)
    return 0


def table(rounds) -> str:
    lines = [
        "| photo | stack | tasks/s | pixmill is faster by | the same at equal durability | uploads/s | 202 at 40 uploads/s, p50 / p99, ms | peak memory, MB |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for photo, stacks in rounds.items():
        median = lambda name, key: statistics.median(one[key] for one in stacks[name])  # noqa: E731
        ours = median(PixmillAlone.name, "tasks_per_second")
        equal = median(PixmillAloneUnsynced.name, "tasks_per_second")
        for stack in STACKS:
            name = stack.name
            paced = "–"
            if "paced_p50_ms" in stacks[name][0]:
                paced = f"{median(name, 'paced_p50_ms'):.1f} / {median(name, 'paced_p99_ms'):.1f}"
            tasks = median(name, "tasks_per_second")
            lines.append(
                f"| {photo} | {name} | {tasks:.1f} | {ours / tasks:.1f}x | {equal / tasks:.1f}x | {median(name, 'uploads_per_second'):.0f} "
                f"| {paced} | {median(name, 'memory_mb'):.0f} |"
            )
    lines.append("")
    lines += [f"- {stack.name}: {stack.durable}." for stack in STACKS]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
