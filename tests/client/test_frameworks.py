"""`protect` and the guards in Flask, Quart, FastAPI and Django as their users write them, with their own test tools."""

import json
import logging
from collections.abc import Awaitable, Callable, Iterator
from contextvars import copy_context
from types import ModuleType
from typing import Annotated, Any

import django
import pytest
from django.conf import settings
from fastapi import Depends, FastAPI, WebSocket
from fastapi.responses import HTMLResponse
from flask import Blueprint, Flask
from flask.views import MethodView
from quart import Quart, websocket
from starlette.applications import Starlette

from ostiary_client import (
    AsgiMiddleware,
    Identity,
    Refusal,
    Trust,
    current_identity,
    has_role,
    may,
    protect,
    signed_in,
)
from ostiary_client.testing import SignIdentity

TRUST = Trust("http://login.example.test", "wiki.example.test", require=False)
WSGI_BASE = {"SERVER_NAME": "wiki.example.test", "SERVER_PORT": "80"}

# Method, path, headers → status, headers, body.
Ask = Callable[[str, dict[str, str]], Awaitable[tuple[int, str, bytes]]]


def flask() -> Ask:
    app = Flask("behind")
    protect(app, TRUST)
    inner = Blueprint("inner", __name__)

    class Page(MethodView):
        decorators = [may("wiki:edit")]  # noqa: RUF012 - Flask's own word

        def get(self) -> str:
            return "in"

    @inner.get("/me")
    @signed_in
    def me() -> str:
        who = current_identity()
        return who.name if who else ""

    @inner.get("/editor")
    @has_role("editor")
    def editor() -> str:
        return "in"

    inner.add_url_rule("/page", view_func=Page.as_view("page"))
    app.register_blueprint(inner)

    async def ask(path: str, headers: dict[str, str]) -> tuple[int, str, bytes]:
        answer = app.test_client().get(path, headers=headers)
        return answer.status_code, answer.headers["Content-Type"], answer.data

    return ask


def quart() -> Ask:
    app = Quart("behind")
    protect(app, TRUST)

    @app.get("/me")
    @signed_in
    async def me() -> str:
        who = current_identity()
        return who.name if who else ""

    @app.get("/editor")
    @has_role("editor")
    def editor() -> str:  # Quart runs it in a thread
        return "in"

    @app.get("/page")
    @may("wiki:edit")
    async def page() -> str:
        return "in"

    async def ask(path: str, headers: dict[str, str]) -> tuple[int, str, bytes]:
        answer = await app.test_client().get(path, headers=headers)
        return answer.status_code, answer.headers["Content-Type"], await answer.get_data(as_text=False)

    return ask


def fastapi() -> Ask:
    app = FastAPI()
    protect(app, TRUST)

    @app.get("/me")
    async def me(who: Annotated[Identity, Depends(signed_in)]) -> str:
        return who.name

    @app.get("/editor")
    @has_role("editor")
    def editor(page: int = 1) -> str:  # FastAPI runs it in a thread
        return f"in {page}"

    @app.get("/page", dependencies=[Depends(may("wiki:edit"))])
    async def page() -> str:
        return "in"

    return by_protocol(app)


def by_protocol(app: Any) -> Ask:
    """Starlette's own test client wants one more library; the protocol does as well."""

    async def ask(path: str, headers: dict[str, str]) -> tuple[int, str, bytes]:
        sent: list[dict[str, Any]] = []

        async def send(message: Any) -> None:
            sent.append(message)

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"", "more_body": False}

        told = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
            "path": path, "raw_path": path.encode(), "query_string": b"", "root_path": "", "headers": told,
            "server": ("wiki.example.test", 80), "client": ("192.0.2.7", 1), "state": {},
        }  # fmt: skip
        await app(scope, receive, send)
        body = b"".join(message.get("body", b"") for message in sent)
        return sent[0]["status"], dict(sent[0]["headers"])[b"content-type"].decode(), body

    return ask


def django_views() -> ModuleType:
    from django.http import HttpRequest, HttpResponse
    from django.urls import path
    from django.views import View

    @signed_in
    def me(request: HttpRequest) -> HttpResponse:
        return HttpResponse(request.ostiary.name)

    @has_role("editor")
    async def editor(_: HttpRequest) -> HttpResponse:
        return HttpResponse("in")

    class Page(View):  # type: ignore[misc]
        def get(self, _: HttpRequest) -> HttpResponse:
            assert "Remote-User" in _.headers
            return HttpResponse("in")

    urls = ModuleType("behind_urls")
    urls.__dict__["urlpatterns"] = [
        path("me", me),
        path("editor", editor),
        path("page", may("wiki:edit")(Page.as_view())),
    ]
    return urls


