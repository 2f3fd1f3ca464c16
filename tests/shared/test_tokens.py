"""Tokens, tags and typed codes."""

from hypothesis import given
from hypothesis import strategies as st

from ostiary_shared import tokens

KEY = tokens.Key((b"k" * 32,))


def test_a_tagged_token_is_told_from_garbage_without_a_look_up() -> None:
    token = tokens.mint("os", KEY)
    assert tokens.genuine(token.value, "os", KEY)
    assert tokens.digest(token.value) == token.digest
    assert not tokens.genuine(token.value, "os", tokens.Key((b"x" * 32,)))
    assert not tokens.genuine(token.value, "ot", KEY)
    assert not tokens.genuine(token.value[:-1], "os", KEY)
    assert token.value not in repr(token)


@given(st.text(max_size=80))
def test_no_text_is_a_genuine_token(text: str) -> None:
    assert not tokens.genuine(text, "os", KEY)


@given(st.integers(0, 57), st.characters(codec="ascii"))
def test_any_change_of_one_character_is_noticed(place: int, mark: str) -> None:
    token = tokens.mint("os", KEY).value
    changed = token[:place] + mark + token[place + 1 :]
    assert tokens.genuine(changed, "os", KEY) == (changed == token)


def test_a_code_may_be_typed_carelessly() -> None:
    assert tokens.tidy_code(" 7kq2-m4xp ") == "7KQ2M4XP"
    assert tokens.tidy_code("o0il 1") == "00111"


def test_a_code_opens_one_purpose_at_one_address() -> None:
    code = tokens.code()
    assert tokens.code_digests(code.lower(), "confirm:a", KEY) == tokens.code_digests(code, "confirm:a", KEY)
    assert tokens.code_digests(code, "confirm:a", KEY) != tokens.code_digests(code, "confirm:b", KEY)
    assert tokens.code_digests(code, "confirm:a", KEY) != tokens.code_digests(code, "recover:a", KEY)
    assert set(code) <= set(tokens.ALPHABET)


def test_keys_for_two_purposes_differ() -> None:
    assert tokens.derive(("secret",), "a") != tokens.derive(("secret",), "b")


def test_the_first_of_several_keys_makes_and_all_are_accepted() -> None:
    old, new = tokens.derive(("old",), "a"), tokens.derive(("new",), "a")
    both = tokens.derive(("new", "old"), "a")
    assert both == (*new, *old)
    assert repr(both) == "Key(***)"
    assert tokens.genuine(tokens.mint("os", old).value, "os", both)
    made = tokens.mint("os", both).value
    assert (tokens.genuine(made, "os", new), tokens.genuine(made, "os", old)) == (True, False)
    assert tokens.code_digests("1234", "x", both) == (
        *tokens.code_digests("1234", "x", new),
        *tokens.code_digests("1234", "x", old),
    )
    assert not tokens.genuine(made, "os", tokens.Key())
