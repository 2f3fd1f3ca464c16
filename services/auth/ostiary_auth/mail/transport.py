"""SMTP, and nothing else: one connection, one mail with one recipient, and what the server's answer means.

The only importer of aiosmtplib. When to try again is the courier's business.
"""

from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage

from aiosmtplib import SMTP
from aiosmtplib.errors import (
    SMTPException,
    SMTPNotSupported,
    SMTPRecipientsRefused,
    SMTPResponseException,
    SMTPSenderRefused,
)

from ostiary_auth.mail.server import Server

# Seconds. Each command may take this long; the courier limits the mail as a whole.
CONNECT_SECONDS = 10.0
COMMAND_SECONDS = 20.0
# Replies that tell of our rights at the server, never of this mail (RFC 4954, RFC 3207).
OUR_TROUBLE = frozenset({530, 534, 535, 538})
CLOSING = 421
TOO_LARGE = 552
REPLY_LENGTH = 300


@dataclass(frozen=True, slots=True)
class Sent:
    """The server has it now."""

    reply: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The server will never take this mail, or not for this recipient."""

    reply: str


@dataclass(frozen=True, slots=True)
class Deferred:
    """Not now; this mail is worth another try."""

    reply: str


Verdict = Sent | Refused | Deferred
Line = SMTP


class ServerTrouble(Exception):
    """No mail at all can be sent now. `unwelcome`: the server answers but does not let us, so ask it seldom."""

    def __init__(self, reply: str, *, unwelcome: bool = False) -> None:
        super().__init__(reply)
        self.reply = reply
        self.unwelcome = unwelcome


async def connect(server: Server, our_name: str) -> Line:
    """A connection, encrypted and signed in as `server` demands. Raises ServerTrouble."""
    line = SMTP(local_hostname=our_name, timeout=CONNECT_SECONDS, **server.options())
    try:
        await line.connect()
    except SMTPResponseException as error:
        raise ServerTrouble(_spoken(error), unwelcome=error.code != CLOSING) from None
    except (SMTPException, OSError, ValueError) as error:
        # Away, or (a certificate, a missing STARTTLS) there but not to be trusted.
        there = isinstance(error, SMTPException) and not isinstance(error, OSError)
        raise ServerTrouble(_spoken(error), unwelcome=there) from None
    line.timeout = COMMAND_SECONDS
    return line


async def send(line: Line, message: EmailMessage, sender: Address, recipient: Address) -> Verdict:
    """Hand over one mail to exactly one recipient. Raises ServerTrouble when it is not the mail's fault."""
    try:
        _, reply = await line.send_message(message, sender=sender.addr_spec, recipients=[recipient.addr_spec])
    except SMTPRecipientsRefused as error:
        return _judged(error.recipients[0])
    except SMTPSenderRefused as error:
        if error.code >= 500 and error.code != TOO_LARGE:
            raise ServerTrouble(_spoken(error), unwelcome=True) from None  # it is the sender of every mail
        return _judged(error)
    except SMTPResponseException as error:
        return _judged(error)
    except (SMTPNotSupported, ValueError) as error:
        return Refused(_spoken(error))
    except (SMTPException, OSError) as error:
        line.close()
        return Deferred(_spoken(error))
    return Sent(_line(f"250 {reply}"))


async def leave(line: Line) -> None:
    """End a connection, politely if the server still listens."""
    try:
        if line.is_connected:
            await line.quit(timeout=1.0)
    except (SMTPException, OSError):
        pass
    finally:
        line.close()


def _judged(error: SMTPResponseException) -> Verdict:
    if error.code in OUR_TROUBLE:
        raise ServerTrouble(_spoken(error), unwelcome=True) from None
    return Refused(_spoken(error)) if error.code >= 500 else Deferred(_spoken(error))


def _spoken(error: Exception) -> str:
    """What happened, as the administrator will read it."""
    if isinstance(error, SMTPResponseException):
        return _line(f"{error.code} {error.message}")
    return _line(f"{type(error).__name__}: {error}".rstrip(": "))


def _line(text: str) -> str:
    return "".join(mark if mark.isprintable() else " " for mark in text)[:REPLY_LENGTH]
