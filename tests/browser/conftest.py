"""A real `./ostiary up` and a real Chromium. Skipped where Chromium is missing, unless the run requires it."""

import asyncio
import contextlib
import os
import re
import shutil
import signal
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, async_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
QUIET = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
START_SECONDS = 60
# What is behind a page is counted where it is tested without a browser, which waits for it in half the time.
COUNTING = ("COV_", "COVERAGE_")
ROOT = Path(__file__).parents[2]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip the browser's tests where there is none; with OSTIARY_REQUIRE=browser they fail instead."""
    if CHROMIUM or "browser" in os.environ.get("OSTIARY_REQUIRE", ""):
        return
    for item in items:
        if "browser" in str(item.path.parent.name):
            item.add_marker(pytest.mark.skip(reason="Chromium is not installed"))


@dataclass(frozen=True, slots=True)
class Up:
    """A running `up`."""

    url: str
    mailbox: str
    claim_link: str
    data: Path


def free_port() -> int:
    """A port that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.asynccontextmanager
async def running_up(data: Path, *more: str) -> AsyncIterator[Up]:
    """`./ostiary up` as an operator starts it, stopped by Ctrl-C."""
    port, mail_port = free_port(), free_port()
    command = [
        sys.executable,
        "-m",
        "ostiary",
        "up",
        "--port",
        str(port),
        "--mail-port",
        str(mail_port),
        "--data",
        str(data),
        *more,
    ]
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={name: value for name, value in os.environ.items() if not name.startswith(COUNTING)} | {"COLUMNS": "200"},
    )
    said = ""
    assert process.stdout
    try:
        async with asyncio.timeout(START_SECONDS):
            while "Ctrl-C stops" not in said:
                line = await process.stdout.readline()
                assert line, f"up ended early: {said}"
                said += line.decode()
        claim = re.search(r"http://\S+/claim\?token=\S+", said)
        drain = asyncio.create_task(process.stdout.read())
        yield Up(f"http://localhost:{port}", f"http://localhost:{mail_port}", claim[0] if claim else "", data)
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGINT)
        async with asyncio.timeout(20):
            assert await process.wait() == 0
    await drain


@pytest.fixture(scope="module")
def data_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A data folder that the embedded database's own user can reach."""
    folder = Path(f"/tmp/ostiary-browser-{os.getpid()}-{free_port()}")
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
async def up(data_folder: Path) -> AsyncIterator[Up]:
    """One `up` a module."""
    async with running_up(data_folder) as started:
        yield started


@pytest.fixture(scope="module")
async def chromium() -> AsyncIterator[Browser]:
    """Debian's Chromium, headless."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        await browser.close()


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody at a browser of their own, and what the browser complained about."""

    page: Page
    context: BrowserContext
    complaints: list[str]


@contextlib.asynccontextmanager
async def at_a_browser(chromium: Browser, *, dark: bool = False, phone: bool = False) -> AsyncIterator[Person]:
    """A fresh browser; leaving asserts that it found nothing to complain about (CSP, scripts, missing files)."""
    context = await chromium.new_context(
        color_scheme="dark" if dark else "light",
        viewport={"width": 360, "height": 740} if phone else {"width": 1280, "height": 860},
        locale="en-GB",
        permissions=["clipboard-read", "clipboard-write"],
    )
    page = await context.new_page()
    complaints: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        # A refusal's own status is shown in the console, too; that is no complaint.
        if message.type == "error" and "the server responded with a status of" not in message.text:
            complaints.append(message.text)

    page.on("console", listen)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    try:
        yield Person(page, context, complaints)
    finally:
        await context.close()
    assert complaints == []
