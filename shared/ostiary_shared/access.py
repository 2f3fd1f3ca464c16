"""The one function that decides access, and the steps it took. Pages, API, gate, console and `explain` all ask here.

A decision is a value: it reads nothing and writes nothing. Recording a refusal is the caller's business.
"""

from datetime import datetime

from ostiary_shared.decision import NEW_TOKEN, TELL_ADDRESS, USE_SESSION, Check, Decision, Outcome, Remedy, Step
from ostiary_shared.identity import Account, HeldRole, Identity, Presented, SessionFacts
from ostiary_shared.requirement import SIGNED_IN, Asks, Requirement, minutes

__all__ = [
    "SIGNED_IN",
    "Asks",
    "Check",
    "Decision",
    "Outcome",
    "Remedy",
    "Requirement",
    "Step",
    "decide",
    "refuse_address",
    "refuse_proxy",
    "restated",
    "signed_in",
    "turned_down",
]


def decide(presented: Presented, requirement: Requirement, now: datetime) -> Decision:
    """Whether a request that brought `presented` meets `requirement` at `now`. Pure; never raises."""
    steps: list[Step] = []
    if requirement.asks is Asks.ANYONE:
        return Decision(Outcome.ALLOWED, (_rule(requirement, passed=True),), account=presented.account)
    if requirement.asks in _CLOSED:  # signing in would not help: do not send anybody there
        return _closed(Outcome.REFUSED, steps, requirement, _open_rule(requirement), presented.account)
    remedy = _session_steps(presented, now, steps)
    if remedy:
        return _closed(Outcome.SIGN_IN, steps, requirement, remedy, presented.account)
    session, account = presented.session, presented.account
    if session is None or account is None:  # the steps above refuse both; a broken caller must not open the door
        return _closed(Outcome.SIGN_IN, steps, requirement, _SIGN_IN, account)
    remedy = (
        _account_steps(account, steps)
        or _sign_in_steps(session, requirement, now, steps)
        or _requirement_step(account, requirement, steps)
    )
    if remedy:
        return _closed(Outcome.REFUSED, steps, requirement, remedy, account)
    return Decision(Outcome.ALLOWED, (*steps, _rule(requirement, passed=True)), account=account)


def signed_in(presented: Presented, now: datetime) -> Identity | None:
    """The person, if their session lives and their account is in order."""
    session, account = presented.session, presented.account
    if session is None or account is None or not decide(presented, SIGNED_IN, now).allowed:
        return None
    return Identity.of(account, session)


def refuse_address(seen: str) -> Decision:
    """The decision for an address that is not written the one canonical way; nothing else is looked at."""
    remedy = Remedy("fix-address", "", "Use the address as the site itself links it.")
    return _unheard(Check.ADDRESS, "Is the address written the one canonical way?", seen, remedy)


def refuse_proxy(seen: str, remedy: str) -> Decision:
    """The decision when whoever asks for a site is no reverse proxy of ours, or one that does not say enough."""
    return _unheard(Check.PROXY, "Does a reverse proxy of ours ask?", seen, Remedy("trust-proxy", "", remedy))


def restated(remedy: Remedy, email: str) -> Remedy:
    """A kept remedy in words that name the person's present address. Words that named none stay as they are."""
    head, _nobody, tail = _FOR.get(remedy.kind, "").format(value=remedy.value, email="\0").partition("\0")
    if not tail or not (remedy.words.startswith(head) and remedy.words.endswith(tail)):
        return remedy
    return _for(remedy.kind, remedy.value, email)


def _unheard(check: Check, title: str, seen: str, remedy: Remedy) -> Decision:
    return Decision(Outcome.REFUSED, (Step(check, title, passed=False, seen=seen, remedy=remedy.words),), check, remedy)


_CLOSED = frozenset({Asks.NOBODY, Asks.NOWHERE, Asks.UNTOLD})


def _open_rule(requirement: Requirement) -> Remedy:
    if requirement.asks is Asks.NOWHERE:
        return Remedy("add-site", requirement.value, f"Add a site for {requirement.value}, with rules that open it.")
    if requirement.asks is Asks.UNTOLD:
        return Remedy(TELL_ADDRESS, "", "Let the proxy tell where visitors come from, in X-Forwarded-For.")
    return Remedy("open-rule", requirement.value, "Add a rule that opens this address.")


