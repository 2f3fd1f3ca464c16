"""The proxy before Ostiary: what it hands on, what it keeps away, and whom auth takes for the client behind it."""

from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from ostiary.checkups import Found, fault, fine, warning
from ostiary.checkups.probing import FORGED_ADDRESS, FORGED_ID, Answer, NoAnswerError, Prober
from ostiary_auth.settings import AuthSettings
from ostiary_shared import clock

SKEW = timedelta(seconds=30)
PRIVATE = ("/gate", "/metrics", "/healthz", "/readyz", "/admin/healthz", "/admin/readyz")
SHIPPED = "Compare your proxy's file with the one in deploy/proxy."


async def look(prober: Prober, settings: AuthSettings) -> list[Found]:
    """All of it, for the origin of OSTIARY_PUBLIC_URL."""
    found = await arrived(prober, "/api/v1/probe", settings)
    if len(found) == 1:  # not even there
        return found
    return [*found, await _kept_away(prober), await _console(prober)]


async def arrived(prober: Prober, path: str, settings: AuthSettings) -> list[Found]:
    """What arrives at auth of a request to `path` at the prober's origin."""
    try:
        answer = await prober.seen(path)
    except NoAnswerError as trouble:
        remedy = "Does its name lead here, does the proxy run, and does its certificate fit the name?"
        return [fault("reached", f"{prober.origin} cannot be reached: {trouble}", remedy)]
    if answer.status != 200 or not isinstance(answer.json, dict) or "peer" not in answer.json:
        return [_elsewhere(prober.origin + path, answer)]
    told = answer.json
    wanted = urlsplit(prober.origin)
    reached = fine("reached", f"{prober.origin} leads to auth (release {told['release']})")
    if told["forwarded"] == {"X-Forwarded-For": FORGED_ADDRESS}:
        return [reached, _alone(told)]
    return [
        reached,
        _trusted(told),
        _client(told),
        _named("scheme", told["forwarded"].get("X-Forwarded-Proto", ""), wanted.scheme, "X-Forwarded-Proto"),
        _named("host", told["forwarded"].get("X-Forwarded-Host", told["host"]), wanted.netloc, "X-Forwarded-Host"),
        _stripped(told),
        _numbered(told),
        _clock(told),
        *_public(settings, wanted.scheme),
    ]


def _elsewhere(url: str, answer: Answer) -> Found:
    if answer.location:
        return fault(
            "reached", f"{url} answers with a redirect to {answer.location}", f"It must lead to auth. {SHIPPED}"
        )
    if answer.status in {404, 421}:
        remedy = "Has auth the same OSTIARY_SECRET_KEY as this command, and does this address lead to it?"
        return fault("reached", f"{url} leads to something that does not know this question ({answer.status})", remedy)
    return fault("reached", f"{url} answers {answer.status}", f"Does auth run, and does the proxy reach it? {SHIPPED}")


def _alone(told: dict[str, Any]) -> Found:
    """Nothing was added to what we sent, and nothing taken away."""
    if told["trusted"] and ip_address(told["peer"]).is_loopback:
        remedy = "Fine for trying out. A proxy that is there must set the headers of the files in deploy/proxy."
        return warning("proxy", "nobody stands between here and auth, or somebody who sets no header", remedy)
    remedy = f"If a proxy stands there, it must set its headers. {SHIPPED} If none does, close auth's port to others."
    return fault("proxy", f"auth is asked by {told['peer']}, and nobody between sets a header", remedy)


def _trusted(told: dict[str, Any]) -> Found:
    if told["trusted"]:
        return fine("trusted proxies", f"auth believes the proxy at {told['peer']}")
    saw = f"auth is asked by {told['peer']} and does not believe what it forwards"
    return fault("trusted proxies", saw, f"Write OSTIARY_TRUSTED_PROXIES={told['peer']} (or its network).")


