"""The message as SMTP gets it: one recipient whatever was typed, and headers that nobody can add to."""

from dataclasses import replace
from email import message_from_bytes, policy
from email.headerregistry import Address
from uuid import UUID

import pytest

from ostiary_auth.mail import letters
from ostiary_auth.mail.contexts import sample
from ostiary_auth.mail.envelope import Envelope, host, pack, recipient, sender
from ostiary_auth.settings import AuthSettings
from ostiary_shared import clock
from ostiary_shared.errors import Invalid
from ostiary_shared.settings import SettingsError
from ostiary_shared.store.messages import Kind

ID = UUID("0190a5b0-0000-7000-8000-000000000001")
# Keycloak CVE-2025-7962, MimeKit CVE-2026-30227, CPython 87290, GitLab CVE-2023-7028.
NOT_ONE_ADDRESS = [
    "a@example.org,b@evil.example",
    "a@example.org b@evil.example",
    "a@example.org;b@evil.example",
    '["a@example.org","b@evil.example"]',
    "a@example.org\r\nBcc: b@evil.example",
    "a@example.org\nRCPT TO:<b@evil.example>",
    "a@example.org\0",
    '"a@example.org, b"@evil.example',
    "Ada <a@example.org>",
    "<a@example.org>",
    "group: a@example.org;",
    "a@[127.0.0.1]",
    '"a\r\nDATA"@example.org',
    "a@exa\u2028mple.org",
    "@example.org",
    "a@",
    "a",
    "",
    "a@b@c.example",
    "a@example.org>\r\n",
    "a@example.org (comment)",
    "a\\@example.org",
    "a@example.org\t",
    " a@example.org,",
]


@pytest.mark.parametrize("typed", NOT_ONE_ADDRESS)
def test_what_is_not_exactly_one_address_is_refused(typed: str) -> None:
    if typed.strip() == "a@example.org":
        assert recipient(typed).addr_spec == "a@example.org"
        return
    with pytest.raises(Invalid):
        recipient(typed)


@pytest.mark.parametrize(
    ("typed", "mailed"),
    [
        ("ada@example.org", "ada@example.org"),
        ("ada+tag@Example.ORG", "ada+tag@example.org"),
        ("o'neil@example.org", "o'neil@example.org"),
        (
            "ada@straße.example",
            "ada@xn--strae-oqa.example",
        ),  # IDNA 2003 would write to strasse.example, somebody else's
        ("ädä@example.org", "ädä@example.org"),
    ],
)
def test_a_recipient_is_the_one_that_was_typed(typed: str, mailed: str) -> None:
    assert recipient(typed).addr_spec == mailed


def test_a_message_says_who_when_and_which_and_that_a_machine_wrote_it(auth_settings: AuthSettings) -> None:
    envelope = Envelope(ID, host(auth_settings), sender(auth_settings), recipient("ada@example.org"), clock.now())
    raw = pack(envelope, letters.render(Kind.RECOVER, sample(Kind.RECOVER))).as_bytes()
    message = message_from_bytes(raw, policy=policy.default)
    assert message["To"] == "ada@example.org"
    assert message["From"] == "Ostiary <door@example.test>"
    assert message["Message-ID"] == f"<{ID}@localhost>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Date"].datetime.tzinfo is not None
    assert [part.get_content_type() for part in message.walk()] == ["multipart/alternative", "text/plain", "text/html"]
    assert max(map(len, raw.splitlines())) < 998


def test_a_subject_cannot_add_a_header(auth_settings: AuthSettings) -> None:
    envelope = Envelope(ID, "localhost", sender(auth_settings), recipient("ada@example.org"), clock.now())
    letter = replace(letters.render(Kind.WELCOME, sample(Kind.WELCOME)), subject="Hello\r\nBcc: b@evil.example")
    with pytest.raises(ValueError, match="Header values"):
        pack(envelope, letter)


def test_a_quoted_or_accented_sender_name_stays_one_sender(auth_settings: AuthSettings) -> None:
    fancy = auth_settings.model_copy(update={"mail_from": '"Tür, Tor & Co" <door@example.test>'})
    assert sender(fancy) == Address("Tür, Tor & Co", "door", "example.test")


@pytest.mark.parametrize("wrong", ["Ostiary", "door@", "@example.org", "Ostiary <>", "a\nb"])
def test_a_sender_that_is_no_address_stops_the_start_with_a_sentence(auth_settings: AuthSettings, wrong: str) -> None:
    with pytest.raises(SettingsError, match="OSTIARY_MAIL_FROM"):
        sender(auth_settings.model_copy(update={"mail_from": wrong}))