_SIGN_IN = Remedy("sign-in", "", "Sign in.")
_AGAIN = Remedy("sign-in", "", "Sign in again.")
_ANEW = Remedy(NEW_TOKEN, "", "Make a new token.")
_NO_PROGRAMS = Remedy(USE_SESSION, "", "Sign in, and use the token or the cookie of the session.")
_IN_A_BROWSER = Remedy(USE_SESSION, "", "Use the page in a browser; a program's token cannot meet this rule.")
_FOR = {
    "unlock": "Unlock {email}.",
    "confirm": "Confirm the address {email}.",
    "grant-role": "Grant {value} to {email}.",
    "grant-permission": "Grant {email} a role with the permission {value}.",
}


def _for(kind: str, value: str, email: str) -> Remedy:
    return Remedy(kind, value, _FOR[kind].format(value=value, email=email))


def _session_steps(presented: Presented, now: datetime, steps: list[Step]) -> Remedy | None:
    session = presented.session
    program = presented.misplaced or (session is not None and session.of_program)
    brought = "an API token" if program else "a session cookie or token"
    seen = brought if presented.carried else "neither cookie nor token"
    steps.append(_step(Check.COOKIE, "Did the request carry a session?", presented.carried, seen, _SIGN_IN))
    if not presented.carried:
        return _SIGN_IN
    steps.append(_known_step(presented))
    if session is None:
        return _NO_PROGRAMS if program else _SIGN_IN
    end, remedy = _end_of(session, now), _ANEW if program else _SIGN_IN
    title = "Is the API token still good?" if program else "Is the session still alive?"
    seen = end or f"{'good' if program else 'alive'} until {_date(session.idle_until())}"
    steps.append(_step(Check.ALIVE, title, not end, seen, remedy))
    return remedy if end else None


def _known_step(presented: Presented) -> Step:
    session, title = presented.session, "Is the API token taken here?"
    if session is None and presented.misplaced:
        seen = "an API token, which this door does not take"
        return Step(Check.SESSION, title, passed=False, seen=seen, remedy=_NO_PROGRAMS.words)
    if session is not None and session.of_program:
        return Step(Check.SESSION, title, passed=True, seen=f"API token {session.id}")
    seen = f"session {session.id}" if session else "no session has this token"
    return _step(Check.SESSION, "Is the session known?", session is not None, seen, _SIGN_IN)


def _end_of(session: SessionFacts, now: datetime) -> str:
    """Why a session is over, in words; empty while it is alive."""
    if session.ended_at:
        ended = "revoked" if session.of_program else "ended"
        return f"{ended} {_date(session.ended_at)}" + (f": {session.ended_reason}" if session.ended_reason else "")
    if now >= session.expires_at:
        return f"reached its {'end' if session.of_program else 'longest life'} {_date(session.expires_at)}"
    if now >= session.idle_until():
        return f"unused since {_date(session.last_seen_at)}"
    return ""


def _account_steps(account: Account, steps: list[Step]) -> Remedy | None:
    usable = account.locked_at is None and account.deleted_at is None
    unlock = _for("unlock", str(account.id), account.email)
    steps.append(_step(Check.ACCOUNT, "Is the account usable?", usable, _state_of(account), unlock))
    if not usable:
        return unlock
    confirm = _for("confirm", str(account.id), account.email)
    confirmed = f"confirmed {_date(account.confirmed_at)}" if account.confirmed_at else "not confirmed"
    title = "Is the e-mail address confirmed?"
    steps.append(_step(Check.CONFIRMED, title, account.confirmed_at is not None, confirmed, confirm))
    return None if account.confirmed_at else confirm


def _sign_in_steps(session: SessionFacts, requirement: Requirement, now: datetime, steps: list[Step]) -> Remedy | None:
    program, asked = session.of_program, requirement.assurance
    remedy, enough = _IN_A_BROWSER if program else _AGAIN, session.assurance >= asked
    came = "an API token" if program else ", ".join(session.methods)
    seen = f"level {session.assurance} by {came}; level {asked} is asked"
    steps.append(_step(Check.ASSURANCE, "Was the sign-in strong enough?", enough, seen, remedy))
    if not enough or requirement.fresh is None:
        return None if enough else remedy
    came = "a program's token, by which nobody signs in" if program else f"signed in {_date(session.authenticated_at)}"
    seen = f"{came}; within {minutes(requirement.fresh)} is asked"
    recent = not program and now - session.authenticated_at <= requirement.fresh
    steps.append(_step(Check.FRESH, "Was the sign-in recent enough?", recent, seen, remedy))
    return None if recent else remedy


def _state_of(account: Account) -> str:
    if account.deleted_at:
        return f"deleted {_date(account.deleted_at)}"
    if account.locked_at:
        return f"locked {_date(account.locked_at)}" + (f": {account.locked_reason}" if account.locked_reason else "")
    return f"{account.email}, active"


