"""The load generator of our own, a process by itself: `python -m ostiary.benchmarks.generator`, JSON in, JSON out.

Kept connections, one request at a time on each. Without a rate it sends as fast as answers come; with one, requests are
due at fixed moments and their time counts from then on, so that a server that stalls cannot hide it.
"""

import json
import selectors
import socket
import sys
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ostiary.benchmarks import requests
from ostiary.benchmarks.figures import percentile

END = b"\r\n\r\n"
LENGTH = b"content-length:"
SLOWEST = 5.0  # seconds that the last answers may take
RESTING = 0.05


@dataclass(frozen=True, slots=True)
class Order:
    """What to send: the file of requests, how many connections, how long, and how many a second (0: at will)."""

    port: int
    file: str
    connections: int
    seconds: float
    rate: float = 0.0


class Line:
    """One connection, the answer so far, and since when it is waited for. What the server closes is opened anew."""

    def __init__(self, port: int, selector: selectors.BaseSelector) -> None:
        self.port, self.selector = port, selector
        self.answer, self.since, self.busy = b"", 0.0, False
        self.connection: socket.socket | None = None
        self._opened()

    def send(self, request: bytes, since: float) -> None:
        self.answer, self.since, self.busy = b"", since, True
        (self.connection or self._opened()).sendall(request)

    def received(self) -> bool:
        """Read on; whether the answer is complete. Raises OSError when the server has hung up before that."""
        got = self.connection.recv(65536) if self.connection else b""
        if not got:
            self.close()
            raise ConnectionResetError
        self.answer += got
        if not complete(self.answer):
            return False
        self.busy = False
        if b"connection: close" in self.answer[: self.answer.find(END)].lower():
            self.close()
        return True

    def close(self) -> None:
        if self.connection:
            self.selector.unregister(self.connection)
            self.connection.close()
            self.connection = None

    def _opened(self) -> socket.socket:
        self.connection = socket.create_connection(("127.0.0.1", self.port), SLOWEST)
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.selector.register(self.connection, selectors.EVENT_READ, self)
        return self.connection


@dataclass(slots=True)
class Tally:
    """What came back: the microseconds that each answer took, how many answers had each status, how many none."""

    times: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)
    errors: int = 0

    def take(self, line: Line) -> bool:
        """Read what there is on a line; whether it is free again."""
        busy = line.busy
        try:
            if not line.received():
                return False
        except OSError:  # between two questions hanging up is fine
            self.errors += busy
            return busy
        status = int(line.answer[9:12])
        self.statuses[status] = self.statuses.get(status, 0) + 1
        self.times.append(1e6 * (time.monotonic() - line.since))
        return True


def run(order: Order) -> dict[str, Any]:
    """Send, and say what came back."""
    sending = requests.kept(Path(order.file))
    begin = int(time.time()) * 7919 % len(sending)  # as wrk's script does
    sending = sending[begin:] + sending[:begin]
    tally, began = Tally(), time.monotonic()
    with selectors.DefaultSelector() as selector:
        lines = [Line(order.port, selector) for _ in range(order.connections)]
        (_by_the_clock if order.rate else _at_will)(order, sending, lines, tally)
        seconds = time.monotonic() - began
        for line in lines:
            line.close()
    return _summary(tally, seconds)


def _at_will(order: Order, sending: list[bytes], lines: list[Line], tally: Tally) -> None:
    deadline, selector, number = time.monotonic() + order.seconds, lines[0].selector, len(lines)
    for place, line in enumerate(lines):
        line.send(sending[place % len(sending)], time.monotonic())
    while (now := time.monotonic()) < deadline:
        for key, _ in selector.select(deadline - now):
            if tally.take(key.data):
                key.data.send(sending[number % len(sending)], time.monotonic())
                number += 1


def _by_the_clock(order: Order, sending: list[bytes], lines: list[Line], tally: Tally) -> None:
    """Each request is due at its moment; while every connection is taken it waits, and its time runs on."""
    began, selector, free = time.monotonic(), lines[0].selector, deque(lines)
    due = deque(began + number / order.rate for number in range(int(order.rate * order.seconds)))
    deadline, number = began + order.seconds + SLOWEST, 0
    while (due or len(free) < len(lines)) and time.monotonic() < deadline:
        while due and free and due[0] <= time.monotonic():
            free.popleft().send(sending[number % len(sending)], due.popleft())
            number += 1
        pause = min(due[0] - time.monotonic(), RESTING) if due and free else RESTING
        free.extend(key.data for key, _ in selector.select(max(0.0, pause)) if tally.take(key.data))
    tally.errors += len(due) + len(lines) - len(free)


def complete(answer: bytes) -> bool:
    """Whether an answer is there in full. One that does not say its length has no body, or ends with a last chunk."""
    end = answer.find(END)
    if end < 0:
        return False
    head = answer[:end].lower()
    at = head.find(LENGTH)
    if at >= 0:
        return len(answer) >= end + len(END) + int(head[at + len(LENGTH) :].split(b"\r\n", 1)[0])
    return b"transfer-encoding: chunked" not in head or answer.endswith(b"0\r\n\r\n")


def _summary(tally: Tally, seconds: float) -> dict[str, Any]:
    return {
        "requests": len(tally.times),
        "microseconds": 1e6 * seconds,
        "refused": sum(count for status, count in tally.statuses.items() if status >= 400),
        "errors": tally.errors,
        "p50": percentile(tally.times, 50),
        "p99": percentile(tally.times, 99),
        "statuses": tally.statuses,
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(run(Order(**json.loads(sys.stdin.read())))))
