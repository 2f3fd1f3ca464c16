"""Every mail renders from its sample, in text and HTML, and its link leads to a page that asks before it acts."""

import re
from urllib.parse import urlsplit

import pytest

from ostiary_auth.app import create_app
from ostiary_auth.mail import contexts, letters
from ostiary_auth.mail.contexts import Errand
from ostiary_auth.settings import AuthSettings
from ostiary_shared.store.messages import Kind


def test_every_kind_has_its_context_and_its_three_templates() -> None:
    assert set(contexts.RECIPES) == set(Kind)
    folders = {path.name: {part.name for part in path.iterdir()} for path in (letters.TEMPLATES / "mail").iterdir()}
    assert folders == {kind.value: {"subject.txt", "body.txt", "body.html"} for kind in Kind}


@pytest.mark.parametrize("kind", Kind)
def test_a_letter_renders(kind: Kind) -> None:
    context = contexts.sample(kind)
    letter = letters.render(kind, context)
    assert letter.subject
    assert "\n" not in letter.subject
    assert all(len(line) <= letters.LINE or "://" in line for line in letter.text.splitlines())
    assert "<" not in letter.text
    assert not re.search(r"<script|<link|<img|url\(|\son[a-z]+=", letter.html)
    for body in (letter.text, letter.html):
        if isinstance(context, Errand):
            assert context.link in body
            assert context.code in body
        strangers = {urlsplit(link).netloc for link in re.findall(r"https?://[^\s\"'<>)]+", body)}
        assert strangers <= {urlsplit(context.public_url).netloc, "www.w3.org"}


@pytest.mark.parametrize("kind", [kind for kind in Kind if contexts.RECIPES[kind].path])
def test_its_link_opens_a_page_whose_button_does_the_work(kind: Kind, auth_settings: AuthSettings) -> None:
    routes = create_app(auth_settings).url_map.bind("localhost")
    page = routes.match(contexts.RECIPES[kind].path, method="GET")[0]
    act = routes.match(contexts.RECIPES[kind].path, method="POST")[0]
    assert page != act, "opening a link must not be what uses it up"
