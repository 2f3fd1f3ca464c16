"""The theme keeps its promises: cacheable names, nothing inline or from elsewhere, legible colours, twins in mail."""

import re
from types import SimpleNamespace

import pytest
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from ostiary_shared import theme

SHEETS = sorted(path.name for path in theme.STATIC.glob("*.css"))
PERSON = SimpleNamespace(name="Ada Lovelace", email="ada@example.org")
LAYOUTS: dict[str, dict[str, object]] = {
    "theme/door.html": {},
    "theme/console.html": {"nav": [{"href": "/admin", "label": "People", "icon": "people", "current": True}]},
    "theme/account.html": {"here": "password"},
    "theme/error.html": {"status": 404},
    "theme/refused.html": {"sentence": "No.", "reference": "D7QK-M4XT", "sign_in": True, "wanted": "/"},
}
TEXT_ON = [
    ("ink", "paper"), ("ink", "surface"), ("ink", "sunken"), ("ink-soft", "paper"), ("ink-soft", "surface"),
    ("ink-soft", "sunken"), ("accent", "paper"), ("accent", "surface"), ("accent", "accent-soft"),
    ("accent-strong", "accent-soft"), ("on-accent", "accent"), ("on-accent", "accent-strong"), ("on-bad", "bad-fill"),
    ("bad", "surface"), *((tone, f"{tone}-soft") for tone in ("good", "info", "warn", "bad")),
    *(("ink", f"{tone}-soft") for tone in ("good", "info", "warn", "bad")),
]  # fmt: skip
EDGE_ON = [("line-strong", "surface"), ("line-strong", "paper"), ("focus", "surface"), ("focus", "paper")]


def _environment() -> Environment:
    env = Environment(
        loader=FileSystemLoader(theme.TEMPLATES),
        extensions=["jinja2.ext.i18n"],
        undefined=StrictUndefined,
        autoescape=select_autoescape(["html"]),
    )
    env.install_null_translations(newstyle=True)  # type: ignore[attr-defined]
    env.globals.update(asset=theme.asset_name, get_flashed_messages=lambda **_: [("good", "Done <now>")])
    return env


@pytest.mark.parametrize("name", sorted(path.name for path in theme.STATIC.iterdir()))
def test_a_hashed_name_leads_back_to_its_file(name: str) -> None:
    assert theme.resolve_asset(theme.asset_name(name)) == theme.STATIC / name


@pytest.mark.parametrize("name", ["base.css", "base.00000000.css", "../__init__.py", "", "nothing.12345678.css", "\0"])
def test_any_other_name_leads_nowhere(name: str) -> None:
    assert theme.resolve_asset(name) is None


def test_a_file_the_theme_does_not_have_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        theme.asset_name("nothing.css")


@pytest.mark.parametrize("name", SHEETS)
def test_a_sheet_needs_nothing_but_itself(name: str) -> None:
    assert not re.search(r"@import|url\(|https?:", (theme.STATIC / name).read_text())


@pytest.mark.parametrize(("name", "values"), LAYOUTS.items())
def test_a_layout_renders_with_nothing_inline(name: str, values: dict[str, object]) -> None:
    page = _environment().get_template(name).render(site_name="Öst & Co", lang="en", person=PERSON, **values)
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=)", page)
    assert "Öst &amp; Co" in page
    assert "Done &lt;now&gt;" in page
    assert page.count("<h1") == page.count("<main") == 1


def test_every_status_has_its_own_words() -> None:
    page = _environment().get_template("theme/error.html")
    statuses = (400, 401, 403, 404, 405, 409, 413, 415, 422, 429, 500, 502, 503)
    pages = [page.render(site_name="Ostiary", lang="en", status=status) for status in statuses]
    titles = {re.findall(r"<h1>(.*?)</h1>", text)[0] for text in pages}
    assert len(titles) == len(statuses)
    assert "A moment" not in page.render(site_name="Ostiary", lang="en", status=418)


def test_a_mail_part_takes_the_same_arguments_in_text_and_html() -> None:
    html, text = (
        re.findall(r"macro (\w+\(.*?\))", (theme.TEMPLATES / "theme/mail" / name).read_text())
        for name in ("parts.html", "parts.txt")
    )
    assert html == text


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(
    ("front", "back", "least"), [*((*pair, 4.5) for pair in TEXT_ON), *((*pair, 3.0) for pair in EDGE_ON)]
)
def test_colours_contrast_as_wcag_asks(front: str, back: str, least: float, scheme: int) -> None:
    """WCAG 2.2, 1.4.3 for text and 1.4.11 for edges of fields and the focus ring."""
    tokens = dict(re.findall(r"--([\w-]+): light-dark\((#\w+, #\w+)\)", (theme.STATIC / "tokens.css").read_text()))
    light, dark = sorted((_luminance(tokens[name].split(", ")[scheme]) for name in (front, back)), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= least


def _luminance(colour: str) -> float:
    parts = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
