"""What a container's health check asks, and what it makes of the answer."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from ostiary import healthy


class Door(BaseHTTPRequestHandler):
    """Ready, unless it was told not to be; remembers what it was asked."""

    status = 200
    asked: list[str]

    def do_GET(self) -> None:
        type(self).asked.append(self.path)
        self.send_response(type(self).status)
        self.end_headers()
        self.wfile.write(b"the database does not answer")

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Door]]:
    kind = type("Door", (Door,), {"asked": []})
    server = HTTPServer(("127.0.0.1", 0), kind)
    monkeypatch.setattr(healthy, "MAIN", server.server_port)
    monkeypatch.setattr(healthy, "FIGURES", server.server_port)
    for name in ("OSTIARY_TLS_CERT_FILE", "OSTIARY_METRICS_LISTEN"):
        monkeypatch.delenv(name, raising=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield kind
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(("service", "path"), [("auth", "/readyz"), ("admin", "/admin/readyz"), ("courier", "/readyz")])
def test_a_service_that_says_it_is_ready_is_healthy(door: type[Door], service: str, path: str) -> None:
    healthy.main(service)
    assert door.asked == [path]


def test_one_that_is_not_says_why(door: type[Door]) -> None:
    door.status = 503
    with pytest.raises(SystemExit, match="auth is not ready: the database does not answer"):
        healthy.main("auth")


def test_one_that_does_not_listen_is_not_healthy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(healthy, "MAIN", 1)
    with pytest.raises(SystemExit, match="admin does not answer"):
        healthy.main("admin")


@pytest.mark.parametrize(("place", "port"), [("", 9464), ("0.0.0.0:9000", 9000), ("[::]:9001", 9001)])
def test_the_courier_is_asked_where_its_figures_are(monkeypatch: pytest.MonkeyPatch, place: str, port: int) -> None:
    monkeypatch.setenv("OSTIARY_METRICS_LISTEN", place)
    assert healthy.port("courier") == port
    assert healthy.port("auth") == healthy.MAIN


def test_a_service_with_a_certificate_is_asked_over_tls(door: type[Door], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OSTIARY_TLS_CERT_FILE", "/some/where.pem")
    with pytest.raises(SystemExit, match="does not answer"):  # the door speaks plainly
        healthy.main("auth")
    healthy.main("courier")
    assert door.asked == ["/readyz"]


def test_a_wrong_name_is_wrong_usage() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "ostiary.healthy", "nobody"], check=False, capture_output=True, text=True
    )
    assert (run.returncode, run.stderr.strip()) == (2, "usage: python -m ostiary.healthy auth|admin|courier")
