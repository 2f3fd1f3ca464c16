"""From a letter to the message that is handed to SMTP: one sender, one recipient, and an id that a second try keeps."""

from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from urllib.parse import urlsplit
from uuid import UUID

from ostiary_auth.mail.letters import Letter
from ostiary_auth.settings import AuthSettings
from ostiary_shared.email_address import as_mailed
from ostiary_shared.settings import SettingsError


@dataclass(frozen=True, slots=True)
class Envelope:
    """Who writes to whom, when, about which outbox row."""

    id: UUID
    host: str
    sender: Address
    recipient: Address
    at: datetime


def sender(settings: AuthSettings) -> Address:
    """The From address of all mail. Raises SettingsError when it is none."""
    name, plain = parseaddr(settings.mail_from)
    local, _, domain = plain.rpartition("@")
    try:
        if not local or not domain:
            raise ValueError("no address")
        return Address(" ".join(name.split()), local, domain)
    except ValueError:
        raise SettingsError(
            "OSTIARY_MAIL_FROM cannot be used: write an address such as Ostiary <login@example.org>."
        ) from None


def recipient(email: str) -> Address:
    """The one recipient. Raises Invalid for a list of them, a line break and everything else that is not one address.

    Header classes check line breaks, but not what a comma does to a plain `To` (Keycloak CVE-2025-7962).
    """
    return Address("", *as_mailed(email))


def host(settings: AuthSettings) -> str:
    """The name we go by in SMTP and in Message-IDs."""
    return urlsplit(settings.public_url).hostname or "localhost"


def pack(envelope: Envelope, letter: Letter) -> EmailMessage:
    """The whole message. Its Message-ID follows from the row, so that mailboxes can tell a repeated mail."""
    message = EmailMessage(policy=SMTP)
    message["From"] = envelope.sender
    message["To"] = envelope.recipient
    message["Subject"] = letter.subject
    message["Date"] = format_datetime(envelope.at)
    message["Message-ID"] = f"<{envelope.id}@{envelope.host.replace(':', '.')}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday replies, please
    message.set_content(letter.text, cte="quoted-printable")
    message.add_alternative(letter.html, subtype="html", cte="quoted-printable")
    return message
