"""Single-use secrets from a mail, by link or by typed code: looking at one, and using it up."""

from dataclasses import dataclass
from uuid import UUID

from ostiary_auth.flows import throttle
from ostiary_auth.tools import AuthWork
from ostiary_shared.events import Event
from ostiary_shared.models import User
from ostiary_shared.store import audit, messages, one_time_tokens, users
from ostiary_shared.store.one_time_tokens import Consumed, Purpose
from ostiary_shared.tokens import code_digests, digest


@dataclass(frozen=True, slots=True)
class Proof:
    """What somebody brings from their mailbox: the link's token, or the address and the typed code."""

    token: str = ""
    email: str = ""
    code: str = ""


@dataclass(frozen=True, slots=True)
class Dead:
    """The link or code is unknown, used up, replaced, too old, or was meant for something else."""


def code_scope(purpose: Purpose, email: str) -> str:
    """What a code opens: this purpose, for this address, whatever its case."""
    return f"{purpose.value}:{email.casefold()}"


async def peek(work: AuthWork, purpose: Purpose, proof: Proof) -> Consumed | None:
    """What a proof is good for, without using it up. A wrong code counts as a guess; raises TooMany."""
    if proof.token:
        return await one_time_tokens.peek(work.session, purpose, digest(proof.token), work.now)
    counts = throttle.codes(purpose, proof.email)
    await throttle.take(work, counts)
    found = await one_time_tokens.peek_code(work.session, purpose, _codes(work, purpose, proof), work.now)
    if found:
        await throttle.give_back(work, counts)
    else:
        await _note(work, purpose, proof)
    return found


async def use_up(work: AuthWork, purpose: Purpose, proof: Proof) -> tuple[Consumed, User] | None:
    """Use a proof up: of fifty at once, one succeeds. A wrong code counts as a guess; raises TooMany.

    The person is held first and the token used up second, in the order in which links are ended everywhere.
    """
    seen = await peek(work, purpose, proof)
    user = await users.hold_alone(work.session, seen.user_id) if seen and seen.user_id else None
    found = await one_time_tokens.consume_seen(work.session, seen, purpose, work.now) if seen and user else None
    return (found, user) if found and user else None


async def end_all(work: AuthWork, user_id: UUID, why: str) -> None:
    """End every link and code of a person who is held: those that went out, and those of mails not yet sent."""
    await one_time_tokens.void(work.session, work.now, user_id)
    await messages.drop(work.session, user_id, work.now, why)


async def _note(work: AuthWork, purpose: Purpose, proof: Proof) -> None:
    """A wrong code for somebody we know is in the log; for others a counter costs the same and fills nothing."""
    user = await users.find(work.session, proof.email)
    if user:
        reason = f"wrong code ({purpose.value})"
        await audit.record(work, Event.LOGIN_FAILED, audit.Target(user.id, user.email), reason=reason)
    else:
        await throttle.count_stranger(work, purpose.value, proof.email)


def _codes(work: AuthWork, purpose: Purpose, proof: Proof) -> tuple[bytes, ...]:
    return code_digests(proof.code, code_scope(purpose, proof.email), work.tools.code_key)
