"""Is a mail still worth sending, and what does it say? Decided, and its secret minted, at the moment of sending."""

import unicodedata
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from ostiary_auth.flows.one_time import code_scope
from ostiary_auth.mail.contexts import RECIPES, Notice, of_token, with_secret
from ostiary_auth.settings import AuthSettings
from ostiary_shared import tokens
from ostiary_shared.models import Message, User
from ostiary_shared.store import api_tokens, one_time_tokens, passwords, users
from ostiary_shared.store.messages import Kind
from ostiary_shared.store.one_time_tokens import MESSAGE, Issue

# Warnings: they go where the account's mail went when it happened, whatever became of the account since.
WARNINGS = frozenset({Kind.PASSWORD_CHANGED, Kind.EMAIL_CHANGED, Kind.API_TOKEN_MADE})
# To an address that nobody has proved yet we repeat no name: a stranger may have chosen it as an advertisement.
UNPROVED = frozenset({Kind.CONFIRM, Kind.CHANGE_EMAIL})
NAME_LENGTH = 60
# A flow queues a mail for nobody so that each address costs the same; this is what its row says in the end.
NOBODY = {
    Kind.CONFIRM: "No account with this address waits to be confirmed.",
    Kind.CHANGE_EMAIL: "Another account has this address.",
}


@dataclass(frozen=True, slots=True)
class Letterhead:
    """What writing a letter takes beside the rows."""

    settings: AuthSettings
    code_key: tokens.Key


@dataclass(frozen=True, slots=True)
class Ready:
    """A letter to be written, to whom, and the secret that makes older ones worthless once it is on its way."""

    kind: Kind
    context: Notice
    secret: Issue | None = None


@dataclass(frozen=True, slots=True)
class Pointless:
    """A mail that shall not be sent, and why."""

    reason: str


async def prepare(session: AsyncSession, letterhead: Letterhead, row: Message, now: datetime) -> Ready | Pointless:
    """What to send for a row. Whoever wants to lock or readdress the person waits until this is committed."""
    kind = Kind(row.kind)
    user = await users.hold(session, row.user_id) if row.user_id else None
    if user is None:
        return Pointless(NOBODY.get(kind, "No account has this address."))
    reason = _closed(kind, user) or await _done(session, kind, user, row.email)
    if reason:
        return Pointless(reason)
    email = row.email if kind in WARNINGS or kind is Kind.CHANGE_EMAIL else user.email
    name = "" if kind in UNPROVED or not (user.confirmed_at or kind is Kind.INVITE) else harmless(user.name)
    notice = Notice(letterhead.settings.site_name, letterhead.settings.public_url, name, email, row.created_at)
    if RECIPES[kind].of_token:
        return await _of_token(session, row, notice, now)
    return await _with_secret(session, letterhead, row, notice, now)


async def sent(session: AsyncSession, ready: Ready, now: datetime) -> None:
    """Older links of the same purpose die now, not before: had this mail not left, they would still be wanted."""
    if ready.secret:
        await one_time_tokens.supersede(session, now, ready.secret)


def harmless(name: str) -> str:
    """A name as it may stand in a mail: nothing that a mail program would turn into a link."""
    plain = " ".join(unicodedata.normalize("NFKC", name).replace("。", ".").split())
    linkish = any(mark in plain for mark in ":/@<>") or any("." in word[:-1] for word in plain.split())
    return "" if linkish or len(plain) > NAME_LENGTH or not plain.isprintable() else plain


def _closed(kind: Kind, user: User) -> str:
    if user.deleted_at and kind not in WARNINGS:
        return "The account was deleted."
    if user.locked_at and kind not in WARNINGS:
        return "The account is locked."
    return ""


async def _done(session: AsyncSession, kind: Kind, user: User, email: str) -> str:
    """Why this mail comes too late; empty when it does not."""
    theirs = email.casefold() == user.email.casefold()
    if kind is Kind.CHANGE_EMAIL:
        return "The account has this address already." if theirs else ""
    if not theirs and kind not in WARNINGS:
        return "The account has another address now."
    if kind is Kind.CONFIRM and user.confirmed_at:
        return "The address is confirmed already."
    if kind is Kind.INVITE and user.confirmed_at and await passwords.adopted(session, user.id):
        return "The invitation was accepted already."
    return ""


async def _of_token(session: AsyncSession, row: Message, notice: Notice, now: datetime) -> Ready | Pointless:
    token = await api_tokens.get(session, UUID(row.subject["token"]))
    kind = Kind(row.kind)
    if token is None or (kind is Kind.API_TOKEN_ENDS and (token.revoked_at or token.expires_at <= now)):
        return Pointless("The token is gone already.")
    return Ready(kind, of_token(notice, harmless(token.name), token.scopes, token.expires_at))


async def _with_secret(
    session: AsyncSession, letterhead: Letterhead, row: Message, notice: Notice, now: datetime
) -> Ready:
    kind = Kind(row.kind)
    purpose, path = RECIPES[kind].purpose, RECIPES[kind].path
    if purpose is None:
        return Ready(kind, notice)
    token, code = tokens.mint(tokens.ONE_TIME), tokens.code()
    secret = Issue(
        purpose,
        token.digest,
        tokens.code_digests(code, code_scope(purpose, notice.email), letterhead.code_key)[0],
        row.user_id,
        notice.email,
        {**row.subject, MESSAGE: str(row.id)},
    )
    good_until = await one_time_tokens.issue(session, secret, now)
    return Ready(kind, with_secret(notice, path, (token.value, code), good_until), secret)
