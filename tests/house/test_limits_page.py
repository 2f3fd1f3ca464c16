"""docs/operating/harden.md tells every bound as it stands in the code (ASVS 13.1.2, 13.1.3)."""

import importlib
import inspect
import re
from datetime import timedelta
from typing import Any

from pydantic import BaseModel

from tests.house.tree import ROOT

UNITS = {"s": 1, "ms": 1, "KiB": 1024, "days": 86_400, "": 1}
ROW = re.compile(r"\| (?P<what>[^|]+) \| (?P<bound>[^|]+) \| [^|]* ?\| `(?P<place>[\w.]+:[^`]+)` \|")
PLACE = re.compile(r"(?P<name>\w+)(\[(?P<item>\w+)\]|\((?P<parameter>\w+)\)|\.(?P<field>\w+))?")
# All bounds of these modules stand in the table.
WHOLE = ("ostiary.guarded", "ostiary_auth.fast.listener", "ostiary_shared.database", "ostiary_shared.crowd",
         "ostiary_shared.tls", "ostiary_auth.mail.transport", "ostiary_admin.auth_client")  # fmt: skip
BOUND = re.compile(r"(^|_)(SECONDS|BYTES|LINES|TIMEOUT|TIMEOUT_MS|WAIT|MAX|CONNECTIONS|PIPELINED)(_|$)")


def rows() -> list[tuple[str, str]]:
    """Each bound as the page says it, and its place in the code."""
    return [(found["bound"], found["place"]) for found in ROW.finditer((ROOT / "docs/operating/harden.md").read_text())]


def written(bound: str) -> list[float]:
    numbers, _, unit = bound.rpartition(" ") if not bound[-1].isdigit() else (bound, "", "")
    return [float(number) * UNITS[unit] for number in numbers.split(", ")]


def meant(place: str) -> list[float]:
    module, _, path = place.partition(":")
    found = PLACE.fullmatch(path)
    assert found, place
    value: Any = getattr(importlib.import_module(module), found["name"])
    if found["item"]:
        value = value[found["item"]]
    elif found["parameter"]:
        value = inspect.signature(value).parameters[found["parameter"]].default
    elif found["field"]:
        model = isinstance(value, type) and issubclass(value, BaseModel)
        value = value.model_fields[found["field"]].default if model else getattr(value, found["field"])
    if isinstance(value, timedelta):
        value = value.total_seconds()
    return [float(each) for each in (value if isinstance(value, tuple) else (value,))]


def test_every_bound_of_the_page_is_that_of_the_code() -> None:
    assert len(rows()) > 40
    wrong = {place: (bound, meant(place)) for bound, place in rows() if written(bound) != meant(place)}
    assert wrong == {}


def test_no_bound_is_missing_from_the_page() -> None:
    told = {place for _, place in rows()}
    for name in WHOLE:
        module = importlib.import_module(name)
        ours = {key for key, value in vars(module).items() if BOUND.search(key) and isinstance(value, int | float)}
        source = inspect.getsource(module)
        own = {f"{name}:{key}" for key in ours if re.search(rf"^{key}(:.*)? = ", source, re.MULTILINE)}
        assert own <= told, f"tell in docs/operating/harden.md: {sorted(own - told)}"
