"""What browsers ask at a site's own host below /.ostiary/, which its proxy hands to us without asking the gate.

A site whose host does not see our cookie gets one of its own here, worth nothing at any other host.
"""

from pathlib import Path
from urllib.parse import quote

from quart import Blueprint, Response, request
from quart.typing import ResponseReturnValue
from quart_schema import hide

from ostiary_auth import limits
from ostiary_auth.doorway.entering import let_out, see_other
from ostiary_auth.flows import deny, handover, logout, resolve_session
from ostiary_auth.flows.handover import Wanted
from ostiary_auth.flows.place import Place
from ostiary_auth.flows.resolve_session import Accepts
from ostiary_auth.gate.answers import sent
from ostiary_auth.gate.asked import auth_settings, token
from ostiary_auth.gate.carried import site_cookie
from ostiary_auth.gate.manner import FRONT_PAGE, MAX_NEXT, page_before, sign_in_at
from ostiary_auth.tools import AuthWork
from ostiary_shared.access import Decision, decide
from ostiary_shared.errors import NotFound
from ostiary_shared.site_address import OURS, objection_to_uri
from ostiary_shared.web.caller import from_trusted_proxy
from ostiary_shared.web.door import JUDGED_WITHIN, SIGNED_IN, Unlimited, door
from ostiary_shared.web.errors import CHALLENGE, plain_page, problem
from ostiary_shared.web.kit import kit
from ostiary_shared.web.redirects import own_path, to_sign_in
from ostiary_shared.web.visitor import cookie_name
from ostiary_shared.web.work import begin_work

blueprint = Blueprint("at_site", __name__, url_prefix=OURS.rstrip("/"))

HOUR = 3600
SCRIPT = (Path(__file__).parent / "session.js").read_bytes()


@blueprint.get("/sign-in")
@hide
@door(JUDGED_WITHIN, limits.PAGE)
async def sign_in() -> ResponseReturnValue:
    """To our sign-in page, and back through a handover where the site has a door of its own."""
    path, again = _path(request.args.get("next", "")), request.args.get("again") == "1"
    async with begin_work() as work:
        place = await _place(work)
        state = handover.set_out(work, request.cookies.get(_state_cookie()))
    if not place.has_own_door(auth_settings()):
        return sent(sign_in_at(auth_settings(), place, path, again=again))
    back = Wanted(place, path, handover.mark(state)).address()
    if len(back) > MAX_NEXT:
        back = Wanted(place, FRONT_PAGE, handover.mark(state)).address()
    response = sent(to_sign_in(f"{auth_settings().public_url}{kit().sign_in_path}", back, again=again))
    _keep(response, _state_cookie(), state, max_age=HOUR)
    return response


@blueprint.get("/enter")
@hide
@door(JUDGED_WITHIN, limits.PAGE)
async def enter() -> ResponseReturnValue:
    """In with a code. The browser that set out holds the state it belongs to."""
    code, state = request.args.get("code", ""), request.cookies.get(_state_cookie())
    async with begin_work() as work:
        place = await _place(work)
        entered = await handover.enter(work, place, code, state)
        inside = entered is None and (await _decision(work, place)).allowed
    if inside:  # the address of a moment ago, opened again
        return see_other(FRONT_PAGE)
    if entered is None:
        return see_other(f"{auth_settings().public_url}{handover.PATH}/again?site={place.origin}")
    response = see_other(_path(entered.path))
    _keep(response, site_cookie(auth_settings()), entered.token)
    # What the site itself may have put in the way of its cookie.
    response.delete_cookie(cookie_name(auth_settings(), auth_settings().cookie_domain), secure=auth_settings().secure)
    return response


@blueprint.get("/session")
@hide
@door(JUDGED_WITHIN, limits.PAGE)
async def session() -> ResponseReturnValue:
    """Is somebody signed in here? 204, or 401 and where to sign in."""
    async with begin_work() as work:
        place = await _place(work)
        decision = await _decision(work, place)
        if decision.allowed:
            return Response(b"", 204)
        # A page asks by itself, again and again; the list of refusals is for what somebody wanted to open.
        reference = deny.seal(work, decision, "GET", f"{place.origin}{request.path}")
    address = sign_in_at(auth_settings(), place, page_before(place, request.headers.get("Referer", "")))
    response = problem(401, "unauthenticated", "Sign in first.", reference=reference, sign_in=address)
    response.headers["WWW-Authenticate"] = CHALLENGE
    return response


@blueprint.get("/sign-out")
@hide
@door(JUDGED_WITHIN, limits.PAGE)
async def ask_sign_out() -> ResponseReturnValue:
    """The button, for those who follow a link: a link alone must sign nobody out."""
    async with begin_work() as work:
        place = await _place(work)
    act = {"href": f"{request.path}?next={quote(_path(request.args.get('next', '')), safe='')}", "label": "Sign out"}
    text = f"You will be signed out everywhere, not at {place.host} alone."
    return await plain_page(200, "Sign out?", text, act=act)


@blueprint.post("/sign-out")
@hide
@door(JUDGED_WITHIN, limits.ACT)
async def sign_out() -> ResponseReturnValue:
    """Signing out at one site is signing out everywhere: it is one session."""
    async with begin_work() as work:
        place = await _place(work)
        presented = await resolve_session.resolve(work, token(), Accepts(place.host))
        await logout.end(work, presented)
    let_out()
    response = see_other(_path(request.args.get("next", "")))
    response.delete_cookie(site_cookie(auth_settings()), secure=auth_settings().secure, httponly=True, samesite="Lax")
    return response


@blueprint.get("/session.js")
@hide
@door(JUDGED_WITHIN, Unlimited("a public file, kept by browsers for an hour"))
async def script() -> ResponseReturnValue:
    """The notice that a session has ended, for pages that include it."""
    return Response(SCRIPT, 200, {"Cache-Control": f"public, max-age={HOUR}"}, mimetype="text/javascript")


async def _place(work: AuthWork) -> Place:
    """The site at whose host this was asked, in its proxy's words; raises NotFound where there is none."""
    told = [request.headers.getlist(name) for name in ("X-Forwarded-Proto", "X-Forwarded-Host")]
    place = Place.told(told[0][0], told[1][0]) if all(len(values) == 1 for values in told) else None
    if place is None or not from_trusted_proxy() or not await handover.guards(work, place):
        raise NotFound("No site is set up at this address.")
    return place


async def _decision(work: AuthWork, place: Place) -> Decision:
    """Whether somebody is signed in at this site."""
    return decide(await resolve_session.resolve(work, token(), Accepts(place.host)), SIGNED_IN, work.now)


def _path(wanted: str) -> str:
    """A path of this site that may be returned to, never one of these pages; else its front page."""
    path = own_path(wanted)
    return FRONT_PAGE if path is None or objection_to_uri(path) else path


def _keep(response: Response, name: str, value: str, max_age: int | None = None) -> None:
    response.set_cookie(
        name, value, max_age=max_age, secure=auth_settings().secure, httponly=True, samesite="Lax", path="/"
    )


def _state_cookie() -> str:
    return cookie_name(auth_settings(), stem="ostiary-state")
