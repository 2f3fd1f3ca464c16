"""A small app on the HTTP kit, with nothing behind it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from quart import Quart, flash, jsonify
from quart.typing import ResponseReturnValue
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from ostiary_shared.identity import Presented
from ostiary_shared.limit import Limit
from ostiary_shared.permissions import Permission
from ostiary_shared.settings import Settings
from ostiary_shared.web.caller import caller
from ostiary_shared.web.door import ANYONE, SIGNED_IN, Unlimited, door, identity, needs
from ostiary_shared.web.forms import Input, Line, Secret, read_form, read_json, read_query
from ostiary_shared.web.kit import Kit, Refusal
from ostiary_shared.web.service import Service, make_app, open_doors

FREE = Unlimited("a test")


class Signup(Input):
    """A form with a secret in it."""

    email: Line
    password: Secret
    remember: bool = False
    tags: list[Line] = []  # noqa: RUF012 - pydantic copies defaults


@dataclass
class Behind:
    """What the app would otherwise have a database for."""

    presented: Presented = field(default_factory=Presented)
    refusals: list[Refusal] = field(default_factory=list)
    wait: int = 0
    counted: list[str] = field(default_factory=list)

    async def resolve(self, token: str | None) -> Presented:
        """Whatever the test says."""
        return self.presented

    async def deny(self, refusal: Refusal) -> str:
        """Remember it."""
        self.refusals.append(refusal)
        return "CODE-1234"

    async def take(self, key: str, limit: Limit) -> int:
        """Let pass, unless the test says to wait."""
        self.counted.append(key)
        return self.wait


async def _well() -> str:
    return ""


def settings(**changes: str) -> Settings:
    """Settings of the small app."""
    given = {
        "OSTIARY_PUBLIC_URL": "http://localhost",
        "OSTIARY_DATABASE_URL": "postgresql://nobody@/none",
        "OSTIARY_SECRET_KEY": "0123456789abcdefghijklmnopqrstuv",
        "OSTIARY_TRUSTED_PROXIES": "127.0.0.1,10.0.0.0/8",
    }
    return Settings.load({**given, **changes})


def small_app(behind: Behind, chosen: Settings | None = None, ready: Callable[[], Awaitable[str]] = _well) -> Quart:
    """An app with a door of each kind."""
    chosen = chosen or settings()
    app = make_app(Service("ostiary_shared", "Test", "", ready), chosen)
    _add_doors(app)
    _add_readers(app)
    return open_doors(app, Kit(chosen, None, None, behind.resolve, behind.deny, behind.take))  # type: ignore[arg-type]


def _add_doors(app: Quart) -> None:
    @app.get("/open")
    @door(ANYONE, FREE)
    async def open_to_all() -> str:
        return (await caller()).ip or "nowhere"

    @app.post("/act")
    @door(ANYONE, ("act", Limit(1, __import__("datetime").timedelta(seconds=1))))
    async def act() -> str:
        await flash("done", "good")
        return "done"

    @app.get("/mine")
    @door(SIGNED_IN, FREE)
    async def mine() -> ResponseReturnValue:
        return jsonify(identity().to_json())

    @app.get("/api/people")
    @door(needs(Permission.USERS_READ), FREE)
    async def people() -> ResponseReturnValue:
        return jsonify(identity().email)

    @app.get("/crash")
    @door(ANYONE, FREE)
    async def crash() -> str:
        raise ValueError("a secret of ours")

    @app.get("/away")
    @door(ANYONE, FREE)
    async def away() -> str:
        raise PoolTimeoutError


def _add_readers(app: Quart) -> None:
    @app.post("/form")
    @door(ANYONE, FREE)
    async def form() -> ResponseReturnValue:
        sent = await read_form(Signup)
        return jsonify(ok=sent.data is not None, values=sent.values, errors=sent.errors)

    @app.post("/api/json")
    @door(ANYONE, FREE)
    async def body() -> ResponseReturnValue:
        return jsonify((await read_json(Signup)).email)

    @app.get("/api/query")
    @door(ANYONE, FREE)
    async def query() -> ResponseReturnValue:
        return jsonify(read_query(Signup).email)
