"""The whole product of addresses and forgeries, and what must hold of everything that got through a proxy."""

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from itertools import product

from tests.auth.gate.conftest import Guest
from tests.quick import uncounted
from tests.system.corpus.forgeries import FORGERIES, IDENTITY, Forgery
from tests.system.corpus.paths import PATHS
from tests.system.corpus.wire import Reply, Shot, fire
from tests.system.proxied import Proxied, Seen
from tests.system.traversals import readings

# What says where a request comes from, or what it asks for beside its address.
CLAIMS = (
    *("X-Forwarded-Uri", "X-Forwarded-Method", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-For"),
    *("X-Forwarded-Port", "X-Forwarded-Prefix", "X-Forwarded-Ssl", "Forwarded", "X-Original-Uri", "X-Original-Url"),
    *("X-Rewrite-Url", "X-Rewrite-Uri", "X-Http-Method-Override", "X-Http-Method", "X-Method-Override"),
    *("X-Real-Ip", "True-Client-Ip"),
)
OPEN = ("/public", "/feed")
SIGNED_IN = (*OPEN, "/wiki")


@dataclass(frozen=True)
class Case:
    """One request of the corpus: an address, a forgery, and whether somebody who is signed in sends it."""

    target: str
    forgery: Forgery
    person: bool

    def shot(self, number: int, site: Proxied, token: str) -> Shot:
        names = {"host": site.host, "port": str(site.port), "token": token, "cut": token[:-7], "upper": token.upper()}
        own = [f"Cookie: theme=dark; ostiary={token}"] if self.person else []
        credentials = own if self.forgery.credentials is None else self.forgery.credentials
        lines = [
            f"{self.forgery.method} {self.target} HTTP/1.1",
            *(f"Host: {host}" for host in self.forgery.hosts),
            *self.forgery.headers,
            *credentials,
            f"X-Corpus: {number}",
            *(["Connection: close"] if self.forgery.tail else []),
        ]
        text = "\r\n".join(lines) + "\r\n\r\n" + self.forgery.tail
        for name, value in names.items():
            text = text.replace(f"{{{name}}}", value)
        return Shot(text.encode(), alone=bool(self.forgery.tail), bodiless=self.forgery.method == "HEAD")


@dataclass
class Tally:
    """How it went, in figures."""

    sent: int = 0
    served: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        statuses = ", ".join(f"{status or 'closed'}: {count}" for status, count in sorted(self.statuses.items()))
        return f"{self.sent} requests, {self.served} served; answers {statuses}; {len(self.wrong)} wrong"


def cases() -> list[Case]:
    """Every address with every forgery; by turns a stranger's and a person's."""
    made = []
    for (place, target), (turn, forgery) in product(enumerate(PATHS), enumerate(FORGERIES)):
        person = forgery.credentials is None and (place + turn) % 2 == 0
        made.append(Case(target, forgery, person))
    return made


async def judge(site: Proxied, bo: Guest, gate: Callable[[Seen, bool], Awaitable[int]]) -> Tally:
    """Send all of it, and look at everything that reached the app."""
    tried = cases()
    tally = Tally(sent=len(tried))
    served: set[int] = set()

    def heard(number: int, reply: Reply) -> None:
        tally.statuses[reply.status] += 1
        if reply.body == b"backend":
            served.add(number)

    with uncounted():
        await fire(site.port, [case.shot(number, site, bo.token) for number, case in enumerate(tried)], heard)
    decided: dict[tuple[str, str, bool], int] = {}
    for seen in site.backend.seen:
        tag = seen.named("X-Corpus")
        if len(tag) != 1 or not tag[0].isdecimal():
            tally.wrong.append(f"a request came from nowhere: {seen}")
            continue
        case = tried[int(tag[0])]
        tally.served += 1
        faults = [*_path_faults(seen, case), *_header_faults(seen, case, bo)]
        key = (seen.line.split(" ")[0], seen.path, case.person)
        if key not in decided:
            decided[key] = await gate(seen, case.person)
        if decided[key] != 200:
            faults.append(f"the gate says {decided[key]} to what was served")
        tally.wrong += [
            f"{case.target!r} with {case.forgery.name!r}, person: {case.person}: {fault}" for fault in faults
        ]
    reached = {int(tag) for seen in site.backend.seen for tag in seen.named("X-Corpus") if tag.isdecimal()}
    tally.wrong += [f"{tried[number]} got the app's answer, which never saw it" for number in served - reached]
    return tally


def _path_faults(seen: Seen, case: Case) -> list[str]:
    # Who is told to be nobody (a client may take away its own cookie by `Connection`) is let in as nobody.
    allowed = SIGNED_IN if case.person and any(seen.named("Remote-User")) else OPEN
    return [
        f"served {seen.path!r}, which some read as {path!r}"
        for path in readings(seen.path)
        if not path.startswith(tuple(f"{prefix}/" for prefix in allowed)) and path not in allowed
    ]


def _header_faults(seen: Seen, case: Case, bo: Guest) -> list[str]:
    faults = []
    for name in IDENTITY:
        values = seen.named(name)
        if len(values) > 1 or any("forged" in value for value in values):
            faults.append(f"{name} is {values}")
        if any(values) != (case.person and any(seen.named("Remote-User"))):
            faults.append(f"{name} is {values}")
    if seen.named("Remote-User") not in ([], [""], [str(bo.user.id)]):
        faults.append("somebody else")
    faults += [f"{name} is {value}" for name in CLAIMS for value in seen.named(name) if "forged" in value.lower()]
    if len(seen.named("X-Forwarded-For")) != 1 or len(seen.named("X-Forwarded-Host")) != 1:
        faults.append("X-Forwarded-For and -Host are not there once")
    if bo.token[:-7] in str(seen.headers):
        faults.append("our token was passed on")
    if seen.named("Content-Length") and seen.named("Transfer-Encoding"):
        faults.append("a body of two lengths was passed on")
    return faults