@pytest.fixture(scope="module")
def django_settings() -> Iterator[None]:
    import sys

    sys.modules["behind_urls"] = django_views()
    settings.configure(
        ALLOWED_HOSTS=["*"],
        MIDDLEWARE=["ostiary_client.django.DjangoMiddleware"],
        OSTIARY=TRUST,
        ROOT_URLCONF="behind_urls",
        LOGGING_CONFIG=None,
    )
    django.setup(set_prefix=False)
    yield
    del sys.modules["behind_urls"]


def django_wsgi() -> Ask:
    from django.test import Client

    async def ask(path: str, headers: dict[str, str]) -> tuple[int, str, bytes]:
        import asyncio

        answer = await asyncio.to_thread(lambda: Client().get(path, headers=headers))
        return answer.status_code, answer.headers["Content-Type"], answer.content

    return ask


def django_asgi() -> Ask:
    from django.test import AsyncClient

    async def ask(path: str, headers: dict[str, str]) -> tuple[int, str, bytes]:
        answer = await AsyncClient().get(path, headers=headers)
        return answer.status_code, answer.headers["Content-Type"], answer.content

    return ask


@pytest.fixture(params=[flask, quart, fastapi, django_wsgi, django_asgi], ids=lambda make: make.__name__)
def ask(request: pytest.FixtureRequest, django_settings: None) -> Ask:
    made: Ask = request.param()
    return made


async def test_whoever_may_comes_in(ask: Ask, ostiary_identity: SignIdentity) -> None:
    ed = ostiary_identity(TRUST, name="Ed Ödön", roles=["editor"], permissions=["wiki:edit"])
    for path, said in (("/me", "Ed Ödön"), ("/editor", "in"), ("/page", "in")):
        status, _, body = await ask(path, {**ed, "Remote-User": "root", "Remote_Name": "root"})
        assert status == 200, (path, body)
        assert said in body.decode(), path
    assert current_identity() is None


