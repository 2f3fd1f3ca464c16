"""Whatever the state of people, sessions and rules: the quick doors answer with the bytes of the app."""

import random
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_network
from typing import Any

import pytest
from sqlalchemy import update

from ostiary_auth.fast.ask import Ask, Headers
from ostiary_auth.settings import AuthSettings
from ostiary_auth.tools import AuthTools
from ostiary_shared import clock, tokens
from ostiary_shared.database import Sessions, make_engine, make_sessions
from ostiary_shared.models import ApiToken, Session, Site, SiteRule, SiteSession, User
from ostiary_shared.store import roles, sites, users
from ostiary_shared.store import sessions as session_rows
from ostiary_shared.store.sessions import Lifetime, Start
from tests.auth.fast.doors import PROXY, STRANGER, Doors, comparable, opened
from tests.conftest import Databases

HOSTS = ("app.example.test", "wiki.other.test", "deep.wild.test", "nowhere.test", "APP.example.test", "bad_host..test")
PATHS = (
    "/",
    "/open/x",
    "/edit/a?b=c",
    "/both",
    "/perm",
    "/strong",
    "/fresh",
    "/inside",
    "/closed",
    "/a/../edit",
    "/%2e",
)
ROLES = ("editor", "author", "auditor")
NAMES = ("Ada", "Bo Böhm", "", "  Spaced  ", "日本", 'Quo"te\\', "a,b", "x" * 100)


@dataclass
class World:
    """Credentials of every kind, alive and not."""

    tokens: list[str]
    site_tokens: list[str]
    programs: list[str]


async def make_sites(admin: Sessions) -> None:
    rules = [
        SiteRule(path_prefix="/open", asks="anyone"),
        SiteRule(path_prefix="/edit", asks="role", value="editor"),
        SiteRule(path_prefix="/both", asks="all_roles", roles=["editor", "author"]),
        SiteRule(path_prefix="/perm", asks="permission", value="users:read"),
        SiteRule(path_prefix="/strong", asks="signed_in", assurance=2),
        SiteRule(path_prefix="/fresh", asks="signed_in", fresh_minutes=10),
        SiteRule(path_prefix="/inside", asks="anyone", networks=[ip_network("10.0.0.0/8")]),
        SiteRule(path_prefix="/inside", asks="any_role", roles=["editor", "author"]),
        SiteRule(path_prefix="/", match="exact", asks="signed_in", methods=["GET"]),
    ]
    async with admin.begin() as session:
        for host in ("app.example.test", "wiki.other.test", "*.wild.test"):
            site = Site(name=host, host=host)
            session.add(site)
            await session.flush()
            copies = [
                SiteRule(
                    path_prefix=rule.path_prefix, match=rule.match or "prefix", methods=rule.methods or [],
                    networks=rule.networks or [], asks=rule.asks, value=rule.value or "", roles=rule.roles or [],
                    assurance=rule.assurance or 1, fresh_minutes=rule.fresh_minutes,
                )
                for rule in rules
            ]  # fmt: skip
            await sites.replace_rules(session, site.id, copies)


async def make_world(opened_: Sessions, tools: AuthTools, dice: random.Random) -> World:
    world = World([], [], [])
    now = clock.now()
    async with opened_.begin() as session:
        for name in ROLES:
            if await roles.find(session, name) is None:
                await roles.add(session, name, "", frozenset({"users:read"}) if name == "auditor" else frozenset())
        for number in range(30):
            user = await users.add(
                session, f"p{number}@example.test", dice.choice(NAMES), dice.choice([now, now, None])
            )
            assert user is not None
            for name in dice.sample(ROLES, dice.randint(0, 3)):
                role = await roles.find(session, name)
                assert role is not None
                until = dice.choice([None, None, now + timedelta(hours=1), now - timedelta(hours=1)])
                await roles.grant(session, roles.Grant(user.id, role.id, "t", None, until), now - timedelta(hours=2))
            token = tokens.mint("os", tools.session_key)
            row = await session_rows.start(
                session,
                Start(
                    user.id,
                    token.digest,
                    ("password",),
                    dice.choice([1, 2]),
                    Lifetime(timedelta(hours=9), timedelta(hours=1)),
                    None,
                    "t",
                ),
                now,
            )
            world.tokens.append(token.value)
            site_token = tokens.mint("oh", tools.site_key)
            session.add(SiteSession(session_id=row.id, host="wiki.other.test", token_digest=site_token.digest))
            world.site_tokens.append(site_token.value)
            program = tokens.mint("osp", tools.personal_key)
            scopes = dice.sample(["role:editor", "role:auditor", "users:read"], dice.randint(0, 3))
            gone = dice.choice([None, None, now])
            session.add(
                ApiToken(
                    user_id=user.id,
                    name="t",
                    token_digest=program.digest,
                    scopes=scopes,
                    expires_at=now + timedelta(days=dice.choice([1, -1])),
                    revoked_at=gone,
                    created_at=now - timedelta(days=dice.choice([0, 3])),
                )
            )
            world.programs.append(program.value)
            changes: dict[str, Any] = dice.choice([
                *[{}] * 8, {"ended_at": now, "ended_reason": "t"}, {"expires_at": now - timedelta(1)},
                {"last_seen_at": now - timedelta(hours=2)}, {"authenticated_at": now - timedelta(hours=3)},
            ])  # fmt: skip
            if changes:
                await session.execute(update(Session).where(Session.id == row.id).values(**changes))
            if dice.random() < 0.1:
                values: dict[str, Any] = dice.choice([{"locked_at": now}, {"deleted_at": now}])
                await session.execute(update(User).where(User.id == user.id).values(**values))
            if dice.random() < 0.2:
                newer = tokens.mint("os", tools.session_key)
                await session_rows.rotate(session, row.id, newer.digest, now - timedelta(seconds=dice.choice([1, 300])))
                world.tokens.append(newer.value)
    return world


