"""The operator's pages, typed as they stand: the commands of each, one after the other, on a database with people."""

import asyncio
import os
import shutil
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from ostiary import mails, serving
from ostiary_auth.tools import AuthTools
from ostiary_shared import migrations
from ostiary_shared.database import Sessions, make_engine, make_sessions
from ostiary_shared.store import roles
from tests import documents
from tests.conftest import AUTH_SECRET, Databases
from tests.house import tree
from tests.make import make_person

PAGES = [page for page in documents.pages() if page.startswith("docs/operating/")]
PLAIN, KUBERNETES = "sh", "sh kubernetes"
NAME = "documented"


def _of(kind: str) -> list[str]:
    return [page for page in PAGES if any(block.kind == kind for block in documents.blocks(page))]


@pytest.fixture
async def place(databases: Databases, tools: AuthTools) -> AsyncIterator[str]:
    """The URL of a database with an administrator, which the commands may do to as they like."""
    server = await asyncpg.connect(databases.superuser)
    own = f"{NAME}_{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}"
    drop = f'DROP DATABASE IF EXISTS "{own}" WITH (FORCE)'
    await server.execute(drop)
    await server.execute(f'CREATE DATABASE "{own}"')
    url = databases.superuser.replace(f"/{databases.superuser.split('/')[3].partition('?')[0]}?", f"/{own}?")
    try:
        await asyncio.to_thread(migrations.create_roles, url, {})
        await asyncio.to_thread(migrations.upgrade, url)
        engine = make_engine(url, "test")
        await _seeded(make_sessions(engine), tools)
        await engine.dispose()
        yield url
    finally:
        await server.execute(drop)
        await server.close()


async def _seeded(sessions: Sessions, tools: AuthTools) -> None:
    async with sessions.begin() as session:
        await roles.seed(session)
    await make_person(sessions, tools, holds=("admin", "end-user"))


async def _typed(folder: Path, text: str, settings: dict[str, str]) -> tuple[int | None, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OSTIARY_")}
    process = await asyncio.create_subprocess_exec(
        "bash", "-euo", "pipefail", "-c", text, cwd=folder, env={**kept, **settings},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, stdin=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    said, _ = await process.communicate()
    return process.returncode, said.decode()


@pytest.mark.parametrize("page", _of(PLAIN))
async def test_the_commands_of_a_page_work_as_they_stand(page: str, place: str, tmp_path: Path) -> None:
    front_door = tmp_path / "ostiary"
    front_door.write_text(f'#!/bin/sh\nexec {sys.executable} -m ostiary "$@"\n')
    front_door.chmod(0o755)
    smtp = serving.bind(0, "a port")
    settings = {
        "OSTIARY_DATABASE_URL": place, "OSTIARY_PUBLIC_URL": "http://localhost:8000", "OSTIARY_SECRET_KEY": AUTH_SECRET,
        "OSTIARY_SMTP_URL": f"smtp://127.0.0.1:{smtp.getsockname()[1]}",
        "OSTIARY_MAIL_FROM": "Ostiary <door@example.test>",
    }  # fmt: skip
    text = "\n".join(block.text for block in documents.blocks(page) if block.kind == PLAIN)
    async with mails.catching(mails.Mailbox(), smtp):
        status, said = await _typed(tmp_path, text, settings)
    assert status == 0, f"{text}\n{said}"


@pytest.mark.parametrize("page", _of(KUBERNETES))
async def test_what_needs_kustomize_alone_renders(page: str, tmp_path: Path) -> None:
    if not shutil.which("kubectl"):
        pytest.skip("kubectl is not here")
    shutil.copytree(tree.ROOT / "deploy/kubernetes", tmp_path / "deploy/kubernetes")
    text = "\n".join(block.text for block in documents.blocks(page) if block.kind == KUBERNETES)
    status, said = await _typed(tmp_path, text, {})
    assert status == 0, said
    assert "image: registry.example.org/ostiary-auth:" in said


def test_every_page_shows_commands_that_are_run_here_or_with_an_engine() -> None:
    known = {PLAIN, KUBERNETES, "sh containers", "sh cluster", "sh example", "sh release"}
    kinds = {block.kind for page in PAGES for block in documents.blocks(page) if block.kind.startswith("sh")}
    assert kinds <= known
    assert len(_of(PLAIN)) >= 5
