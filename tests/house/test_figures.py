"""Figures, alerts and dashboards agree: the page lists every figure, and nobody asks for one that there is not."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.house import figures
from tests.house.tree import ROOT

METRICS = ROOT / "deploy/metrics"
SUFFIXES = {"counter": "_total", "histogram": "_seconds"}
# What Prometheus itself adds to every series.
ADDED = {"job", "instance"}
promtool = pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool (Debian: prometheus) is not installed")


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load(figures.ALERTS.read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def expressions() -> Iterator[tuple[str, str]]:
    for rule in rules():
        yield rule["alert"], rule["expr"]
    board = json.loads(figures.DASHBOARD.read_text())
    for panel in board["panels"]:
        for target in panel.get("targets", ()):
            yield panel["title"], target["expr"].replace("$__rate_interval", "1m")
    for note in board["annotations"]["list"]:
        yield note["name"], note["expr"]


def test_the_page_lists_every_figure() -> None:
    assert figures.written() == figures.table(), f"between the marks of {figures.PAGE.name} belongs:\n{figures.table()}"


def test_figures_are_named_as_prometheus_asks() -> None:
    for one in figures.figures():
        assert re.fullmatch(r"ostiary_[a-z][a-z0-9_]*", figures.name(one))
        assert figures.name(one).endswith(SUFFIXES.get(one._type or "", ""))
        assert one._documentation.endswith("."), figures.name(one)


def test_alerts_and_panels_ask_only_for_figures_and_labels_that_there_are() -> None:
    known = figures.labels()
    for where, expression in expressions():
        asked = figures.used_in(expression)
        assert asked <= set(known), where
        for one, matched in re.findall(r"(ostiary_\w+)\{([^}]*)\}", expression):
            assert set(re.findall(r"(\w+)\s*[=!]", matched)) <= known[one] | ADDED, where
        for grouped in re.findall(r"by \(([^)]*)\)", expression):
            all_labels = set().union(*(known[one] for one in asked)) | ADDED
            assert {label.strip() for label in grouped.split(",")} <= all_labels, where


def test_every_alert_says_what_to_do() -> None:
    for rule in rules():
        notes = rule["annotations"]
        assert set(notes) == {"summary", "description", "runbook_url"}, rule["alert"]
        page, _, anchor = notes["runbook_url"].partition("#")
        headings = re.findall(r"^#+ (.+)$", (ROOT / page).read_text(), flags=re.MULTILINE)
        assert anchor in {heading.lower().replace(" ", "-") for heading in headings}, rule["alert"]
        assert rule["labels"]["severity"] in {"critical", "warning"}


def test_every_panel_has_a_place_of_its_own_and_a_source_that_can_be_chosen() -> None:
    board = json.loads(figures.DASHBOARD.read_text())
    panels = board["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        place = panel["gridPos"]
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not cells & taken, panel["title"]
        assert all(x < 24 for x, _ in cells), panel["title"]
        taken |= cells
        for target in panel.get("targets", ()):
            assert target["datasource"]["uid"] == "${datasource}"
            # A legend names labels that are left in the result.
            for label in re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]):
                assert label in target["expr"], panel["title"]
    assert [variable["type"] for variable in board["templating"]["list"]] == ["datasource"]


@promtool
def test_prometheus_reads_the_rules_and_they_fire_when_they_should() -> None:
    for words in (("check", "rules", "alerts.yml"), ("test", "rules", "alerts_test.yml")):
        done = subprocess.run(["promtool", *words], cwd=METRICS, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


@promtool
def test_prometheus_reads_every_expression_of_the_dashboard(tmp_path: Path) -> None:
    records = [{"record": f"panel:{number}", "expr": asked} for number, (_, asked) in enumerate(expressions())]
    (tmp_path / "panels.yml").write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": records}]}))
    done = subprocess.run(
        ["promtool", "check", "rules", tmp_path / "panels.yml"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
