"""Failures and refusals as answers: a page for people, a problem (RFC 9457) for machines."""

from typing import Any

import structlog
from quart import Quart, Response, current_app, g, jsonify, redirect, render_template, request
from quart.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from ostiary_shared import metrics
from ostiary_shared.access import Decision, Outcome, turned_down
from ostiary_shared.database import broken_constraint, is_away, is_outdated, lost_a_race
from ostiary_shared.decision import NEW_TOKEN, USE_SESSION
from ostiary_shared.errors import Busy, Conflict, Failure, NotFound
from ostiary_shared.site_address import OURS
from ostiary_shared.web.caller import request_id
from ostiary_shared.web.door import RefusedError, check
from ostiary_shared.web.kit import Refusal, kit
from ostiary_shared.web.redirects import with_next

log = structlog.get_logger("ostiary")

LAST_ADMIN = "This would leave nobody who can administer Ostiary. Make somebody else an administrator first."
TOKEN_LACKS = "This API token is not given what this part asks for, though its owner has it."
CHALLENGE = 'Bearer realm="ostiary"'
TITLES = {
    400: "That did not arrive in one piece",
    401: "Who are you?",
    403: "Refused",
    404: "There is nothing here",
    405: "That cannot be done here",
    409: "That does not fit what is there",
    410: "That has been used",
    413: "That was too large",
    415: "That is not a form we read",
    421: "You came to the wrong house",
    422: "Something needs another look",
    429: "A little too fast",
    500: "Something went wrong on our side",
    503: "One moment, please",
}


def answer_errors(app: Quart) -> None:
    """Let every exception of an app become a clear answer."""
    app.register_error_handler(Failure, _failure)
    app.register_error_handler(RefusedError, _refusal)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _crash)


def wants_json() -> bool:
    """Whether the asker is a program: an API path, or an Accept that prefers JSON to a page."""
    if (
        "/api/" in request.path
        or request.path.endswith(".json")
        or request.path.startswith(("/oauth/", "/.well-known/"))
    ):
        return True
    best = request.accept_mimetypes.best_match(["text/html", "application/json", "application/problem+json"])
    return best is not None and best != "text/html"


def problem(status: int, code: str, detail: str, **more: Any) -> Response:
    """A problem document with our stable `code`."""
    body = {
        "type": "about:blank",
        "title": TITLES.get(status, "Refused"),
        "status": status,
        "code": code,
        "detail": detail,
        **more,
    }
    response = jsonify(body)
    response.status_code = status
    response.mimetype = "application/problem+json"
    return response


async def _failure(failure: Failure) -> ResponseReturnValue:
    errors = [{"field": fault.field, "message": fault.message} for fault in getattr(failure, "errors", ())]
    if wants_json():
        more: dict[str, Any] = {"errors": errors} if errors else {}
        if failure.status in {401, 403}:
            more["reference"] = await _reference(failure)
        response = problem(failure.status, failure.code, failure.detail, **more)
    else:
        # A page has no place for the fields of a form it did not show: name them in the text.
        text = " ".join([failure.detail, *(f"{fault['field']}: {fault['message']}" for fault in errors)])
        response = await _page(failure.status, text)
    if failure.status == 401:
        response.headers["WWW-Authenticate"] = CHALLENGE
    retry_after = getattr(failure, "retry_after", None)
    if retry_after:
        response.headers["Retry-After"] = str(retry_after)
    return response


async def _reference(failure: Failure) -> str:
    """The code under which this refusal can be looked up: sealed, so that it fills no table."""
    outcome = Outcome.SIGN_IN if failure.status == 401 else Outcome.REFUSED
    return await kit().deny(Refusal(turned_down(outcome, failure.detail), request.method, request.url))


async def _refusal(refused: RefusedError) -> ResponseReturnValue:
    decision = refused.refusal.decision
    navigation = request.method == "GET" and not wants_json()
    if decision.outcome is Outcome.SIGN_IN and navigation:
        return redirect(with_next(kit().sign_in_path, request.full_path.rstrip("?")), 303)
    try:
        reference = refused.reference or await kit().deny(refused.refusal)
    except Exception as error:  # noqa: BLE001 - an error within an error handler would reach nobody else
        return await _crash(error)
    status = 401 if decision.outcome is Outcome.SIGN_IN else 403
    if wants_json():
        detail = sentence_of(decision)
        response = problem(status, "unauthenticated" if status == 401 else "forbidden", detail, reference=reference)
    else:
        response = await refusal_page(plain_sentence(decision.cause or ""), reference, status)
    if status == 401:
        response.headers["WWW-Authenticate"] = CHALLENGE
    return response


