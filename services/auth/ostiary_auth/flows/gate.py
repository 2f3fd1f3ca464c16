"""May this request to a protected site pass? The site's first matching rule says what is asked; access decides."""

from dataclasses import dataclass

from ostiary_auth.flows import resolve_session
from ostiary_auth.tools import AuthWork
from ostiary_shared.access import Asks, Decision, Requirement, decide, refuse_address
from ostiary_shared.identity import Identity, Presented
from ostiary_shared.models import Site, SiteRule
from ostiary_shared.site_address import (
    is_below,
    objection_to_host,
    objection_to_method,
    objection_to_uri,
    without_default_port,
)
from ostiary_shared.store import sites

_SCHEMES = {"http": "http", "https": "https", "ws": "http", "wss": "https"}
_SIGNED_IN = Requirement(Asks.SIGNED_IN)


@dataclass(frozen=True, slots=True)
class Asked:
    """A request to a protected site, in the proxy's words."""

    method: str
    scheme: str
    host: str
    uri: str

    @property
    def url(self) -> str:
        """The whole address as the visitor wanted it."""
        scheme = _SCHEMES.get(self.scheme.lower(), self.scheme)
        return f"{scheme}://{without_default_port(self.host.lower(), scheme)}{self.uri}"


@dataclass(frozen=True, slots=True)
class Judged:
    """The decision, and who passes: nobody in particular where anyone may and no session lives."""

    decision: Decision
    asked: Asked
    audience: str
    identity: Identity | None = None


async def judge(work: AuthWork, asked: Asked, token: str | None) -> Judged:
    """Whether the request may pass with this session token. Never raises for what a client sent: it refuses."""
    objection = _objection(asked)
    if objection:
        return Judged(refuse_address(objection), asked, "")
    return await rule_on(work, asked, await resolve_session.resolve(work, token))


async def rule_on(work: AuthWork, asked: Asked, presented: Presented) -> Judged:
    """The same for a session that was found already; asking leaves no trace on it."""
    objection = _objection(asked)
    if objection:
        return Judged(refuse_address(objection), asked, "")
    audience = without_default_port(asked.host.lower(), _SCHEMES[asked.scheme.lower()])
    found = await sites.with_rules(work.session, audience)
    requirement = _requirement(*found, asked) if found else _no_site(audience)
    if found is None:
        presented = Presented(presented.carried)  # a host that a stranger made up must not fill anybody's record
    return Judged(decide(presented, requirement, work.now), asked, audience, _who(work, presented))


async def is_guarded(work: AuthWork, host: str) -> bool:
    """Whether `host[:port]` (lower case) is a site of ours, so that a visitor may be sent back there."""
    return objection_to_host(host) is None and await sites.at(work.session, host) is not None


def _objection(asked: Asked) -> str | None:
    if asked.scheme.lower() not in _SCHEMES:
        return "the scheme is neither http nor https"
    # Case means nothing in a host (RFC 3986, 3.2.2) and browsers fold it; everything else is taken as written.
    host = objection_to_host(asked.host.lower()) if asked.host.isascii() else "the host is not ASCII"
    return host or objection_to_method(asked.method) or objection_to_uri(asked.uri)


def _requirement(site: Site, rules: list[SiteRule], asked: Asked) -> Requirement:
    """What the first rule that covers the request asks for."""
    path = asked.uri.partition("?")[0]
    for number, rule in enumerate(rules, start=1):
        if is_below(path, rule.path_prefix) and _covers(rule, asked.method):
            return Requirement(Asks(rule.asks), rule.value, source=f"rule {number} of {site.name} ({rule.path_prefix})")
    return Requirement(Asks.NOBODY, site.host, source=f"no rule of {site.name} covers this address")


def _covers(rule: SiteRule, method: str) -> bool:
    """HEAD is GET without the body: whoever may ask the one may ask the other."""
    return not rule.methods or method in rule.methods or (method == "HEAD" and "GET" in rule.methods)


def _no_site(host: str) -> Requirement:
    return Requirement(Asks.NOWHERE, host, source=f"no site is set up for {host}")


def _who(work: AuthWork, presented: Presented) -> Identity | None:
    """The person, if the session lives and the account is in order."""
    session, account = presented.session, presented.account
    if session is None or account is None or not decide(presented, _SIGNED_IN, work.now).allowed:
        return None
    return Identity.of(account, session)
