"""Couriers in tests are quick: short waits, otherwise as they are."""

from collections.abc import AsyncIterator

import pytest

from ostiary_auth.mail import courier, schedule
from tests.auth.mail.post_office import Server, listening


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test waits ten seconds for a second try."""
    monkeypatch.setattr(courier, "POLL_SECONDS", 0.05)
    monkeypatch.setattr(courier, "UNREACHABLE", (0.1,))
    monkeypatch.setattr(courier, "UNWELCOME", (0.1,))
    monkeypatch.setattr(schedule, "STEPS", (0.1,))
    monkeypatch.setattr(schedule, "SOON", schedule.SOON / 300)


@pytest.fixture
async def smtp() -> AsyncIterator[Server]:
    """An SMTP server that takes everything unless told otherwise."""
    async with listening(Server()) as server:
        yield server
