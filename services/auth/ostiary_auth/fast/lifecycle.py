"""Opening and closing the quick doors with the app: connections, the lease, the listener, and what runs beside them."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import lru_cache
from socket import AF_UNIX, gethostname, socket
from typing import Any

from quart import Quart

from ostiary_auth import metrics
from ostiary_auth.fast import lease, touches
from ostiary_auth.fast.asgi import QuickDoor
from ostiary_auth.fast.ask import Ask, Headers, Trusts
from ostiary_auth.fast.assertions import Assertions
from ostiary_auth.fast.keeper import Keeper, Parts
from ostiary_auth.fast.listener import Guest, Hall
from ostiary_auth.fast.memory import Memory
from ostiary_auth.fast.notices import Ears
from ostiary_auth.fast.places import Places
from ostiary_auth.fast.sites import Sites
from ostiary_auth.fast.whole import Whole
from ostiary_auth.gate.carried import Names, names_of
from ostiary_auth.settings import AuthSettings
from ostiary_auth.tools import AuthTools
from ostiary_shared import parting, tls
from ostiary_shared.beside import beside
from ostiary_shared.crowd import Crowd, swept
from ostiary_shared.database import Sessions
from ostiary_shared.networks import Address, Network
from ostiary_shared.web import headers
from ostiary_shared.web.caller import behind, is_trusted

BURY_SECONDS = 0.002
LAST_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Quick:
    """The quick doors of one app."""

    app: Quart
    settings: AuthSettings
    keeper: Keeper
    whole: Whole
    door: QuickDoor
    trusts: Trusts


def stand_before(app: Quart, settings: AuthSettings, tools: AuthTools, sessions: Sessions) -> Quick:
    """Put the first door before the app, and for servers that look before that, what they may answer without it.

    Until `opened` both hand everything on.
    """
    trusted = settings.trusted_proxies
    at_gate = names_of(settings)
    parts = Parts(
        tools, sessions, Memory(settings.memory_sessions), Sites(), Places(_address_of(trusted)), Assertions(tools),
        at_gate, Names(at_gate.session), _lowered(headers.of_json(secure=settings.secure)),
    )  # fmt: skip
    trusts = lru_cache(maxsize=4096)(lambda peer: peer is not None and is_trusted(peer, trusted))
    keeper = Keeper(parts)
    tools.sites.now = keeper.sites_now
    door = QuickDoor(app.asgi_app, keeper, trusts)
    app.asgi_app = door  # type: ignore[assignment, method-assign]
    whole = Whole(keeper, trusts)
    app.extensions["ostiary-at-once"] = whole.to_stranger
    return Quick(app, settings, keeper, whole, door, trusts)


@contextlib.asynccontextmanager
async def opened(quick: Quick, gate_socket: socket | None) -> AsyncIterator[None]:
    """Answer quickly while the block runs. Without room in memory everything is left to the app, at both doors."""
    async with _remembering(quick.keeper, quick.settings), _listening(quick, gate_socket):
        yield


@contextlib.asynccontextmanager
async def _remembering(keeper: Keeper, settings: AuthSettings) -> AsyncIterator[None]:
    if not settings.memory_sessions:
        yield
        return
    stop = asyncio.Event()
    keeper.serving = True
    name, url = f"{gethostname()}:{os.getpid()}", settings.database_url.get_secret_value()
    beside = [
        asyncio.create_task(lease.keep(url, name, _ears(keeper), stop)),
        asyncio.create_task(touches.keep(keeper.memory, keeper.parts.tools.statements, stop)),
    ]
    try:
        yield
    finally:
        stop.set()
        await asyncio.wait(beside, timeout=LAST_SECONDS)
        keeper.serving = False
        keeper.memory.lease_until = 0.0
        for task in beside:
            task.cancel()


def _lowered(said: dict[str, str]) -> Headers:
    return [(name.lower().encode(), value.encode()) for name, value in said.items()]


def _address_of(trusted: tuple[Network, ...]) -> Callable[[Ask], Address | None]:
    def address_of(ask: Ask) -> Address | None:
        # Without this header the proxy's own address would be taken for the visitor's.
        if not b"".join(ask.forwarded).strip(b", "):
            return None
        return behind(ask.peer or "", b",".join(ask.forwarded).decode("latin-1"), trusted)

    return address_of


def _ears(keeper: Keeper) -> Ears:
    def hold(until: float) -> None:
        if keeper.memory.lease_until and not until:
            metrics.LEASE_LOST.inc()
        keeper.memory.lease_until = until

    def forget_all() -> None:
        keeper.forget_all()
        asyncio.get_running_loop().call_later(BURY_SECONDS, bury)

    def bury() -> None:
        if keeper.memory.bury():
            asyncio.get_running_loop().call_later(BURY_SECONDS, bury)

    return Ears(keeper.forget, forget_all, keeper.sites_changed, keeper.keys_changed, hold)


@contextlib.asynccontextmanager
async def _listening(quick: Quick, gate_socket: socket | None) -> AsyncIterator[None]:
    if gate_socket is None:
        yield
        return
    hall = Hall(quick.keeper, quick.whole, quick.door.app, quick.trusts, Crowd(quick.settings.max_connections))
    loop, limits = asyncio.get_running_loop(), _limits(quick.settings, gate_socket)
    # Kept in a variable: a server that nobody refers to is collected, and its socket closes without a word.
    server = await loop.create_server(lambda: Guest(hall), sock=gate_socket, **limits)
    ending = quick.app.extensions["ostiary-health"].ending
    try:
        async with beside(_part(hall, ending)), swept(hall.guests):
            yield
    finally:
        hall.part()
        await parting.close(server, lambda: Guest(hall), **limits)
        await hall.empty(LAST_SECONDS)


async def _part(hall: Hall, ending: asyncio.Event) -> None:
    await ending.wait()
    hall.part()


def _limits(settings: AuthSettings, gate_socket: socket) -> dict[str, Any]:
    """What the listener needs to speak TLS; over a unix socket it never does."""
    shown = None if gate_socket.family is AF_UNIX else tls.shown(settings.tls_cert_file, settings.tls_key_file)
    return {} if shown is None else {"ssl": shown, **tls.LIMITS}
