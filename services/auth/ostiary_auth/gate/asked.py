"""What a reverse proxy asks about: the request as its X-Forwarded headers tell it, the session token, its manner."""

from dataclasses import dataclass

from quart import request

from ostiary_auth.flows.gate import Asked
from ostiary_shared.access import Decision, refuse_proxy
from ostiary_shared.tokens import SESSION
from ostiary_shared.web.caller import address, from_trusted_proxy
from ostiary_shared.web.kit import kit
from ostiary_shared.web.visitor import cookie_name

NEEDED = ("X-Forwarded-Method", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Forwarded-Uri")
SETTING = "OSTIARY_TRUSTED_PROXIES"


@dataclass(frozen=True, slots=True)
class Question:
    """One question of a proxy: what was asked, or why it is not heard."""

    asked: Asked
    unheard: Decision | None = None

    @property
    def navigates(self) -> bool:
        """Whether a browser wants to show a page: only then is an answer to be looked at, and a redirect followed."""
        headers = request.headers
        if self.asked.method != "GET":
            return False
        mode = headers.get("Sec-Fetch-Mode")
        if mode is not None:
            return mode == "navigate"
        return "text/html" in headers.get("Accept", "").lower() and "X-Requested-With" not in headers


def question() -> Question:
    """The question of this request. Each header must be there once: two would be read differently by two readers."""
    if not from_trusted_proxy():
        return Question(
            _NOTHING,
            refuse_proxy(
                f"{request.remote_addr} asked, which {SETTING} does not name",
                f"If this is your reverse proxy, add {request.remote_addr} to {SETTING} of the auth service.",
            ),
        )
    given = {name: request.headers.getlist(name) for name in NEEDED}
    wrong = [name for name, values in given.items() if len(values) != 1 or not values[0]]
    if wrong:
        return Question(
            _NOTHING,
            refuse_proxy(
                f"the proxy did not send {', '.join(wrong)} exactly once",
                f"Let the proxy set {', '.join(wrong)}; deploy/proxy shows how.",
            ),
        )
    # Without this header the proxy's own address would be taken for the visitor's, and that is within every network.
    client = address() if "X-Forwarded-For" in request.headers else None
    method, scheme, host, uri = (given[name][0] for name in NEEDED)
    return Question(Asked(method, scheme, host, uri, client))


def token() -> str | None:
    """The session token: ours from `Authorization`, else the cookie. Other credentials there are the site's own."""
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and value.strip().startswith(f"{SESSION}_"):
        return value.strip()
    settings = kit().settings
    return request.cookies.get(cookie_name(settings, getattr(settings, "cookie_domain", "")))


_NOTHING = Asked("", "", "", "")
