"""The first rule that covers a request decides; a rule that an earlier one covers never does."""

from dataclasses import dataclass, replace
from datetime import timedelta
from ipaddress import IPv4Address, IPv4Network, IPv6Network, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ostiary_shared.access import Asks
from ostiary_shared.networks import Address, Network
from ostiary_shared.site_rules import AskedOf, Door, asked_by, deciding, demanded, shadow

PATHS = st.sampled_from(["/", "/a", "/a/", "/a/b", "/b"])
METHODS = st.lists(st.sampled_from(["GET", "HEAD", "POST"]), max_size=3, unique=True)
# Halves, quarters and wholes of two small ranges and of everything, so that they join, nest and miss each other.
RANGES = [
    *(ip_network(f"10.0.0.0/{bits}").subnets(new_prefix=bits + extra) for bits in (30, 31) for extra in (0, 1)),
    ip_network("fd00::/126").subnets(new_prefix=127),
    ip_network("0.0.0.0/0").subnets(new_prefix=1),
    ip_network("::/0").subnets(new_prefix=1),
    [ip_network("0.0.0.0/0"), ip_network("::/0")],
]
NETWORKS: st.SearchStrategy[list[Network]] = st.lists(
    st.sampled_from([network for some in RANGES for network in some]), max_size=4
)
ADDRESSES: st.SearchStrategy[Address | None] = st.none() | st.sampled_from(
    [ip_address(text) for text in ("10.0.0.0", "10.0.0.1", "10.0.0.3", "10.0.0.9", "200.1.1.1", "fd00::1", "fd00::3")]
)


@dataclass(frozen=True)
class Rule:
    """What a rule is, as far as matching goes."""

    path_prefix: str
    methods: tuple[str, ...] = ()
    match: str = "prefix"
    networks: tuple[Network, ...] = ()
    asks: str = "role"
    value: str = "editor"
    roles: tuple[str, ...] = ()
    assurance: int = 1
    fresh_minutes: int | None = None


RULES = st.lists(
    st.builds(Rule, PATHS, METHODS.map(tuple), st.sampled_from(["prefix", "exact"]), NETWORKS.map(tuple)),
    min_size=1,
    max_size=5,
)
ASKED = st.builds(AskedOf, PATHS, st.sampled_from(["GET", "HEAD", "POST", "PUT"]), ADDRESSES)


@given(RULES, ASKED)
def test_a_shadowed_rule_never_decides(rules: list[Rule], asked: AskedOf) -> None:
    index = deciding(rules, asked)
    assert index is None or shadow(rules[:index], rules[index]) is None


@given(RULES, ASKED)
def test_a_rule_that_shadows_covers_whatever_the_other_covers(rules: list[Rule], asked: AskedOf) -> None:
    first, second = rules[0], rules[-1]
    if shadow([first], second) == 0 and deciding([second], asked) == 0:
        assert deciding([first], asked) == 0


@given(RULES, ASKED)
def test_the_first_rule_that_covers_a_request_by_itself_decides(rules: list[Rule], asked: AskedOf) -> None:
    alone = [index for index, rule in enumerate(rules) if deciding([rule], asked) == 0]
    assert deciding(rules, asked) == (alone[0] if alone else None)


@given(RULES, ASKED)
def test_only_a_door_that_watches_networks_depends_on_the_address(rules: list[Rule], asked: AskedOf) -> None:
    door = Door("Wiki", "wiki.test", rules)
    if not door.watches_networks:
        assert asked_by(door, asked) == asked_by(door, replace(asked, address=None))


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


HALVES = (IPv4Network("10.0.0.0/25"), IPv4Network("10.0.0.128/25"))
OFFICE = (IPv4Network("10.0.0.0/24"),)
HOME = (IPv6Network("fd00::/64"),)


