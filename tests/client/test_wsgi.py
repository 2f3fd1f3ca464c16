"""The WSGI middleware by the protocol alone: who passes, what the app sees, and how the others are told."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from ostiary_client.guards import has_role
from ostiary_client.identity import KEY, current_identity
from ostiary_client.testing import SOMEBODY, SignIdentity, sign_identity
from ostiary_client.trust import Trust
from ostiary_client.wsgi import WsgiMiddleware

TRUST = Trust("http://login.example.test", "wiki.example.test", public=("/healthz", "/below/open"))


class Body:
    """An answer that comes piece by piece and wants to be closed."""

    closed = False

    def __iter__(self) -> Iterator[bytes]:
        who = current_identity()
        yield b"for "
        yield who.id.encode() if who else b"nobody"
        assert current_identity() is who

    def close(self) -> None:
        Body.closed = current_identity() is not None


class App:
    """Remembers what it was asked."""

    def __init__(self) -> None:
        self.seen: list[dict[str, Any]] = []

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        self.seen.append(dict(environ))
        assert environ[KEY] is current_identity()
        if environ["PATH_INFO"] == "/editor":
            has_role("editor")()
        start_response("200 OK", [])
        return Body()


@pytest.fixture
def app() -> App:
    return App()


def ask(
    app: App, trust: Trust, path: str, headers: dict[str, str] | None = None, **more: str
) -> tuple[int, dict[str, str], bytes]:
    told: list[Any] = []
    environ = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in (headers or {}).items()}
    answer = WsgiMiddleware(app, trust)(
        {"SCRIPT_NAME": "", "PATH_INFO": path, **environ, **more}, lambda *said: told.append(said)
    )
    body = b"".join(answer)
    if hasattr(answer, "close"):
        answer.close()
    assert current_identity() is None
    return int(told[0][0][:3]), dict(told[0][1]), body


def test_somebody_genuine_comes_in_and_is_known_to_the_last_piece(app: App, ostiary_identity: SignIdentity) -> None:
    headers = {**ostiary_identity(TRUST, id="7", name="Bö"), "Remote-User": "root", "Remote.Groups": "admin"}
    assert ask(app, TRUST, "/me", headers) == (200, {}, b"for 7")
    assert Body.closed
    seen = app.seen[0]
    assert (seen[KEY].id, seen["HTTP_REMOTE_USER"], seen["REMOTE_USER"], seen["HTTP_REMOTE_GROUPS"]) == (
        "7", "7", "7", "",
    )  # fmt: skip
    assert "HTTP_REMOTE.GROUPS" not in seen


@pytest.mark.parametrize("headers", [{}, {"Remote-User": "root"}, {"X-Ostiary-Assertion": "a,b"}])
def test_whoever_proves_nothing_is_nobody(app: App, headers: dict[str, str], ostiary_identity: SignIdentity) -> None:
    status, told, body = ask(app, TRUST, "/", headers, REMOTE_USER="root")
    assert (status, app.seen) == (401, [])
    assert told["Content-Type"] == "application/problem+json"
    assert int(told["Content-Length"]) == len(body)
    assert json.loads(body)["code"] == "unauthenticated"
    assert ask(app, TRUST, "/healthz", headers, REMOTE_USER="root")[2] == b"for nobody"
    assert not [key for key in app.seen[0] if "REMOTE_USER" in key or "OSTIARY" in key]


def test_an_app_below_a_path_is_public_by_its_whole_path(app: App, ostiary_identity: SignIdentity) -> None:
    assert ask(app, TRUST, "/open", SCRIPT_NAME="/below")[0] == 200
    assert ask(app, TRUST, "/healthz", SCRIPT_NAME="/below")[0] == 401


def test_what_was_signed_for_another_host_opens_nothing(app: App, ostiary_identity: SignIdentity) -> None:
    elsewhere = Trust(TRUST.issuer, "shop.example.test")
    assert ask(app, TRUST, "/", ostiary_identity(elsewhere), HTTP_HOST="shop.example.test")[0] == 401


def test_a_guard_inside_is_answered_too(app: App, ostiary_identity: SignIdentity) -> None:
    status, _, body = ask(app, TRUST, "/editor", ostiary_identity(TRUST))
    assert (status, json.loads(body)["code"]) == (403, "forbidden")
    assert ask(app, TRUST, "/editor", ostiary_identity(TRUST, roles=["editor"]))[0] == 200


def test_without_keys_nobody_comes_in(app: App) -> None:
    nowhere = Trust("http://127.0.0.1:1", "wiki.example.test", require=False)
    status, told, _ = ask(app, nowhere, "/", sign_identity(nowhere, SOMEBODY))
    assert (status, told["Retry-After"], app.seen) == (503, "2", [])


@pytest.mark.parametrize("facts", [{"roles": "editor"}, {"permissions": "audit:read"}])
def test_a_text_where_a_list_belongs_is_told(facts: dict[str, str], ostiary_identity: SignIdentity) -> None:
    with pytest.raises(TypeError, match=r'is a list: \w+=\["'):
        ostiary_identity(TRUST, **facts)
