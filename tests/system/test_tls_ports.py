"""TLS at our own ports: what they show, what they refuse, and a certificate that is renewed while they serve."""

import asyncio
import os
import ssl
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import uvloop

from ostiary import authority, serving
from ostiary_shared import tls
from ostiary_shared.errors import Misconfigured
from tests.conftest import AUTH_SECRET, Databases
from tests.system.test_serve import OUTSIDE
from tests.system.test_serving import app, get

PATIENCE = 20


@pytest.fixture
def papers(tmp_path: Path) -> Path:
    ours = authority.opened(tmp_path)
    authority.settled(ours, "auth", ["127.0.0.1", "localhost"])
    authority.settled(ours, "other", ["127.0.0.1"])
    return tmp_path


def shown(papers: Path) -> ssl.SSLContext:
    found = tls.shown(str(papers / "auth.pem"), str(papers / "auth.key"))
    assert found
    return found


async def peer(port: int, context: ssl.SSLContext) -> tuple[bytes, bytes]:
    """The certificate that is shown, and the answer to a request."""
    async with asyncio.timeout(PATIENCE):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
        certificate = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        writer.write(get("/"))
        answer = await reader.read()
        writer.close()
    return certificate, answer


async def serial(port: int, papers: Path) -> bytes:
    certificate, answer = await peer(port, tls.trusted(str(papers / "ca.pem")))
    assert answer.startswith(b"HTTP/1.1 200 ")
    return certificate


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_a_renewed_certificate_is_shown_without_a_restart(
    loop: Callable[[], asyncio.AbstractEventLoop], papers: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tls, "LOOK_SECONDS", 0.0)

    async def renewed() -> None:
        listener = serving.bind(0, "--port")
        port = listener.getsockname()[1]
        async with serving.serving(serving.Site(app("auth"), listener, shown(papers))):
            first = await serial(port, papers)
            assert await serial(port, papers) == first
            (papers / "other.key").replace(papers / "auth.key")  # half of a renewal
            assert await serial(port, papers) == first
            (papers / "other.pem").replace(papers / "auth.pem")
            assert await serial(port, papers) != first
            (papers / "auth.pem").write_text("spoilt")
            assert await serial(port, papers) != first

    _in_a_thread(lambda: asyncio.Runner(loop_factory=loop), renewed)


def test_what_could_not_be_read_for_a_moment_is_read_later(papers: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Too many files were open just when the renewed pair was there: nothing will change the files again."""
    monkeypatch.setattr(tls, "LOOK_SECONDS", -1.0)
    context = shown(papers)
    (papers / "other.key").replace(papers / "auth.key")
    (papers / "other.pem").replace(papers / "auth.pem")
    read, tries = tls._Shown._read, []

    def fail(_self: object) -> ssl.SSLContext:
        tries.append(1)
        raise Misconfigured("Too many open files")

    monkeypatch.setattr(tls._Shown, "_read", fail)
    first = _chosen(context)
    assert _chosen(context) is first
    assert len(tries) == 1  # not at each handshake
    monkeypatch.setattr(tls._Shown, "_read", read)
    assert _chosen(context) is first
    monkeypatch.setattr(tls, "time", SimpleNamespace(monotonic=lambda: time.monotonic() + tls.RETRY_SECONDS))
    renewed = _chosen(context)
    assert renewed is not first
    assert _chosen(context) is renewed


def _chosen(context: ssl.SSLContext) -> object:
    """What a handshake would go on with."""
    connection: Any = SimpleNamespace(context=context)
    choose: Any = context.sni_callback
    choose(connection, None, context)
    return connection.context


def _in_a_thread(runner: Callable[[], asyncio.Runner], work: Callable[[], object]) -> None:
    """Away from the loop of the tests."""
    from concurrent.futures import ThreadPoolExecutor

    def run() -> None:
        with runner() as opened:
            opened.run(work())  # type: ignore[arg-type]

    with ThreadPoolExecutor(1) as one:
        one.submit(run).result()


@pytest.fixture
async def port(papers: Path) -> object:
    listener = serving.bind(0, "--port")
    async with serving.serving(serving.Site(app("auth"), listener, shown(papers))):
        yield listener.getsockname()[1]


async def test_old_versions_and_plain_words_are_refused(port: int, papers: Path) -> None:
    old = tls.trusted(str(papers / "ca.pem"))
    old.set_ciphers("DEFAULT@SECLEVEL=0")  # so that it is not the client that declines
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        old.minimum_version = ssl.TLSVersion.TLSv1
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises((ssl.SSLError, ConnectionError)):
        await peer(port, old)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(get("/"))
    assert not (await asyncio.wait_for(reader.read(), PATIENCE)).startswith(b"HTTP")
    writer.close()
    await serial(port, papers)


async def test_who_never_shakes_hands_is_let_go(papers: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(tls.LIMITS, "ssl_handshake_timeout", 0.3)
    listener = serving.bind(0, "--port")
    async with serving.serving(serving.Site(app("auth"), listener, shown(papers))):
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.getsockname()[1])
        assert await asyncio.wait_for(reader.read(), PATIENCE) == b""
        writer.close()


async def test_strangers_are_not_trusted(port: int, papers: Path) -> None:
    authority.opened(papers / "stranger")
    with pytest.raises(ssl.SSLCertVerificationError):
        await peer(port, tls.trusted(str(papers / "stranger/ca.pem")))
    with pytest.raises(ssl.SSLCertVerificationError):
        await peer(port, ssl.create_default_context())


@pytest.mark.parametrize(
    ("cert", "key", "told"),
    [
        ("auth.pem", "", "OSTIARY_TLS_CERT_FILE is set, so OSTIARY_TLS_KEY_FILE is needed, too"),
        ("", "auth.key", "OSTIARY_TLS_KEY_FILE is set, so OSTIARY_TLS_CERT_FILE is needed, too"),
        ("auth.pem", "missing.key", r"OSTIARY_TLS_KEY_FILE names .*missing.key, which cannot be read: No such file"),
        ("auth.pem", "other.key", "cannot be used: they are not a certificate in PEM and its own key"),
        ("auth.key", "auth.key", "cannot be used: they are not a certificate in PEM and its own key"),
    ],
)
def test_files_that_cannot_be_used_are_told(cert: str, key: str, told: str, papers: Path) -> None:
    with pytest.raises(Misconfigured, match=told):
        tls.shown(str(papers / cert) if cert else "", str(papers / key) if key else "")


def test_serve_says_what_is_wrong_instead_of_starting(database: Databases, papers: Path) -> None:
    environment = {
        **OUTSIDE,
        "OSTIARY_PUBLIC_URL": "https://localhost",
        "OSTIARY_DATABASE_URL": database.auth,
        "OSTIARY_SECRET_KEY": AUTH_SECRET,
        "OSTIARY_SMTP_URL": "smtp://127.0.0.1:1",
        "OSTIARY_MAIL_FROM": "Ostiary <door@example.test>",
        "OSTIARY_TLS_CERT_FILE": str(papers / "auth.pem"),
        "OSTIARY_TLS_KEY_FILE": str(papers / "other.key"),
        "OSTIARY_WORKERS": "2",
    }
    line = [sys.executable, "-P", "-m", "ostiary", "serve", "auth"]
    done = subprocess.run(line, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2
    assert "cannot be used: they are not a certificate in PEM and its own key" in done.stderr
    assert "Traceback" not in done.stderr
    assert os.linesep.join(done.stderr.splitlines()[1:]) == ""
