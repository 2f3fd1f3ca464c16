"""What arrived of a request is told to the operator's doctor alone."""

from datetime import timedelta

import pytest
from quart import Quart

from ostiary_auth.flows import probe
from ostiary_auth.settings import AuthSettings
from ostiary_auth.tools import probe_key
from ostiary_shared import clock
from ostiary_shared.tokens import Key, derive

PATHS = ("/api/v1/probe", "/.ostiary/probe")


@pytest.fixture
def key(auth_settings: AuthSettings) -> Key:
    return probe_key(auth_settings)


@pytest.mark.parametrize("path", PATHS)
async def test_the_doctor_is_told_what_arrived(path: str, app: Quart, key: Key) -> None:
    headers = {probe.HEADER: probe.mark(key, clock.now()), "Remote_User": "x", "X-Forwarded-Proto": "https"}
    answer = await app.test_client().get(path, headers=headers)
    told = await answer.get_json()
    assert answer.status_code == 200
    assert told["identity"] == ["Remote_User"]
    assert told["forwarded"] == {"X-Forwarded-Proto": "https"}


@pytest.mark.parametrize("path", PATHS)
async def test_for_everybody_else_there_is_nothing(path: str, app: Quart, key: Key) -> None:
    late, early = (clock.now() + step * timedelta(seconds=probe.SECONDS + 5) for step in (-1, 1))
    elsewhere = derive(("another secret of another house",), "probe")
    wrong = [probe.mark(key, late), probe.mark(key, early), probe.mark(elsewhere, clock.now())]
    today = int(clock.now().timestamp())
    wrong += ["", ".", "x.y", f"{today}.", f"{today}.zz", "1" * 500 + ".00"]
    for said in wrong:
        answer = await app.test_client().get(path, headers={probe.HEADER: said})
        assert answer.status_code == 404, said
        assert b"peer" not in await answer.get_data(as_text=False)
