"""Jinja as both services use it: the theme beside the service's own templates, strict, translated, assets by hash."""

import gettext
from datetime import datetime

from jinja2 import ChoiceLoader, FileSystemLoader, StrictUndefined
from quart import Quart, Response, send_from_directory, url_for
from quart.typing import ResponseReturnValue

from ostiary_shared import theme
from ostiary_shared.errors import NotFound
from ostiary_shared.web.door import ANYONE, Unlimited, door, maybe_identity
from ostiary_shared.web.kit import kit

ONE_YEAR = 31_536_000


def set_templates(app: Quart, assets_path: str) -> None:
    """Let an app render the theme and serve its files below `assets_path`, for good: a change changes their names."""
    app.jinja_options = {**app.jinja_options, "undefined": StrictUndefined, "trim_blocks": True, "lstrip_blocks": True}
    own = app.jinja_loader
    app.jinja_loader = ChoiceLoader([*([own] if own else []), FileSystemLoader(theme.TEMPLATES)])
    app.jinja_env.add_extension("jinja2.ext.i18n")
    words = gettext.NullTranslations()
    app.jinja_env.install_gettext_callables(words.gettext, words.ngettext, newstyle=True)  # type: ignore[attr-defined]
    app.jinja_env.filters["moment"] = moment
    app.add_url_rule(f"{assets_path}/<name>", "assets", _asset)
    # Globals rather than context: imported macros see them, too.
    app.jinja_env.globals.update(asset=_asset_url, may=_may)
    app.context_processor(_context)


def moment(when: datetime | None) -> str:
    """A time as people read it."""
    return f"{when:%d %b %Y, %H:%M} UTC" if when else ""


@door(ANYONE, Unlimited("public files, cached for a year"))
async def _asset(name: str) -> ResponseReturnValue:
    path = theme.resolve_asset(name)
    if path is None:
        raise NotFound("There is no such file.")
    response: Response = await send_from_directory(path.parent, path.name)
    response.headers["Cache-Control"] = f"public, max-age={ONE_YEAR}, immutable"
    return response


async def _context() -> dict[str, object]:
    identity = maybe_identity()
    return {
        "site_name": kit().settings.site_name,
        "person": identity,
        # Whoever may do anything in the console finds the way there.
        "console_href": "/admin" if identity and identity.permissions else None,
        "lang": "en",
    }


def _asset_url(name: str) -> str:
    return url_for("assets", name=theme.asset_name(name))


def _may(permission: str) -> bool:
    identity = maybe_identity()
    return identity is not None and identity.may(permission)
