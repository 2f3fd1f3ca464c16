"""What proxies do beside asking: the site's own door to sign in, WebSockets, connections kept, the gate's failures."""

import asyncio
import contextlib
import posixpath
from collections.abc import AsyncIterator

import pytest

from ostiary_shared.database import Sessions
from tests.auth.gate.conftest import add_guest
from tests.conftest import Databases
from tests.system.corpus.forgeries import EVERY, IDENTITY
from tests.system.intranet import intranet, or_skip
from tests.system.proxied import END, KINDS, Backend, backend, proxy
from tests.system.wirings import COMMANDS

pytestmark = pytest.mark.proxy
UPGRADE = (
    "Connection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)


@pytest.mark.parametrize("kind", KINDS)
async def test_the_sites_own_door_is_ours_and_nobody_is_asked(kind: str) -> None:
    or_skip(kind)
    async with backend() as app, backend() as auth, proxy(kind, app, auth.port) as site:
        claims = [(name, "forged") for name in (*EVERY, "X-Forwarded-Uri", "X-Forwarded-Host", "X-Forwarded-For")]
        for path in ("/.ostiary/sign-in?next=%2Fwiki", "/.ostiary/enter?code=1", "/.ostiary/session.js"):
            await site.ask(path, [*claims, ("Cookie", "ostiary-site=oh_x")])
            seen = auth.seen.pop()
            assert seen.path == path
            assert "forged" not in str(seen.headers)
            assert [seen.named(f"X-Forwarded-{what}") for what in ("Host", "Proto", "For")] == [
                [site.host], ["http"], ["127.0.0.1"]
            ]  # fmt: skip
            assert seen.named("Cookie") == ["ostiary-site=oh_x"]
        assert (auth.seen, app.seen) == ([], [])


@pytest.mark.parametrize("kind", KINDS)
async def test_nothing_else_passes_by_the_sites_own_door(kind: str) -> None:
    or_skip(kind)
    async with backend() as app, backend() as auth, proxy(kind, app, auth.port) as site:
        for path in (
            *(
                "/.ostiary/",
                "/.ostiary",
                "/.ostiary/../gate",
                "/.ostiary/..%2fgate",
                "/.ostiary//gate",
                "/.ostiary/a/b",
            ),
            *(
                "/.ostiary/%2e%2e/metrics",
                "/x/../.ostiary/enter",
                "//.ostiary/enter",
                "/.Ostiary/enter",
                "/.ostiary;/enter",
            ),
        ):
            await site.ask(path)
            for seen in auth.seen:  # asked about at most
                # Traefik tidies a path before it looks whose affair that is, and passes it on tidied.
                cleaned = {"/" + posixpath.normpath(path).lstrip("/")} if kind == "traefik" else set[str]()
                assert seen.path in {"/gate", "/gate/nginx", path.replace("/.ostiary/%2e%2e", "/"), *cleaned}, path
            auth.seen.clear()


@pytest.mark.parametrize("fast", [False, True])
@pytest.mark.parametrize("kind", KINDS)
async def test_the_sites_own_door_answers(
    kind: str, fast: bool, database: Databases, admin_sessions: Sessions, sessions: Sessions
) -> None:
    if fast and kind not in COMMANDS:
        pytest.skip("Traefik asks at the main port")
    async with intranet(kind, database, admin_sessions, fast=fast) as site:
        bo = await add_guest(sessions, "bo@example.test", "end-user")
        assert (await site.ask("/.ostiary/session")).status == 401
        assert (await site.ask("/.ostiary/session", [("Cookie", f"ostiary={bo.token}")])).status == 204
        assert (await site.ask("/.ostiary/session.js")).status == 200
        assert (await site.ask("/.ostiary/gate", [("X-Forwarded-Uri", "/public")])).status == 404
        assert (await site.ask("/wiki", [("Cookie", f"ostiary={bo.token}")])).status == 200
        assert site.backend.seen[-1].named("Remote-User") == [str(bo.user.id)]
        assert (await site.ask("/wiki")).status == 401
        assert (await site.ask("/editor/x", [("Cookie", f"ostiary={bo.token}")])).status == 403
        body = f"POST /wiki HTTP/1.1\r\nHost: {site.host}\r\nCookie: ostiary={bo.token}\r\nContent-Length: 3\r\n\r\nabc"
        assert (await site.send(body.encode())).status == 200
        assert len(site.backend.seen) == 2


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """An app that takes the upgrade and says back what it hears."""
    with contextlib.suppress(asyncio.IncompleteReadError):
        head = (await reader.readuntil(END)).lower()
        assert b"upgrade: websocket" in head
        writer.write(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n")
        writer.write(b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n")
        writer.write(await reader.readexactly(4))
        await writer.drain()
    writer.close()


@pytest.fixture
async def echoing() -> AsyncIterator[Backend]:
    server = await asyncio.start_server(_echo, "127.0.0.1", 0)
    yield Backend(server.sockets[0].getsockname()[1])
    server.close()


GATE_SAYS = "HTTP/1.1 200 OK\r\n" + "".join(f"{name}: x\r\n" for name in IDENTITY) + "Content-Length: 0\r\n\r\n"


@contextlib.asynccontextmanager
async def gate(says: str, connections: list[bytes] | None = None) -> AsyncIterator[int]:
    """A gate that says always the same."""
    lines: set[asyncio.StreamWriter] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines.add(writer)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while head := await reader.readuntil(END):
                if connections is not None and writer.get_extra_info("peername") not in connections:
                    connections.append(writer.get_extra_info("peername"))
                writer.write(says.encode())
                if "Content-Length: 0" not in says or b"never" in head:
                    break
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for writer in lines:
            writer.close()
        await asyncio.sleep(0)


@pytest.mark.parametrize("kind", COMMANDS)
async def test_a_websocket_that_may_pass_is_a_websocket(kind: str, echoing: Backend) -> None:
    or_skip(kind)
    async with gate(GATE_SAYS) as port, proxy(kind, echoing, port) as site, asyncio.timeout(10):
        reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
        writer.write(f"GET /wiki/live HTTP/1.1\r\nHost: {site.host}\r\n{UPGRADE}\r\n".encode())
        assert (await reader.readuntil(END)).startswith(b"HTTP/1.1 101")
        writer.write(b"ping")
        assert await reader.readexactly(4) == b"ping"
        writer.close()


@pytest.mark.parametrize("kind", KINDS)
async def test_connections_to_the_gate_are_kept(kind: str) -> None:
    """Apache keeps one for each of its threads, and may take another thread each time."""
    or_skip(kind)
    connections: list[bytes] = []
    async with backend() as app, gate(GATE_SAYS, connections) as port, proxy(kind, app, port) as site:
        asked = 200 if kind == "apache2" else 40
        for _ in range(asked):
            assert (await site.ask("/wiki")).status == 200
        assert len(connections) < (asked if kind == "apache2" else 4)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "says",
    [
        "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 2\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
        "nonsense\r\n\r\n",
        "",
    ],
)
async def test_whatever_is_wrong_with_the_gate_nobody_gets_in(kind: str, says: str) -> None:
    or_skip(kind)
    async with backend() as app, gate(says) as port, proxy(kind, app, port) as site:
        for path in ("/public", "/wiki"):
            answer = await site.ask(path)
            assert answer.status >= 400
            if kind == "nginx":
                assert (answer.status, answer.headers["retry-after"]) == (503, "2")
        assert app.seen == []


@pytest.mark.parametrize("status", ["302 Found", "303 See Other"])
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "nginx"])
async def test_a_redirect_of_the_gate_is_the_answer(kind: str, status: str) -> None:
    or_skip(kind)
    says = f"HTTP/1.1 {status}\r\nLocation: http://login.test/\r\nContent-Length: 0\r\n\r\n"
    async with backend() as app, gate(says) as port, proxy(kind, app, port) as site:
        answer = await site.ask("/wiki")
        assert (answer.status, answer.location) == (int(status[:3]), "http://login.test/")
        assert app.seen == []


