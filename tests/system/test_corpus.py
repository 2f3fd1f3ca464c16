"""Every address with every forgery through every proxy: nothing is served that was not judged, nobody is made up."""

from urllib.parse import urlsplit

import aiohttp
import pytest

from ostiary_shared.database import Sessions
from tests.auth.gate.conftest import add_guest
from tests.conftest import Databases
from tests.system.corpus.forgeries import FORGERIES
from tests.system.corpus.paths import CANONICAL, PATHS
from tests.system.corpus.verdicts import judge
from tests.system.intranet import intranet
from tests.system.proxied import KINDS, Seen
from tests.system.traversals import readings
from tests.system.wirings import COMMANDS

pytestmark = pytest.mark.proxy


def test_there_are_enough_addresses_and_forgeries() -> None:
    assert len(PATHS) >= 200
    assert len({forgery.name for forgery in FORGERIES}) == len(FORGERIES) >= 40
    astray = [
        path for path in PATHS if any(read.startswith("/editor") for read in readings(urlsplit(path).path or path))
    ]
    assert len(astray) >= 130


@pytest.mark.timeout(400)
@pytest.mark.parametrize("kind", KINDS)
async def test_what_is_served_was_judged_and_says_who_it_is_by_the_gate_alone(
    kind: str, database: Databases, admin_sessions: Sessions, sessions: Sessions
) -> None:
    # By both doors of the gate: Traefik asks at the main port, the others at the unix socket.
    async with intranet(kind, database, admin_sessions, fast=kind in COMMANDS) as site, aiohttp.ClientSession() as http:
        bo = await add_guest(sessions, "bo@example.test", "end-user")

        async def gate(seen: Seen, person: bool) -> int:
            told = {
                "X-Forwarded-Method": seen.line.split(" ")[0], "X-Forwarded-Uri": seen.path,
                "X-Forwarded-Host": site.host, "X-Forwarded-Proto": "http", "X-Forwarded-For": "127.0.0.1",
            }  # fmt: skip
            given = {"Cookie": f"ostiary={bo.token}"} if person else {}
            async with http.get(f"{site.public_url}/gate", headers={**told, **given}) as answer:
                return answer.status

        tally = await judge(site, bo, gate)
        print(f"{kind}: {len(PATHS)} addresses x {len(FORGERIES)} forgeries: {tally}")
        assert tally.wrong == [], "\n".join(tally.wrong[:20])
        assert tally.sent == len(PATHS) * len(FORGERIES) >= 8000
        # Not because everything is refused: what is as it should be passes with most of the forgeries, unharmed.
        assert tally.served > len(CANONICAL) * len(FORGERIES) / 4
