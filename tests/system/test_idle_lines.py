"""A connection on which nothing is asked any more ends, whatever was sent on it that is no question."""

import asyncio

import pytest

from ostiary import guarded
from tests.lines import PATIENCE, ended
from tests.system.test_at_once import QUICK, SLOW, said, served


@pytest.mark.parametrize("question", [QUICK, SLOW])
async def test_an_empty_line_after_an_answer_holds_no_connection(
    monkeypatch: pytest.MonkeyPatch, question: bytes
) -> None:
    monkeypatch.setattr(guarded, "HEADER_SECONDS", 0.2)
    async with served() as (_, line):
        line[1].write(question)
        await said(line)
        line[1].write(b"\r\n")
        async with asyncio.timeout(PATIENCE / 2):
            await ended(line[0])
