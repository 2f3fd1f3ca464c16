"""Headers of every answer, errors included: what a browser may do with our pages, and that nobody caches them."""

from quart import Quart, Response, g, request

from ostiary_shared.site_address import OURS
from ostiary_shared.web.kit import kit

CSP = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "object-src 'none'",
        "require-trusted-types-for 'script'",
    )
)
CSP_JSON = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; sandbox"
YEAR = 31_536_000


def send_headers(app: Quart) -> None:
    """Add the headers to every answer of an app."""
    app.after_request(_add)


async def _add(response: Response) -> Response:
    headers = response.headers
    if g.get("for_a_proxy"):  # which reads who it is, and shows nothing of this to anybody
        headers["X-Content-Type-Options"] = "nosniff"
        headers["Cache-Control"] = "no-store"
        headers["Vary"] = "Cookie"
        return response
    headers.setdefault("Content-Security-Policy", CSP if response.mimetype == "text/html" else CSP_JSON)
    headers.setdefault("Cache-Control", "no-store")
    # What is served on a site's own host: its HSTS is not ours to decide.
    elsewhere = "X-Forwarded-Uri" in request.headers or request.path.startswith(OURS)
    headers.update(fixed(secure=kit().settings.secure and not elsewhere))
    # Pages whose address holds a mail's token must not hand it to anybody.
    if "token" in request.args:
        headers["Referrer-Policy"] = "no-referrer"
    headers.add("Vary", "Cookie")
    return response


def fixed(*, secure: bool) -> dict[str, str]:
    """The headers that are the same for every answer."""
    always = {
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Referrer-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    }
    return {**always, "Strict-Transport-Security": f"max-age={YEAR}; includeSubDomains"} if secure else always


def of_json(*, secure: bool) -> dict[str, str]:
    """The headers of a JSON answer, its length apart."""
    own = {"Content-Type": "application/json", "Content-Security-Policy": CSP_JSON, "Cache-Control": "no-store"}
    return {**own, **fixed(secure=secure), "Vary": "Cookie"}
