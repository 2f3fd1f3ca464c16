"""`settings`: every knob of both services as a page of Markdown, made from the classes that read them."""

from collections.abc import Iterator

import click
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from ostiary_admin.settings import AdminSettings
from ostiary_auth.settings import AuthSettings
from ostiary_shared.settings import PREFIX, Settings

INTRODUCTION = """\
# Settings

Each setting is an environment variable, read once at the start. Every variable also comes as `…_FILE`: the path of a
file that holds the value, which suits secrets. A missing or wrong value stops the start with a sentence that says
what to write. `./ostiary up` needs none of them: it makes its own.

This page is made from the code: `./ostiary settings > docs/settings.md`.
"""
SECTIONS = (
    ("Both services", "The database user and the secret key are another for each service.", Settings, ()),
    ("Auth and its courier", "Beside those of both services.", AuthSettings, Settings.model_fields),
    ("Admin", "Beside those of both services.", AdminSettings, Settings.model_fields),
)


@click.command()
def settings() -> None:
    """Print every setting of both services, as Markdown."""
    click.echo(page(), nl=False)


def page() -> str:
    """The whole of docs/settings.md."""
    parts = [INTRODUCTION]
    for title, lead, model, known in SECTIONS:
        rows = [_row(name, info) for name, info in model.model_fields.items() if name not in known]
        parts.append("\n".join(_section(title, lead, rows)))
    return "\n".join(parts)


def _section(title: str, lead: str, rows: list[str]) -> Iterator[str]:
    yield from (f"## {title}", "", lead, "", "| Variable | Default | What it does |", "| --- | --- | --- |", *rows, "")


def _row(name: str, info: FieldInfo) -> str:
    meaning = " ".join((info.description or "").split()).replace("|", "\\|").replace("<", "\\<")
    return f"| `{PREFIX}{name.upper()}` | {_default(info)} | {meaning} |"


def _default(info: FieldInfo) -> str:
    if info.default is PydanticUndefined:
        return "**needed**"
    return "none" if info.default in ("", ()) else f"`{info.default}`"