def sentence_of(decision: Decision) -> str:
    """What a refused person, or a program of theirs, is told."""
    kind = decision.remedy.kind if decision.remedy else ""
    if kind == USE_SESSION:
        return "An API token does not open this. Sign in, and come with the session."
    if decision.outcome is Outcome.SIGN_IN:
        return "Sign in first."
    return TOKEN_LACKS if kind == NEW_TOKEN else plain_sentence(decision.cause or "")


def plain_sentence(cause: str) -> str:
    """What a refused person is told: enough to go on, nothing that helps an attacker."""
    return {
        "address": "This address is written in an unusual way. Please use the links of the site itself.",
        "cookie": "You are not signed in.",
        "session": "Your session is over.",
        "alive": "Your session is over.",
        "account": "This account cannot be used at the moment.",
        "confirmed": "Your e-mail address has not been confirmed yet.",
        "assurance": "This part asks for a stronger sign-in.",
        "fresh": "This part asks that you have signed in a short while ago.",
        "role": "Your account does not have the role that this part asks for.",
        "permission": "Your account does not have the permission that this part asks for.",
    }.get(cause, "No rule opens this part for you.")


async def refusal_page(sentence: str, reference: str, status: int) -> Response:
    """The page of a refusal: a sentence, a way forward, the code. 401 asks to sign in."""
    if request.path.startswith(OURS):
        return await plain_page(status, TITLES[status], f"{sentence} ({reference})")
    html = await render_template("theme/refused.html", sentence=sentence, reference=reference, sign_in=status == 401)
    return Response(html, status, mimetype="text/html")


async def _http(error: HTTPException) -> ResponseReturnValue:
    status = error.code or 500
    if error.response is not None or status < 400:
        return error  # type: ignore[return-value] # a redirect of the router is an answer
    words = {
        404: NotFound("Check the address, or start again from the front page."),
        405: Failure("This address answers to another method."),
        413: Failure("Please send less than 64 kB."),
    }.get(status, Failure("The request could not be read."))
    if wants_json():
        response = problem(status, error.name.lower().replace(" ", "_"), words.detail)
    else:
        response = await _page(status, words.detail)
    if status == 405:
        response.headers["Allow"] = ", ".join(getattr(error, "valid_methods", None) or [])
    return response


async def _crash(error: Exception) -> ResponseReturnValue:
    if is_outdated(error) and request.method in {"GET", "HEAD"} and "asked_again" not in g:  # they change nothing
        return await _once_more()
    known = _passing(error)
    if known:
        return await _failure(known)
    metrics.failed("crash")
    log.error("crash", request_id=request_id(), exc_info=error)
    detail = f"It is on record as {request_id()}. Please try again; if it stays, tell your administrator this code."
    if wants_json():
        return problem(500, "internal_error", detail, request_id=request_id())
    return await _page(500, detail)


def _passing(error: Exception) -> Failure | None:
    """What is no fault of ours, or will be over in a moment; None for a crash."""
    if is_away(error):
        metrics.failed("database_away")
        log.warning("database_away", error=type(error).__name__)
        return Busy("We cannot reach our database. Nothing was changed; please try again in a moment.")
    if is_outdated(error):
        metrics.failed("database_upgraded")
        return Busy("Our database was upgraded at this very moment. Nothing was changed; please try again.", 1)
    if lost_a_race(error):
        metrics.failed("lost_race")
        return Busy("Somebody changed the same thing at the same moment. Please try again.", 1)
    return Conflict(LAST_ADMIN) if broken_constraint(error) == "at_least_one_admin" else None


async def _once_more() -> ResponseReturnValue:
    """The door and then the view, from the beginning: what failed the first time may have been the door itself.

    What an error handler raises would reach nobody else, so it is answered here.
    """
    g.asked_again = True
    try:
        await check()
        view: Any = current_app.ensure_async(current_app.view_functions[request.endpoint or ""])
        answer: ResponseReturnValue = await view(**(request.view_args or {}))
    except HTTPException as error:
        answer = await _http(error)
    except RefusedError as refused:
        answer = await _refusal(refused)
    except Failure as failure:
        answer = await _failure(failure)
    except Exception as error:  # noqa: BLE001 - see above
        answer = await _crash(error)
    return answer


async def plain_page(status: int, title: str, text: str, **more: Any) -> Response:
    """A page without assets: at a site's own host there are none of ours."""
    home = kit().settings.public_url
    html = await render_template("theme/plain.html", title=title, text=text, home=home, **more)
    return Response(html, status, mimetype="text/html")


async def _page(status: int, text: str) -> Response:
    title = TITLES.get(status, TITLES[400])
    if request.path.startswith(OURS):
        return await plain_page(status, title, text)
    html = await render_template("theme/error.html", status=status, title=title, text=text, reference="")
    return Response(html, status, mimetype="text/html")
