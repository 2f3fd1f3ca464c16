"""A replica that only listens: `python -m ostiary.benchmarks.listener URL NAME`.

It runs the very code by which auth hears what to forget, notes the moment for each token, and tells all of them when
its input ends.
"""

import asyncio
import json
import sys
import time

import uvloop

from ostiary_auth.fast import lease
from ostiary_auth.fast.notices import Ears


async def listen(url: str, name: str) -> dict[str, float]:
    """Key, in hex → when it was forgotten, by the machine's monotonic clock."""
    heard: dict[str, float] = {}
    stop = asyncio.Event()

    def forget(key: bytes) -> None:
        heard.setdefault(key.hex(), time.monotonic())

    ears = Ears(forget, _nothing, _nothing, _nothing, lambda _until: None)
    line = asyncio.create_task(lease.keep(url, name, ears, stop))
    await asyncio.to_thread(sys.stdin.read)
    stop.set()
    await line
    return heard


def _nothing() -> None:
    """Sites and keys are nobody's business here."""


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        sys.stdout.write(json.dumps(runner.run(listen(*sys.argv[1:]))))
