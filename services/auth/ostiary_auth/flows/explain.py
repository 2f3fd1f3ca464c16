"""Why may, or may not, somebody enter? The same decision as at the door, taken again and told step by step."""

from dataclasses import dataclass, replace
from uuid import UUID

from ostiary_auth.flows import deny
from ostiary_auth.flows.deny import Kept
from ostiary_auth.flows.gate import Asked, rule_on
from ostiary_auth.tools import AuthWork
from ostiary_shared.access import Asks, Decision, Outcome, Remedy, Requirement, decide
from ostiary_shared.decision import TELL_ADDRESS
from ostiary_shared.errors import FieldError, Invalid, NotFound
from ostiary_shared.identity import Account, Presented, SessionFacts
from ostiary_shared.networks import Address
from ostiary_shared.permissions import Permission
from ostiary_shared.site_address import parts_of
from ostiary_shared.site_rules import as_if_signed_in, told_as_if
from ostiary_shared.store import sessions, users


@dataclass(frozen=True, slots=True)
class Explained:
    """A decision about somebody (`email` is empty for a stranger) and what was asked; `kept` when it was on record."""

    decision: Decision
    email: str
    asked: str
    kept: Kept | None = None
    depends_on_address: bool = False
    """Nobody said where they come from, and the rule asks for that: neither yes nor no."""


async def explain_url(
    work: AuthWork, who: str, url: str, method: str = "GET", origin: Address | None = None
) -> Explained:
    """Whether a person, by e-mail address or id, may open an address of a protected site, coming from `origin`.

    Takes the session they used last if one lives. Raises NotFound for nobody, Invalid for what is no web address.
    """
    asked = _asked(url, method, origin)
    account = await _account(work, who)
    session = await _living(work, account)
    judged = await rule_on(work, asked, _presented(work, account, session))
    decision = judged.decision if session else told_as_if(judged.decision)
    told = Explained(decision, account.email, f"{method} {asked.url}")
    depends = decision.remedy is not None and decision.remedy.kind == TELL_ADDRESS
    return replace(told, decision=_asking_on(decision), depends_on_address=True) if depends else told


async def explain_permission(work: AuthWork, who: str, permission: str) -> Explained:
    """Whether a person holds a permission of the console. Raises NotFound for nobody, Invalid for no permission."""
    if permission not in set(Permission):
        known = ", ".join(Permission)
        raise Invalid(FieldError("permission", f"There is no permission {permission}. There are {known}."))
    account = await _account(work, who)
    session = await _living(work, account)
    wanted = Requirement(Asks.PERMISSION, permission, source="the console")
    decision = decide(_presented(work, account, session), wanted, work.now)
    return Explained(decision if session else told_as_if(decision), account.email, f"permission {permission}")


async def explain_code(work: AuthWork, code: str) -> Explained:
    """The refusal that a person was given this code for. Raises NotFound when there is none."""
    kept = await deny.find(work, code)
    if kept is None:
        raise NotFound("There is no refusal with this code.")
    return Explained(kept.decision, kept.email, f"{kept.method} {kept.url}", kept)


def as_lines(found: Explained) -> list[str]:
    """The decision for a terminal: one line a step, the remedy below the one that failed, the outcome last."""
    lines = []
    for step in found.decision.steps:
        lines.append(f"{'·' if step.passed is None else '✓' if step.passed else '✗'} {step.title} {step.seen}")
        if step.remedy:
            lines.append(f"  → {step.remedy}")
    return [*lines, _DEPENDS if found.depends_on_address else _VERDICTS[found.decision.outcome]]


_DEPENDS = "It depends on where they come from."
_VERDICTS = {
    Outcome.ALLOWED: "The door opens.",
    Outcome.SIGN_IN: "The door stays shut: the person is asked to sign in.",
    Outcome.REFUSED: "The door stays shut.",
}


def _asking_on(decision: Decision) -> Decision:
    """The same, with what whoever asks here can say, in place of what a proxy can."""
    remedy = Remedy(TELL_ADDRESS, "", "Say where they come from: --from ADDRESS.")
    *before, last = decision.steps
    return replace(decision, steps=(*before, replace(last, remedy=remedy.words)), remedy=remedy)


def _asked(url: str, method: str, origin: Address | None) -> Asked:
    parts = parts_of(url)
    if parts is None:
        raise Invalid(FieldError("url", "Please give the whole address, such as https://wiki.example.org/editor/."))
    return Asked(method, parts.scheme, parts.host, parts.uri, origin)


async def _account(work: AuthWork, who: str) -> Account:
    user = await users.find(work.session, who.strip()) if "@" in who and who.isprintable() else None
    identifier = user.id if user else _uuid(who)
    account = await users.account(work.session, identifier, work.now) if identifier else None
    if account is None:
        raise NotFound(f"Nobody here has the address or id {who}.")
    return account


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _presented(work: AuthWork, account: Account, session: SessionFacts | None) -> Presented:
    if session is None:
        return as_if_signed_in(account, work.now)
    return Presented(carried=True, session=session, account=account)


async def _living(work: AuthWork, account: Account) -> SessionFacts | None:
    """The living session that was used last."""
    living = await sessions.living(work.session, account.id, work.now)
    return sessions.facts(living[0]) if living else None