@pytest.mark.parametrize("kind", ["haproxy", "apache2"])
async def test_our_lua_believes_no_yes_that_does_not_say_who(kind: str) -> None:
    or_skip(kind)
    says = GATE_SAYS.replace("Remote-Groups: x\r\n", "")
    async with backend() as app, gate(says) as port, proxy(kind, app, port) as site:
        assert (await site.ask("/public")).status in {500, 503}
        assert app.seen == []


OURS = ("ostiary", "__Host-ostiary", "__Secure-ostiary", "ostiary-site", "__Host-ostiary-site", "ostiary-state")


@pytest.mark.parametrize("kind", KINDS)
async def test_none_of_our_cookies_and_tokens_is_passed_on(kind: str) -> None:
    or_skip(kind)
    async with backend() as app, gate(GATE_SAYS) as port, proxy(kind, app, port) as site:
        for name in OURS:
            for joint in ("; ", ";", ";\t", " ;  "):
                cookies = joint.join(["theme=dark", f"{name}=secret", "lang=en"])
                await site.ask("/wiki", [("Cookie", cookies)])
                told = str(app.seen.pop().named("Cookie"))
                assert "secret" not in told, cookies
                assert ("theme=dark" in told and "lang=en" in told) is (kind != "traefik"), cookies
        await site.ask("/wiki", [("Cookie", "; ".join(f"{name}=secret" for name in OURS))])
        await site.ask(
            "/wiki", [("Cookie", "ostiary=secret; theme=dark; __Host-ostiary-site=secret; ostiary-state=secret")]
        )
        for token in ("os_secret", "osp_secret", "oh_secret"):
            for scheme in ("Bearer", "bearer", "BEARER", "Bearer "):
                await site.ask("/wiki", [("Authorization", f"{scheme} {token}")])
        assert len(app.seen) == 14
        assert "secret" not in str(app.seen)
