"""One's own account, for programs."""

from quart import Blueprint, jsonify
from quart.typing import ResponseReturnValue
from quart_schema import document_request, document_response, tag

from ostiary_auth import limits
from ostiary_auth.api.shapes import PasswordReplaced, Problem, Told, ToldInForce, UserShape
from ostiary_auth.doorway.entering import desk
from ostiary_auth.doorway.inputs import EmailChange, MailProof, PasswordChange, Rename
from ostiary_auth.flows import account, change_email, change_password
from ostiary_auth.flows.change_password import WrongPassword
from ostiary_auth.flows.one_time import Dead
from ostiary_shared.errors import FieldError, Gone, Invalid
from ostiary_shared.web.door import ANYONE, SIGNED_IN, door, identity, maybe_identity
from ostiary_shared.web.forms import read_json
from ostiary_shared.web.visitor import carry, visitor
from ostiary_shared.web.work import begin_work

blueprint = Blueprint("api_account", __name__, url_prefix="/api/v1/account")

SENT = "If the address can be yours, a mail is on its way to it."
DEAD = "This link or code does not work any more."
WRONG = Invalid(FieldError("current_password", "This is not your current password."))


@blueprint.get("")
@door(SIGNED_IN, limits.PAGE)
@document_response(UserShape, 200)
@tag(["account"])
async def show() -> ResponseReturnValue:
    """The account of the caller."""
    return jsonify(identity().to_json()["user"])


@blueprint.patch("")
@door(SIGNED_IN, limits.ACT)
@document_request(Rename)
@document_response(UserShape, 200)
@tag(["account"])
async def rename() -> ResponseReturnValue:
    """Change the name."""
    body = await read_json(Rename)
    async with begin_work() as work:
        await account.rename(work, identity(), body.name)
    return jsonify({**identity().to_json()["user"], "name": body.name})


@blueprint.post("/password")
@door(SIGNED_IN, limits.ACT)
@document_request(PasswordChange)
@document_response(PasswordReplaced, 200)
@document_response(Problem, 422)
@tag(["account"])
async def replace_password() -> ResponseReturnValue:
    """Change the password. Other sessions and all API tokens end; this one's token is new: in the cookie, or here."""
    body = await read_json(PasswordChange)
    current, new = body.current_password.get_secret_value(), body.password.get_secret_value()
    outcome = await change_password.change(desk(), identity(), current, new)
    if isinstance(outcome, WrongPassword):
        raise WRONG
    receipt = outcome.receipt.to_json() if outcome.receipt else None
    told = {"ended": outcome.ended, "revoked": outcome.revoked, "receipt": receipt}
    if visitor().bearer:
        return jsonify({**told, "token": outcome.token})
    carry(outcome.token, remember=outcome.remember)
    return jsonify(told)


@blueprint.post("/email")
@door(SIGNED_IN, limits.MAIL)
@document_request(EmailChange)
@document_response(Told, 202)
@document_response(Problem, 422)
@tag(["account"])
async def ask_for_email() -> ResponseReturnValue:
    """Ask for another address. Nothing changes until the mail to it is answered."""
    body = await read_json(EmailChange)
    if isinstance(
        await change_email.ask(desk(), identity(), body.email, body.current_password.get_secret_value()), WrongPassword
    ):
        raise WRONG
    return {"detail": SENT}, 202


@blueprint.post("/email/confirm")
@door(ANYONE, limits.TOKEN)
@document_request(MailProof)
@document_response(ToldInForce, 200)
@document_response(Problem, 410)
@tag(["account"])
async def confirm_email() -> ResponseReturnValue:
    """Confirm the new address by `token`, or by `email` and `code`."""
    body = await read_json(MailProof)
    async with begin_work() as work:
        outcome = await change_email.confirm(work, body.proof(), maybe_identity())
    if isinstance(outcome, Dead):
        raise Gone(DEAD)
    receipt = work.receipt.to_json() if work.receipt else None
    return {"detail": f"The address is {outcome.email} now.", "receipt": receipt}, 200
