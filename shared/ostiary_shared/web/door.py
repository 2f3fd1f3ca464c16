"""Every route declares who may enter, how often, and its CSRF stance; an undeclared route stops the start.

The declaration is all a view needs: the check itself happens here, before the view runs.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from quart import Quart, current_app, g, request

from ostiary_shared import access, clock, metrics
from ostiary_shared.access import Asks, Decision, Requirement, decide, signed_in
from ostiary_shared.errors import NotFound, TooMany
from ostiary_shared.identity import Identity
from ostiary_shared.limit import Limit
from ostiary_shared.permissions import Permission
from ostiary_shared.web import csrf
from ostiary_shared.web.caller import network
from ostiary_shared.web.kit import Refusal, kit
from ostiary_shared.web.visitor import visitor

View = TypeVar("View", bound=Callable[..., Any])

ANYONE = Requirement(Asks.ANYONE)
SIGNED_IN = access.SIGNED_IN
# For a view that decides by itself, so that the session is not looked up twice.
JUDGED_WITHIN = Requirement(Asks.ANYONE, source="the view decides by itself")


@dataclass(frozen=True, slots=True)
class Unlimited:
    """No limit, and the reason why none is needed."""

    why: str


@dataclass(frozen=True, slots=True)
class Stance:
    """What a route declares."""

    guard: Requirement
    limit: tuple[str, Limit] | Unlimited
    csrf: csrf.Stance
    machines: bool = False
    asking: bool = False


class RefusedError(Exception):
    """The door stays shut. `reference` is set when the refusal is on record already."""

    def __init__(self, refusal: Refusal, reference: str = "") -> None:
        super().__init__(refusal.decision.outcome)
        self.refusal = refusal
        self.reference = reference


def needs(permission: Permission) -> Requirement:
    """The guard of a console page: this permission, by any role."""
    return Requirement(Asks.PERMISSION, permission, source="the console")


def door(
    guard: Requirement,
    limit: tuple[str, Limit] | Unlimited,
    csrf_stance: csrf.Stance = csrf.Stance.SAME_ORIGIN,
    *,
    machines: bool = False,
    asking: bool = False,
) -> Callable[[View], View]:
    """Declare a view's guard, its limit (name and rate, counted per network) and its CSRF stance.

    `machines` lets people's programs in, too, by their API tokens; to every other view such a token is unknown.
    `asking` is for a view that only says who somebody is: no is an answer there, and no act that was refused.
    """

    def declare(view: View) -> View:
        view.stance = Stance(guard, limit, csrf_stance, machines, asking)  # type: ignore[attr-defined]
        return view

    return declare


def stance_of(app: Quart, endpoint: str) -> Stance | None:
    """What an endpoint declares."""
    return getattr(app.view_functions[endpoint], "stance", None)


def keep_doors(app: Quart) -> None:
    """Check every request at its door. Call once all routes are there: raises RuntimeError naming undeclared ones."""
    undeclared = sorted({rule.endpoint for rule in app.url_map.iter_rules() if stance_of(app, rule.endpoint) is None})
    if undeclared:
        raise RuntimeError(f"Routes without guard, limit and CSRF stance: {', '.join(undeclared)}. Use @door(…).")
    app.before_request(check)


async def check() -> None:
    """All that the route of this request declares; raises unless the request may go on to the view."""
    if request.routing_exception or request.url_rule is None:
        return
    if "\0" in request.path:  # nothing of ours has a name with it, and PostgreSQL does not even take the question
        raise NotFound("Check the address, or start again from the front page.")
    stance = stance_of(current_app, request.url_rule.endpoint)
    if stance is None:  # cannot be: keep_doors refused to start
        raise RuntimeError(request.url_rule.endpoint)
    csrf.check(stance.csrf)
    await _count(stance.limit)
    await _guard(stance.guard)


async def _count(limit: tuple[str, Limit] | Unlimited) -> None:
    if isinstance(limit, Unlimited):
        return
    name, rate = limit
    wait = await kit().take(f"net:{name}:{network()}", rate)
    if wait:
        metrics.throttled(name)
        raise TooMany(wait)


async def _guard(guard: Requirement) -> None:
    if guard is JUDGED_WITHIN or (guard.asks is Asks.ANYONE and not visitor().carried):
        return
    presented = await visitor().presented()
    g.identity = signed_in(presented, clock.now())
    decision = decide(presented, guard, clock.now())
    if not decision.allowed:
        raise refused(decision)


def refused(decision: Decision) -> RefusedError:
    """The exception that turns a decision into this request's refusal."""
    return RefusedError(Refusal(decision, request.method, request.url))


def identity() -> Identity:
    """The signed-in person; only behind a guard that asks for one."""
    found: Identity = g.identity
    return found


def maybe_identity() -> Identity | None:
    """The signed-in person, if there is one."""
    found: Identity | None = g.get("identity")
    return found
