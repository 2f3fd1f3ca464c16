"""One limit of hashes for a whole host, however many processes sign people in."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ostiary_auth.factors.slots import Slots

SLOTS = 2
# Four hashes in each process, all wanted at once; says when each began and ended.
HASHING = """
import asyncio, sys, time
from ostiary_auth.factors.password import Passwords
passwords = Passwords(19456, 2, 2, 64, sys.argv[1])
hasher = passwords._hasher
class Watched:
    def hash(self, password):
        began = time.monotonic()
        made = [hasher.hash(password) for _ in range(3)]
        sys.stdout.write(f"{began} {time.monotonic()}\\n")  # one write: threads share the line
        return made[0]
passwords._hasher = Watched()
async def main():
    print("ready", flush=True)
    sys.stdin.readline()
    await asyncio.gather(*(passwords.hash("quiet harbour lamp 77") for _ in range(4)))
asyncio.run(main())
"""
HOLDING = """
import sys, time
from ostiary_auth.factors.slots import Slots
with Slots(1, sys.argv[1]).one():
    print("ready", flush=True)
    time.sleep(60)
"""


def _start(program: str, folder: Path) -> "subprocess.Popen[str]":
    arguments = [sys.executable, "-c", program, str(folder)]
    process = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    assert process.stdout.readline() == "ready\n"
    return process


def _most_at_once(folder: Path) -> int:
    processes = [_start(HASHING, folder) for _ in range(3)]
    for process in processes:
        assert process.stdin
        process.stdin.write("\n")
        process.stdin.flush()
    lines = [line for process in processes for line in process.communicate(timeout=60)[0].splitlines()]
    assert len(lines) == 12
    began, ended = zip(*(map(float, line.split()) for line in lines), strict=True)
    events = sorted([*((moment, 1) for moment in began), *((moment, -1) for moment in ended)])
    running = [sum(step for _, step in events[: index + 1]) for index in range(len(events))]
    return max(running)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A runtime folder of this test's own."""
    return tmp_path


def test_three_processes_never_hash_more_at_once_than_one_may(folder: Path) -> None:
    assert _most_at_once(folder) == SLOTS


def test_where_the_folder_cannot_be_used_each_process_counts_for_itself(folder: Path) -> None:
    (folder / f"ostiary-{os.geteuid()}").mkdir(mode=0o700)
    (folder / f"ostiary-{os.geteuid()}").chmod(0o777)  # anybody could hold our locks there
    assert _most_at_once(folder) > SLOTS


def test_the_slot_of_a_process_that_was_killed_is_free_at_once(folder: Path) -> None:
    process = _start(HOLDING, folder)
    slots = Slots(1, str(folder))
    process.send_signal(signal.SIGKILL)
    began = time.monotonic()
    with slots.one():
        assert time.monotonic() - began < 5
    process.communicate()


def test_slots_are_used_again(folder: Path) -> None:
    slots = Slots(SLOTS, str(folder))
    for _ in range(3 * SLOTS):
        with slots.one(), slots.one():
            pass


@pytest.mark.parametrize("kind", ["link", "file"])
def test_what_somebody_put_in_the_way_is_not_followed(
    folder: Path, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    place, elsewhere = folder / f"ostiary-{os.geteuid()}", folder / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    place.symlink_to(elsewhere) if kind == "link" else place.touch()
    with Slots(SLOTS, str(folder)).one():
        assert "for this process alone" in caplog.text
    assert not list(elsewhere.iterdir())
