"""What proxies are told: pass, with every identity header; or not, with the way forward for people and programs."""

import unicodedata
from dataclasses import dataclass
from urllib.parse import quote

from quart import Response, g

from ostiary_auth.gate.asked import Question, auth_settings
from ostiary_auth.gate.manner import FOUND, sign_in_for
from ostiary_shared.access import Check, Decision, Outcome
from ostiary_shared.identity import Identity
from ostiary_shared.web.errors import problem, sentence_of
from ostiary_shared.web.kit import kit

IDENTITY_HEADERS = ("Remote-User", "Remote-Email", "Remote-Name", "Remote-Groups", "X-Ostiary-Assertion")
# A header of this size still fits the buffers of every proxy we know.
MAX_GROUPS = 4000
_UNSAFE = frozenset({"Cc", "Cs", "Zl", "Zp"})


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a question: who passes with which assertion, or the reference of the refusal."""

    decision: Decision
    identity: Identity | None = None
    assertion: str = ""
    reference: str = ""


def passed(verdict: Verdict) -> Response:
    """200 with all five identity headers, empty where nobody is known: a missing one could be a client's own."""
    who = verdict.identity
    values = (str(who.id), who.email, who.name, groups_header(who), verdict.assertion) if who else ("",) * 5
    response = Response(b"", 200, mimetype="text/plain")
    for name, value in zip(IDENTITY_HEADERS, values, strict=True):
        response.headers[name] = header_safe(value)
    g.for_a_proxy = True
    return response


def turned_away(verdict: Verdict, question: Question) -> Response:
    """401 or 403 as a problem (RFC 9457). Never a page: it would be shown on the site's own origin."""
    if verdict.decision.outcome is Outcome.SIGN_IN:
        sign_in = sign_in_url(question)
        response = problem(
            401, "unauthenticated", sentence_of(verdict.decision), reference=verdict.reference, sign_in=sign_in
        )
        response.headers["WWW-Authenticate"] = 'Bearer realm="ostiary"'
        return response
    detail, denied = _detail(verdict.decision), denied_url(verdict.reference)
    further = {"sign_in": sign_in_url(question, again=True)} if _is_stale(verdict) else {}
    return problem(403, "forbidden", detail, reference=verdict.reference, explanation=denied, **further)


def sent(url: str, status: int = FOUND) -> Response:
    """A redirect without a body."""
    response = Response(b"", status, mimetype="text/plain")
    response.headers["Location"] = url
    return response


def sign_in_url(question: Question, *, again: bool = False) -> str:
    """Where to sign in, and to come back from to the page that was wanted or the request came from."""
    return sign_in_for(auth_settings(), question.asked, question.manner, again=again)


def refused_url(verdict: Verdict, question: Question) -> str:
    """Where a refused person goes: to sign in anew if that opens the door, else to the page that tells them why."""
    return sign_in_url(question, again=True) if _is_stale(verdict) else denied_url(verdict.reference)


def denied_url(reference: str) -> str:
    """The page that tells a person why."""
    return f"{kit().settings.public_url}/denied/{quote(reference, safe='')}"


def header_safe(value: str) -> str:
    """Text that cannot end a header or hide in one; other scripts stay as they are, in UTF-8."""
    return "".join(" " if unicodedata.category(mark) in _UNSAFE else mark for mark in value).strip()


def _is_stale(verdict: Verdict) -> bool:
    return verdict.decision.cause is Check.FRESH and verdict.decision.wants_another_sign_in


def groups_header(who: Identity) -> str:
    """The role names, separated by commas. A list that is cut off would lie: past the limit there is none."""
    groups = ",".join(who.roles)
    return groups if len(groups) <= MAX_GROUPS else ""


def _detail(decision: Decision) -> str:
    """For a proxy that is not set up right, the operator's own words; nothing that a stranger did not know."""
    step = decision.steps[0]
    return f"{step.seen}. {step.remedy}" if decision.cause == "proxy" else sentence_of(decision)
