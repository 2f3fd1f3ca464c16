"""What the flows of this service use beside the rows: the hasher and the keys derived from the one secret."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from ostiary_auth.factors.password import Passwords
from ostiary_auth.settings import AuthSettings
from ostiary_shared.site_rules import Door
from ostiary_shared.statements import Statements
from ostiary_shared.store.sessions import Lifetime
from ostiary_shared.tokens import Key, derive
from ostiary_shared.work import Caller, Work

if TYPE_CHECKING:  # the operator's commands sign nothing
    from joserfc.jwk import ECKey


class Turns:
    """One at a time for the same key in this process.

    Twenty right passwords at once all get in, since each gives back what it counted before the next is counted, while
    wrong ones meet the limit one after another.
    """

    def __init__(self) -> None:
        self._waiting: dict[str, tuple[asyncio.Lock, int]] = {}

    @asynccontextmanager
    async def at(self, key: str) -> AsyncIterator[None]:
        """The turn of `key`; keys nobody waits for are forgotten."""
        lock, count = self._waiting.get(key, (asyncio.Lock(), 0))
        self._waiting[key] = (lock, count + 1)
        try:
            async with lock:
                yield
        finally:
            lock, count = self._waiting.pop(key)
            if count > 1:
                self._waiting[key] = (lock, count - 1)


@dataclass(slots=True)
class Keyring:
    """The opened signing key, kept between requests; opening it costs a look-up and a decryption."""

    key: "ECKey | None" = None
    read_at: datetime | None = None


@dataclass(slots=True)
class KnownSites:
    """Every site by its host, where this process has them in memory and may rely on that; else None."""

    now: Callable[[], Mapping[str, Door] | None] = lambda: None


@dataclass(frozen=True, slots=True)
class AuthTools:
    """One per process. Each key has one purpose, so that what is made for one is worthless for another."""

    settings: AuthSettings
    passwords: Passwords
    statements: Statements
    session_key: Key
    site_key: Key
    personal_key: Key
    code_key: Key
    device_key: Key
    origin_key: Key
    denial_key: Key
    signing_key: Key
    probe_key: Key
    turns: Turns = field(default_factory=Turns)
    keyring: Keyring = field(default_factory=Keyring)
    sites: KnownSites = field(default_factory=KnownSites)

    def lifetime(self, *, remember: bool) -> Lifetime:
        """How long a new session may live."""
        settings = self.settings
        if remember:
            days = timedelta(days=settings.remember_days)
            return Lifetime(absolute=days, idle=days / 2)
        return Lifetime(timedelta(hours=settings.session_max_hours), timedelta(hours=settings.session_idle_hours))


AuthWork = Work[AuthTools]


@dataclass(frozen=True, slots=True)
class Desk:
    """For flows that hash: they do it between two transactions, and so open both themselves.

    Within one, a hash that waits for its turn would hold a connection. `caller` says on whose behalf single statements
    are made.
    """

    tools: AuthTools
    begin: Callable[[], AbstractAsyncContextManager[AuthWork]]
    caller: Callable[[], Awaitable[Caller]]


def make_tools(settings: AuthSettings) -> AuthTools:
    """The tools that the settings call for."""
    secrets = settings.secrets
    return AuthTools(
        settings=settings,
        passwords=Passwords(
            settings.argon2_memory_kib,
            settings.argon2_time_cost,
            settings.argon2_threads,
            settings.argon2_queue,
            settings.runtime_dir,
        ),
        statements=Statements(settings.database_url.get_secret_value(), "ostiary-auth-statements"),
        session_key=derive(secrets, "session"),
        site_key=derive(secrets, "site session"),
        personal_key=derive(secrets, "api token"),
        code_key=code_key(settings),
        device_key=derive(secrets, "device"),
        origin_key=derive(secrets, "sign-up origin"),
        denial_key=derive(secrets, "denial"),
        signing_key=sealing_key(settings),
        probe_key=probe_key(settings),
    )


def sealing_key(settings: AuthSettings) -> Key:
    """The key that the private halves of signing keys are sealed with. The courier renews them."""
    return derive(settings.secrets, "signing")


def probe_key(settings: AuthSettings) -> Key:
    """The key of the doctor's marks. `./ostiary doctor` makes them."""
    return derive(settings.secrets, "probe")


def code_key(settings: AuthSettings) -> Key:
    """The key of typed codes. The courier makes them and has no use for the other tools."""
    return derive(settings.secrets, "code")
