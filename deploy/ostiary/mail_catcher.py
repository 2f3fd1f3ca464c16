"""`serve mailbox`: the mailbox of `up` as a process of its own, for trying out a set-up that has no mail server yet."""

import asyncio
from dataclasses import dataclass

from ostiary import logs, mailbox, mails, serving


@dataclass(frozen=True, slots=True)
class Ports:
    """Where it listens: the page and SMTP, on one address."""

    host: str
    page: int
    smtp: int


async def run(ports: Ports, public_url: str) -> None:
    """Catch mail until SIGTERM or Ctrl-C; what was caught is gone then."""
    logs.to_stdout("info", "mailbox")
    page, smtp = serving.bind(ports.page, "--port", ports.host), serving.bind(ports.smtp, "--smtp-port", ports.host)
    box, stop = mails.Mailbox(), asyncio.Event()
    shown = serving.Site(mailbox.create_mailbox(box, public_url), page)
    with serving.stop_signals(stop):
        async with mails.catching(box, smtp), serving.serving(shown):
            await stop.wait()
