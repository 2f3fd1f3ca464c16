"""A record holds all that answers are made of, in a few hundred bytes."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from ostiary_auth.fast import record
from ostiary_auth.fast.record import Kept
from ostiary_auth.fast.standing import Standing
from ostiary_shared.identity import Identity, SessionFacts

WORDS = st.text(st.characters(exclude_categories=("C", "Zl", "Zp")), max_size=40)
MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(st.uuids(), WORDS, WORDS, MOMENTS, st.integers(1, 10**9), st.booleans())
def test_what_goes_in_comes_out(
    number: UUID, email: str, name: str, created: datetime, lives: int, machine: bool
) -> None:
    life = timedelta(microseconds=lives)
    session = SessionFacts(number, 2, ("password", "totp"), created, created, created, created + life, life, None, "")
    who = Identity(number, email, name, ("a", "b"), frozenset({"users:read"}), session)
    kept = record.pack(who, Kept(12.5, 7, machine, "app.example.test"))
    head = record.head(kept)
    assert (head[record.UNTIL], head[record.STANDING], head[record.MACHINE]) == (12.5, 7, machine)
    assert record.words(kept)[record.HOST] == b"app.example.test"
    assert record.identity(kept, Standing(who.roles, who.permissions, 2)) == who


def test_times_alone_do_not_change_what_is_said() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    said = set()
    for minutes in (1, 2):
        life = timedelta(minutes=minutes)
        facts = SessionFacts(UUID(int=1), 1, ("password",), now, now, now, now + life, life, None, "")
        who = Identity(UUID(int=2), "a@b.test", "A", (), frozenset(), facts)
        said.add(record.said(record.pack(who, Kept(float(minutes), 3))))
    assert len(said) == 1
