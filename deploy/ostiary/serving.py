"""HTTP servers on the running loop: sockets, uvicorn's settings, ASGI lifespans, an orderly end. Knows no service."""

import asyncio
import contextlib
import os
import signal
import socket
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, MutableMapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn

from ostiary.faults import Refusal
from ostiary.guarded import IDLE_SECONDS, AtOnce, Guarded
from ostiary_shared import parting, tls
from ostiary_shared.crowd import MOST, Crowd, swept

HOST = "127.0.0.1"
DRAIN_SECONDS = 5
# How long a server that was told to end goes on answering: until nobody asked for so long, or so long at the most. The
# whole end must fit into the ten seconds that supervisors give.
QUIET_SECONDS = 0.5
PARTING_SECONDS = 3.0
LAST_SECONDS = 0.1
BACKLOG = 2048

# Frameworks disagree on the types of scope, receive and send; the protocol is the same.
App = Callable[[Any, Any, Any], Awaitable[None]]


@dataclass(frozen=True)
class Site:
    """An app and the socket it is served on: by TLS where there is something to show, to so many at once.

    What `at_once` can answer never gets to the app.
    """

    app: App
    socket: socket.socket
    shown: ssl.SSLContext | None = None
    most: int = MOST
    at_once: AtOnce | None = None


@dataclass(frozen=True)
class Sockets:
    """What listens; bound before anything else is started, so that a busy port is told at once."""

    site: socket.socket
    mailbox: socket.socket
    smtp: socket.socket


class Server(uvicorn.Server):
    """A server that leaves signals alone: several share the loop, and whoever runs them decides when to stop."""

    def __init__(self, site: Site) -> None:
        super().__init__(_config(site.app))
        self.site = site
        self.crowd: Crowd[Guarded] = Crowd(site.most)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Nothing is captured."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:  # noqa: ARG002 - the site has it
        """Uvicorn's own for one socket, with limits to how many come and to how long keys are agreed on."""
        loop, limits = asyncio.get_running_loop(), self._limits
        self.servers = [await loop.create_server(self._protocol, sock=self.site.socket, backlog=BACKLOG, **limits)]
        self.started = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Uvicorn's own, but for those who come in the last moment: they are let in."""
        self.crowd.parting = True
        for server in self.servers:
            await parting.close(server, self._protocol, **self._limits)
        await asyncio.sleep(LAST_SECONDS)  # what they ask is heard before their connections are looked at
        await super().shutdown(sockets)

    async def main_loop(self) -> None:
        """Uvicorn's own, and whoever keeps us waiting is sent away meanwhile."""
        async with swept(self.crowd):
            await super().main_loop()

    @property
    def _limits(self) -> dict[str, Any]:
        return {} if self.site.shown is None else {"ssl": self.site.shown, **tls.LIMITS}

    def _protocol(self) -> Guarded:
        return Guarded(
            config=self.config,
            server_state=self.server_state,
            app_state={},
            crowd=self.crowd,
            at_once=self.site.at_once,
        )


def bind(port: int, option: str, host: str = HOST) -> socket.socket:
    """A socket on `port`; a busy one is refused naming the option that chooses another."""
    # With its protocol's name: else asyncio's own loop lets the end of an answer wait for the client (uvloop does not).
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        remedy = f"stop what uses it or choose another with {option}."
        raise Refusal(f"port {port} cannot be used ({error.strerror}); {remedy}") from None
    return listener


def bind_gate(place: str) -> socket.socket | None:
    """The socket of the fast listener: at `unix:/path` or `host:port`; none for an empty place.

    Whoever may open a unix socket is taken for a proxy of ours: its owner and its folder's group may.
    """
    if not place.startswith("unix:"):
        host, _, port = place.rpartition(":")
        return bind(int(port), "OSTIARY_GATE_LISTEN", host.strip("[]")) if place else None
    path = Path(place.removeprefix("unix:"))
    listener = socket.socket(socket.AF_UNIX)
    try:
        path.unlink(missing_ok=True)  # left behind by a process that was killed
        before = os.umask(0o117)
        try:
            listener.bind(str(path))
        finally:
            os.umask(before)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise Refusal(f"OSTIARY_GATE_LISTEN names {path}, which cannot be used ({error.strerror}).") from None
    return listener


def either(path_prefix: str, below: App, otherwise: App) -> App:
    """One app out of two: `below` answers the prefix and everything under it, `otherwise` the rest."""

    async def dispatch(scope: Any, receive: Any, send: Any) -> None:
        path = scope.get("path", "")
        chosen = below if path == path_prefix or path.startswith(path_prefix + "/") else otherwise
        await chosen(scope, receive, send)

    return dispatch


@contextlib.contextmanager
def stop_signals(stop: asyncio.Event) -> Iterator[None]:
    """Ctrl-C and SIGTERM set `stop` while the block runs."""
    loop = asyncio.get_running_loop()
    wanted = (signal.SIGINT, signal.SIGTERM)
    for number in wanted:
        loop.add_signal_handler(number, stop.set)
    try:
        yield
    finally:
        for number in wanted:
            loop.remove_signal_handler(number)


@contextlib.asynccontextmanager
async def serving(*sites: Site) -> AsyncIterator[list[Server]]:
    """Serve all sites while the block runs; then take no more, finish what was begun, and return."""
    servers = [Server(site) for site in sites]
    running = [asyncio.create_task(server.serve([server.site.socket])) for server in servers]
    try:
        while not all(server.started or task.done() for server, task in zip(servers, running, strict=True)):  # noqa: ASYNC110 - a flag is all uvicorn has
            await asyncio.sleep(0.01)
        yield servers
    finally:
        for server in servers:
            server.should_exit = True
        await asyncio.gather(*running)


async def farewell(servers: list[Server]) -> None:
    """Go on answering for a moment, each time with the word that the connection ends, until nobody asks any more.

    By then proxies have let go of the connections they keep, and those that look at /readyz have turned elsewhere.
    """
    for server in servers:
        server.crowd.parting = True
    now = time.monotonic()
    until, asked, quiet_since = now + PARTING_SECONDS, -1, now
    while now < until and now - quiet_since < QUIET_SECONDS:
        count = sum(server.server_state.total_requests for server in servers)
        if count != asked:
            asked, quiet_since = count, now
        await asyncio.sleep(0.05)
        now = time.monotonic()


@contextlib.asynccontextmanager
async def lifespan(app: App) -> AsyncIterator[None]:
    """Open an app before and close it after the block (the ASGI lifespan protocol)."""
    inbox: asyncio.Queue[MutableMapping[str, Any]] = asyncio.Queue()
    outbox: asyncio.Queue[MutableMapping[str, Any]] = asyncio.Queue()
    scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": {}}
    talk = asyncio.ensure_future(app(scope, inbox.get, outbox.put))

    async def phase(name: str) -> None:
        await inbox.put({"type": f"lifespan.{name}"})
        answer = asyncio.create_task(outbox.get())
        await asyncio.wait({answer, talk}, return_when=asyncio.FIRST_COMPLETED)
        if not answer.done():
            answer.cancel()
            await talk  # raises what ended it
        elif answer.result()["type"].endswith(".failed"):
            message = f"the {name} of a service failed: {answer.result().get('message', '')}"
            raise Refusal(message)

    await phase("startup")
    try:
        yield
    finally:
        await phase("shutdown")
        await talk


def _config(app: App) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        ws="none",
        loop="none",
        lifespan="off",
        log_config=None,
        log_level="error",  # it warns of every broken request: strangers would fill the log
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=int(IDLE_SECONDS),
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )
