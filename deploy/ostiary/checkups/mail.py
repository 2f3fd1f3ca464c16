"""The mail server: whether it lets us in as the settings say, and, when asked, whether it takes a mail for somebody."""

from datetime import UTC
from email.message import EmailMessage
from email.utils import format_datetime

from ostiary.checkups import Found, fault, fine, warning
from ostiary_auth.mail import envelope, server, transport
from ostiary_auth.mail.server import Tls
from ostiary_auth.mail.transport import Line, Sent, ServerTrouble
from ostiary_auth.settings import AuthSettings
from ostiary_shared import clock, tokens
from ostiary_shared.errors import Invalid
from ostiary_shared.settings import SettingsError

REMEDY = "Compare OSTIARY_SMTP_URL with what your mail provider says: host, port, TLS, user and password."


async def look(settings: AuthSettings, to: str = "") -> list[Found]:
    """Connect as the courier does; with `to`, hand over one test mail as well."""
    try:
        out = server.read(settings)
    except SettingsError as error:
        return [fault("mail server", str(error).rstrip("."), REMEDY)]
    try:
        line = await transport.connect(out, envelope.host(settings))
    except ServerTrouble as trouble:
        return [fault("mail server", f"{out.host}:{out.port} says: {trouble.reply}", REMEDY)]
    try:
        found = [_protected(out)]
        return [*found, await _handed_over(settings, line, to)] if to else found
    finally:
        await transport.leave(line)


def _protected(out: server.Server) -> Found:
    local = out.host in server.LOCAL
    if out.tls is Tls.AUTO or (out.tls is Tls.NEVER and not local):
        remedy = "Add ?starttls=required to OSTIARY_SMTP_URL: links that open accounts travel here."
        return warning("mail server", f"{out.host}:{out.port} answers; mail may travel unprotected", remedy)
    return fine("mail server", f"{out.host}:{out.port} answers{'' if local else ', protected by TLS'}")


async def _handed_over(settings: AuthSettings, line: Line, to: str) -> Found:
    """The server's own word on one mail. That it took it does not say that it arrives."""
    try:
        recipient = envelope.recipient(to)
    except Invalid:
        return fault("test mail", f"{to} is no address", "Write one address, such as you@example.org.")
    sender = envelope.sender(settings)
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, recipient, f"A test mail of {settings.site_name}"
    message["Date"] = format_datetime(clock.now().astimezone(UTC))
    message["Message-ID"] = f"<doctor-{tokens.code(16)}@{envelope.host(settings)}>"
    message.set_content("This mail was sent to see whether mail leaves. You need do nothing.\n")
    try:
        verdict = await transport.send(line, message, sender, recipient)
    except ServerTrouble as trouble:
        return fault("test mail", f"the server refuses all mail of {sender.addr_spec}: {trouble.reply}", REMEDY)
    if isinstance(verdict, Sent):
        return fine("test mail", f"the server took it for {to}: {verdict.reply}. Look whether it arrives")
    return fault("test mail", f"the server refused it: {verdict.reply}", "It says why; its own log may say more.")
