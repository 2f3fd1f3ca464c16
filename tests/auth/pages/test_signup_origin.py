"""One click where the sign-up was typed; elsewhere the link asks for a password, and nobody else's comes to life."""

import re

import pytest

from ostiary_auth.app import create_app
from ostiary_auth.settings import AuthSettings
from ostiary_auth.tools import Desk
from ostiary_shared.store.one_time_tokens import Purpose
from tests.auth import people
from tests.auth.browser import Client, body, cookies, sign_in, words
from tests.auth.people import ADA, OTHER, PASSWORD, Mailed

CONFIRM = "/signup/confirm"
ASKS = "You signed up on another device"
HOME = {"client": ("192.0.2.7", 1)}
AWAY = {"client": ("198.51.100.9", 1)}


async def _mailed(desk: Desk) -> tuple[dict[str, str], dict[str, str]]:
    """What the newest mail's link and code are sent with."""
    mail = (await people.rows(desk, "SELECT user_id, subject FROM messages ORDER BY created_at DESC LIMIT 1"))[0]
    link, code = await people.sent(desk, Purpose.CONFIRM, Mailed(mail.user_id, ADA, mail.subject))
    return {"token": link.token}, {"email": ADA, "code": code.code}


async def _sign_up(client: Client, password: str = PASSWORD, name: str = "Ada") -> None:
    await client.get("/signup")
    answer = await client.post("/signup", form={"email": ADA, "password": password, "name": name})
    assert answer.status_code == 303


async def _name(desk: Desk) -> str:
    found: str = (await people.rows(desk, "SELECT name FROM users"))[0][0]
    return found


@pytest.mark.parametrize("by", [0, 1])
async def test_the_browser_of_the_sign_up_confirms_by_one_click_wherever_it_is_by_now(
    auth: Client, desk: Desk, by: int
) -> None:
    await _sign_up(auth)
    proofs = await _mailed(desk)
    page = await auth.get(CONFIRM, query_string=proofs[0], scope_base=AWAY)
    assert 'name="password"' not in await body(page)
    assert (await auth.post(CONFIRM, form=proofs[by], scope_base=AWAY)).status_code == 303
    assert (await sign_in(auth)).status_code == 303
    assert await _name(desk) == "Ada"


@pytest.mark.parametrize("by", [0, 1])
async def test_another_browser_is_asked_for_the_password_and_proves_the_mailbox_with_it(
    auth: Client, desk: Desk, by: int
) -> None:
    await _sign_up(auth.app.test_client(), OTHER, "Eve's best offers")
    proofs = await _mailed(desk)
    page = await auth.get(CONFIRM, query_string=proofs[0])
    assert ASKS in await words(page)
    assert 'name="password"' in await body(page)
    for refused in ({}, {"password": ""}, {"password": "short"}):
        answer = await auth.post(CONFIRM, form={**proofs[by], **refused})
        assert answer.status_code == 422
        assert 'name="password"' in await body(answer)
    assert (await auth.post(CONFIRM, form={**proofs[by], "password": PASSWORD})).status_code == 303
    assert (await sign_in(auth.app.test_client(), password=OTHER)).status_code == 422
    assert (await sign_in(auth)).status_code == 303
    assert await _name(desk) == ""


async def test_the_name_is_the_one_that_is_typed_with_the_password(auth: Client, desk: Desk) -> None:
    await _sign_up(auth.app.test_client(), OTHER, "Eve")
    link, _ = await _mailed(desk)
    await auth.post(CONFIRM, form={**link, "password": PASSWORD, "name": "Ada Lovelace"})
    assert await _name(desk) == "Ada Lovelace"


async def test_a_strangers_mail_opened_by_somebody_who_signed_up_brings_their_own_password_to_life(
    auth: Client, desk: Desk
) -> None:
    await _sign_up(auth, PASSWORD, "Ada")
    await _sign_up(auth.app.test_client(), OTHER, "Eve")
    link, _ = await _mailed(desk)
    assert (await auth.post(CONFIRM, form=link)).status_code == 303
    assert (await sign_in(auth)).status_code == 303
    assert await _name(desk) == "Ada"
    assert await people.count(desk, "passwords") == 1