def _client(told: dict[str, Any]) -> Found:
    client, forwarded = told["client"], told["forwarded"].get("X-Forwarded-For", "")
    if client == FORGED_ADDRESS:
        remedy = "Let the proxy write X-Forwarded-For itself (nginx: proxy_set_header X-Forwarded-For $remote_addr;)."
        return fault("client address", "a client can claim any address: what it writes is passed on", remedy)
    if not forwarded and told["trusted"]:
        remedy = "Let the proxy send X-Forwarded-For: limits and the audit log count by it."
        return fault("client address", "the proxy does not say who the client is", remedy)
    if client and client == told["peer"] and told["trusted"]:
        remedy = "A proxy before it may be missing in OSTIARY_TRUSTED_PROXIES, or does not name the client."
        return warning("client address", f"everybody seems to come from {client}", remedy)
    private = bool(client) and ip_address(client).is_private
    return fine("client address", f"we came from {client or 'nowhere'}{' (a private address)' if private else ''}")


def _named(check: str, got: str, wanted: str, header: str) -> Found:
    if got.lower() == wanted.lower():
        return fine(check, f"{wanted}, as people write it")
    if not got:
        return warning(check, f"the proxy does not say it ({header} is missing)", f"The gate needs it. {SHIPPED}")
    return fault(check, f"people write {wanted}, auth reads {got}", f"Let the proxy send {header}: {wanted}.")


def _stripped(told: dict[str, Any]) -> Found:
    if told["identity"]:
        saw = f"a client can write {', '.join(told['identity'])} and it arrives"
        return fault("identity headers", saw, f"Strip what clients write before anything else. {SHIPPED}")
    return fine("identity headers", "what a client claims to be is stripped")


def _numbered(told: dict[str, Any]) -> Found:
    if told["request_id"] == FORGED_ID:
        remedy = "Let the proxy make X-Request-Id, or strip it: a client could hide among other people's log lines."
        return fault("request id", "a client numbers its own requests", remedy)
    return fine("request id", "not the client's own")


def _clock(told: dict[str, Any]) -> Found:
    skew = abs(datetime.fromisoformat(told["time"]) - clock.now())
    if skew > SKEW:
        saw = f"auth's clock and ours differ by {skew.total_seconds():.0f} seconds"
        return fault("auth's clock", saw, "Let both keep their time by NTP.")
    return fine("auth's clock", "agrees with ours")


def _public(settings: AuthSettings, scheme: str) -> list[Found]:
    host = urlsplit(settings.public_url).hostname or ""
    local = host in {"localhost", "127.0.0.1", "::1"} or host.endswith(".localhost")
    if not settings.secure and not local:
        remedy = "Put HTTPS before it and write OSTIARY_PUBLIC_URL=https://…: passwords travel here."
        return [fault("HTTPS", f"OSTIARY_PUBLIC_URL is {settings.public_url}", remedy)]
    if settings.secure != (scheme == "https"):
        remedy = "Cookies go with the scheme of OSTIARY_PUBLIC_URL alone: use one for both."
        return [fault("HTTPS", f"asked by {scheme}, while OSTIARY_PUBLIC_URL is {settings.public_url}", remedy)]
    return []


async def _kept_away(prober: Prober) -> Found:
    open_to_all = []
    for path in PRIVATE:
        try:
            answer = await prober.get(path)
        except NoAnswerError:
            continue
        if answer.status == 200:
            open_to_all.append(path)
    if open_to_all:
        saw = f"{', '.join(open_to_all)} can be asked from outside"
        return fault("inner addresses", saw, f"Let the proxy answer 404 there. {SHIPPED}")
    return fine("inner addresses", "the gate, metrics and health are not for the public")


async def _console(prober: Prober) -> Found:
    try:
        answer = await prober.get("/admin/")
    except NoAnswerError as trouble:
        return fault("console", f"/admin/ does not answer: {trouble}", SHIPPED)
    if answer.status in {200, 302, 303, 401, 403}:
        return fine("console", "/admin leads to it")
    saw = f"/admin/ answers {answer.status}"
    return fault("console", saw, "Does admin run, and does the proxy send /admin to it?")
