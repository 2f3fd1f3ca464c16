"""What a reverse proxy asks about: the request as its X-Forwarded headers tell it, the session token, its manner."""

from dataclasses import dataclass

from quart import request

from ostiary_auth.flows.gate import Asked
from ostiary_auth.gate.carried import carried, names_of
from ostiary_auth.gate.manner import Manner
from ostiary_auth.settings import AuthSettings
from ostiary_shared.access import Decision, refuse_proxy
from ostiary_shared.web.caller import address, from_trusted_proxy
from ostiary_shared.web.kit import kit

NEEDED = ("X-Forwarded-Method", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Forwarded-Uri")
SETTING = "OSTIARY_TRUSTED_PROXIES"


@dataclass(frozen=True, slots=True)
class Question:
    """One question of a proxy: what was asked, or why it is not heard."""

    asked: Asked
    manner: Manner
    unheard: Decision | None = None


def question() -> Question:
    """The question of this request. Each header must be there once: two would be read differently by two readers."""
    if not from_trusted_proxy():
        return _unheard(
            refuse_proxy(
                f"{request.remote_addr} asked, which {SETTING} does not name",
                f"If this is your reverse proxy, add {request.remote_addr} to {SETTING} of the auth service.",
            ),
        )
    given = {name: request.headers.getlist(name) for name in NEEDED}
    wrong = [name for name, values in given.items() if len(values) != 1 or not values[0]]
    if wrong:
        return _unheard(
            refuse_proxy(
                f"the proxy did not send {', '.join(wrong)} exactly once",
                f"Let the proxy set {', '.join(wrong)}; deploy/proxy shows how.",
            ),
        )
    # Without this header the proxy's own address would be taken for the visitor's, and that is within every network.
    told = any(line.strip(", ") for line in request.headers.getlist("X-Forwarded-For"))
    client = address() if told else None
    method, scheme, host, uri = (given[name][0] for name in NEEDED)
    return Question(Asked(method, scheme, host, uri, client), _manner(method))


def token() -> str | None:
    """The token that this request carries, None without one. What cannot be told for certain is an unknown one."""
    found = carried(_raw("Authorization"), _raw("Cookie"), names_of(auth_settings()))
    return None if found is None else found.decode("latin-1")


def auth_settings() -> AuthSettings:
    """What this service was told."""
    found: AuthSettings = kit().tools.settings
    return found


def _raw(name: str) -> list[bytes]:
    return [value.encode("latin-1", "replace") for value in request.headers.getlist(name)]


def _unheard(decision: Decision) -> Question:
    return Question(Asked("", "", "", ""), _manner("GET"), decision)


def _manner(method: str) -> Manner:
    return Manner.read(method, lambda name: request.headers.get(name, ""))
