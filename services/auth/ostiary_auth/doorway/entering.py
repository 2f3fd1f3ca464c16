"""Letting a visitor in and out over HTTP: the session cookie, the mark of a known device, and the way on."""

from base64 import urlsafe_b64decode, urlsafe_b64encode

from quart import Response, request
from quart_auth import logout_user

from ostiary_auth.doorway.inputs import SignIn
from ostiary_auth.flows import handover, onward
from ostiary_auth.flows.login import Attempt, SignedIn
from ostiary_auth.flows.onward import Onward
from ostiary_auth.flows.start_session import Started
from ostiary_auth.tools import Desk
from ostiary_shared.revocation import Receipt
from ostiary_shared.web import headers
from ostiary_shared.web.caller import caller
from ostiary_shared.web.kit import kit
from ostiary_shared.web.redirects import foreign_host, own_path
from ostiary_shared.web.visitor import carry, cookie_name, visitor
from ostiary_shared.web.work import begin_work

YEAR = 31_536_000
HOUR = 3600
# Coming back to these after signing in would lead nowhere, or straight out again.
NO_DESTINATION = ("/login", "/logout", "/signup", "/recover", "/claim", "/invitation", "/api/", "/gate")


def desk() -> Desk:
    """The desk of flows that hash."""
    return Desk(kit().tools, begin_work, caller)


def presented() -> str | None:
    """The session token this request carries."""
    return visitor().auth_id


def device() -> str | None:
    """The mark this device was left with when somebody signed in on it."""
    return request.cookies.get(_device_cookie())


def attempt(sent: SignIn) -> Attempt:
    """The attempt that a form or a JSON body stands for."""
    return Attempt(sent.email, sent.password.get_secret_value(), sent.remember, device(), presented())


def let_in(response: Response, entered: SignedIn) -> Response:
    """Send the session and the device's mark along with an answer."""
    carry_on(entered.started)
    return leave_mark(response, entered.device)


def leave_mark(response: Response, mark: str) -> Response:
    """Know this device again: guesses from elsewhere do not hold it up."""
    response.set_cookie(
        _device_cookie(),
        mark,
        max_age=YEAR,
        secure=kit().settings.secure,
        httponly=True,
        samesite="Lax",
        path="/",
    )
    return response


def carry_on(started: Started) -> None:
    """Set the session cookie with this answer."""
    carry(started.token, remember=started.remember)


def let_out() -> None:
    """Take the session cookie away with this answer."""
    logout_user()


async def way_on(wanted: str) -> Onward:
    """Where to go after signing in. Whatever is neither ours nor a registered site leads home."""
    path = own_path(wanted)
    if path and path.startswith(f"{handover.PATH}?"):
        async with begin_work() as work:
            return await handover.way_on(work, path)
    if path:
        return Onward() if path == "/" or path.startswith(NO_DESTINATION) else Onward(path)
    host = foreign_host(wanted)
    if host is None:
        return Onward()
    async with begin_work() as work:
        return await onward.to_site(work, wanted, host)


def let_form_lead_to(response: Response, origin: str) -> Response:
    """Let the form of this page end on another site: browsers hold a form's redirects to `form-action`, too."""
    if origin:
        response.headers["Content-Security-Policy"] = headers.CSP.replace(
            "form-action 'self'", f"form-action 'self' {origin}"
        )
    return response


def settled(words: str, receipt: Receipt | None) -> str:
    """What was done, and since when it counts everywhere."""
    return f"{words} {receipt.brief()}" if receipt else words


def see_other(url: str) -> Response:
    """The answer to a form that did something: look there (a reload repeats nothing)."""
    return Response(b"", 303, {"Location": url})


def keep_address(response: Response, typed: str) -> Response:
    """Spare people typing their address again beside the code. In a cookie: addresses in URLs end up in logs."""
    value = urlsafe_b64encode(typed[:254].encode()).decode()
    response.set_cookie(
        _address_cookie(), value, max_age=HOUR, secure=kit().settings.secure, httponly=True, samesite="Lax", path="/"
    )
    return response


def kept_address() -> str:
    """The address typed a moment ago on this device."""
    try:
        return urlsafe_b64decode(request.cookies.get(_address_cookie(), "")).decode()[:254]
    except ValueError:
        return ""


def _device_cookie() -> str:
    return cookie_name(kit().settings, stem="ostiary-device")


def _address_cookie() -> str:
    return cookie_name(kit().settings, stem="ostiary-address")
