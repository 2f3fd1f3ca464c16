"""Replicas of both services as processes of their own, of any release, behind nginx; and people who use them."""

import asyncio
import contextlib
import os
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from tests.conftest import Databases
from tests.system.proxied import free_port
from tests.system.released import Sample

START_SECONDS = 60
STOP_SECONDS = 30
PAUSE = 0.01  # between two requests of one person
WORDS = {name: value for name, value in os.environ.items() if not name.startswith(("OSTIARY_", "COV_", "COVERAGE_"))}
NGINX = """
error_log {place}/error.log warn; pid {place}/pid; worker_processes 1;
events {{}}
http {{
    access_log off; client_body_temp_path {place}/b; proxy_temp_path {place}/p; fastcgi_temp_path {place}/f;
    uwsgi_temp_path {place}/u; scgi_temp_path {place}/s;
    upstream auth {{ {auth} keepalive 16; }}
    upstream gate {{ {gate} keepalive 16; }}
    upstream admin {{ {admin} keepalive 8; }}
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_set_header Host $http_host;
    proxy_set_header X-Forwarded-For $http_x_visitor;
    proxy_set_header X-Forwarded-Proto http;
    proxy_set_header X-Forwarded-Host $http_x_site;
    proxy_set_header X-Forwarded-Uri /;
    proxy_set_header X-Forwarded-Method GET;
    server {{
        listen 127.0.0.1:{port};
        location = /gate/nginx {{ proxy_pass http://gate; proxy_next_upstream error timeout http_503; }}
        location /admin {{ proxy_pass http://admin; }}
        location / {{ proxy_pass http://auth; }}
    }}
}}
"""


@dataclass(frozen=True)
class Place:
    """Where a replica may run: nginx knows all places from the beginning, whether anybody is there or not."""

    service: str
    port: int
    gate: int = 0


@dataclass
class Replica:
    """A running one."""

    place: Place
    process: asyncio.subprocess.Process

    async def stop(self) -> None:
        """As a supervisor does: SIGTERM, and wait."""
        self.process.terminate()
        assert await asyncio.wait_for(self.process.wait(), STOP_SECONDS) == 0


@dataclass
class House:
    """The replicas, nginx before them, and what they are told."""

    folder: Path
    database: Databases
    sample: Sample
    http: aiohttp.ClientSession
    port: int = field(default_factory=free_port)
    auth: list[Place] = field(default_factory=lambda: [Place("auth", free_port(), free_port()) for _ in range(3)])
    admin: list[Place] = field(default_factory=lambda: [Place("admin", free_port()) for _ in range(2)])
    running: list[Replica] = field(default_factory=list)

    async def start(self, place: Place, code: dict[str, str], version: str) -> Replica:
        """Start a replica and wait until it is ready; it must be what was asked for."""
        words = ["serve", place.service, "--port", str(place.port)]
        environment = {**WORDS, **self._told(place), **code}
        command = [sys.executable, "-P", "-m", "ostiary", *words]
        with (self.folder / f"{place.service}-{place.port}.log").open("ab") as log:
            process = await asyncio.create_subprocess_exec(*command, env=environment, stdout=log)
        replica = Replica(place, process)
        self.running.append(replica)
        prefix = f"http://127.0.0.1:{place.port}{'/admin' if place.service == 'admin' else ''}"
        await self.ready(prefix, process)
        async with self.http.get(f"{prefix}/openapi.json") as answer:
            assert (await answer.json())["info"]["version"] == version
        return replica

    async def end_all(self) -> None:
        """End every replica that was started."""
        for replica in self.running:
            with contextlib.suppress(ProcessLookupError):
                replica.process.terminate()
            await replica.process.wait()

    async def ready(self, prefix: str, process: asyncio.subprocess.Process) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and process.returncode is None:
            with contextlib.suppress(aiohttp.ClientError):
                async with self.http.get(f"{prefix}/readyz") as answer:
                    if answer.status == 200:
                        return
            await asyncio.sleep(0.1)
        raise AssertionError(f"{prefix} did not become ready")

    async def roll(self, old: Replica, to: Place, code: dict[str, str], version: str) -> Replica:
        """One replica after the other: the new one first, then the old one's end."""
        new = await self.start(to, code, version)
        await self.end(old)
        return new

    async def end(self, replica: Replica) -> None:
        await replica.stop()
        self.running.remove(replica)

    def _told(self, place: Place) -> dict[str, str]:
        url = f"http://localhost:{self.port}"
        common = {"OSTIARY_PUBLIC_URL": url, "OSTIARY_TRUSTED_PROXIES": "127.0.0.1"}
        if place.service == "admin":
            return {
                **common,
                "OSTIARY_DATABASE_URL": self.database.admin,
                "OSTIARY_SECRET_KEY": self.sample.admin_key,
                "OSTIARY_AUTH_URL": url.replace("localhost", "127.0.0.1"),
            }
        return {
            **common,
            "OSTIARY_DATABASE_URL": self.database.auth,
            "OSTIARY_SECRET_KEY": self.sample.auth_key,
            "OSTIARY_SMTP_URL": "smtp://127.0.0.1:1",
            "OSTIARY_MAIL_FROM": "Ostiary <door@example.test>",
            "OSTIARY_GATE_LISTEN": f"127.0.0.1:{place.gate}",
        }


