"""The arithmetic of `./ostiary bench`, and its own load generator against a server that counts."""

import contextlib
import socket
import threading
from pathlib import Path

import pytest

from ostiary.benchmarks import aims, contender, figures, generator, load, machine, requests, wrk
from ostiary.benchmarks.contender import Contender, Expected
from ostiary.benchmarks.faults import Unmeasured
from ostiary.benchmarks.figures import Finding, Sample
from ostiary.benchmarks.generator import Order
from ostiary.benchmarks.requests import Target


def turns(**rates: int) -> dict[str, Sample]:
    return {name: Sample(rate, 1.0, cpu_seconds=rate / 1e5) for name, rate in rates.items()}


def test_a_ratio_is_taken_inside_each_round() -> None:
    rounds = [turns(nginx=100, ours=50), turns(nginx=1000, ours=700), turns(nginx=10, ours=6)]
    row = figures.row("ours", "what it is", "nginx", rounds)
    assert row.ratio == pytest.approx(0.6)  # of 0.5, 0.7 and 0.6; the ratio of the medians would be 0.5
    assert row.per_second == 50
    assert row.cpu_us == pytest.approx(10)


def test_we_are_compared_with_the_best_peer() -> None:
    rounds = [{**turns(nginx=1000), "gate-fast": Sample(600, 1.0), "peer-a": Sample(5, 1.0), "peer-b": Sample(8, 1.0)}]
    rows = [figures.row(name, "", "nginx", rounds) for name in rounds[0]]
    found = {finding.name: finding for finding in aims.of(rows)}
    assert found["gate-fast/best-peer"].value == pytest.approx(75)
    assert found["gate-fast/best-peer"].says.endswith("times peer-b")
    assert found["gate-fast/best-peer"].reached


def test_a_ratio_with_nobody_is_none() -> None:
    assert figures.ratio([turns(ours=5)], "ours", "nginx") == 0


@pytest.mark.parametrize(
    ("values", "percent", "found"), [([], 99, 0), ([3], 50, 3), (range(1, 101), 99, 99), ([2, 1], 50, 1)]
)
def test_a_percentile_is_a_value_that_was_measured(values: list[float], percent: float, found: float) -> None:
    assert figures.percentile(values, percent) == found


@pytest.mark.parametrize(
    ("finding", "reached"),
    [
        (Finding("", "", 0.6, at_least=0.6), True),
        (Finding("", "", 0.59, at_least=0.6), False),
        (Finding("", "", 0, at_most=0), True),
        (Finding("", "", 1, at_most=0), False),
        (Finding("", "", 1), None),
    ],
)
def test_an_aim_is_reached_or_not(finding: Finding, reached: bool | None) -> None:
    assert finding.reached is reached


def test_wrk_is_read_by_the_line_of_its_script() -> None:
    line = '{"requests":10,"microseconds":2000000,"refused":3,"errors":1,"p50":250,"p99":1500}'
    sample = load.sample(wrk.reported(f"Running 2s test\n  Non-2xx or 3xx responses: 3\n\n{line}\n"), refusals=False)
    assert (sample.requests, sample.seconds, sample.wrong) == (10, 2.0, 4)
    assert (sample.p50_ms, sample.p99_ms) == (0.25, 1.5)


def test_where_refusals_are_right_everything_else_is_wrong() -> None:
    report = {"requests": 10, "microseconds": 1e6, "refused": 9, "errors": 0, "p50": 1, "p99": 1}
    assert load.sample(report, refusals=True).wrong == 1


def test_wrk_that_does_not_report_is_told() -> None:
    with pytest.raises(Unmeasured, match="unable to connect"):
        wrk.reported("unable to connect to 127.0.0.1:1 Connection refused")


@pytest.mark.parametrize(
    ("answer", "complete"),
    [
        (b"HTTP/1.1 204 No Content\r\n", False),
        (b"HTTP/1.1 204 No Content\r\n\r\n", True),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab", False),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", True),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n", False),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", True),
    ],
)
def test_an_answer_is_complete_when_all_of_it_is_there(answer: bytes, complete: bool) -> None:
    assert generator.complete(answer) is complete


def test_requests_are_kept_as_they_are(tmp_path: Path) -> None:
    to = Target(1, "host")
    both = [requests.get(to, "/a", {"X": "1"}), requests.post(to, "/b", {}, b"{}")]
    assert requests.kept(requests.keep(tmp_path / "some", both)) == both
    assert both[0] == b"GET /a HTTP/1.1\r\nHost: host\r\nX: 1\r\n\r\n"
    assert both[1].endswith(b"Content-Length: 2\r\n\r\n{}")


class Counting:
    """Answers 200 and 401 in turn, and hangs up after every fifth answer."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.answered = 0
        self.turn = threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def port(self) -> int:
        port: int = self.listener.getsockname()[1]
        return port

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            for number in range(5):
                if not connection.recv(65536):
                    return
                status = b"200 OK" if number % 2 else b"401 No"
                close = b"Connection: close\r\n" if number == 4 else b""
                with self.turn:  # before it leaves: who reads it may look at the count at once
                    self.answered += 1
                connection.sendall(b"HTTP/1.1 %s\r\n%sContent-Length: 2\r\n\r\nok" % (status, close))


@pytest.mark.parametrize("rate", [0.0, 200.0])
def test_our_generator_counts_every_answer(tmp_path: Path, rate: float) -> None:
    server = Counting()
    try:
        file = requests.keep(tmp_path / "some", [requests.get(Target(server.port), "/", {})])
        report = generator.run(Order(server.port, str(file), 4, 0.5, rate))
    finally:
        server.listener.close()
    assert report["errors"] == 0
    assert 0 <= server.answered - report["requests"] <= 4  # the last ones may come when time is up
    assert set(report["statuses"]) == {200, 401}
    assert report["refused"] == report["statuses"][401]
    assert report["requests"] == 100 if rate else report["requests"] > 100
    assert 0 < report["p50"] <= report["p99"]


def test_a_server_that_breaks_off_is_an_error(tmp_path: Path) -> None:
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            connection.recv(100)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab")
            connection.close()

    threading.Thread(target=serve, daemon=True).start()
    port = listener.getsockname()[1]
    file = requests.keep(tmp_path / "some", [requests.get(Target(port), "/", {})])
    report = generator.run(Order(port, str(file), 1, 0.3))
    listener.close()
    assert report["requests"] == 0
    assert report["errors"] > 0


def test_processes_started_on_a_core_stay_there() -> None:
    before = machine.cores()
    with machine.on_core(0):
        assert machine.cores() == 1
    assert machine.cores() == before


def test_work_shows_in_the_time_that_was_used() -> None:
    import os

    before = machine.used([os.getpid()])
    sum(number * number for number in range(2_000_000))
    assert machine.used([os.getpid()]) > before
    assert machine.used([2**22 + 1]) == 0  # nobody's number


def test_warming_goes_on_until_one_load_has_gone_round(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Several that each begin elsewhere may send the same few again and again."""
    loads: list[float] = []

    def load(_contender: Contender, seconds: float) -> Sample:
        loads.append(seconds)
        return Sample(int(1_000 * seconds), seconds)

    monkeypatch.setattr(contender, "_load", load)
    file = requests.keep(tmp_path / "all.requests", [b"x"] * 5_000)
    contender.warm(Contender("it", "", 1, file, Expected(200), ()))
    assert loads == [1.0, 6.0]
    loads.clear()
    contender.warm(Contender("it", "", 1, file, Expected(200), ()), 3.0)
    assert sum(loads) == 3.0