@pytest.mark.parametrize("path", ["/me", "/editor", "/page"])
async def test_a_stranger_is_told_so(
    ask: Ask, path: str, ostiary_identity: SignIdentity, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        status, kind, body = await ask(path, {"Remote-User": "root", "Remote-Groups": "editor"})
    assert (status, kind) == (401, "application/problem+json")
    assert json.loads(body)["code"] == "unauthenticated"
    assert caplog.records == []  # a refusal is no crash


@pytest.mark.parametrize("path", ["/editor", "/page"])
async def test_somebody_without_the_right_is_refused(ask: Ask, path: str, ostiary_identity: SignIdentity) -> None:
    status, kind, body = await ask(path, ostiary_identity(TRUST, roles=["writer"], permissions=["wiki:read"]))
    assert (status, kind) == (403, "application/problem+json")
    assert json.loads(body)["code"] == "forbidden"


async def test_by_default_a_stranger_does_not_get_as_far_as_the_app(
    django_settings: None, ostiary_identity: SignIdentity, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = Trust("http://login.example.test", "wiki.example.test")
    monkeypatch.setattr(settings, "OSTIARY", closed)
    monkeypatch.setitem(globals(), "TRUST", closed)
    for make in (flask, quart, fastapi, django_wsgi, django_asgi):
        assert (await make()("/nowhere", {}))[0] == 401, make
        assert (await make()("/nowhere", ostiary_identity(closed)))[0] == 404, make


async def test_django_says_what_its_settings_lack(django_settings: None, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.core.exceptions import ImproperlyConfigured

    from ostiary_client.django import DjangoMiddleware

    monkeypatch.setattr(settings, "OSTIARY", "http://login.example.test")
    with pytest.raises(ImproperlyConfigured, match=r"write OSTIARY = Trust"):
        DjangoMiddleware(lambda _: None)


async def test_django_forgets_headers_that_were_read_before(django_settings: None) -> None:
    from django.http import HttpRequest, HttpResponse
    from django.test import RequestFactory

    from ostiary_client.django import DjangoMiddleware

    request = RequestFactory().get("/", headers={"Remote-User": "root", "Accept": "*/*"})
    assert request.headers["Remote-User"] == "root"

    def view(asked: HttpRequest) -> HttpResponse:
        return HttpResponse(",".join(asked.headers))

    assert b"Remote-User" not in DjangoMiddleware(view)(request).content


async def test_a_starlette_app_is_protected_like_fastapi(ostiary_identity: SignIdentity) -> None:
    app = Starlette()
    protect(app, Trust("http://login.example.test", "wiki.example.test"))
    assert (await by_protocol(app)("/", {}))[0] == 401


async def test_an_app_of_no_known_shape_is_not_taken_for_protected() -> None:
    with pytest.raises(TypeError, match="AsgiMiddleware"):
        protect(object(), TRUST)


async def test_quart_refuses_a_websocket_by_role(ostiary_identity: SignIdentity) -> None:
    app = Quart("behind")

    @app.websocket("/live")
    @has_role("editor")
    async def live() -> None:
        await websocket.send("in")

    protect(app, TRUST)
    async with app.test_client().websocket("/live", headers=ostiary_identity(TRUST, roles=["editor"])) as line:
        assert await line.receive() == "in"
    from quart.testing.connections import WebsocketResponseError

    for headers, status in ((ostiary_identity(TRUST), 403), ({}, 401)):
        with pytest.raises(WebsocketResponseError) as caught:
            async with app.test_client().websocket("/live", headers=headers) as line:
                await line.receive()
        assert caught.value.response.status_code == status


async def test_fastapi_refuses_a_websocket_by_role(ostiary_identity: SignIdentity) -> None:
    app = FastAPI()

    @app.websocket("/live")
    async def live(line: WebSocket, who: Annotated[Identity, Depends(has_role("editor"))]) -> None:
        await line.accept()

    protect(app, TRUST)
    for roles, answer in ((["editor"], "websocket.accept"), ([], "websocket.close")):
        sent: list[Any] = []

        async def send(message: Any, sent: list[Any] = sent) -> None:
            sent.append(message)

        async def receive() -> dict[str, Any]:
            return {"type": "websocket.connect"}

        told = [(name.lower().encode(), value.encode()) for name, value in ostiary_identity(TRUST, roles=roles).items()]
        scope = {"type": "websocket", "path": "/live", "headers": told, "query_string": b"", "root_path": ""}
        await app(scope, receive, send)
        assert sent[0]["type"] == answer


async def test_requests_side_by_side_do_not_mix(ostiary_identity: SignIdentity) -> None:
    import asyncio

    names = [f"p{number}" for number in range(20)]
    for make in (quart, fastapi):
        ask = make()
        answers = await asyncio.gather(*(ask("/me", ostiary_identity(TRUST, name=name)) for name in names))
        assert [body.decode().strip('"') for _, _, body in answers] == names


def test_a_thread_forgets_who_it_served(ostiary_identity: SignIdentity) -> None:
    """Flask's development server and others serve one request after another in a thread."""
    app = Flask("behind")

    @app.get("/")
    def front() -> str:
        who = current_identity()
        return who.name if who else "nobody"

    protect(app, TRUST)

    def serve() -> None:
        client = app.test_client()
        assert client.get("/", headers=ostiary_identity(TRUST, name="Bö")).text == "Bö"
        assert current_identity() is None
        assert client.get("/").text == "nobody"

    copy_context().run(serve)


async def test_a_bare_middleware_leaves_refusals_to_the_app_that_catches_them(ostiary_identity: SignIdentity) -> None:
    """Where `protect` is not used, Quart needs a handler; without one a refusal is a 500, never an open door."""
    app = Quart("behind")

    @app.get("/")
    @signed_in
    async def front() -> str:
        return "in"

    app.asgi_app = AsgiMiddleware(app.asgi_app, TRUST)  # type: ignore[method-assign,assignment]
    assert (await app.test_client().get("/")).status_code == 500
    app.register_error_handler(Refusal, lambda refusal: (refusal.body, refusal.status, refusal.headers))
    assert (await app.test_client().get("/")).status_code == 401


async def test_an_app_may_answer_a_refusal_with_a_page_of_its_own() -> None:
    in_flask, in_fastapi = Flask("behind"), FastAPI()
    protect(in_flask, TRUST)
    protect(in_fastapi, TRUST)
    in_flask.register_error_handler(Refusal, lambda refusal: (f"<h1>{refusal}</h1>", refusal.status))
    in_flask.add_url_rule("/me", view_func=signed_in(lambda: "in"))

    @in_fastapi.exception_handler(Refusal)
    async def page(_request: object, refusal: Refusal) -> HTMLResponse:
        return HTMLResponse(f"<h1>{refusal}</h1>", refusal.status)

    in_fastapi.get("/me", dependencies=[Depends(signed_in)])(lambda: "in")
    answer = in_flask.test_client().get("/me")
    assert (answer.status_code, answer.data) == (401, b"<h1>Sign in first.</h1>")
    status, _, body = await by_protocol(in_fastapi)("/me", {})
    assert (status, body) == (401, b"<h1>Sign in first.</h1>")
