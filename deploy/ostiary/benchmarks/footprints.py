"""What remembering costs: bytes a session at 10,000, 100,000 and a million of them, each in a process of its own."""

import json
import subprocess
import sys
from collections.abc import Iterator

from ostiary.benchmarks.faults import Unmeasured
from ostiary.benchmarks.figures import Finding
from ostiary.benchmarks.terms import Terms
from ostiary.benchmarks.world import World

NAMES = ("memory",)
SIZES = (10_000, 100_000, 1_000_000)
BYTES, PAUSE_MS = 430.0, 20.0


def measure(_built: World, _terms: Terms) -> Iterator[Finding]:
    """Two figures a size."""
    for size in SIZES:
        words = [sys.executable, "-m", "ostiary.benchmarks.footprint", str(size)]
        done = subprocess.run(words, check=False, capture_output=True, text=True)
        if done.returncode:
            raise Unmeasured(f"the memory cannot be filled: {done.stderr.strip()[-300:]}")
        report = json.loads(done.stdout)
        says = f"{report['kept']:,} sessions remembered"
        yield Finding(f"memory-{size}", f"{says}: each takes", round(report["bytes"]), "bytes", at_most=BYTES)
        yield Finding(f"pause-{size}", f"{says}: longest collection", report["pause_ms"], "ms", at_most=PAUSE_MS)
