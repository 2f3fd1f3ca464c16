"""The guards by themselves: whom they let through, on views of both kinds, and that none is left open by a slip."""

import inspect
from typing import Any

import pytest

from ostiary_client.guards import Guard, has_role, may, signed_in
from ostiary_client.identity import Identity, answering, current_identity
from ostiary_client.refusal import Refusal

ED = Identity("7", roles=("editor", "writer"), permissions=frozenset({"wiki:edit"}))
BO = Identity("8", roles=("reader",))
CASES = [
    (signed_in, [ED, BO]),
    (has_role("editor"), [ED]),
    (has_role("editor", "reader"), [ED, BO]),
    (has_role("editor", "writer", all=True), [ED]),
    (has_role("editor", "reader", all=True), []),
    (may("wiki:edit"), [ED]),
    (may("wiki"), []),
]


@pytest.mark.parametrize(("guard", "welcome"), CASES)
async def test_a_guard_lets_through_whom_it_names(guard: Guard, welcome: list[Identity]) -> None:
    @guard
    def plain(text: str) -> str:
        return text

    @guard
    async def later(text: str) -> str:
        return text

    for who in (ED, BO, None):
        with answering(who):
            if who in welcome:
                assert plain("in") == await later("in") == "in"
                assert guard() is who
                continue
            with pytest.raises(Refusal) as caught:
                plain("in")
            assert caught.value.status == (403 if who else 401)
            with pytest.raises(Refusal):
                await later("in")
            with pytest.raises(Refusal):
                guard()


def test_where_nobody_checked_a_guard_does_not_guess() -> None:
    assert current_identity() is None
    with pytest.raises(RuntimeError, match=r"put the app behind protect"):
        signed_in()


def test_a_view_keeps_its_name_its_kind_and_its_parameters() -> None:
    async def view(page: int) -> int:
        """A page."""
        return page

    guarded = signed_in(view)
    assert (guarded.__name__, guarded.__doc__) == ("view", "A page.")
    assert inspect.iscoroutinefunction(guarded)
    assert list(inspect.signature(guarded).parameters) == ["page"]
    assert list(inspect.signature(signed_in).parameters) == []


@pytest.mark.parametrize("names", [(), (len,), ("editor", 7)])
def test_forgotten_brackets_are_told_at_the_start(names: tuple[Any, ...]) -> None:
    with pytest.raises(TypeError, match="say which"):
        has_role(*names)
    with pytest.raises(TypeError):
        may(*names)


def test_a_class_is_not_a_view() -> None:
    with pytest.raises(TypeError, match=r"what its as_view\(\) returns"):

        @signed_in
        class Page:
            """Its methods would go unguarded."""


def test_a_method_is_one() -> None:
    class Page:
        @has_role("editor")
        def get(self) -> str:
            return "in"

    with answering(ED):
        assert Page().get() == "in"
    with answering(BO), pytest.raises(Refusal):
        Page().get()
