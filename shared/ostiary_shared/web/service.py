"""What makes an app one of ours: kit, visitors, templates, headers, errors, OpenAPI, health. Apps add their routes."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from quart import Quart
from quart.typing import ResponseReturnValue
from quart_schema import Info, QuartSchema, hide

from ostiary_shared.health import Health
from ostiary_shared.metrics.beat import beating
from ostiary_shared.release import VERSION
from ostiary_shared.settings import Settings
from ostiary_shared.tokens import derive
from ostiary_shared.web import errors, headers
from ostiary_shared.web.door import ANYONE, Unlimited, door, keep_doors
from ostiary_shared.web.hosts import keep_hosts
from ostiary_shared.web.kit import Kit
from ostiary_shared.web.record import record
from ostiary_shared.web.templates import set_templates
from ostiary_shared.web.visitor import carry_visitors, cookie_name

MAX_BODY = 64 * 1024
BODY_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Service:
    """What tells one service from the other: its import name, its place in the URL space, how it knows it is ready."""

    import_name: str
    title: str
    prefix: str
    ready: Callable[[], Awaitable[str]]
    cookie_domain: str = ""


def make_app(service: Service, settings: Settings) -> Quart:
    """A Quart app before its routes; finish it with `open_doors` once they are there."""
    root = Path(__import__(service.import_name).__file__ or "").parent
    app = Quart(service.import_name, static_folder=None, template_folder=str(root / "templates"))
    flash = derive(settings.secrets, "flash")
    app.secret_key = flash.first
    app.config.update(
        SECRET_KEY_FALLBACKS=flash[1:],
        MAX_CONTENT_LENGTH=MAX_BODY,
        BODY_TIMEOUT=BODY_SECONDS,
        PREFER_SECURE_URLS=settings.secure,
        SESSION_COOKIE_NAME=cookie_name(settings, stem="ostiary-notes"),
        SESSION_COOKIE_SECURE=settings.secure,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_PATH="/",
    )
    record(app, settings)
    carry_visitors(app, settings, service.cookie_domain)
    set_templates(app, f"{service.prefix}/assets")
    schema = QuartSchema(
        app,
        openapi_path=f"{service.prefix}/openapi.json",
        swagger_ui_path=None,
        redoc_ui_path=None,
        scalar_ui_path=None,
        info=Info(title=service.title, version=VERSION),
        convert_casing=False,
    )

    @door(ANYONE, Unlimited("a public document"))
    async def openapi() -> ResponseReturnValue:
        return await schema.openapi()

    app.view_functions["openapi"] = openapi
    _answer_health(app, service)
    return app


def open_doors(app: Quart, kit: Kit) -> Quart:
    """Finish an app: hand it its kit, and refuse to start when a route declares nothing."""
    app.extensions["ostiary"] = kit
    keep_hosts(app)
    headers.send_headers(app)
    errors.answer_errors(app)
    keep_doors(app)
    return app


def watch(app: Quart, health: Health, *samplers: Callable[[], object]) -> None:
    """Let an app say how it is, and take figures of what it works with while it serves."""
    app.extensions["ostiary-health"] = health

    @app.while_serving
    async def take_figures() -> AsyncGenerator[None, None]:
        async with beating(*samplers):
            yield


def _answer_health(app: Quart, service: Service) -> None:
    @hide
    @door(ANYONE, Unlimited("asked by the machine's own supervisor"))
    async def healthz() -> tuple[dict[str, str], int]:
        return {"status": "alive"}, 200

    @hide
    @door(ANYONE, Unlimited("asked by the machine's own supervisor"))
    async def readyz() -> tuple[dict[str, str], int]:
        trouble = await service.ready()
        return ({"status": "not ready", "reason": trouble}, 503) if trouble else ({"status": "ready"}, 200)

    app.add_url_rule(f"{service.prefix}/healthz", "healthz", healthz)
    app.add_url_rule(f"{service.prefix}/readyz", "readyz", readyz)
