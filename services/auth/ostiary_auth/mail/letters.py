"""From a kind and its context to a letter: one line of subject, plain text and HTML. Knows no row and no server."""

import gettext
import re
import textwrap
from dataclasses import dataclass, fields
from datetime import datetime
from functools import cache
from pathlib import Path

from css_inline import CSSInliner
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from ostiary_auth.mail.contexts import RECIPES, Notice
from ostiary_shared import theme
from ostiary_shared.store.messages import Kind

TEMPLATES = Path(__file__).resolve().parent.parent / "templates"
LINE = 76


@dataclass(frozen=True, slots=True)
class Letter:
    """What a person reads."""

    subject: str
    text: str
    html: str


def render(kind: Kind, context: Notice) -> Letter:
    """The letter of this kind. Raises TypeError for another kind's context."""
    if type(context) is not RECIPES[kind].context:
        raise TypeError(f"{kind.value} is written against {RECIPES[kind].context.__name__}")
    words = {field.name: getattr(context, field.name) for field in fields(context)} | {"lang": "en"}
    subject, text, html = (
        environment().get_template(f"mail/{kind.value}/{part}").render(words)
        for part in ("subject.txt", "body.txt", "body.html")
    )
    return Letter(" ".join(subject.split()), _folded(text), _inliner().inline(html))


@cache
def environment() -> Environment:
    """Jinja for mail: an unknown name is an error, HTML is escaped, text is not."""
    made = Environment(
        loader=FileSystemLoader([TEMPLATES, theme.TEMPLATES]),
        extensions=["jinja2.ext.i18n"],
        undefined=StrictUndefined,
        autoescape=select_autoescape(["html"]),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    words = gettext.NullTranslations()
    made.install_gettext_callables(words.gettext, words.ngettext, newstyle=True)  # type: ignore[attr-defined]
    made.filters["moment"] = _moment
    return made


@cache
def _inliner() -> CSSInliner:
    css = (theme.STATIC / "mail.css").read_text(encoding="utf-8")
    return CSSInliner(load_remote_stylesheets=False, keep_at_rules=True, extra_css=css)


def _moment(when: datetime) -> str:
    return f"{when:%d %b %Y, %H:%M} UTC"


def _folded(text: str) -> str:
    """Lines short enough for any mail program, links left whole, and never two empty lines in a row."""
    lines = (
        textwrap.fill(line.rstrip(), LINE, break_long_words=False, break_on_hyphens=False) if len(line) > LINE else line
        for line in text.splitlines()
    )
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip() + "\n"
