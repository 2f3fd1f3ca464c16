"""The ways to take something away, over HTTP as people and administrators do it."""

import asyncio
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import aiohttp

from ostiary.benchmarks.servers import environment
from ostiary.revocation_check.crowd import PASSWORD, Holding, Person
from ostiary.revocation_check.fleet import Fleet

API, CONSOLE = "/api/v1", "/admin/api/v1"
NEW_PASSWORD = "quite another lantern 43"
PATIENCE = aiohttp.ClientTimeout(total=10)


@dataclass(frozen=True, slots=True)
class Act:
    """One request that takes something away; `console` ones are sent by the administrator."""

    name: str
    method: str
    path: str
    takes: tuple[Holding, ...]
    token: str = ""
    body: dict[str, Any] | None = None

    @property
    def console(self) -> bool:
        """Whether the console is asked."""
        return not self.token


def logout(person: Person) -> Act:
    """They sign out on one device."""
    return Act("logout", "POST", f"{API}/logout", person.holdings[:1], person.tokens[0])


def end_session(person: Person) -> Act:
    """An administrator ends one session."""
    return Act("end session", "DELETE", f"{CONSOLE}/sessions/{person.sessions[1]}", person.holdings[1:2])


def end_all(person: Person) -> Act:
    """An administrator signs them out everywhere."""
    return Act("end all", "DELETE", f"{CONSOLE}/users/{person.id}/sessions", _everything(person))


def end_others(person: Person) -> Act:
    """They sign out everywhere else."""
    return Act("end others", "DELETE", f"{API}/account/sessions", _but_first(person), person.tokens[0])


def password(person: Person) -> Act:
    """They change the password. Their own token lives on for some seconds."""
    body = {"current_password": PASSWORD, "password": NEW_PASSWORD}
    return Act("password", "POST", f"{API}/account/password", _but_first(person), person.tokens[0], body)


def lock(person: Person) -> Act:
    """An administrator locks the account."""
    return Act("lock", "POST", f"{CONSOLE}/users/{person.id}/lock", _everything(person), body={"reason": "a check"})


def delete(person: Person) -> Act:
    """An administrator deletes the account."""
    return Act("delete", "DELETE", f"{CONSOLE}/users/{person.id}?reason=check", _everything(person))


def role(person: Person) -> Act:
    """An administrator takes the role away; the sessions go on."""
    return Act("role", "DELETE", f"{CONSOLE}/grants/{person.grant}?reason=check", (person.entry,))


ACTS: tuple[Callable[[Person], Act], ...] = (logout, end_session, role, end_all, end_others, lock, logout, role, delete)
SLOW = password  # two hashes each: done now and then


async def do(http: aiohttp.ClientSession, fleet: Fleet, act: Act, admin_token: str, turn: int) -> int | None:
    """The milliseconds of the receipt (-1 without one) when it surely happened; None when it may have."""
    served = fleet.admin if act.console and fleet.admin else fleet.auths[turn % len(fleet.auths)]
    headers = {
        "Authorization": f"Bearer {act.token or admin_token}",
        "Accept": "application/json",
        "X-Forwarded-For": f"10.{turn >> 16 & 255}.{turn >> 8 & 255}.{turn & 255}",
    }
    try:
        async with http.request(
            act.method, served.url + act.path, headers=headers, json=act.body, timeout=PATIENCE
        ) as answer:
            body = await answer.json(content_type=None) if answer.status == 200 else {}
            return _receipt(body) if answer.status == 204 or (answer.status == 200 and _done(body)) else None
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
        return None


async def end_everything(fleet: Fleet) -> bool:
    """`./ostiary sessions end-all`; whether it surely happened."""
    words = (sys.executable, "-m", "ostiary", "sessions", "end-all", "--yes", "--json", "--reason", "a check")
    process = await asyncio.create_subprocess_exec(
        *words, env=environment(fleet.auths[0].settings), stdout=asyncio.subprocess.DEVNULL
    )
    return await process.wait() == 0


def _done(body: Any) -> bool:
    return bool(body.get("changed", True)) and bool(body.get("ended", 1))


def _receipt(body: Any) -> int:
    receipt = body.get("receipt")
    return int(receipt["milliseconds"]) if receipt else -1


def _everything(person: Person) -> tuple[Holding, ...]:
    return (*person.holdings, person.entry)


def _but_first(person: Person) -> tuple[Holding, ...]:
    return (*person.holdings[1:], person.entry)
