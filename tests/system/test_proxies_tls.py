"""Proxies ask auth by TLS, with the lines of docs/operating/harden.md, and believe only what our CA has signed."""

import contextlib
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ostiary import authority, serving
from ostiary_auth.app import create_app
from ostiary_shared import tls
from ostiary_shared.database import Sessions
from tests.auth.gate.conftest import add_guest, add_site
from tests.conftest import Databases
from tests.house.tree import ROOT
from tests.system.intranet import or_skip, settings
from tests.system.proxied import COMMANDS, Backend, Proxied, backend, proxy
from tests.system.wirings import Wiring

pytestmark = pytest.mark.proxy
SAID = "/etc/ostiary/tls/ca.pem"
SHIPPED = dict(COMMANDS)


def lines_for(language: str) -> str:
    """What the page says to write."""
    found = re.search(rf"```{language}\n(.*?)```", (ROOT / "docs/operating/harden.md").read_text(), re.DOTALL)
    assert found
    return found[1]


def by_tls(kind: str, wiring: Wiring, ca: Path) -> list[str]:
    """The proxy's command, its configuration changed as the page says."""
    command = SHIPPED[kind](wiring)
    file = wiring.place / {"nginx": "nginx.conf", "caddy": "Caddyfile"}[kind]
    text, lines = file.read_text(), lines_for({"nginx": "nginx", "caddy": "caddyfile"}[kind]).replace(SAID, str(ca))
    if kind == "nginx":
        text = text.replace("http {", "http {\n" + lines, 1)
        text = text.replace("proxy_pass http://ostiary", "proxy_pass https://ostiary")
    else:
        us = f"127.0.0.1:{wiring.auth}"
        text = text.replace(f"forward_auth {us} {{", f"forward_auth https://{us} {{\n\t\timport ostiary_tls")
        leads = rf"^(\s*reverse_proxy (?:@\w+ )?){re.escape(us)}$"
        text = re.sub(leads, rf"\1https://{us} {{\n\t\t\timport ostiary_tls\n\t\t}}", text, flags=re.MULTILINE)
        options, rest = text.split("}\n", 1)
        text = f"{options}}}\n{lines}{rest}"
    file.write_text(text)
    return command


@contextlib.asynccontextmanager
async def behind(kind: str, place: tuple[Backend, int], ca: Path, patch: pytest.MonkeyPatch) -> AsyncIterator[Proxied]:
    or_skip(kind)
    patch.setitem(COMMANDS, kind, lambda wiring: by_tls(kind, wiring, ca))
    async with proxy(kind, *place) as running:
        yield running


@pytest.mark.parametrize("kind", ["nginx", "caddy"])
async def test_the_gate_is_asked_by_tls_and_of_the_right_house_only(
    kind: str, database: Databases, sessions: Sessions, admin_sessions: Sessions, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    guest = await add_guest(sessions, "bo@example.test", "end-user")
    tmp_path.parent.chmod(0o755)
    authority.settled(authority.opened(tmp_path), "auth", ["auth"])
    authority.opened(tmp_path / "stranger")
    shown = tls.shown(str(tmp_path / "auth.pem"), str(tmp_path / "auth.key"))
    door = serving.bind(0, "a port")
    port = door.getsockname()[1]
    app = create_app(settings(database, port))
    cookie = [("Cookie", f"ostiary={guest.token}")]
    async with serving.lifespan(app), serving.serving(serving.Site(app, door, shown)), backend() as site:
        async with behind(kind, (site, port), tmp_path / "ca.pem", monkeypatch) as running:
            await add_site(admin_sessions, running.host)
            assert (await running.ask("/wiki", [("Sec-Fetch-Mode", "cors")])).status == 401
            assert (await running.ask("/wiki", cookie)).status == 200
            assert [seen.named("Remote-Email") for seen in site.seen] == [["bo@example.test"]]
        async with behind(kind, (site, port), tmp_path / "stranger/ca.pem", monkeypatch) as running:
            assert (await running.ask("/wiki", cookie)).status in {502, 503}
            assert len(site.seen) == 1
