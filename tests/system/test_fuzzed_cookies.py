"""Five thousand cookies that nobody was given, at both doors of the gate: never a yes (authentik, CVE-2026-25748)."""

import random
from collections import Counter

import pytest

from ostiary import serving
from ostiary_auth.app import create_app
from ostiary_shared.database import Sessions
from tests.auth.gate.conftest import Guest, add_guest, add_site
from tests.conftest import Databases
from tests.quick import uncounted
from tests.system.corpus.forgeries import IDENTITY
from tests.system.corpus.wire import Reply, Shot, fire
from tests.system.intranet import settings

COUNT = 5000
HOST = "wiki.example.test"
NAMES = (
    "ostiary",
    "__Host-ostiary",
    "__Secure-ostiary",
    "ostiary-site",
    "__Host-ostiary-site",
    "Ostiary",
    "ostiary ",
    "",
)
KINDS = ("os_", "oh_", "osp_", "ot_", "oc_", "OS_", "os", "_", "")
# What may stand in a header's value: all but control characters.
MARKS = [chr(code) for code in (9, *range(32, 127), *range(160, 256))]


def fuzzed(dice: random.Random, token: str) -> str:
    """A `Cookie` or `Authorization` that resembles a real one."""
    value = list(dice.choice(KINDS) + token.partition("_")[2] if dice.random() < 0.5 else token)
    for _ in range(dice.randint(1, 4)):
        place = dice.randrange(len(value))
        match dice.randrange(5):
            case 0:
                value[place] = dice.choice(MARKS)
            case 1:
                del value[place:]
            case 2:
                value.insert(place, dice.choice(MARKS))
            case 3:
                value[place:place] = value[:place]
            case _:
                value.append(dice.choice(("A", "=", '"', "%00", ";", ",", "; ostiary=os_x", "\t")))
        value = value or ["x"]
    told = "".join(value)
    if token in told:  # a whole token in quotation marks or behind a comma may be read as one
        told = told.replace(token, token[:-1])
    if dice.random() < 0.2:
        return f"Authorization: {dice.choice(('Bearer ', 'bearer', 'Basic ', '', 'Bearer  '))}{told}"
    return f"Cookie: {dice.choice(('', 'a=1; ', ';;', 'ostiary=; '))}{dice.choice(NAMES)}={told}"


async def _answers(port: int, door: str, guest: Guest) -> list[Reply]:
    dice = random.Random(3)
    head = f"GET {door} HTTP/1.1\r\nHost: {HOST}\r\nX-Forwarded-Method: GET\r\nX-Forwarded-Proto: http\r\n"
    head += f"X-Forwarded-Host: {HOST}\r\nX-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Uri: /%s\r\n"
    shots = [
        Shot(
            f"{head % dice.choice(('wiki', 'wiki', 'editor/x', 'public'))}{fuzzed(dice, guest.token)}\r\n\r\n".encode(
                "latin-1"
            )
        )
        for _ in range(COUNT)
    ]
    replies = [Reply()] * COUNT
    with uncounted():
        await fire(port, shots, replies.__setitem__)
    # Only what is open to everybody is open, and then to nobody in particular.
    for shot, reply in zip(shots, replies, strict=True):
        assert reply.status in ({200} if b"Uri: /public" in shot.raw else {401, 403}), (shot, reply)
        if reply.status == 200:
            assert all(f"\r\n{name.lower()}:".encode() in reply.headers for name in IDENTITY), reply
            assert b"\r\nremote-user: \r\n" in reply.headers or b"\r\nremote-user:\r\n" in reply.headers, (shot, reply)
    return replies


@pytest.mark.timeout(300)
@pytest.mark.parametrize("door", ["/gate", "/gate/nginx"])
async def test_no_cookie_that_was_made_up_is_somebodys(
    door: str, database: Databases, admin_sessions: Sessions, sessions: Sessions
) -> None:
    site, quick = serving.bind(0, "a port"), serving.bind(0, "a port")
    port = site.getsockname()[1]
    app = create_app(settings(database, port), quick)
    async with serving.lifespan(app), serving.serving(serving.Site(app, site)):
        await add_site(admin_sessions, HOST)
        bo = await add_guest(sessions, "bo@example.test", "end-user")
        for where in (port, quick.getsockname()[1]):
            counts = Counter(reply.status for reply in await _answers(where, door, bo))
            print(f"{door}: {COUNT} cookies: {dict(counts)}")
            assert counts[401] > COUNT / 2
