"""The admin service, put together. Reads as a table of contents."""

from functools import partial

from quart import Quart

from ostiary_admin import api, door, pages
from ostiary_admin.flows.authority import AboveYou
from ostiary_admin.settings import AdminSettings
from ostiary_admin.tools import make_tools
from ostiary_shared.database import make_engine, make_sessions, pool_sampler, trouble
from ostiary_shared.health import Health
from ostiary_shared.statements import Statements
from ostiary_shared.store import counters
from ostiary_shared.web.kit import Kit
from ostiary_shared.web.service import Service, make_app, open_doors, watch


def create_app(settings: AdminSettings) -> Quart:
    """The app of the admin service, all of it below `/admin`; connects to database and auth when it starts serving."""
    database_url = settings.database_url.get_secret_value()
    engine = make_engine(database_url, "ostiary-admin")
    sessions, statements = make_sessions(engine), Statements(database_url, "ostiary-admin-statements")
    tools = make_tools(settings)
    service = Service("ostiary_admin", "Ostiary console", "/admin", partial(trouble, sessions), settings.cookie_domain)
    app = make_app(service, settings)
    for blueprint in (*pages.BLUEPRINTS, *api.BLUEPRINTS):
        app.register_blueprint(blueprint)
    app.context_processor(pages.context)
    app.jinja_env.globals.update(pages.GLOBALS)
    app.register_error_handler(AboveYou, door.above)
    app.before_serving(tools.auth.open)

    health = Health(vital={"database": partial(trouble, sessions)}, told={"auth": tools.auth.trouble})
    watch(app, health, pool_sampler(engine), statements.sample)

    @app.after_serving
    async def let_go() -> None:
        await tools.auth.close()
        await statements.close()
        await engine.dispose()

    return open_doors(
        app, Kit(settings, sessions, tools, door.resolve, door.keep, partial(counters.take_alone, statements))
    )
