"""docs/proxies.md explains every line of every proxy's configuration, and no line that is not there."""

import re

import pytest

from tests.house.tree import ROOT

PAGE = (ROOT / "docs/proxies.md").read_text()
SHIPPED = ROOT / "deploy/proxy"
FILES = {
    "Caddy": ("Caddyfile",),
    "nginx": ("nginx.conf",),
    "HAProxy": ("haproxy.cfg",),
    "Apache": ("apache.conf",),
    "Traefik": ("traefik.yml", "traefik-sites.yml"),
}
# What only opens or closes a block says nothing by itself; nor does what the first words of the page tell to change.
NOTHING = re.compile(r"[{}]*")


def lines(name: str) -> list[str]:
    """The lines that do something, each with single spaces."""
    found = (" ".join(line.split()) for line in (SHIPPED / name).read_text().splitlines())
    return [line for line in found if not line.startswith("#") and not NOTHING.fullmatch(line)]


def explained(kind: str) -> list[re.Pattern[str]]:
    """The lines that the table of this proxy is about; a `…` in them stands for anything."""
    section = PAGE.split(f"## {kind}, line by line\n", 1)[1].split("\n## ", 1)[0]
    rows = [re.split(r"(?<!\\)\|", row)[1] for row in section.splitlines() if row.startswith("| ") and "---" not in row]
    spans = [span.replace("\\|", "|") for row in rows for span in re.findall(r"`([^`]+)`", row)]
    return [re.compile(".*".join(map(re.escape, span.split("…")))) for span in spans]


@pytest.mark.parametrize("kind", FILES)
def test_every_line_is_explained_and_every_explanation_has_its_line(kind: str) -> None:
    shipped, patterns = [line for name in FILES[kind] for line in lines(name)], explained(kind)
    assert [line for line in shipped if not any(pattern.match(line) for pattern in patterns)] == []
    assert [pattern.pattern for pattern in patterns if not any(pattern.match(line) for line in shipped)] == []


@pytest.mark.parametrize("name", ["apache.lua", "haproxy.lua"])
def test_every_part_of_the_lua_says_what_it_is_for(name: str) -> None:
    shipped = (SHIPPED / name).read_text().splitlines()
    parts = [place for place, line in enumerate(shipped) if re.match(r"(local )?function |core\.", line)]
    assert len(parts) > 4
    assert [shipped[place] for place in parts if not shipped[place - 1].startswith("--")] == []
