"""docker-compose.yml as a user meets it, with a real engine: from nothing to the first sign-in, replicas, trouble.

Skipped where no engine runs or the public images are not there; CI has none. OSTIARY_VERSION names images that are
built already; without it they are built first, which takes minutes.
"""

import http.client
import json
import os
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial

import pytest

from tests.system.composed import PASSWORD, Browser, Project, eventually, missing
from tests.system.proxied import free_port

pytestmark = [pytest.mark.skipif(bool(missing()), reason=missing() or "-"), pytest.mark.timeout(1200)]
EMAIL = "ada@example.test"


@dataclass
class Place:
    """A running set-up, and an administrator at its door."""

    project: Project
    url: str
    example: str
    port: int
    trusts: ssl.SSLContext
    ada: Browser

    def stranger(self) -> Browser:
        return Browser(self.port, self.trusts)


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    http_port, port, mail_port = free_port(), free_port(), free_port()
    project = Project(
        {
            "OSTIARY_PUBLIC_URL": f"https://localhost:{port}",
            "OSTIARY_HTTP_PORT": str(http_port),
            "OSTIARY_HTTPS_PORT": str(port),
            "OSTIARY_MAILBOX_PORT": str(mail_port),
            "OSTIARY_EXAMPLE_HOST": f"app.localhost:{port}",
            "OSTIARY_NETWORK": f"10.214.{port % 200 + 20}",
            "OSTIARY_VERSION": os.environ.get("OSTIARY_VERSION", "test"),
            "COMPOSE_PROFILES": "mailbox,example",
        }
    )
    try:
        project.ok("up", "-d", *([] if "OSTIARY_VERSION" in os.environ else ["--build"]))
        trusts = ssl.create_default_context(cadata=eventually(lambda: authority(project)))
        url = f"https://localhost:{port}"
        ada = Browser(port, trusts)
        link = project.ok("run", "--rm", "operator", "users", "claim-link").strip()
        eventually(lambda: ada.get(link).status == 200)
        told = {"token": link.partition("token=")[2], "email": EMAIL, "password": PASSWORD, "name": "Ada"}
        assert ada.post(f"{url}/claim", **told).headers["Location"] == "/admin"
        yield Place(project, url, f"https://app.localhost:{port}", port, trusts, ada)
    finally:
        project.run("--profile", "*", "down", "-v", "--remove-orphans")


def authority(project: Project) -> str:
    done = project.run("exec", "-T", "proxy", "cat", "/data/caddy/pki/authorities/local/root.crt")
    return done.stdout if done.returncode == 0 else ""


def at_replica(address: str, method: str, path: str, token: str) -> int:
    with closing(http.client.HTTPConnection(address, 8000, timeout=10)) as line:
        line.request(method, path, headers={"Authorization": f"Bearer {token}", "Host": "localhost"})
        return line.getresponse().status


def signed_in(place: Place) -> str:
    body = {"email": EMAIL, "password": PASSWORD, "token": True}
    return str(place.stranger().send(f"{place.url}/api/v1/login", body).json()["token"])


def test_the_first_administrator_comes_in_through_the_proxy(place: Place) -> None:
    page = place.ada.follow(f"{place.url}/admin")
    assert page.status == 200
    assert EMAIL in place.project.ok("run", "--rm", "operator", "users", "list")


@pytest.mark.parametrize("path", ["gate", "metrics", "healthz", "readyz", "admin/readyz", "admin/metrics"])
def test_nothing_of_the_inside_is_shown(place: Place, path: str) -> None:
    assert place.ada.get(f"{place.url}/{path}").status == 404


def test_mail_reaches_the_mailbox(place: Place) -> None:
    sent = place.stranger().send(f"{place.url}/api/v1/signup", {"email": "bo@example.test", "password": PASSWORD})
    assert sent.status == 202
    port = int(place.project.settings["OSTIARY_MAILBOX_PORT"])

    def arrived() -> bool:
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as line:
            line.request("GET", "/api/messages")
            return any(mail["to"] == "bo@example.test" for mail in json.loads(line.getresponse().read()))

    eventually(arrived)


def test_the_example_is_behind_the_gate(place: Place) -> None:
    rules = [{"path_prefix": "/", "asks": "signed_in"}]
    site = {"name": "Example", "host": place.example.removeprefix("https://"), "rules": rules}
    made = place.ada.send(f"{place.url}/admin/api/v1/sites", site)
    assert made.status == 201, made.text
    stranger = eventually(lambda: (one := place.stranger().get(f"{place.example}/me")).status in {302, 303} and one)
    assert "/login" in stranger.headers["Location"] or ".ostiary" in stranger.headers["Location"]
    answer = place.ada.follow(f"{place.example}/me")
    assert answer.json()["email"] == EMAIL


def test_what_ends_at_one_replica_has_ended_at_all(place: Place) -> None:
    place.project.ok("up", "-d", "--no-recreate", "--scale", "auth=3", "--scale", "admin=2")
    replicas = eventually(lambda: len(found := place.project.replicas("auth")) == 3 and found)
    assert len(place.project.replicas("admin")) == 2
    for address in replicas:
        eventually(partial(answers, address))
    for turn in range(6):
        token = signed_in(place)
        assert [at_replica(one, "GET", "/api/v1/session", token) for one in replicas] == [200, 200, 200]
        assert at_replica(replicas[turn % 3], "POST", "/api/v1/logout", token) < 300
        assert [at_replica(one, "GET", "/api/v1/session", token) for one in replicas] == [401, 401, 401]


def answers(address: str) -> bool:
    return at_replica(address, "GET", "/readyz", "-") == 200


def test_replicas_that_are_killed_are_left_out_and_come_back(place: Place) -> None:
    before = place.project.ok("ps", "-q", "auth").split()
    pids = subprocess.run(
        ["docker", "inspect", "--format", "{{.State.Pid}}", *before], check=True, capture_output=True, text=True
    ).stdout.split()
    for pid in pids[:2]:
        subprocess.run(["kill", "-9", pid], check=True)
    assert [place.ada.get(f"{place.url}/login").status < 400 for _ in range(10)] == [True] * 10
    eventually(lambda: len(place.project.ok("ps", "-q", "--status", "running", "auth").split()) == len(before))


def test_without_the_database_it_says_so_and_recovers_by_itself(place: Place) -> None:
    token = signed_in(place)
    headers = f"{place.url}/api/v1/session"
    place.project.ok("stop", "postgres")
    try:
        away = eventually(lambda: (one := place.ada.get(headers)).status == 503 and one)
        assert away.headers["Retry-After"]
    finally:
        place.project.ok("start", "postgres")
    eventually(lambda: place.ada.get(headers).status == 200)
    assert token


def test_down_and_up_again_keeps_data_and_sessions(place: Place) -> None:
    place.project.ok("down")
    place.project.ok("up", "-d")
    eventually(lambda: place.ada.get(f"{place.url}/api/v1/session").status == 200)
    assert "Every secret is there already." in place.project.ok("logs", "secrets")


WRONG = {
    "OSTIARY_PUBLIC_URL": "login.example.org",
    "OSTIARY_SMTP_URL": "mail.example.org:25",
    "OSTIARY_COOKIE_DOMAIN": "example.org",
    "OSTIARY_WORKERS": "many",
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_setting_is_told_before_anything_starts(place: Place, name: str) -> None:
    done = place.project.run("run", "--rm", "--no-deps", "secrets", settings={name: WRONG[name]})
    assert done.returncode == 2
    assert f"ostiary: {name} " in done.stderr + done.stdout
