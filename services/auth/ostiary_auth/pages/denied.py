"""The page of a refusal: a plain sentence, a way forward, the code. The steps are for administrators alone."""

from dataclasses import dataclass

from quart import Blueprint, render_template
from quart.typing import ResponseReturnValue

from ostiary_auth import limits
from ostiary_auth.flows import deny, gate
from ostiary_auth.flows.deny import Kept
from ostiary_auth.tools import AuthWork
from ostiary_shared.access import Check, Decision, Outcome
from ostiary_shared.decision import NEW_TOKEN, USE_SESSION
from ostiary_shared.errors import NotFound
from ostiary_shared.web.door import ANYONE, door
from ostiary_shared.web.errors import TOKEN_LACKS, plain_sentence
from ostiary_shared.web.redirects import foreign_host, to_sign_in
from ostiary_shared.web.work import begin_work

blueprint = Blueprint("denied", __name__)


@dataclass(frozen=True, slots=True)
class Words:
    """What a refused person reads. `way` says what they can do themselves."""

    title: str
    sentence: str
    way: str


_ASK = "If you should be let in, send this code to your administrator. It tells them exactly what to change."
_WORDS = {
    Check.PROXY: Words(
        "This site is not set up yet",
        "Its doorkeeper was asked in a way that it does not trust, so nobody is let in for now.",
        "You cannot mend this from here. Please send this code to whoever runs the site.",
    ),
    Check.ADDRESS: Words(
        "That address is unusual",
        plain_sentence("address"),
        "Start again from the front page of the site. If a link of the site brought you here, send this code to "
        "whoever runs it.",
    ),
    Check.ACCOUNT: Words("Your account is closed for now", plain_sentence("account"), _ASK),
    Check.CONFIRMED: Words(
        "One step is missing",
        plain_sentence("confirmed"),
        "Open the mail that we sent when you signed up and follow its link, or type its code. Then try again.",
    ),
    Check.ROLE: Words("Not for you, not yet", plain_sentence("role"), _ASK),
    Check.PERMISSION: Words("Not for you, not yet", plain_sentence("permission"), _ASK),
    Check.ASSURANCE: Words("Please sign in once more", plain_sentence("assurance"), "Sign in again, then try again."),
    Check.RULE: Words("This part is closed", "It is open to nobody at the moment.", _ASK),
    Check.FRESH: Words(
        "Please sign in once more",
        plain_sentence("fresh"),
        "It makes sure that it is still you who sits here. You will be taken back.",
    ),
    Check.REQUEST: Words("That was refused", "What was asked for could not be granted.", _ASK),
}
_OF_PROGRAMS = {
    NEW_TOKEN: Words(
        "Not for this token",
        TOKEN_LACKS,
        "Make a token with more scopes. If you do not know which, ask with this code.",
    ),
    USE_SESSION: Words(
        "Not for programs",
        "This part asks for a person who has signed in, and a program's token cannot do that.",
        "Open the page in your browser.",
    ),
}
_SIGN_IN = Words(
    "Please sign in", "You are not signed in, or your session is over.", "Sign in, and you will be taken back."
)


@blueprint.get("/denied/<code>")
@door(ANYONE, limits.PAGE)
async def denied(code: str) -> ResponseReturnValue:
    """Answers 403 as the refusal itself would have: a program that follows redirects must not take it for the page."""
    async with begin_work() as work:
        kept = await deny.find(work, code)
        wanted = await _way_back(work, kept) if kept else ""
    if kept is None:
        raise NotFound("There is no refusal with this code. Check it, or try again what you wanted to do.")
    again = kept.decision.wants_another_sign_in
    signs_in = again or kept.decision.outcome is Outcome.SIGN_IN
    page = await render_template(
        "denied.html",
        words=_words_of(kept.decision),
        reference=kept.code,
        sign_in=to_sign_in("/login", wanted, again=again) if signs_in else "",
        confirm=kept.decision.cause is Check.CONFIRMED,
        wanted=wanted,
    )
    return page, 403


def _words_of(decision: Decision) -> Words:
    if decision.outcome is Outcome.SIGN_IN:
        return _SIGN_IN
    own = _OF_PROGRAMS.get(decision.remedy.kind) if decision.remedy else None
    return own or _WORDS.get(decision.cause or Check.RULE, _WORDS[Check.RULE])


async def _way_back(work: AuthWork, kept: Kept) -> str:
    """The address that was wanted, if it belongs to a site of ours: a code must not make us link elsewhere."""
    if kept.url.startswith(f"{work.tools.settings.public_url}/"):
        return kept.url
    host = foreign_host(kept.url)
    if kept.decision.cause is Check.ADDRESS or host is None or not await gate.is_guarded(work, host):
        return ""
    return kept.url
