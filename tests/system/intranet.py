"""The intranet of the gate's tests behind a proxy, with the real auth service asked about every request."""

import contextlib
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ostiary import serving
from ostiary_auth.app import create_app
from ostiary_auth.settings import AuthSettings
from ostiary_shared.database import Sessions
from tests.auth.gate.conftest import add_site
from tests.conftest import AUTH_SECRET, Databases
from tests.system.proxied import Proxied, backend, missing, proxy


def or_skip(kind: str) -> str:
    """The kind of proxy; skips where it is not installed."""
    if missing(kind):
        pytest.skip(f"{kind} is not installed")
    return kind


def opened(socket: Path) -> None:
    """For everybody: in a test the proxy may be somebody else. Where it matters, it is in the socket's group."""
    socket.parent.chmod(0o755)
    socket.chmod(0o666)


@contextlib.asynccontextmanager
async def intranet(
    kind: str, database: Databases, admin_sessions: Sessions, *, fast: bool = False
) -> AsyncIterator[Proxied]:
    """The site, its proxy and auth, as long as the block runs; `fast`: the gate is asked over its unix socket."""
    or_skip(kind)
    door = serving.bind(0, "a port")
    port = door.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="ostiary-gate-") as folder:
        place = Path(folder) / "gate.sock"
        app = create_app(settings(database, port), serving.bind_gate(f"unix:{place}" if fast else ""))
        if fast:
            opened(place)
        async with (
            serving.lifespan(app),
            serving.serving(serving.Site(app, door)),
            backend() as behind,
            proxy(kind, behind, port, gate=str(place) if fast else "") as running,
        ):
            await add_site(admin_sessions, running.host)
            yield running


def settings(database: Databases, port: int) -> AuthSettings:
    """Those of auth behind a proxy on this machine."""
    return AuthSettings.load({
        "OSTIARY_PUBLIC_URL": f"http://localhost:{port}", "OSTIARY_DATABASE_URL": database.auth,
        "OSTIARY_SECRET_KEY": AUTH_SECRET, "OSTIARY_SMTP_URL": "smtp://127.0.0.1:1",
        "OSTIARY_MAIL_FROM": "Ostiary <door@example.test>", "OSTIARY_TRUSTED_PROXIES": "127.0.0.1",
    })  # fmt: skip
