"""Every letter: complete, about this site only, and saying what one needs to know."""

import re
from dataclasses import replace

import pytest
from jinja2 import UndefinedError

from ostiary_auth.mail import letters
from ostiary_auth.mail.contexts import RECIPES, Errand, sample
from ostiary_shared.store.messages import Kind

SITE = "https://login.example.org"
FOREIGN = "Evil https://evil.example/?a=1&b=<b>x</b>\r\nBcc: x@evil.example"
ERRANDS = [kind for kind in Kind if RECIPES[kind].purpose]


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_renders_with_its_sample(kind: Kind) -> None:
    letter = letters.render(kind, sample(kind))
    assert "\n" not in letter.subject
    assert 10 < len(letter.subject) < 70
    for part in (letter.text, letter.html):
        assert "ada@example.org" in part
        assert "You get this" in part
        assert "{" not in part.split("</style>")[-1]
    assert max(len(line) for line in letter.text.splitlines() if "://" not in line) <= 76


@pytest.mark.parametrize("kind", ERRANDS)
def test_a_letter_with_a_link_also_shows_the_code_its_end_and_what_to_do_when_it_was_not_you(kind: Kind) -> None:
    context = sample(kind)
    assert isinstance(context, Errand)
    letter = letters.render(kind, context)
    assert context.link == f"{SITE}{RECIPES[kind].path}?token={context.link.partition('=')[2]}"
    for part in (letter.text, letter.html):
        assert context.link in part
        assert "7KQ2-M4XP" in part
        assert "Nov 2026, " in part
        assert "do nothing" in part


@pytest.mark.parametrize("kind", Kind)
def test_every_address_in_a_letter_is_on_our_site(kind: Kind) -> None:
    letter = letters.render(kind, sample(kind))
    found = re.findall(r"https?://[^\s\"'<>]+", letter.text + letter.html)
    assert found
    assert [url for url in found if url != SITE and not url.startswith(f"{SITE}/")] == []
    assert re.findall(r"\ssrc=|@import|url\(", letter.html) == []


@pytest.mark.parametrize("kind", Kind)
def test_what_a_stranger_typed_is_escaped_and_makes_no_header(kind: Kind) -> None:
    context = replace(sample(kind), name=FOREIGN, site_name="A\r\nBcc: b@example.org & <i>Co</i>")
    letter = letters.render(kind, context)
    assert "\n" not in letter.subject
    assert "\r" not in letter.subject
    assert "<b>" not in letter.html
    assert "<i>" not in letter.html


def test_a_letter_cannot_leave_with_a_gap() -> None:
    with pytest.raises(UndefinedError):
        letters.environment().from_string("{{ nothing }}").render()


def test_a_letter_refuses_the_context_of_another_kind() -> None:
    with pytest.raises(TypeError):
        letters.render(Kind.RECOVER, sample(Kind.WELCOME))


def test_the_template_folders_are_the_kinds() -> None:
    found = {path.name: sorted(part.name for part in path.iterdir()) for path in (letters.TEMPLATES / "mail").iterdir()}
    assert found == {kind.value: ["body.html", "body.txt", "subject.txt"] for kind in Kind}
