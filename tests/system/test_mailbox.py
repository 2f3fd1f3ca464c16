"""The mailbox of `up`: real SMTP in, pages and JSON out, for this machine only."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from email.message import EmailMessage

import aiosmtplib
import pytest
from quart.typing import TestClientProtocol as Browser

from ostiary import mailbox, mails, serving
from ostiary_shared import clock

LINK = "http://localhost:8000/signup/confirm?token=abc"


@pytest.fixture
async def box() -> AsyncIterator[tuple[mails.Mailbox, int]]:
    """A mailbox and the port where it takes in mail."""
    made = mails.Mailbox()
    listener = serving.bind(0, "another address")
    async with mails.catching(made, listener):
        yield made, listener.getsockname()[1]


@pytest.fixture
def browser(box: tuple[mails.Mailbox, int]) -> Browser:
    return mailbox.create_mailbox(box[0], "http://localhost:8000").test_client()


async def send(port: int, to: str = "ann@example.test", subject: str = "Confirm ✓", html: str = "") -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "door@localhost", to, subject
    message.set_content(f"Hello <Ann>,\nopen {LINK}, please.\n")
    if html:
        message.add_alternative(html, subtype="html")
    await aiosmtplib.send(message, hostname="127.0.0.1", port=port)


async def test_json_tells_all_of_a_mail_newest_first(box: tuple[mails.Mailbox, int], browser: Browser) -> None:
    await send(box[1], subject="one")
    await send(
        box[1], subject="two", html=f'<p><a href="{LINK}">here</a> <a href="http://b.test/?a=1&amp;b=2">b</a></p>'
    )
    newest, oldest = await (await browser.get("/api/messages")).get_json()
    assert set(newest) == {"to", "subject", "text", "html", "links", "received_at"}
    assert (newest["subject"], oldest["subject"]) == ("two", "one")
    assert newest["to"] == "ann@example.test"
    assert newest["text"] == f"Hello <Ann>,\nopen {LINK}, please.\n"
    assert newest["links"] == [LINK, "http://b.test/?a=1&b=2"]
    assert oldest["html"] == ""


async def test_the_recipient_is_the_one_of_the_envelope(box: tuple[mails.Mailbox, int], browser: Browser) -> None:
    message = EmailMessage()
    message["To"] = "header@example.test"
    message.set_content("x")
    await aiosmtplib.send(
        message, sender="a@b.test", recipients=["real@example.test"], hostname="127.0.0.1", port=box[1]
    )
    assert (await (await browser.get("/api/messages")).get_json())[0]["to"] == "real@example.test"


async def test_the_mailbox_is_emptied_by_machines_and_by_the_button(
    box: tuple[mails.Mailbox, int], browser: Browser
) -> None:
    await send(box[1])
    assert (await browser.delete("/api/messages")).status_code == 204
    assert await (await browser.get("/api/messages")).get_json() == []
    await send(box[1])
    assert (await browser.post("/empty")).status_code == 303
    assert "No mail yet" in await (await browser.get("/")).get_data(as_text=True)


async def test_only_the_last_mails_are_kept(box: tuple[mails.Mailbox, int]) -> None:
    for number in range(mails.KEPT + 2):
        box[0].mails.appendleft(mails.Mail(number, "", "", "", "", [], clock.now()))
    assert len(box[0].mails) == mails.KEPT
    assert box[0].find(0) is None


async def test_a_mail_has_a_page_with_its_text_safely_and_its_links_to_click(
    box: tuple[mails.Mailbox, int], browser: Browser
) -> None:
    await send(box[1], subject="<b>Hi</b>", html="<p>x</p>")
    assert "&lt;b&gt;Hi&lt;/b&gt;" in await (await browser.get("/")).get_data(as_text=True)
    page = await (await browser.get("/messages/1")).get_data(as_text=True)
    assert "Hello &lt;Ann&gt;" in page
    assert f'<a href="{LINK}" rel="noreferrer">{LINK}</a>, please.' in page
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in page
    assert (await browser.get("/messages/2")).status_code == 404
    assert (await browser.get("/messages/2/html")).status_code == 404


async def test_a_mails_html_runs_no_script_and_loads_nothing(box: tuple[mails.Mailbox, int], browser: Browser) -> None:
    await send(box[1], html="<script>alert(1)</script><p>Hi</p>")
    answer = await browser.get("/messages/1/html")
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "sandbox" in policy
    assert "allow-scripts" not in policy
    assert "allow-same-origin" not in policy


async def test_pages_are_strict_about_what_they_load(browser: Browser) -> None:
    answer = await browser.get("/")
    policy = answer.headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "require-trusted-types-for 'script'" in policy
    page = await answer.get_data(as_text=True)
    for path in [word.split('"')[0] for word in page.replace('src="', 'href="').split('href="')[1:]]:
        if path.startswith(("/theme/", "/static/")):
            assert (await browser.get(path)).status_code == 200, path
    assert (await browser.get("/theme/base.css")).status_code == 404
    assert (await browser.get("/static/..%2Fmails.py")).status_code == 404


async def test_another_name_or_another_site_gets_nothing(browser: Browser) -> None:
    for host in ("evil.test", "localhost.evil.test", "localhost:x", ""):
        assert (await browser.get("/api/messages", headers={"Host": host})).status_code == 421
    assert (await browser.get("/", headers={"Host": "127.0.0.1:8025"})).status_code == 200
    assert (await browser.get("/", headers={"Host": "[::1]:8025"})).status_code == 200
    for site in ("cross-site", "same-site"):
        assert (await browser.post("/empty", headers={"Sec-Fetch-Site": site})).status_code == 403
        assert (await browser.delete("/api/messages", headers={"Sec-Fetch-Site": site})).status_code == 403


async def test_a_mail_that_is_hardly_one_is_kept_all_the_same(box: tuple[mails.Mailbox, int]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", box[1])
    writer.write(
        b"EHLO x\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<c@d.test>\r\nDATA\r\n\xff\xfe no headers\r\n.\r\nQUIT\r\n"
    )
    with contextlib.suppress(ConnectionError):
        assert b"250 Kept" in await reader.read()
    writer.close()
    assert [mail.to for mail in box[0].mails] == ["c@d.test"]
