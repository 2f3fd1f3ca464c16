"""Who sent the request that is being answered: a frozen fact, kept where every function of the request can read it."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

# The key under which both kinds of middleware hand the identity to the app: in `scope` or `environ`.
KEY = "ostiary.identity"


@dataclass(frozen=True, slots=True)
class Identity:
    """Somebody signed in, as a genuine assertion says. `id` never changes; `session` names the session."""

    id: str
    email: str = ""
    name: str = ""
    roles: tuple[str, ...] = ()
    permissions: frozenset[str] = frozenset()
    session: str = ""

    def has_role(self, *names: str) -> bool:
        """Whether one of these roles is held."""
        return not set(names).isdisjoint(self.roles)

    def may(self, permission: str) -> bool:
        """Whether any held role permits this."""
        return permission in self.permissions


_current: ContextVar[Identity | None] = ContextVar("ostiary_identity")


def current_identity() -> Identity | None:
    """Who sent this request; None for nobody, and outside of a request."""
    return _current.get(None)


def checked_identity() -> Identity | None:
    """The same, but raises RuntimeError where no middleware of ours looked: a guard must not guess."""
    try:
        return _current.get()
    except LookupError:
        raise RuntimeError("nobody checked who this is: put the app behind protect(app, trust) first") from None


def remember(who: Identity | None) -> None:
    """For the rest of the context in which this is called, the request is `who`'s."""
    _current.set(who)


@contextmanager
def answering(who: Identity | None) -> Iterator[None]:
    """While the block runs, the request is `who`'s."""
    before = _current.set(who)
    try:
        yield
    finally:
        _current.reset(before)
