"""The audit log reads as sentences that name who really acted."""

import re
from dataclasses import replace
from html import unescape
from uuid import UUID

import pytest
from quart import render_template_string

from ostiary_admin.pages import sentences
from ostiary_admin.queries.audit import AuditRow
from ostiary_shared import clock
from ostiary_shared.events import Event
from ostiary_shared.revocation import Receipt
from tests.admin.conftest import Console

ANN, BO = UUID(int=1), UUID(int=2)
SOURCE = "{% import 'parts.html' as part %}{{ part.events([row], now) }}"
BY_ANN = AuditRow(ANN, clock.now(), "", ANN, "ann@x", BO, "bo@x", "", None, None, None, "", "")
ALONE = replace(BY_ANN, actor_id=None, actor="")  # nobody is signed in
OPERATOR = replace(ALONE, actor="operator")


def test_every_event_has_a_sentence_and_none_has_two() -> None:
    assert set(sentences.SENTENCES) == set(Event)
    assert len(set(sentences.SENTENCES.values())) == len(Event)
    for event, words in sentences.SENTENCES.items():
        assert words % {"by": "B", "on": "O", "what": "W"} != words, event


@pytest.mark.parametrize(
    ("row", "event", "told"),
    [
        (ALONE, Event.LOGIN_FAILED, "Somebody failed to sign in as bo@x"),
        (
            replace(BY_ANN, target="ann@x", reason="wrong present password"),
            Event.LOGIN_FAILED,
            "ann@x, who is signed in, gave a wrong present password",
        ),
        (ALONE, Event.ADMIN_CLAIMED, "bo@x claimed the first administrator's account"),
        (ALONE, Event.SIGNUP_STARTED, "bo@x signed up"),
        (
            replace(ALONE, reason="the address was known"),
            Event.SIGNUP_STARTED,
            "Somebody tried to sign up as bo@x again",
        ),
        (ALONE, Event.EMAIL_CONFIRMED, "bo@x confirmed the address"),
        (replace(ALONE, reason="invite"), Event.PASSWORD_RECOVERED, "bo@x recovered the account (by invitation)"),
        (
            replace(ALONE, target="", target_id=None, actor="operator"),
            Event.CLAIM_LINK_MADE,
            "An operator made a claim link",
        ),
        (OPERATOR, Event.USER_LOCKED, "An operator locked the account bo@x"),
        (ALONE, Event.ROLE_GRANTED, "The system granted a role to bo@x"),
        (replace(BY_ANN, after={"role": "<editor>"}), Event.ROLE_GRANTED, "ann@x granted <editor> to bo@x"),
        (replace(BY_ANN, before={"role": "editor"}, after={}), Event.ROLE_REVOKED, "ann@x took editor away from bo@x"),
        (
            replace(ALONE, target="", target_id=None),
            Event.LOGIN_FAILED,
            "Somebody failed to sign in with an address that nobody has",
        ),
        (BY_ANN, "user:thing:100%done", "ann@x: user:thing:100%done → bo@x"),
    ],
)
async def test_the_sentence_names_who_really_acted(console: Console, row: AuditRow, event: str, told: str) -> None:
    async with console.app.test_request_context("/admin/audit"):
        text = await render_template_string(SOURCE, row=replace(row, event=str(event)), now=clock.now())
    paragraph = re.search(r'<p class="break">(.*?)</p>', text, re.DOTALL)
    assert paragraph is not None
    assert unescape(re.sub("<[^>]+>", "", paragraph[1])).strip() == told


def test_since_when_an_act_counts_is_told_where_it_took_something_away() -> None:
    row = replace(BY_ANN, receipt=Receipt(3))
    assert sentences.in_force(replace(row, event=Event.USER_LOCKED.value)) == "In force everywhere after 3 ms."
    assert sentences.in_force(replace(row, event=Event.EMAIL_CONFIRMED.value)) == ""
