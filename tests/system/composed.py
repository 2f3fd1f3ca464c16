"""docker-compose.yml for the tests: a project of its own on free ports, and a browser that trusts its CA alone."""

import contextlib
import functools
import http.client
import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

ROOT = Path(__file__).resolve().parents[2]
BASES = ("python:3.13-slim", "postgres:18", "caddy:2")
PASSWORD = "seven otters under one lantern"


@functools.cache
def missing() -> str:
    """Why nothing can be composed here; empty if it can."""
    if "containers" not in os.environ.get("OSTIARY_REQUIRE", ""):
        return "builds images and runs them for minutes; OSTIARY_REQUIRE=containers asks for it"
    if not shutil.which("docker"):
        return "no docker here"
    if _said("docker", "info", "--format", "ok") is None:
        return "no engine runs here"
    if _said("docker", "compose", "version") is None:
        return "no Docker Compose 2 here"
    absent = [image for image in BASES if _said("docker", "image", "inspect", image) is None]
    return f"images missing: {', '.join(absent)}" if absent else ""


def _said(*words: str) -> str | None:
    done = subprocess.run(words, check=False, capture_output=True, text=True, timeout=60)
    return done.stdout if done.returncode == 0 else None


def eventually(true: Callable[[], object], seconds: float = 120) -> Any:
    """What `true` gives once it gives something; nobody listening yet is not yet."""
    deadline = time.monotonic() + seconds
    while True:
        with contextlib.suppress(OSError):
            if found := true():
                return found
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.3)


@dataclass
class Project:
    """One `docker compose` project with settings of its own."""

    settings: dict[str, str]
    name: str = f"ostiary-test-{os.getpid()}"

    def run(self, *words: str, settings: Mapping[str, str] | None = None) -> "subprocess.CompletedProcess[str]":
        given = {name: value for name, value in os.environ.items() if not name.startswith(("OSTIARY_", "COMPOSE_"))}
        given |= {"PIP_INDEX_URL": _index()} | self.settings | dict(settings or {})
        command = ["docker", "compose", "-p", self.name, "--env-file", "/dev/null", *words]
        return subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT, env=given, timeout=900)

    def ok(self, *words: str) -> str:
        done = self.run(*words)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def replicas(self, service: str, network: str = "inside") -> list[str]:
        """The addresses of a service's containers, which this machine can reach."""
        found = json.loads(_said("docker", "inspect", *self.ok("ps", "-q", service).split()) or "[]")
        return [one["NetworkSettings"]["Networks"][f"{self.name}_{network}"]["IPAddress"] for one in found]


def _index() -> str:
    """Where pip looks on this machine, for builds."""
    return (_said(sys.executable, "-m", "pip", "config", "get", "global.index-url") or "").strip()


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: http.client.HTTPMessage
    text: str

    def json(self) -> Any:
        return json.loads(self.text)


@dataclass
class Browser:
    """Somebody at the proxy: every name leads to this machine, cookies stay with their host."""

    port: int
    trusts: ssl.SSLContext
    cookies: dict[str, dict[str, str]] = field(default_factory=dict)

    def get(self, url: str) -> Answer:
        return self.ask("GET", url)

    def post(self, url: str, **form: str) -> Answer:
        return self.ask("POST", url, urlencode(form), "application/x-www-form-urlencoded")

    def send(self, url: str, body: Any) -> Answer:
        return self.ask("POST", url, json.dumps(body), "application/json")

    def follow(self, url: str) -> Answer:
        """The page at the end of its redirects."""
        for _ in range(10):
            answer = self.get(url)
            if answer.status not in {302, 303}:
                return answer
            place = answer.headers["Location"]
            url = place if "://" in place else f"https://{urlsplit(url).netloc}{place}"
        raise AssertionError(url)

    def ask(self, method: str, url: str, body: str | None = None, kind: str = "") -> Answer:
        parts = urlsplit(url)
        host = parts.hostname or ""
        kept = self.cookies.setdefault(host, {})
        headers = {
            "Host": parts.netloc,
            "Accept": "text/html",
            "Sec-Fetch-Mode": "navigate",
            "Sec-Fetch-Dest": "document",
        }
        headers |= {"Cookie": "; ".join(f"{name}={value}" for name, value in kept.items())} if kept else {}
        headers |= {"Content-Type": kind, "Origin": f"https://{parts.netloc}"} if kind else {}
        if kind == "application/json":
            headers["Accept"] = kind
        with contextlib.closing(_Line(host, self.port, self.trusts)) as line:
            line.request(method, parts._replace(scheme="", netloc="").geturl() or "/", body, headers)
            answer = line.getresponse()
            for one in answer.headers.get_all("Set-Cookie") or []:
                for name, morsel in SimpleCookie(one).items():
                    kept[name] = morsel.value
                    if not morsel.value:
                        del kept[name]
            return Answer(answer.status, answer.headers, answer.read().decode())


class _Line(http.client.HTTPSConnection):
    """A connection to this machine that asks for, and checks, the name."""

    def __init__(self, host: str, port: int, trusts: ssl.SSLContext) -> None:
        super().__init__(host, port, timeout=20, context=trusts)
        self._trusts = trusts

    def connect(self) -> None:
        plain = socket.create_connection(("127.0.0.1", self.port), 20)
        self.sock = self._trusts.wrap_socket(plain, server_hostname=self.host)
