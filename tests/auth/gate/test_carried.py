"""Which token a request carries: the order, the kinds, and that nothing doubtful is ever taken."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from werkzeug.sansio.http import parse_cookie

from ostiary_auth.gate.carried import ILLEGIBLE, Names, carried
from ostiary_shared.web.cookies import sole

NAMES = Names(b"ostiary", b"ostiary-site")
OS, OH, OSP = b"os_" + b"a" * 55, b"oh_" + b"b" * 55, b"osp_" + b"c" * 55


@pytest.mark.parametrize(
    ("authorization", "cookies", "expected"),
    [
        ([], [], None),
        ([], [b""], None),
        ([], [b"other=1; ostiary-device=x; ostiary-sitex=y"], None),
        ([], [b"ostiary=" + OS], OS),
        ([], [b"a=1;ostiary=" + OS + b";b=2"], OS),
        ([], [b"a=1", b" ostiary = " + OS + b" "], OS),
        ([], [b"ostiary-site=" + OH], OH),
        ([], [b"ostiary-site=" + OH + b"; ostiary=" + OS], OS),
        ([b"Bearer " + OSP], [b"ostiary=" + OS], OSP),
        ([b"bEaReR   " + OS], [b"ostiary-site=" + OH], OS),
        ([b"Basic YTpi"], [b"ostiary=" + OS], OS),
        ([b"Bearer the-site-s-own"], [b"ostiary-site=" + OH], OH),
        # Doubtful, and so nobody's.
        ([], [b"ostiary=" + OS + b"; ostiary=" + OS], ILLEGIBLE),
        ([], [b"ostiary=" + OS, b"ostiary=x"], ILLEGIBLE),
        ([], [b"ostiary; ostiary=" + OS], ILLEGIBLE),
        ([], [b'ostiary="' + OS + b'"'], ILLEGIBLE),
        ([], [b"ostiary="], ILLEGIBLE),
        ([], [b"ostiary=; ostiary-site=" + OH], ILLEGIBLE),
        ([], [b"ostiary-site=" + OH + b"; ostiary-site=" + OH], ILLEGIBLE),
        ([b"Bearer " + OS, b"Bearer " + OS], [], ILLEGIBLE),
        ([b"Basic YTpi", b"Bearer " + OS], [], ILLEGIBLE),
        # Each kind in its own place alone.
        ([], [b"ostiary=" + OH], ILLEGIBLE),
        ([], [b"ostiary=" + OSP], ILLEGIBLE),
        ([], [b"ostiary-site=" + OS], ILLEGIBLE),
        ([b"Bearer " + OH], [], None),
    ],
)
def test_tokens_are_read_in_one_order(authorization: list[bytes], cookies: list[bytes], expected: bytes | None) -> None:
    assert carried(authorization, cookies, NAMES) == expected


def test_a_door_that_knows_no_site_takes_no_cookie_of_one() -> None:
    assert carried([], [b"ostiary-site=" + OH], Names(b"ostiary")) is None


NAME = st.sampled_from(["ostiary", "ostiary-site", "xostiary", "ostiaryx", "theme", "__Host-ostiary"])
VALUE = st.text(st.sampled_from("abcXYZ019_-.~!%/=:@"), max_size=12)


@given(st.dictionaries(NAME, VALUE), st.sampled_from(["; ", ";", " ; "]), st.booleans())
def test_well_formed_cookies_read_as_quart_reads_them(jar: dict[str, str], between: str, twice: bool) -> None:
    lines = [f"{name}={value}" for name, value in jar.items()]
    parts = [between.join(lines[:1]), between.join(lines[1:])] if twice else [between.join(lines)]
    theirs = parse_cookie(";".join(parts)).get("ostiary")
    ours = sole([part.encode() for part in parts], b"ostiary")
    assert ours == (None if theirs is None else theirs.encode())


@given(st.lists(st.binary(max_size=60), max_size=3))
@example([b"ostiary=" + OS + b"\0"])
def test_whatever_arrives_is_read_without_a_fault_and_never_as_two_tokens(cookies: list[bytes]) -> None:
    found = carried([], cookies, NAMES)
    assert not found or b";" not in found
