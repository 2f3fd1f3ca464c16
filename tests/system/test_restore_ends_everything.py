"""What was taken away since a backup stays taken away when it is restored, at every door and at every moment."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ostiary_shared.database import Sessions
from tests.auth.gate.conftest import HOST, add_site
from tests.make import PASSWORD
from tests.system.conftest import Site, token_in
from tests.system.test_commands import Terminal, terminal

__all__ = ["terminal"]

OTHER = "quiet harbour violin 91"
ADA, BOB = "ada@example.test", "bob@example.test"
AT_GATE = {
    "X-Forwarded-Method": "GET",
    "X-Forwarded-Proto": "http",
    "X-Forwarded-Host": HOST,
    "X-Forwarded-Uri": "/wiki",
}


async def _doors(site: Site, token: str) -> dict[str, int]:
    """What every door says to whoever carries this, in a cookie and in a header."""
    bearer, cookie = {"Authorization": f"Bearer {token}"}, {"Cookie": f"ostiary={token}"}
    asked = {
        "session, header": ("/api/v1/session", bearer),
        "session, cookie": ("/api/v1/session", cookie),
        "gate, cookie": ("/gate", {**AT_GATE, **cookie}),
        "gate for nginx, header": ("/gate/nginx", {**AT_GATE, **bearer}),
    }
    return {name: (await site.ask("GET", path, headers=headers)).status for name, (path, headers) in asked.items()}


async def _token_of(site: Site, token: str) -> str:
    wish = {"name": "ci", "scopes": [], "current_password": PASSWORD}
    bearer = {"Authorization": f"Bearer {token}"}
    made = await site.ask("POST", "/api/v1/account/tokens", json=wish, headers=bearer)
    assert made.status == 201, made.text
    return str(made.json["token"])


@dataclass
class Watch:
    """Somebody who asks all the time with what was taken away, and writes down when it was good again."""

    site: Site
    tokens: tuple[str, ...]
    good: list[str] = field(default_factory=list)
    asked: int = 0

    async def run(self) -> None:
        while True:
            for token in self.tokens:
                seen = await _doors(self.site, token)
                self.asked += len(seen)
                self.good += [door for door, status in seen.items() if status == 200]
            await asyncio.sleep(0.01)


async def test_nothing_that_was_revoked_comes_back_for_a_moment(
    site: Site, terminal: Terminal, admin_sessions: Sessions, tmp_path: Path
) -> None:
    await add_site(admin_sessions)
    ada, bob = await site.person(ADA), await site.person(BOB)
    api_token = await _token_of(site, ada.token)
    assert (await site.ask("POST", "/api/v1/recover", json={"email": BOB})).status == 202
    link = token_in(await site.mail_to(BOB, "/recover"))
    file = str(tmp_path / "kept.backup")
    await asyncio.to_thread(terminal.ok, "backup", file)

    # ada's session, password and API token go; bob stays signed in, and is remembered
    change = {"current_password": PASSWORD, "password": OTHER}
    assert (await site.ask("POST", "/api/v1/account/password", json=change, headers=ada.bearer)).status == 200
    assert (await site.ask("POST", "/api/v1/logout", headers=ada.bearer)).status in {204, 401}
    assert set((await _doors(site, ada.token)).values()) <= {302, 401}
    assert 200 not in (await _doors(site, api_token)).values()
    assert set((await _doors(site, bob.token)).values()) == {200}

    watch = Watch(site, (ada.token, api_token))
    watching = asyncio.create_task(watch.run())
    said = await asyncio.to_thread(terminal.ok, "restore --yes", file)
    before_all_else = [await _doors(site, token) for token in (ada.token, api_token, bob.token)]
    watching.cancel()
    assert watch.asked
    assert watch.good == []
    assert "replica" in said  # that it was told, or has lost its lease
    assert all(status in {302, 401} for seen in before_all_else for status in seen.values()), before_all_else

    reset = await site.ask("POST", "/api/v1/recover/reset", json={"token": link, "password": OTHER})
    assert reset.status == 410
    # the way in is a password, as it was when the backup was taken
    body = {"email": ADA, "password": PASSWORD}
    assert (await site.ask("POST", "/api/v1/login", json=body)).status == 200
    entered = await site.ask("POST", "/api/v1/login", json={**body, "token": True})
    assert set((await _doors(site, entered.json["token"])).values()) == {200}


async def test_mails_of_before_are_not_sent_again(
    site: Site, terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await site.person(BOB)
    with monkeypatch.context() as held:
        held.setattr("ostiary_shared.store.messages.claim", _nothing)
        assert (await site.ask("POST", "/api/v1/recover", json={"email": BOB})).status == 202
        await asyncio.to_thread(terminal.ok, "backup", str(tmp_path / "kept.backup"))
    await site.mail_to(BOB, "/recover")  # sent since
    sent = _to_bob(site)
    said = await asyncio.to_thread(terminal.ok, "restore --yes", str(tmp_path / "kept.backup"))
    assert "Mails dropped unsent: 1." in said
    rows = await asyncio.to_thread(terminal.rows, "SELECT sent_at, dropped_at IS NULL, last_reply FROM messages")
    assert rows == [(None, False, "dropped by a restore: it may have been sent after the backup was taken")]
    await site.person("cleo@example.test")
    assert (await site.ask("POST", "/api/v1/recover", json={"email": "cleo@example.test"})).status == 202
    await site.mail_to("cleo@example.test", "/recover")  # the courier has looked, and works
    assert _to_bob(site) == sent == 1


def _to_bob(site: Site) -> int:
    return sum(BOB in str(mail.to) for mail in site.box.mails)


async def _nothing(*_: object, **__: object) -> list[object]:
    return []


async def test_no_barrier_is_counted_twice(site: Site, terminal: Terminal, tmp_path: Path) -> None:
    """A replica that heard number 9 once would seem to have heard it again, long before it has."""
    person = await site.person(BOB)
    await asyncio.to_thread(terminal.ok, "backup", str(tmp_path / "kept.backup"))
    for _ in range(3):
        await asyncio.to_thread(terminal.ok, "sessions end-all --yes")
    [(before,)] = await asyncio.to_thread(terminal.rows, "SELECT last_value FROM revocations")
    await asyncio.to_thread(terminal.ok, "restore --yes", str(tmp_path / "kept.backup"))
    [(after,)] = await asyncio.to_thread(terminal.rows, "SELECT last_value FROM revocations")
    assert after > before
    assert 200 not in (await _doors(site, person.token)).values()
