"""The auth service, put together. Reads as a table of contents."""

from collections.abc import AsyncGenerator
from functools import partial
from socket import socket

from quart import Quart, current_app, request

from ostiary_auth import api, gate, pages
from ostiary_auth.doorway.doorstep import Doorstep
from ostiary_auth.fast import lifecycle
from ostiary_auth.fast.tally import Tally
from ostiary_auth.flows import deny, key_rotation, resolve_session, signing_keys
from ostiary_auth.flows.resolve_session import Accepts
from ostiary_auth.settings import AuthSettings
from ostiary_auth.tools import make_tools
from ostiary_shared import clock
from ostiary_shared.database import make_engine, make_sessions, pool_sampler, trouble
from ostiary_shared.health import Health
from ostiary_shared.identity import Presented
from ostiary_shared.store import counters, roles
from ostiary_shared.web.door import stance_of
from ostiary_shared.web.kit import Kit, Refusal
from ostiary_shared.web.service import Service, make_app, open_doors, watch
from ostiary_shared.web.work import begin_work


def create_app(settings: AuthSettings, gate_socket: socket | None = None) -> Quart:
    """The app of the auth service; connects to the database when it starts serving.

    `gate_socket` is bound already; proxies ask the gate there without waking Quart.
    """
    engine = make_engine(settings.database_url.get_secret_value(), "ostiary-auth")
    sessions = make_sessions(engine)
    tools = make_tools(settings)
    service = Service("ostiary_auth", "Ostiary auth", "", partial(trouble, sessions), settings.cookie_domain)
    app = make_app(service, settings)
    for blueprint in (*pages.BLUEPRINTS, *api.BLUEPRINTS, *gate.BLUEPRINTS):
        app.register_blueprint(blueprint)

    @app.before_serving
    async def first_start() -> None:
        async with sessions.begin() as session:
            await roles.seed(session)
            await signing_keys.make_first(session, tools.signing_key, clock.now())
        await key_rotation.keep_young(sessions, settings)

    app.asgi_app = Doorstep(app, tools.passwords)  # type: ignore[assignment, method-assign]
    quick = lifecycle.stand_before(app, settings, tools, sessions)

    @app.while_serving
    async def answer_quickly() -> AsyncGenerator[None, None]:
        async with lifecycle.opened(quick, gate_socket):
            yield

    tally = Tally(quick.keeper)
    health = Health(vital={"database": partial(trouble, sessions)}, told={"memory": tally.trouble})
    watch(app, health, pool_sampler(engine), tools.statements.sample, tools.passwords.sample, tally.sample)

    @app.after_serving
    async def let_go() -> None:
        tools.passwords.close()
        await tools.statements.close()
        await engine.dispose()

    return open_doors(
        app, Kit(settings, sessions, tools, _resolve, _deny, partial(counters.take_alone, tools.statements))
    )


async def _resolve(token: str | None) -> Presented:
    stance = stance_of(current_app, request.endpoint or "")
    accepts = Accepts(machines=stance is not None and stance.machines)
    async with begin_work() as work:
        return await resolve_session.resolve(work, token, accepts)


async def _deny(refusal: Refusal) -> str:
    stance = stance_of(current_app, request.endpoint or "")
    async with begin_work() as work:
        if stance is not None and stance.asking:  # the list of refusals is for what somebody wanted to open
            return deny.seal(work, refusal.decision, refusal.method, refusal.url)
        return await deny.keep(work, refusal.decision, refusal.method, refusal.url)
