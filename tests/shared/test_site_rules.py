"""The first rule that covers a request decides; a rule that an earlier one covers never does."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ostiary_shared.access import Asks
from ostiary_shared.site_rules import Door, asked_by, deciding, shadow

PREFIXES = st.sampled_from(["/", "/a", "/a/", "/a/b", "/b"])
METHODS = st.lists(st.sampled_from(["GET", "HEAD", "POST"]), max_size=3, unique=True)


@dataclass(frozen=True)
class Rule:
    """What a rule is, as far as matching goes."""

    path_prefix: str
    methods: tuple[str, ...] = ()
    asks: str = "role"
    value: str = "editor"


RULES = st.lists(st.builds(Rule, PREFIXES, METHODS.map(tuple)), min_size=1, max_size=5)


@given(RULES, PREFIXES, st.sampled_from(["GET", "HEAD", "POST", "PUT"]))
def test_a_shadowed_rule_never_decides(rules: list[Rule], path: str, method: str) -> None:
    index = deciding(rules, path, method)
    assert index is None or shadow(rules[:index], rules[index]) is None


@pytest.mark.parametrize(
    ("earlier", "rule", "covered"),
    [
        (Rule("/"), Rule("/editor/"), True),
        (Rule("/editor"), Rule("/editor/"), True),
        (Rule("/editor"), Rule("/editors"), False),
        (Rule("/editor/"), Rule("/"), False),
        (Rule("/", ("GET",)), Rule("/editor/"), False),
        (Rule("/", ("GET",)), Rule("/editor/", ("HEAD",)), True),
        (Rule("/", ("HEAD",)), Rule("/editor/", ("GET",)), False),
        (Rule("/", ("GET", "POST")), Rule("/editor/", ("POST",)), True),
    ],
)
def test_a_rule_is_covered_by_path_and_methods_together(earlier: Rule, rule: Rule, covered: bool) -> None:
    assert shadow([earlier], rule) == (0 if covered else None)


def test_the_demand_names_the_rule_it_comes_from() -> None:
    door = Door("Wiki", "wiki.test", [Rule("/public", asks="anyone", value=""), Rule("/editor/")])
    demand = asked_by(door, "/editor/x", "GET")
    assert (demand.asks, demand.value, demand.source) == (Asks.ROLE, "editor", "rule 2 of Wiki (/editor/)")
    assert asked_by(door, "/other", "GET").asks is Asks.NOBODY