def random_ask(dice: random.Random, world: World) -> tuple[bytes, Headers]:
    door = dice.choice([b"/gate", b"/gate", b"/gate/nginx", b"/api/v1/session"])
    headers: Headers = [(b"host", b"login.example.test")]
    value = dice.choice([
        *dice.sample(world.tokens, 2), dice.choice(world.programs), dice.choice(world.site_tokens),
        "os_" + "x" * 55, "garbage", "", dice.choice(world.tokens)[:-1] + "x",
    ])  # fmt: skip
    match dice.choice(["cookie", "cookie", "bearer", "site", "two", "none"]):
        case "cookie":
            headers.append((b"cookie", f"theme=dark; ostiary={value}".encode()))
        case "bearer":
            headers.append((b"authorization", f"Bearer {value}".encode()))
        case "site":
            headers.append((b"cookie", f"ostiary-site={value}".encode()))
        case "two":
            headers.append((b"cookie", f"ostiary={value}; ostiary={dice.choice(world.tokens)}".encode()))
    if door != b"/api/v1/session" or dice.random() < 0.1:
        headers += [
            (b"x-forwarded-method", dice.choice([b"GET", b"GET", b"POST", b"HEAD", b"get"])),
            (b"x-forwarded-proto", dice.choice([b"https", b"http", b"wss"])),
            (b"x-forwarded-host", dice.choice(HOSTS).encode()),
            (b"x-forwarded-uri", dice.choice(PATHS).encode()),
        ]
        if dice.random() < 0.05:
            headers.append((b"x-forwarded-uri", b"/open"))
        if dice.random() < 0.5:
            headers.append((b"x-forwarded-for", dice.choice([b"10.1.2.3", b"198.51.100.7", b"nonsense"])))
    if dice.random() < 0.5:
        headers.append((b"sec-fetch-mode", dice.choice([b"navigate", b"cors", b"websocket"])))
    if dice.random() < 0.3:
        headers.append((b"accept", dice.choice([b"text/html", b"application/json"])))
    return door, headers


@pytest.fixture
async def owner_sessions(database: Databases) -> AsyncIterator[Sessions]:
    """Sessions that may put people into any state."""
    engine = make_engine(database.owner, "test")
    yield make_sessions(engine)
    await engine.dispose()


@pytest.fixture(params=range(2))
def dice(request: pytest.FixtureRequest) -> random.Random:
    return random.Random(request.param)


async def same(doors: Doors, path: bytes, headers: Headers, peer: str) -> int:
    """Assert that all doors say the same, when asked first and when asked again; the status."""
    expected = comparable(await doors.by_app(path, headers, peer))
    for _ in range(2):
        assert comparable(await doors.by_quick_door(path, headers, peer)) == expected, (path, headers, peer)
        if peer == PROXY:
            assert comparable(await doors.by_listener(path, headers)) == expected, (path, headers)
    return expected[0]


async def test_all_doors_answer_alike_in_any_state(
    owner_sessions: Sessions,
    admin_sessions: Sessions,
    tools: AuthTools,
    auth_settings: AuthSettings,
    dice: random.Random,
) -> None:
    await make_sites(admin_sessions)
    world = await make_world(owner_sessions, tools, dice)
    settings = auth_settings.model_copy(update={"trusted_proxies": (ip_network("127.0.0.1/32"),)})
    seen: dict[int, int] = {}
    at_once = 0
    async with opened(settings) as doors:
        for _ in range(300):
            path, headers = random_ask(dice, world)
            peer = dice.choice([PROXY] * 9 + [STRANGER])
            status = await same(doors, path, headers, peer)
            seen[status] = seen.get(status, 0) + 1
            ask = Ask(path, headers, trusted=peer == PROXY, peer=peer)
            at_once += status == 200 and doors.door._keeper.at_once(ask, time.monotonic()) is not None
        assert doors.door._keeper.memory.lease_until > time.monotonic()
    assert {200, 401, 403} <= seen.keys(), seen
    # Not those whose name fits no header, and what only the app can read.
    assert at_once >= seen[200] / 2 >= 5, (at_once, seen)
