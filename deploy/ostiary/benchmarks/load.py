"""Load on one port, from a process of its own: by wrk where it is installed, else by our own generator."""

import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ostiary.benchmarks import machine, wrk
from ostiary.benchmarks.faults import Unmeasured
from ostiary.benchmarks.figures import Sample
from ostiary.benchmarks.generator import Order

WHOLE = 1.0  # second: what wrk counts in


def generator(seconds: float) -> str:
    """Which generator makes load for so long."""
    return "wrk" if seconds >= WHOLE and wrk.installed() else "own"


def made(order: Order, *, core: int | None, refusals: bool = False) -> Sample:
    """Load as fast as the answers come. `refusals`: every answer should be one (401); else none."""
    with machine.on_core(core):
        if generator(order.seconds) == "wrk":
            report = wrk.run(order.port, Path(order.file), order.connections, order.seconds)
        else:
            report = finished(started(order))
    return sample(report, refusals=refusals)


def started(order: Order) -> "subprocess.Popen[str]":
    """Start our own generator; it works beside whatever the caller does."""
    process = subprocess.Popen(
        [sys.executable, "-m", "ostiary.benchmarks.generator"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    if process.stdin is not None:
        process.stdin.write(json.dumps(asdict(order)))
        process.stdin.close()
        process.stdin = None
    return process


def finished(process: "subprocess.Popen[str]") -> dict[str, Any]:
    """What a generator reports when it is through."""
    said, complaint = process.communicate()
    if process.returncode:
        message = f"the load generator gave up: {complaint.strip()[-300:]}"
        raise Unmeasured(message)
    report: dict[str, Any] = json.loads(said)
    return report


def sample(report: dict[str, Any], *, refusals: bool) -> Sample:
    """A report as a sample: answers of the wrong kind count as wrong, and so does every broken connection."""
    unlike = report["requests"] - report["refused"] if refusals else report["refused"]
    return Sample(
        requests=report["requests"],
        seconds=report["microseconds"] / 1e6,
        wrong=unlike + report["errors"],
        p50_ms=report["p50"] / 1e3,
        p99_ms=report["p99"] / 1e3,
    )