async def test_a_mail_sent_again_after_a_strangers_sign_up_brings_ones_own_password_to_life(
    auth: Client, desk: Desk
) -> None:
    await _sign_up(auth, PASSWORD, "Ada")
    await _sign_up(auth.app.test_client(), OTHER, "Eve")
    await auth.post("/signup/resend", form={"email": ADA})
    link, _ = await _mailed(desk)
    assert (await auth.post(CONFIRM, form=link)).status_code == 303
    assert (await sign_in(auth)).status_code == 303


async def test_a_sign_up_beyond_the_limit_of_mails_brings_no_strangers_password_to_life(
    auth: Client, desk: Desk
) -> None:
    eve = auth.app.test_client()
    for _ in range(4):
        await _sign_up(eve, OTHER, "Eve")
    link, _ = await _mailed(desk)
    await _sign_up(auth, PASSWORD, "Ada")
    assert ASKS in await words(await auth.get(CONFIRM, query_string=link))
    assert (await auth.post(CONFIRM, form=link)).status_code == 422
    assert (await auth.post(CONFIRM, form={**link, "password": PASSWORD})).status_code == 303
    assert (await sign_in(eve, password=OTHER)).status_code == 422
    assert (await sign_in(auth)).status_code == 303


async def test_an_invited_person_confirms_no_strangers_password(auth: Client, desk: Desk) -> None:
    await people.person(desk, password=None, confirmed=False)
    await _sign_up(auth.app.test_client(), OTHER, "Eve")
    link, _ = await _mailed(desk)
    assert (await auth.post(CONFIRM, form=link)).status_code == 422
    assert (await auth.post(CONFIRM, form={**link, "password": PASSWORD})).status_code == 303
    assert (await sign_in(auth)).status_code == 303
    assert await _name(desk) == "Ada"  # as the administrator wrote it


async def test_without_the_browsers_mark_the_network_must_match_and_an_unknown_one_never_does(
    auth: Client, desk: Desk
) -> None:
    form = {"email": ADA, "password": PASSWORD}
    await auth.post("/signup", form=form, scope_base=HOME)
    link, _ = await _mailed(desk)
    assert ASKS in await words(await auth.get(CONFIRM, query_string=link, scope_base=AWAY))
    assert (await auth.post(CONFIRM, form=link, scope_base=AWAY)).status_code == 422
    for _ in range(2):  # from nowhere, to nowhere
        assert (await auth.post(CONFIRM, form=link)).status_code == 422
        await auth.post("/signup", form=form)
    assert ASKS not in await words(await auth.get(CONFIRM, query_string=link, scope_base=HOME))
    await auth.get("/signup")
    assert ASKS in await words(await auth.get(CONFIRM, query_string=link, scope_base=HOME))  # another browser there


async def test_the_mark_is_out_of_reach_of_scripts_and_other_sites_and_nothing_of_it_is_kept(
    auth: Client, desk: Desk, auth_settings: AuthSettings
) -> None:
    shown = cookies(await auth.get("/signup"))["ostiary-signup"]
    assert re.search(r"Max-Age=86400\b", shown)
    assert "HttpOnly" in shown
    assert "SameSite=Lax" in shown
    mark = shown.partition("=")[2].partition(";")[0]
    assert cookies(await auth.get("/signup"))["ostiary-signup"].startswith(f"ostiary-signup={mark};")
    await _sign_up(auth)
    (row,) = await people.rows(desk, "SELECT encode(origin, 'escape') AS origin, t::text AS text FROM passwords t")
    assert row.origin
    assert mark not in row.text + row.origin
    app = create_app(auth_settings.model_copy(update={"public_url": "https://login.example.test"}))
    async with app.test_app() as running:
        secure = cookies(await running.test_client().get("/signup", scheme="https"))["__Host-ostiary-signup"]
    assert "Secure" in secure


async def test_a_made_up_mark_is_none(auth: Client) -> None:
    auth.set_cookie("localhost", "ostiary-signup", "abc")
    shown = cookies(await auth.get("/signup"))["ostiary-signup"]
    assert re.match(r"ostiary-signup=[0-9a-f]{64};", shown)
