"""A refusal with all its steps, for whoever may look such things up."""

from pydantic import BaseModel
from quart import Blueprint
from quart.typing import ResponseReturnValue
from quart_schema import document_response, tag

from ostiary_auth import limits
from ostiary_auth.flows import deny
from ostiary_auth.flows.deny import Kept
from ostiary_shared.errors import NotFound
from ostiary_shared.permissions import Permission
from ostiary_shared.web.door import door, needs
from ostiary_shared.web.work import begin_work

blueprint = Blueprint("api_denials", __name__)


class StepOut(BaseModel):
    """One check: what was asked, whether it passed (null: not at fault), what was seen, and what would mend it."""

    check: str
    title: str
    passed: bool | None
    seen: str
    remedy: str


class RemedyOut(BaseModel):
    """What would open the door, for a program that applies it."""

    kind: str
    value: str
    words: str


class DecisionOut(BaseModel):
    """How it came about."""

    outcome: str
    cause: str | None
    remedy: RemedyOut | None
    steps: list[StepOut]


class RefusedUser(BaseModel):
    """Who was refused."""

    id: str
    email: str


class DenialOut(BaseModel):
    """A refusal: when last, how often within the hour, of whom (null for a stranger), and why."""

    code: str
    at: str
    count: int
    method: str
    url: str
    user: RefusedUser | None
    decision: DecisionOut


@blueprint.get("/api/v1/denials/<code>")
@tag(["refusals"])
@document_response(DenialOut)
@door(needs(Permission.DENIALS_READ), limits.PAGE)
async def denial(code: str) -> ResponseReturnValue:
    """The steps behind a code of either kind."""
    async with begin_work() as work:
        kept = await deny.find(work, code)
    if kept is None:
        raise NotFound("There is no refusal with this code.")
    return _out(kept).model_dump()


def _out(kept: Kept) -> DenialOut:
    user = RefusedUser(id=kept.user_id, email=kept.email) if kept.user_id else None
    decision = DecisionOut.model_validate(kept.decision.to_json())
    return DenialOut(
        code=kept.code, at=kept.at, count=kept.count, method=kept.method, url=kept.url, user=user, decision=decision
    )
