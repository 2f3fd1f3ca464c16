"""Every template renders with its samples, where a variable that is missing is an error, and links lead somewhere."""

import re
from collections.abc import Mapping

import pytest
from quart import Quart, flash, g, render_template
from werkzeug.exceptions import MethodNotAllowed, NotFound

from ostiary_admin.app import create_app as create_admin
from ostiary_admin.settings import AdminSettings
from ostiary_auth.app import create_app as create_auth
from ostiary_auth.settings import AuthSettings
from tests.conftest import AUTH_SECRET, PUBLIC_URL
from tests.house import samples
from tests.house.samples_admin import ADMIN
from tests.house.samples_auth import AUTH

SAMPLES: dict[str, samples.Samples] = {"theme": samples.THEME, "auth": AUTH, "admin": ADMIN}
INLINE = re.compile(r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=)|javascript:")
LINK = re.compile(r"<(a|form|link|script|img|button)\b[^>]*?\s(?:href|action|src|formaction)=\"(/[^\"]*)\"[^>]*>")


@pytest.fixture(scope="module")
def apps() -> dict[str, Quart]:
    """Both services, not started: templates need no database."""
    environment = {
        "OSTIARY_PUBLIC_URL": PUBLIC_URL,
        "OSTIARY_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing",
        "OSTIARY_SECRET_KEY": AUTH_SECRET,
        "OSTIARY_SMTP_URL": "smtp://127.0.0.1:1",
        "OSTIARY_MAIL_FROM": "door@example.test",
        "OSTIARY_AUTH_URL": "http://127.0.0.1:1",
    }
    auth, admin = AuthSettings.load(environment), AdminSettings.load(environment)
    return {"auth": create_auth(auth), "admin": create_admin(admin)}


def templates(app: Quart, *, theme: bool) -> list[str]:
    """The pages of an app, or those of the theme; letters are rendered by test_letters."""
    names = app.jinja_env.list_templates(extensions=["html", "txt"])
    return [name for name in names if name.startswith("theme/") is theme and "mail/" not in name]


async def rendered(app: Quart, name: str, sample: Mapping[str, object]) -> str:
    """A page as it would be sent to somebody who may do everything."""
    async with app.test_request_context(str(sample.get("_path", "/"))):
        g.identity = sample.get("_identity", samples.IDENTITY)
        await flash("Done <now>", "good")
        return await render_template(name, **{key: value for key, value in sample.items() if key[0] != "_"})


def test_every_template_has_a_sample_and_every_sample_a_template(apps: dict[str, Quart]) -> None:
    wanted = {service: set(templates(app, theme=False)) for service, app in apps.items()}
    wanted["theme"] = set(templates(apps["auth"], theme=True))
    assert {service: set(given) for service, given in SAMPLES.items()} == wanted


@pytest.mark.parametrize(("service", "name"), [(s, name) for s, given in SAMPLES.items() for name in given])
async def test_a_template_renders_with_nothing_inline(apps: dict[str, Quart], service: str, name: str) -> None:
    for sample in SAMPLES[service][name]:
        text = await rendered(apps["auth" if service == "theme" else service], name, sample)
        assert not INLINE.search(text)
        if "<main" in text:
            assert text.count("<h1") == text.count("<main") == 1
            # The cookie that holds such notes is not at a site's host, so a plain page there has none to show.
            assert name == "theme/plain.html" or "&lt;now&gt;" in text
            assert len(re.findall(r'\sid="([^"]+)"', text)) == len(set(re.findall(r'\sid="([^"]+)"', text)))


@pytest.mark.parametrize(("service", "name"), [(s, name) for s, given in SAMPLES.items() for name in given])
async def test_its_links_and_forms_lead_to_a_route(apps: dict[str, Quart], service: str, name: str) -> None:
    lost = []
    for sample in SAMPLES[service][name]:
        text = await rendered(apps["auth" if service == "theme" else service], name, sample)
        for found in LINK.finditer(text):
            tag, target = found[1], found[2].partition("?")[0].partition("#")[0]
            method = "POST" if tag == "form" and 'method="post"' in found[0] else "GET"
            app = apps["admin" if re.match(r"/admin(/|$)", target) else "auth"]
            try:
                app.url_map.bind("localhost").match(target, method=method)
            except (NotFound, MethodNotAllowed) as error:
                lost.append(f"{method} {target}: {error.name}")
    assert lost == []
