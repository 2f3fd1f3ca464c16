"""The fast listener bears crowds, has bounds of its own where no proxy stands before it, and speaks TLS when told."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ostiary import authority
from ostiary.serving import bind_gate
from ostiary_auth.app import create_app
from ostiary_auth.fast import listener
from ostiary_auth.settings import AuthSettings
from ostiary_shared import crowd, tls
from ostiary_shared.database import Sessions
from tests.auth.fast.doors import told
from tests.auth.fast.test_listener import ask
from tests.auth.gate.conftest import Guest, add_guest, add_site
from tests.lines import PATIENCE, ended, lines


@pytest.fixture
async def guest(sessions: Sessions, admin_sessions: Sessions) -> Guest:
    await add_site(admin_sessions)
    return await add_guest(sessions, "bo@example.test", "end-user")


@pytest.fixture(autouse=True)
def _quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crowd, "SWEEP_SECONDS", 0.05)


@contextlib.asynccontextmanager
async def serving(settings: AuthSettings, **more: object) -> AsyncIterator[int]:
    """The listener on a port; gives the port."""
    gate = bind_gate("127.0.0.1:0")
    assert gate
    wanted = {"memory_sessions": 1000, "trusted_proxies": AuthSettings._networks("127.0.0.1"), **more}
    async with create_app(settings.model_copy(update=wanted), gate).test_app():
        yield gate.getsockname()[1]


async def test_beyond_the_limit_whoever_kept_us_waiting_for_longest_goes(
    auth_settings: AuthSettings, guest: Guest
) -> None:
    async with serving(auth_settings, max_connections=20) as port, lines(port, 20) as held:
        first, second, *_ = held
        for number in range(60):
            first[1].write(ask(guest))
            assert (await told(first[0])).status == 200
            if number % 3 == 0:
                async with lines(port, 1) as [(_, writer)]:  # a flood, of which each is one too many
                    writer.write(b"GET /ga")
                    await writer.drain()
        assert await ended(second[0]) == b""


async def test_who_asks_and_asks_and_never_reads_is_cut_off(
    auth_settings: AuthSettings, guest: Guest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listener, "UNREAD_SECONDS", 0.3)
    async with serving(auth_settings) as port, lines(port, 1) as [(reader, writer)]:
        writer.write(ask(guest))
        assert (await told(reader)).status == 200
        reader._transport.pause_reading()  # type: ignore[attr-defined]
        gone = asyncio.get_running_loop().create_future()
        monkeypatch.setattr(listener.Guest, "connection_lost", _telling(listener.Guest.connection_lost, gone))
        with contextlib.suppress(ConnectionError):
            async with asyncio.timeout(PATIENCE):
                while not gone.done():
                    writer.write(ask(guest) * 200)
                    await asyncio.sleep(0.01)
        await asyncio.wait_for(gone, PATIENCE)


def _telling(lost: object, gone: asyncio.Future[None]) -> object:
    def connection_lost(self: listener.Guest, exc: Exception | None) -> None:
        lost(self, exc)  # type: ignore[operator]
        if not gone.done():
            gone.set_result(None)

    return connection_lost


async def test_the_gate_is_asked_by_tls_where_the_services_speak_it(
    auth_settings: AuthSettings, guest: Guest, tmp_path: Path
) -> None:
    ours = authority.opened(tmp_path)
    authority.settled(ours, "auth", ["127.0.0.1"])
    trusted = tls.trusted(str(tmp_path / "ca.pem"))
    files = {"tls_cert_file": str(tmp_path / "auth.pem"), "tls_key_file": str(tmp_path / "auth.key")}
    async with serving(auth_settings, **files) as port:
        async with lines(port, 1, trusted) as [(reader, writer)]:
            for _ in range(3):
                writer.write(ask(guest))
                assert (await told(reader)).status == 200
        async with lines(port, 1) as [(reader, writer)]:
            writer.write(ask(guest))
            assert b"HTTP/1.1" not in await ended(reader)
