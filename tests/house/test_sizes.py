"""Law 12: small files, small functions, few parameters. The budgets come from the best codebases measured."""

import ast
from math import ceil
from statistics import median

import pytest

from tests.house import tree


def percentile_90(figures: list[int]) -> int:
    return sorted(figures)[ceil(len(figures) * 0.9) - 1]


def shown(what: str, figures: dict[str, int]) -> list[int]:
    """The figures, printed with the largest three so that `pytest -rP` shows where the weight is."""
    values = list(figures.values())
    print(f"{what}: {len(values)}, median {median(values):g}, p90 {percentile_90(values)}, max {max(values)}")
    for place in sorted(figures, key=figures.__getitem__)[-3:]:
        print(f"  {figures[place]:4} {place}")
    return values


def test_files_stay_small() -> None:
    lines = {tree.name(path): len(path.read_text().splitlines()) for path in tree.modules()}
    values = shown("lines of files", lines)
    assert median(values) <= 80
    assert percentile_90(values) <= 220
    assert [place for place, count in lines.items() if count > 400] == []


def test_functions_stay_small() -> None:
    lines = {place: (node.end_lineno or 0) - node.lineno + 1 for place, node in tree.functions()}
    values = shown("lines of functions", lines)
    assert median(values) <= 10
    assert percentile_90(values) <= 30
    assert [place for place, count in lines.items() if count > 60] == []


def parameters(node: tree.Function) -> int:
    arguments = node.args
    named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    rest = [argument for argument in (arguments.vararg, arguments.kwarg) if argument]
    return len([argument for argument in (*named, *rest) if argument.arg not in {"self", "cls"}])


def test_functions_take_at_most_five_parameters() -> None:
    counts = {place: parameters(node) for place, node in tree.functions()}
    shown("parameters", counts)
    assert [place for place, count in counts.items() if count > 5] == []


@pytest.mark.parametrize(
    ("source", "count"),
    [("def f(self, a, /, b, *c, d, **e): ...", 5), ("def f(cls): ...", 0), ("async def f(*, a, b): ...", 2)],
)
def test_all_kinds_of_parameters_count(source: str, count: int) -> None:
    node = ast.parse(source).body[0]
    assert isinstance(node, tree.Function)
    assert parameters(node) == count
