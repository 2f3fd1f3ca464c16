"""`./ostiary bench`: every row and figure is there, and a wrong answer is never taken for a fast one. No times here."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from types import ModuleType

import pytest

from ostiary.benchmarks import (
    aims,
    carried,
    catalogue,
    contender,
    doors,
    flood,
    footprints,
    frozen,
    million,
    page,
    peers,
    propagation,
    reference,
    requests,
    rounds,
    servers,
    sign_ins,
    statements,
    world,
)
from ostiary.benchmarks.contender import Contender, Expected
from ostiary.benchmarks.faults import Unmeasured
from ostiary.benchmarks.figures import Finding
from ostiary.benchmarks.report import Report
from ostiary.benchmarks.requests import Target
from ostiary.benchmarks.servers import Auth
from ostiary.benchmarks.terms import Terms
from ostiary.benchmarks.world import World

SHORT = Terms(rounds=1, seconds=0.2, people=40)
nginx = pytest.mark.skipif(shutil.which("nginx") is None, reason="nginx is not installed")


@pytest.fixture(scope="module")
def built() -> Iterator[World]:
    with world.built(SHORT.people) as found:
        yield found


def measured(module: ModuleType, built: World, terms: Terms = SHORT) -> dict[str, Finding]:
    return {finding.name: finding for finding in module.measure(built, terms)}


@nginx
@pytest.mark.proxy
def test_rows_alternate_and_are_compared_with_nginx(built: World) -> None:
    told: list[str] = []
    terms = Terms(rounds=2, seconds=0.2, people=40, only=frozenset({"gate-fast", "session-asgi", "page-protected"}))
    with (
        reference.contenders(built, terms) as first,
        doors.contenders(built, terms) as some,
        page.contenders(built, terms) as pages,
        peers.contenders(built, terms) as none,
    ):
        assert none == []
        rows = rounds.run([*first, *some, *pages], terms, built.database_pids(), told.append)
    names = [row.name for row in rows]
    assert names == ["nginx", "gate-fast", "session-asgi", "page-open", "page-protected"], told
    turns = [said.partition(": ")[2] for said in told if said.startswith("round ")]
    assert turns == names * 2
    for row in rows:
        assert row.per_second > 0
        assert row.wrong == 0
        assert row.cpu_us > 0
        assert row.ratio > 0
        assert (row.against == "page-open") == row.name.startswith("page-")
    reached = {finding.name for finding in aims.of(rows)}
    assert reached == {"gate-fast/nginx", "page-protected/page-open", "gate-fast-cost"}


def test_a_wrong_answer_is_told_and_not_measured(built: World) -> None:
    told: list[str] = []
    with servers.auth(built, Auth()) as server:
        asked = requests.get(Target(server.port), "/gate", carried.gate_headers(carried.garbage(1)[0]))
        file = requests.keep(built.folder / "wrong.requests", [asked])
        somebody = Contender("wrong", "", server.port, file, doors.passed(built), (server.pid,))
        assert rounds.run([somebody], SHORT, [], told.append) == []
    assert any(said.startswith("! wrong answers 401, not 200") for said in told), told


def test_the_right_status_without_the_person_is_a_wrong_answer(built: World) -> None:
    with servers.auth(built, Auth()) as server:
        file = requests.keep(built.folder / "nobody.requests", [requests.get(Target(server.port), "/healthz", {})])
        somebody = Contender("nobody", "", server.port, file, Expected(200, {"remote-user": "x"}), (server.pid,))
        with pytest.raises(Unmeasured, match="without 'x' in remote-user"):
            contender.check(somebody)


def test_a_server_that_does_not_start_is_told_with_its_last_words(built: World) -> None:
    wrong = Auth(settings={"OSTIARY_REGISTRATION": "perhaps"})
    with pytest.raises(Unmeasured, match=r"did not start: .*REGISTRATION"), servers.auth(built, wrong):
        raise AssertionError


def test_statements_of_made_up_tokens_are_counted(built: World) -> None:
    assert measured(statements, built)["statements"].value >= 0
    with statements._written_down(built) as counted, servers.auth(built, Auth()):
        pass
    assert counted[0] > 0  # its first statements of all: it does hear


def test_sign_ins_succeed_and_are_compared_with_hashes(built: World) -> None:
    found = measured(sign_ins, built, Terms(rounds=1, seconds=2.0, people=40))
    assert found["sign-ins"].value > 0
    assert found["hashes"].value > 0
    assert found["sign-ins-wrong"].value == 0


def test_the_gate_is_asked_during_a_flood(built: World) -> None:
    found = measured(flood, built)
    assert found["gate-flood-wrong"].value == 0
    assert found["gate-calm-p99"].value > 0


def test_every_process_hears_every_revocation(built: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(propagation, "RATES", (50,))
    monkeypatch.setattr(propagation, "LISTENERS", 2)
    found = measured(propagation, built)
    assert found["propagation-50-missed"].value == 0
    assert found["propagation-50-stale"].value == 0
    assert 0 < found["propagation-50-p50"].value <= found["propagation-50-max"].value
    assert found["propagation-50-receipt-p50"].value > 0


def test_a_frozen_line_is_noticed(built: World) -> None:
    assert 0 < measured(frozen, built)["frozen"].value < 10_000


def test_memory_is_weighed(built: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(footprints, "SIZES", (20_000,))
    found = measured(footprints, built)
    assert 100 < found["memory-20000"].value < 1000
    assert "20,000 sessions" in found["pause-20000"].says


def test_few_and_many_sessions_are_compared(built: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(million, "FEW", 20)
    monkeypatch.setattr(million, "MANY", 60)
    found = measured(million, built)
    assert found["million-session"].value > 0
    assert found["million-gate-wrong"].value == 0
    assert found["million-size-60"].value > 10


@nginx
@pytest.mark.proxy
def test_the_command_answers_in_json() -> None:
    words = [sys.executable, "-m", "ostiary", "bench", "--json", "--only", "nginx"]
    short = ["--rounds", "1", "--seconds", "0.2", "--people", "40"]
    done = subprocess.run([*words, *short], check=True, capture_output=True, text=True)
    said = json.loads(done.stdout)
    assert [row["name"] for row in said["rows"]] == ["nginx"]
    assert said["findings"] == []
    assert said["unmeasured"] == []
    assert said["generator"] == "own"


def test_the_table_shows_figures_aims_and_what_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    report = Report(SHORT, "own", {"cores": 2}, findings=[Finding("slow", "too slow", 3.0, "ms", at_most=2.0)])
    report.unmeasured.append("nginx is not installed")
    report.show()
    shown = capsys.readouterr().out
    assert "≤ 2" in shown
    assert "no" in shown
    assert "Not measured: nginx is not installed" in shown


def test_every_measurement_has_a_name_of_its_own() -> None:
    assert len(set(catalogue.NAMES)) == len(catalogue.NAMES)
