"""The load generator wrk, where it is installed: a small script for it, and what it reports as JSON."""

import json
import shutil
import subprocess
from math import ceil
from pathlib import Path
from typing import Any

from ostiary.benchmarks.faults import Unmeasured

# Requests come from a file, one after the other, from another place each time; `done` prints what the command's own
# words would round.
SCRIPT = """
local requests, turn = {}, 0
function init(arguments)
    for request in io.open(arguments[1], "rb"):read("*a"):gmatch("([^%z]+)%z") do
        requests[#requests + 1] = request
    end
    turn = os.time() * 7919 % #requests
end
function request()
    turn = turn % #requests + 1
    return requests[turn]
end
function done(summary, latency)
    local wrong = summary.errors
    io.write(string.format(
        '\\n{"requests":%d,"microseconds":%d,"refused":%d,"errors":%d,"p50":%d,"p99":%d}\\n',
        summary.requests, summary.duration, wrong.status, wrong.connect + wrong.read + wrong.write + wrong.timeout,
        latency:percentile(50), latency:percentile(99)))
end
"""


def installed() -> bool:
    """Whether wrk is there."""
    return shutil.which("wrk") is not None


def run(port: int, file: Path, connections: int, seconds: float) -> dict[str, Any]:
    """Send the requests of a file to a port of this machine; it counts in whole seconds."""
    script = file.with_suffix(".lua")
    script.write_text(SCRIPT)
    command = ["wrk", "-t1", f"-c{connections}", f"-d{ceil(seconds)}s", "--timeout", "5s", "-s", str(script)]
    address = f"http://127.0.0.1:{port}/"
    done = subprocess.run([*command, address, "--", str(file)], check=False, capture_output=True, text=True)
    return reported(done.stdout + done.stderr)


def reported(said: str) -> dict[str, Any]:
    """The line of JSON among what wrk has said."""
    for line in reversed(said.splitlines()):
        if line.startswith("{"):
            found: dict[str, Any] = json.loads(line)
            return found
    message = f"wrk did not report: {said.strip()[-300:]}"
    raise Unmeasured(message)