@contextlib.asynccontextmanager
async def nginx(house: House) -> AsyncIterator[None]:
    """Debian's nginx before all places."""

    def servers(ports: list[int]) -> str:
        return " ".join(f"server 127.0.0.1:{port} max_fails=0;" for port in ports)

    written = NGINX.format(
        place=house.folder,
        port=house.port,
        auth=servers([place.port for place in house.auth]),
        gate=servers([place.gate for place in house.auth]),
        admin=servers([place.port for place in house.admin]),
    )
    (house.folder / "nginx.conf").write_text(written)
    command = ["nginx", "-c", str(house.folder / "nginx.conf"), "-e", str(house.folder / "error.log")]
    process = await asyncio.create_subprocess_exec(*command, "-g", "daemon off;")
    try:
        yield
    finally:
        process.terminate()
        await process.wait()


@dataclass
class Crowd:
    """People who ask all the time, and what went wrong for them."""

    house: House
    asked: dict[str, int] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)
    enough: asyncio.Event = field(default_factory=asyncio.Event)
    moments: list[str] = field(default_factory=list)
    during: str = ""
    entering: int = 0
    no_entry: bool = False

    @property
    def count(self) -> int:
        return sum(self.asked.values())

    async def until(self, count: int) -> None:
        while self.count < count and not self.enough.is_set():  # noqa: ASYNC110 - a count that grows
            await asyncio.sleep(0.05)

    @contextlib.asynccontextmanager
    async def nobody_signs_in(self) -> AsyncIterator[None]:
        """All who do are done, and nobody begins, while the block runs."""
        self.no_entry = True
        while self.entering:  # noqa: ASYNC110 - a count that falls
            await asyncio.sleep(0.02)
        yield
        self.no_entry = False

    async def person(self, number: int) -> None:
        """One of them: their own address and session, a page of the console now and then."""
        people = list(self.house.sample.tokens.items())
        email, token = people[number % len(people)]
        turn = number
        async with aiohttp.ClientSession(f"http://127.0.0.1:{self.house.port}") as http:
            while not self.enough.is_set():
                turn += 1
                await asyncio.sleep(PAUSE)
                visitor = {"X-Visitor": f"192.0.2.{turn % 250}", "Host": f"localhost:{self.house.port}"}
                known = {**visitor, "Cookie": f"ostiary={token}"}
                if turn % 200 == 0 and not self.no_entry:
                    body = {"email": email, "password": self.house.sample.password, "token": True}
                    self.entering += 1
                    entered = await self.ask(http.post("/api/v1/login", json=body, headers=visitor), "sign-in")
                    self.entering -= 1
                    token = entered["token"] if entered else token
                elif turn % 100 == 0:
                    body = {"email": f"nobody-{turn}@example.test"}
                    await self.ask(http.post("/api/v1/recover", json=body, headers=visitor), "recover", 202)
                elif turn % 20 == 0 and number % len(people) == 0:  # the first of them administers
                    await self.console(http, known)
                elif turn % 3 == 0:
                    await self.ask(http.get("/api/v1/session", headers=known), "session")
                else:
                    site = {**known, "X-Site": "localhost:9001"}
                    await self.ask(http.get("/gate/nginx", headers=site), "gate")

    async def console(self, http: aiohttp.ClientSession, known: dict[str, str]) -> None:
        """A page of it. It gives auth 1.5 s to say who asks, else asks for a moment: on a busy machine."""
        before = len(self.failed)
        await self.ask(http.get("/admin/users", headers=known), "console")
        if len(self.failed) > before and "console: 503" in self.failed[-1] and "One moment" in self.failed[-1]:
            self.moments.append(self.failed.pop())
            await asyncio.sleep(1)
            await self.ask(http.get("/admin/users", headers=known), "console")

    async def ask(self, asking: Any, what: str, status: int = 200) -> Any:
        self.asked[what] = self.asked.get(what, 0) + 1
        try:
            async with asking as answer:
                text = await answer.read()
                if answer.status != status:
                    self.failed.append(f"{self.during}: {what}: {answer.status} {text[:2000]!r}")
                    return None
                return await answer.json() if "json" in answer.content_type else text
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            self.failed.append(f"{self.during}: {what}: {error!r}")
            return None
