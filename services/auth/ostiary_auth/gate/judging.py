"""The middle of both gate doors: question in, verdict out, one transaction."""

from quart import request

from ostiary_auth import metrics
from ostiary_auth.flows import deny, gate, sign_assertion
from ostiary_auth.gate.answers import Verdict
from ostiary_auth.gate.asked import Question, token
from ostiary_shared.access import Outcome
from ostiary_shared.web.work import begin_work


async def judged(question: Question, *, keep_sign_in: bool = True) -> Verdict:
    """The verdict, which is counted."""
    verdict = await _judged(question, keep_sign_in=keep_sign_in)
    metrics.DECISIONS.labels(request.path, verdict.decision.outcome.value, "app").inc()
    return verdict


async def _judged(question: Question, *, keep_sign_in: bool = True) -> Verdict:
    """The verdict; refusals are kept under a reference, a visitor's way to the sign-in page is none."""
    async with begin_work() as work:
        if question.unheard:
            reference = await deny.keep(work, question.unheard, "", "")
            return Verdict(question.unheard, reference=reference)
        found = await gate.judge(work, question.asked, token())
        if found.decision.allowed:
            assertion = await sign_assertion.sign(work, found.identity, found.audience) if found.identity else ""
            return Verdict(found.decision, found.identity, assertion)
        if found.decision.outcome is Outcome.SIGN_IN and not keep_sign_in:
            return Verdict(found.decision)
        reference = await deny.keep(work, found.decision, question.asked.method, question.asked.url)
        return Verdict(found.decision, reference=reference)
