"""Memory forgets at once, keeps nothing that was read before a notice, and lets strangers push nobody out."""

import time

from hypothesis import given
from hypothesis import strategies as st

from ostiary_auth.fast.memory import BURIED_AT_ONCE, Memory


def keep(memory: Memory, key: bytes, record: bytes = b"record") -> None:
    memory.finish(key, memory.begin(key), record)


def test_what_was_read_is_kept() -> None:
    memory = Memory(10)
    keep(memory, b"a")
    assert memory.records == {b"a": b"record"}


def test_what_is_forgotten_while_it_is_read_is_not_kept() -> None:
    """The generation guard: the read may be older than the notice."""
    memory = Memory(10)
    reading = memory.begin(b"a")
    memory.forget(b"a")
    memory.finish(b"a", reading, b"stale")
    assert memory.records == {}


def test_neither_is_what_was_being_read_when_all_was_forgotten() -> None:
    memory = Memory(10)
    reading = memory.begin(b"a")
    memory.forget_all()
    memory.finish(b"a", reading, b"stale")
    assert memory.records == {}


def test_who_comes_after_a_notice_does_not_share_an_earlier_look() -> None:
    memory = Memory(10)
    first = memory.begin(b"a")
    assert memory.reading(b"a") is first
    memory.forget(b"a")
    assert memory.reading(b"a") is None
    second = memory.begin(b"a")
    memory.finish(b"a", first, b"stale")
    assert memory.reading(b"a") is second
    memory.finish(b"a", second, b"fresh")
    assert memory.records == {b"a": b"fresh"}


def test_a_notice_about_somebody_else_spoils_nothing() -> None:
    memory = Memory(10)
    reading = memory.begin(b"a")
    memory.forget(b"b")
    memory.finish(b"a", reading, b"fresh")
    assert memory.records == {b"a": b"fresh"}


def test_what_was_not_found_is_not_kept() -> None:
    memory = Memory(10)
    memory.finish(b"a", memory.begin(b"a"), None)
    assert memory.records == {}


def test_without_room_nothing_is_kept() -> None:
    memory = Memory(0)
    keep(memory, b"a")
    assert memory.records == {}


def test_the_first_goes_first_but_who_was_used_gets_a_second_chance() -> None:
    memory = Memory(3)
    for key in (b"a", b"b", b"c"):
        keep(memory, key)
    memory.used[b"a"] = b"record"
    keep(memory, b"d")
    assert set(memory.records) == {b"a", b"c", b"d"}
    keep(memory, b"e")
    keep(memory, b"f")
    assert len(memory.records) == 3


@given(st.lists(st.tuples(st.sampled_from(["keep", "forget", "use", "all"]), st.integers(0, 30)), max_size=200))
def test_it_never_holds_more_than_it_has_room_for(acts: list[tuple[str, int]]) -> None:
    memory = Memory(5)
    for act, number in acts:
        key = bytes([number])
        match act:
            case "keep":
                keep(memory, key)
                assert memory.records[key] == b"record"
            case "forget":
                memory.forget(key)
                assert key not in memory.records
            case "use" if key in memory.records:
                memory.used[key] = b"record"
            case "all":
                memory.forget_all()
                assert memory.records == {}
        assert len(memory.records) <= 5
        assert len(memory._order) <= 11


def test_what_is_forgotten_is_given_back_bit_by_bit() -> None:
    memory = Memory(10 * BURIED_AT_ONCE)
    for number in range(3 * BURIED_AT_ONCE):
        keep(memory, number.to_bytes(4, "big"))
    memory.forget_all()
    rounds = 1
    while memory.bury():
        rounds += 1
    assert rounds == 3


def test_what_was_used_is_told_once() -> None:
    memory = Memory(5)
    memory.used[b"a"] = b"record"
    assert memory.take_used() == [b"record"]
    assert memory.take_used() == []


def test_the_lease_begins_in_the_past() -> None:
    assert Memory(5).lease_until < time.monotonic()
