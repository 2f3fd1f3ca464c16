"""Every figure of the services: its name, kind and labels, as they are made when the services are loaded."""

import re
from pathlib import Path

from prometheus_client.metrics import MetricWrapperBase

import ostiary_auth.mail.metrics
import ostiary_auth.metrics
import ostiary_shared.health
import ostiary_shared.metrics.beat  # noqa: F401 - each makes its own
from ostiary_shared.metrics import REGISTRY
from tests.house.tree import ROOT

PAGE = ROOT / "docs/operating/observe.md"
ALERTS = ROOT / "deploy/metrics/alerts.yml"
DASHBOARD = ROOT / "deploy/metrics/dashboards/ostiary.json"
TELLERS = (ostiary_auth.mail.metrics, ostiary_auth.metrics)


def figures() -> list[MetricWrapperBase]:
    """All of them, by name."""
    found = {id(one): one for one in REGISTRY._collector_to_names if isinstance(one, MetricWrapperBase)}
    return sorted(found.values(), key=name)


def name(figure: MetricWrapperBase) -> str:
    """As Prometheus knows it."""
    return str(figure._name) + ("_total" if figure._type == "counter" else "")


def labels() -> dict[str, set[str]]:
    """The labels of each series that may stand in an expression."""
    known: dict[str, set[str]] = {}
    for one in figures():
        own = set(one._labelnames)
        if one._type == "histogram":
            known |= {f"{name(one)}_bucket": own | {"le"}, f"{name(one)}_count": own, f"{name(one)}_sum": own}
        else:
            known[name(one)] = own
    return known


def table() -> str:
    """The figures as the page has them."""
    rows = [_row(one, ", ".join(f"`{label}`" for label in one._labelnames)) for one in figures()]
    return "\n".join(["| Figure | Kind | Labels | What it says |", "| --- | --- | --- | --- |", *rows])


def _row(one: MetricWrapperBase, own: str) -> str:
    return f"| `{name(one)}` | {one._type} | {own} | {one._documentation} |"


def used_in(expression: str) -> set[str]:
    """The figures of ours that an expression asks for."""
    return set(re.findall(r"\bostiary_\w+", expression))


def written(page: Path = PAGE) -> str:
    """The page between the marks."""
    text = page.read_text()
    return text[text.index("<!-- figures -->") : text.index("<!-- end of figures -->")].partition("\n")[2].strip()
