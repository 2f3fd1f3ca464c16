"""The ASGI middleware by the protocol alone: who passes, what the app sees, and how the others are told."""

import json
from typing import Any

import pytest

from ostiary_client.asgi import AsgiMiddleware
from ostiary_client.guards import has_role, signed_in
from ostiary_client.identity import KEY, current_identity
from ostiary_client.testing import SOMEBODY, SignIdentity, sign_identity
from ostiary_client.trust import Trust

TRUST = Trust("http://login.example.test", "wiki.example.test", public=("/healthz",))
OPEN = Trust("http://login.example.test", "wiki.example.test", require=False)
Message = dict[str, Any]


class App:
    """Remembers what it was asked, and asks for the guard that its path names."""

    def __init__(self) -> None:
        self.scopes: list[Message] = []

    async def __call__(self, scope: Message, receive: Any, send: Any) -> None:
        self.scopes.append(scope)
        if scope["type"] == "lifespan":
            return
        assert scope[KEY] is current_identity()
        late = scope["path"] == "/late"
        if late and scope["type"] == "websocket":
            await send({"type": "websocket.accept"})
        if late and scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200, "headers": []})
        if scope["path"] in {"/editor", "/late"}:
            has_role("editor")()
        if scope["path"] == "/me":
            signed_in()
        if scope["type"] == "websocket":
            await send({"type": "websocket.accept"})
            return
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"in"})


@pytest.fixture
def app() -> App:
    return App()


async def ask(app: App, trust: Trust, path: str, told: dict[str, str] | None = None, **more: Any) -> list[Message]:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        raise AssertionError("nothing needs to be read")

    headers = [(name.encode(), value.encode()) for name, value in (told or {}).items()]
    scope = {"type": "http", "path": path, "headers": headers, **more}
    await AsgiMiddleware(app, trust)(scope, receive, send)
    assert current_identity() is None
    return sent


def small(headers: dict[str, str]) -> dict[str, str]:
    """As servers hand them on."""
    return {name.lower(): value for name, value in headers.items()}


async def test_somebody_genuine_comes_in_and_is_known(app: App, ostiary_identity: SignIdentity) -> None:
    sent = await ask(app, TRUST, "/me", small(ostiary_identity(TRUST, id="7", name="Bö", roles=["editor"])))
    assert sent[0]["status"] == 200
    who = app.scopes[0][KEY]
    assert (who.id, who.name, who.roles) == ("7", "Bö", ("editor",))
    assert dict(app.scopes[0]["headers"])[b"remote-user"] == b"7"


FORGED = {"remote-user": "root", "remote_groups": "admin", "x-ostiary-assertion": "e30.e30.e30"}


@pytest.mark.parametrize("told", [{}, FORGED, {"remote.user": "root"}, {"x-ostiary-assertion": "ö" * 20_000}])
async def test_whoever_proves_nothing_is_nobody(app: App, told: dict[str, str], ostiary_identity: SignIdentity) -> None:
    sent = await ask(app, TRUST, "/", told)
    assert app.scopes == []
    assert sent[0]["status"] == 401
    headers = dict(sent[0]["headers"])
    assert headers[b"content-type"] == b"application/problem+json"
    assert headers[b"cache-control"] == b"no-store"
    assert headers[b"www-authenticate"].startswith(b"Bearer")
    problem = json.loads(sent[1]["body"])
    assert (problem["status"], problem["code"]) == (401, "unauthenticated")
    assert problem["sign_in"] == "http://login.example.test/login"


async def test_where_strangers_pass_they_pass_as_nobody(app: App, ostiary_identity: SignIdentity) -> None:
    for trust, path in ((TRUST, "/healthz"), (OPEN, "/")):
        sent = await ask(app, trust, path, FORGED)
        assert sent[0]["status"] == 200
        assert app.scopes[-1][KEY] is None
        assert app.scopes[-1]["headers"] == []
    known = small(ostiary_identity(TRUST, id="7"))
    await ask(app, TRUST, "/healthz", known)
    assert app.scopes[-1][KEY].id == "7"


async def test_what_was_signed_for_another_host_opens_nothing(app: App, ostiary_identity: SignIdentity) -> None:
    elsewhere = Trust(TRUST.issuer, "shop.example.test")
    sent = await ask(app, TRUST, "/", small(ostiary_identity(elsewhere)), server=("shop.example.test", 80))
    assert sent[0]["status"] == 401


async def test_a_guard_inside_is_answered_too(app: App, ostiary_identity: SignIdentity) -> None:
    assert (await ask(app, OPEN, "/me"))[0]["status"] == 401
    plain = small(ostiary_identity(TRUST))
    sent = await ask(app, TRUST, "/editor", plain)
    assert sent[0]["status"] == 403
    assert json.loads(sent[1]["body"])["code"] == "forbidden"
    assert b"www-authenticate" not in dict(sent[0]["headers"])


async def test_a_refusal_after_the_answer_began_is_the_servers_to_cut_off(
    app: App, ostiary_identity: SignIdentity
) -> None:
    from ostiary_client.refusal import Refusal

    with pytest.raises(Refusal):
        await ask(app, TRUST, "/late", small(ostiary_identity(TRUST)))


async def test_without_keys_nobody_comes_in(app: App) -> None:
    nowhere = Trust("http://127.0.0.1:1", "wiki.example.test", require=False)
    sent = await ask(app, nowhere, "/", small(sign_identity(nowhere, SOMEBODY)))
    assert sent[0]["status"] == 503
    assert dict(sent[0]["headers"])[b"retry-after"] == b"2"
    assert app.scopes == []


async def test_a_websocket_is_refused_before_it_is_accepted(app: App, ostiary_identity: SignIdentity) -> None:
    assert await ask(app, TRUST, "/", type="websocket") == [
        {"type": "websocket.close", "code": 1008, "reason": "Sign in first."}
    ]
    able: Message = {"type": "websocket", "extensions": {"websocket.http.response": {}}}
    sent = await ask(app, TRUST, "/", **able)
    assert [message["type"] for message in sent] == ["websocket.http.response.start", "websocket.http.response.body"]
    assert sent[0]["status"] == 401
    assert app.scopes == []
    known = small(ostiary_identity(TRUST))
    assert (await ask(app, TRUST, "/me", known, **able))[0]["type"] == "websocket.accept"
    assert (await ask(app, TRUST, "/editor", known, **able))[0]["status"] == 403
    sent = await ask(app, TRUST, "/late", known, **able)
    assert [message["type"] for message in sent] == ["websocket.accept", "websocket.close"]


async def test_the_start_and_end_of_the_app_are_none_of_its_business(app: App) -> None:
    await AsgiMiddleware(app, TRUST)({"type": "lifespan"}, None, None)  # type: ignore[arg-type]
    assert app.scopes == [{"type": "lifespan"}]