@pytest.mark.parametrize(
    ("earlier", "rule", "covered"),
    [
        (Rule("/a", match="exact"), Rule("/a"), False),
        (Rule("/a", match="exact"), Rule("/a/", match="exact"), True),
        (Rule("/a"), Rule("/a", match="exact"), True),
        (Rule("/a", match="exact"), Rule("/a/b", match="exact"), False),
        (Rule("/", networks=OFFICE), Rule("/"), False),
        (Rule("/"), Rule("/", networks=OFFICE), True),
        (Rule("/", networks=OFFICE), Rule("/", networks=HALVES), True),
        (Rule("/", networks=HALVES), Rule("/", networks=OFFICE), True),
        (Rule("/", networks=HALVES[:1]), Rule("/", networks=OFFICE), False),
        (Rule("/", networks=OFFICE), Rule("/", networks=OFFICE + HOME), False),
        (Rule("/", networks=(IPv4Network("0.0.0.0/0"),)), Rule("/"), False),
        (Rule("/", networks=(IPv4Network("0.0.0.0/0"), IPv6Network("::/0"))), Rule("/"), True),
    ],
)
def test_exact_paths_and_networks_count_as_well(earlier: Rule, rule: Rule, covered: bool) -> None:
    assert shadow([earlier], rule) == (0 if covered else None)


def asked(path: str, address: str = "") -> AskedOf:
    return AskedOf(path, "GET", ip_address(address) if address else None)


def test_the_demand_names_the_rule_it_comes_from() -> None:
    door = Door("Wiki", "wiki.test", [Rule("/public", asks="anyone", value=""), Rule("/editor/")])
    demand = asked_by(door, asked("/editor/x"))
    assert (demand.asks, demand.value, demand.source) == (Asks.ROLE, "editor", "rule 2 of Wiki (/editor/)")
    assert asked_by(door, asked("/other")).asks is Asks.NOBODY


def test_an_exact_rule_covers_its_own_path_alone_with_a_slash_behind_it_or_without() -> None:
    door = Door("Wiki", "wiki.test", [Rule("/a", match="exact")])
    assert asked_by(door, asked("/a/")).source == "rule 1 of Wiki (= /a)"
    assert asked_by(door, asked("/a/b")).asks is Asks.NOBODY


def test_a_rule_for_some_networks_covers_nobody_from_elsewhere() -> None:
    door = Door("Wiki", "wiki.test", [Rule("/", networks=OFFICE, asks="anyone", value=""), Rule("/")])
    assert asked_by(door, asked("/", "10.0.0.7")).asks is Asks.ANYONE
    assert asked_by(door, asked("/", "10.0.1.7")).asks is Asks.ROLE
    assert asked_by(door, asked("/", "fd00::1")).asks is Asks.ROLE


def test_from_an_unknown_address_a_rule_for_some_networks_closes_the_door() -> None:
    stricter_first = [Rule("/", networks=OFFICE), Rule("/", asks="anyone", value="")]
    demand = asked_by(Door("Wiki", "wiki.test", stricter_first), asked("/"))
    assert demand.asks is Asks.UNTOLD
    assert f"{demand.source}: {demand.words()}" == (
        "rule 1 of Wiki (/): asks where the visitor comes from, which is not known"
    )


def test_all_that_a_rule_asks_for_is_in_the_demand() -> None:
    rule = Rule("/", asks="any_role", value="", roles=("editor", "author"), assurance=2, fresh_minutes=15)
    demand = demanded(Door("Wiki", "wiki.test", [rule]), 0)
    assert (demand.roles, demand.assurance, demand.fresh) == (("editor", "author"), 2, timedelta(minutes=15))
    assert demand.words() == (
        "asks for one of the roles editor, author, signed in at level 2 or higher, signed in within 15 minutes"
    )


def test_an_address_is_compared_with_networks_of_its_own_kind() -> None:
    rules = [Rule("/", networks=HOME)]
    assert deciding(rules, AskedOf("/", "GET", IPv4Address("10.0.0.1"))) is None
