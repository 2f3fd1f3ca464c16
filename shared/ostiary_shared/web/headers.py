"""Headers of every answer, errors included: what a browser may do with our pages, and that nobody caches them."""

from quart import Quart, Response, request

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
    page = response.mimetype == "text/html"
    headers = response.headers
    headers.setdefault("Content-Security-Policy", CSP if page else CSP_JSON)
    headers["X-Content-Type-Options"] = "nosniff"
    headers["X-Frame-Options"] = "DENY"
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
    # Pages whose address holds a mail's token must not hand it to anybody.
    headers["Referrer-Policy"] = "no-referrer" if "token" in request.args else "same-origin"
    headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"
    # What the gate answers is served on the site's own host, whose HSTS is not ours to decide.
    if kit().settings.secure and "X-Forwarded-Uri" not in request.headers:
        headers["Strict-Transport-Security"] = f"max-age={YEAR}; includeSubDomains"
    headers.setdefault("Cache-Control", "no-store")
    headers.add("Vary", "Cookie")
    return response
