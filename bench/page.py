"""What the benchmarks beside peers have in common: how they name the machine, and how they write into docs/benchmarks.md."""

import os
import platform
from pathlib import Path

PAGE = Path(__file__).resolve().parent.parent / "docs/benchmarks.md"


def machine() -> str:
    model = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "")
    return f"{model or platform.machine()}, {os.cpu_count()} cores"


def write(benchmark: str, text: str) -> None:
    """Puts `text` between the marks of a benchmark."""
    begin, end = f"<!-- bench/{benchmark} -->\n", f"<!-- /bench/{benchmark} -->"
    before, rest = PAGE.read_text().split(begin)
    after = rest.split(end)[1]
    PAGE.write_text(before + begin + text + end + after)
