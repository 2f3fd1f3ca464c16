"""What was typed wrong is said beside the field, all of it at once, and in the summary by the field's name."""

import re

import pytest

from ostiary_auth.flows import claim
from ostiary_auth.tools import Desk
from ostiary_shared.store.one_time_tokens import Purpose
from tests.auth import people
from tests.auth.browser import Client, body, sign_in, words
from tests.auth.people import ADA, OTHER, PASSWORD, Mailed

WRONG_CODE = "This code is not right. Check it, or ask for a new mail."


@pytest.mark.parametrize("path", ["/signup/confirm", "/recover/reset", "/invitation", "/account/email/confirm"])
async def test_a_wrong_code_is_marked_and_told_apart_from_a_dead_link(auth: Client, desk: Desk, path: str) -> None:
    await people.person(desk)
    password = {"password": OTHER} if path in {"/recover/reset", "/invitation"} else {}
    wrong = await auth.post(path, form={"email": ADA, "code": "AAAA-AAAA", **password})
    page = await body(wrong)
    assert wrong.status_code == 422
    assert f'<a href="#f-code">Code from the mail: {WRONG_CODE}</a>' in page
    assert re.search(r'id="f-code"[^>]* value="AAAA-AAAA"[^>]* aria-invalid="true"', page)
    dead = await auth.post(path, form={"token": "ot_dead", **password})
    page = await body(dead)
    assert dead.status_code == 422
    assert WRONG_CODE not in page
    assert "That did not work" in page
    assert 'name="code"' in page
    assert 'name="token"' not in page


async def test_all_that_is_wrong_with_a_sign_up_is_said_at_once(auth: Client) -> None:
    page = await words(await auth.post("/signup", form={"email": "no address", "password": "short"}))
    assert "Please look at 2 things again" in page
    assert "E-mail address: Please enter one e-mail address" in page
    assert "Password: Please use at least 15 characters" in page


async def test_all_that_is_wrong_with_a_claim_is_said_at_once(auth: Client, desk: Desk) -> None:
    async with desk.begin() as work:
        link = await claim.make_claim_link(work)
    token = str(link).partition("token=")[2]
    form = {"token": token, "email": "no address", "password": "short"}
    assert "Please look at 2 things again" in await words(await auth.post("/claim", form=form))
    assert (await auth.post("/claim", form={**form, "email": ADA, "password": PASSWORD})).status_code == 303


async def test_the_summary_calls_fields_by_their_labels(auth: Client, desk: Desk) -> None:
    page = await words(await auth.post("/login", form={"email": "", "password": ""}))
    assert "E-mail address: This is needed." in page
    assert "Password: This is needed." in page
    await people.person(desk)
    await sign_in(auth)
    page = await words(await auth.post("/account/password", form={"current_password": "", "password": ""}))
    assert "Current password: This is needed." in page
    assert "New password: This is needed." in page
    page = await words(await auth.post("/account/email", form={"email": "", "current_password": ""}))
    assert "New e-mail address: This is needed." in page
    assert "Your password: This is needed." in page


async def test_a_name_that_is_too_long_is_refused_and_not_cut_on_the_way(auth: Client) -> None:
    assert "maxlength" not in await body(await auth.get("/signup"))
    answer = await auth.post("/signup", form={"name": "x" * 101, "email": ADA, "password": PASSWORD})
    assert answer.status_code == 422
    page = await body(answer)
    assert "Name: Please use at most 100 characters." in page
    assert f'value="{"x" * 101}"' in page


async def test_the_password_one_has_is_no_new_one(auth: Client, desk: Desk) -> None:
    await people.person(desk)
    await sign_in(auth)
    same = await auth.post("/account/password", form={"current_password": PASSWORD, "password": PASSWORD})
    assert same.status_code == 422
    assert "This is the password you have already." in await words(same)
    assert await people.rows(desk, "SELECT 1 FROM audit_events WHERE event = 'user:password:changed'") == []
    by_json = await auth.post("/api/v1/account/password", json={"current_password": PASSWORD, "password": PASSWORD})
    assert [fault["field"] for fault in (await by_json.get_json())["errors"]] == ["password"]


async def test_an_invitation_keeps_saying_for_whom_it_is(auth: Client, desk: Desk) -> None:
    user = await people.person(desk, confirmed=False)
    link, _ = await people.sent(desk, Purpose.INVITE, Mailed(user.id))
    for form in ({"token": link.token, "password": "short"}, {"token": link.token, "password": ""}):
        page = await words(await auth.post("/invitation", form=form))
        assert f"Choose a password for {ADA}" in page
    assert "Choose a password for" not in await words(await auth.post("/invitation", form={"token": "ot_dead"}))


async def test_the_reset_page_says_what_comes_after(auth: Client) -> None:
    page = await words(await auth.get("/recover/reset"))
    assert "Afterwards you are signed out everywhere and sign in with the new password." in page
