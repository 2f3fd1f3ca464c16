"""What the flows of this service use beside the rows: the hasher and the keys derived from the one secret."""

from dataclasses import dataclass
from datetime import timedelta

from ostiary_auth.factors.password import Passwords
from ostiary_auth.settings import AuthSettings
from ostiary_shared.store.sessions import Lifetime
from ostiary_shared.tokens import derive
from ostiary_shared.work import Work


@dataclass(frozen=True, slots=True)
class AuthTools:
    """One per process. Each key has one purpose, so that what is made for one is worthless for another."""

    settings: AuthSettings
    passwords: Passwords
    session_key: bytes
    code_key: bytes
    device_key: bytes
    denial_key: bytes
    signing_key: bytes

    def lifetime(self, *, remember: bool) -> Lifetime:
        """How long a new session may live."""
        settings = self.settings
        if remember:
            days = timedelta(days=settings.remember_days)
            return Lifetime(absolute=days, idle=days / 2)
        return Lifetime(timedelta(hours=settings.session_max_hours), timedelta(hours=settings.session_idle_hours))


AuthWork = Work[AuthTools]


def make_tools(settings: AuthSettings) -> AuthTools:
    """The tools that the settings call for."""
    secret = settings.secret_key.get_secret_value()
    return AuthTools(
        settings=settings,
        passwords=Passwords(settings.argon2_memory_kib, settings.argon2_time_cost, settings.argon2_threads, settings.argon2_queue),
        session_key=derive(secret, "session"),
        code_key=code_key(settings),
        device_key=derive(secret, "device"),
        denial_key=derive(secret, "denial"),
        signing_key=derive(secret, "signing"),
    )


def code_key(settings: AuthSettings) -> bytes:
    """The key of typed codes. The courier makes them and has no use for the other tools."""
    return derive(settings.secret_key.get_secret_value(), "code")
