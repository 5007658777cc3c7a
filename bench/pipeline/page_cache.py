"""Fills the page cache, as it is on any machine that has run for a day.

A virtual machine that has just started, or lay idle, has memory that its host has to give it first, page by page, for each new
page of a file. That would be counted as the cost of whoever writes the file: up to a fifth of what a small task takes.
"""

import os
from pathlib import Path

# Left free, bytes: a little more than the system keeps free by itself.
FREE = 1 << 28
PIECE = 1 << 26


class PageCache:
    """A file of nothing but holes, which takes no room on the disk, of which ever new parts are read."""

    def __init__(self, folder: Path):
        self.path = folder / "holes"
        self.at = 0
        self.buffer = bytearray(PIECE)

    def fill(self) -> None:
        with open(self.path, "ab+", buffering=0) as file:
            while free_bytes() > FREE:
                os.truncate(self.path, self.at + PIECE)
                file.seek(self.at)
                self.at += file.readinto(self.buffer)


def free_bytes() -> int:
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemFree:"):
            return int(line.split()[1]) * 1024
    raise SystemExit("/proc/meminfo does not say how much memory is free")
