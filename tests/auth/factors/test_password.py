"""Passwords: what will do, and that every character of one counts."""

import asyncio
import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ostiary_auth.factors import password as factor
from ostiary_auth.factors.password import MAX_LENGTH, Passwords, canonical, objection
from ostiary_auth.flows import new_password
from ostiary_auth.tools import AuthTools
from ostiary_shared.errors import Busy
from tests.auth import people
from tests.auth.people import PASSWORD


def _seconds(text: str) -> float:
    start = time.perf_counter()
    objection(text)
    return time.perf_counter() - start


@pytest.mark.parametrize(
    ("length", "fine"),
    [(7, False), (8, False), (14, False), (15, True), (64, True), (MAX_LENGTH, True), (MAX_LENGTH + 1, False)],
)
def test_length_is_counted_in_characters(length: int, fine: bool) -> None:
    password = ("quiet harbour lamp näht 77 " * 50)[:length]
    assert (objection(password) is None) == fine


@pytest.mark.parametrize(
    "password",
    [
        "ada.lovelace@example.test",
        "Ada Lovelace Ada Lovelace",
        "ostiary ostiary",
        "qwertyuiopasdfgh",
        "passwordpassword1",
        "111111111111111",
        "iloveyouiloveyou",
    ],
)
def test_what_an_attacker_tries_first_will_not_do(password: str) -> None:
    assert (
        objection(password, ("ada.lovelace", "ada.lovelace@example.test", "Ada Lovelace", "Ada", "Lovelace"))
        is not None
    )


def test_no_string_keeps_the_strength_meter_busy() -> None:
    for text in ("4@8({[<3691!|1|70$5+%2" * 5, "1!|7+4@{[<(69$5" * 9, "a1" * 500):
        assert min(_seconds(text) for _ in range(3)) < 0.1


@pytest.mark.parametrize(
    "password", ["1234567890!@#$%^&*()", "!@#$%^&*()_+!@#$%^&*", "P@ssw0rd!P@ssw0rd!", "01234567890123456"]
)
def test_rows_of_keys_and_disguised_words_are_seen_through_all_the_same(password: str) -> None:
    assert objection(password) is not None


async def test_passwords_are_weighed_in_the_bounded_pool(tools: AuthTools, monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[str] = []
    monkeypatch.setattr(factor, "objection", lambda *_told: threads.append(threading.current_thread().name))
    await new_password.weigh(tools, PASSWORD, email="ada@example.test")
    assert threads[0].startswith("argon2")
    monkeypatch.setattr(tools.passwords, "_room", 0)
    with pytest.raises(Busy):
        await new_password.weigh(tools, PASSWORD, email="ada@example.test")


@settings(max_examples=60, deadline=None)
@given(st.text(min_size=40, max_size=80, alphabet=st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF)))
def test_no_kind_of_character_is_asked_for(password: str) -> None:
    if len(set(password)) > 20:
        assert objection(password) is None


@pytest.mark.parametrize(
    "other",
    [f"{PASSWORD} ", f" {PASSWORD}", PASSWORD.upper(), PASSWORD[:-1], f"{PASSWORD}\x00", PASSWORD.replace(" ", "")],
)
async def test_every_character_counts(tools: AuthTools, other: str) -> None:
    hashed = await people.hashed(tools)
    assert (await tools.passwords.verify(hashed, PASSWORD)).right
    assert not (await tools.passwords.verify(hashed, other)).right


async def test_the_end_of_a_long_password_counts(tools: AuthTools) -> None:
    long = "x" * 4000
    hashed = await tools.passwords.hash(f"{long}a")
    assert not (await tools.passwords.verify(hashed, f"{long}b")).right


def test_a_letter_is_the_same_however_the_keyboard_composes_it() -> None:
    assert canonical("a\u0308rger") == canonical("\u00e4rger")


async def test_two_hashes_of_one_password_differ(tools: AuthTools) -> None:
    assert await tools.passwords.hash(PASSWORD) != await tools.passwords.hash(PASSWORD)


@pytest.mark.parametrize("hashed", [None, "", "nonsense", "$argon2id$v=19$m=8,t=1,p=1$AAAA$AAAA"])
async def test_without_a_usable_hash_nothing_is_right(tools: AuthTools, hashed: str | None) -> None:
    assert not (await tools.passwords.verify(hashed, PASSWORD)).right


async def test_beyond_the_queue_people_are_told_to_come_back() -> None:
    small = Passwords(19456, 2, 1, 1)
    outcomes = await asyncio.gather(*(small.hash(PASSWORD) for _ in range(6)), return_exceptions=True)
    assert sum(isinstance(outcome, Busy) for outcome in outcomes) == 4
    small.close()