def _requirement_step(account: Account, requirement: Requirement, steps: list[Step]) -> Remedy | None:
    match requirement.asks:
        case Asks.SIGNED_IN:
            return None
        case Asks.ROLE:
            return _roles_step(account, (requirement.value,), requirement, steps)
        case Asks.ANY_ROLE | Asks.ALL_ROLES:
            return _roles_step(account, requirement.roles, requirement, steps)
        case Asks.PERMISSION:
            return _permission_step(account, requirement.value, steps)
        case _:
            return _open_rule(requirement)


def _permission_step(account: Account, asked: str, steps: list[Step]) -> Remedy | None:
    holder = next((role for role in account.held if asked in role.permissions), None)
    withheld = [role for role in account.whole if asked in role.permissions]
    remedy = _for("grant-permission", asked, account.email)
    seen = _grant(holder) if holder else _roles_of(account)
    if withheld and not holder:
        given = set(account.roles) & {role.name for role in withheld}
        remedy = _new_token([asked] if given else [f"role:{withheld[0].name}", asked])
        seen = _WITHHELD
    steps.append(_step(Check.PERMISSION, f"Is the permission {asked} held?", holder is not None, seen, remedy))
    return None if holder else remedy


def _roles_step(account: Account, asked: tuple[str, ...], requirement: Requirement, steps: list[Step]) -> Remedy | None:
    """One role, any or all of several; of no role at all nobody holds any."""
    held = [role for role in account.held if role.name in asked]
    missing = [name for name in asked if name not in {role.name for role in held}]
    enough = bool(asked) and (not missing if requirement.asks is Asks.ALL_ROLES else bool(held))
    title = {
        Asks.ANY_ROLE: f"Is one of the roles {', '.join(asked)} held?",
        Asks.ALL_ROLES: f"Are all of the roles {', '.join(asked)} held?",
    }.get(requirement.asks, f"Is the role {requirement.value} held?")
    remedy, seen = _open_rule(requirement), _roles_of(account)
    if enough:
        seen = "; ".join(map(_grant, held))
    elif missing:
        remedy, seen = _for_roles(account, missing, requirement)
    steps.append(_step(Check.ROLE, title, enough, seen, remedy))
    return None if enough else remedy


def _for_roles(account: Account, missing: list[str], requirement: Requirement) -> tuple[Remedy, str]:
    """What mends missing roles, and what was seen: the person lacks them, or their token is not given them."""
    mine = {role.name for role in account.whole}
    withheld = [name for name in missing if name in mine]
    everything = requirement.asks is Asks.ALL_ROLES
    if withheld and (len(withheld) == len(missing) or not everything):
        return _new_token([f"role:{name}" for name in (withheld if everything else withheld[:1])]), _WITHHELD
    return _for("grant-role", next(name for name in missing if name not in mine), account.email), _roles_of(account)


def _new_token(scopes: list[str]) -> Remedy:
    return Remedy(NEW_TOKEN, " ".join(scopes), f"Make a token with {' and '.join(scopes)}.")


_WITHHELD = "the person holds it, this token is not given it"


def _roles_of(account: Account) -> str:
    """Which roles somebody holds; of a token's owner all, whatever the token is given of them."""
    names = sorted(role.name for role in account.whole) or account.roles
    whose = "the person holds" if account.whole else "holds"
    return f"{whose} {', '.join(names)}" if names else "holds no role"


def _grant(holder: HeldRole) -> str:
    until = f", until {_date(holder.until)}" if holder.until else ""
    return f"from the role {holder.name}, granted {_date(holder.since)} by {holder.by}{until}"


def _closed(
    outcome: Outcome, steps: list[Step], requirement: Requirement, remedy: Remedy, account: Account | None
) -> Decision:
    failed = next((step for step in steps if not step.passed), None)
    rule = _rule(requirement, passed=None if failed else False, remedy="" if failed else remedy.words)
    cause = failed.check if failed else Check.RULE
    return Decision(outcome, (*steps, rule), cause, remedy, account)


def _rule(requirement: Requirement, *, passed: bool | None, remedy: str = "") -> Step:
    where = requirement.source or "this page"
    return Step(Check.RULE, "Which rule decided?", passed, f"{where}: {requirement.words()}", remedy)


def _step(check: Check, title: str, passed: bool, seen: str, remedy: Remedy) -> Step:  # noqa: FBT001
    """A step; what passed needs no remedy."""
    return Step(check, title, passed, seen, "" if passed else remedy.words)


def _date(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def turned_down(outcome: Outcome, seen: str) -> Decision:
    """The decision on a request that passed the door and was refused for what it asked, such as a wrong password."""
    step = Step(Check.REQUEST, "Could the request be granted?", passed=False, seen=seen)
    return Decision(outcome, (step,), Check.REQUEST)
