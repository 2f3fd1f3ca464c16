"""The pages behind mail links: looking changes nothing, the button works once, the typed code does the same."""

import pytest

from ostiary_auth import limits
from ostiary_auth.flows import claim
from ostiary_auth.flows.one_time import Proof
from ostiary_auth.tools import Desk
from ostiary_shared.store.one_time_tokens import Purpose
from tests.auth import people
from tests.auth.browser import Client, body, cookies, sign_in, words
from tests.auth.people import ADA, OTHER, PASSWORD, Mailed

# What no two answers have in common.
PER_REQUEST = {"set-cookie", "date", "x-request-id"}
PAGES = {
    Purpose.CONFIRM: "/signup/confirm",
    Purpose.RECOVER: "/recover/reset",
    Purpose.INVITE: "/invitation",
    Purpose.CHANGE_EMAIL: "/account/email/confirm",
}


async def _mailed(desk: Desk, auth: Client, purpose: Purpose) -> tuple[Proof, Proof]:
    if purpose is Purpose.CONFIRM:
        await auth.get("/signup")  # leaves the browser its mark
        await auth.post("/signup", form={"email": ADA, "password": PASSWORD})
        (mail,) = await people.rows(desk, "SELECT user_id, subject FROM messages")
        return await people.sent(desk, purpose, Mailed(mail.user_id, ADA, mail.subject))
    user = await people.person(desk, confirmed=purpose is not Purpose.INVITE)
    email = "new@example.test" if purpose is Purpose.CHANGE_EMAIL else ADA
    return await people.sent(desk, purpose, Mailed(user.id, email))


def _form(purpose: Purpose, proof: Proof) -> dict[str, str]:
    sent = {"token": proof.token} if proof.token else {"email": proof.email, "code": proof.code}
    return {**sent, "password": OTHER} if purpose in {Purpose.RECOVER, Purpose.INVITE} else sent


@pytest.mark.parametrize("by", ["link", "code"])
@pytest.mark.parametrize("purpose", PAGES)
async def test_a_scanner_opens_the_link_five_times_and_the_button_still_works_once(
    auth: Client, desk: Desk, purpose: Purpose, by: str
) -> None:
    link, code = await _mailed(desk, auth, purpose)
    path, form = PAGES[purpose], _form(purpose, link if by == "link" else code)
    for _ in range(5):
        page = await auth.get(path, query_string={"token": link.token})
        assert page.status_code == 200
        assert page.headers["Referrer-Policy"] == "no-referrer"
        assert (await auth.head(path, query_string={"token": link.token})).status_code == 200
    used = await auth.post(path, form=form)
    assert used.status_code == 303
    assert "ostiary" not in cookies(used)
    assert ("ostiary-device" in cookies(used)) == (purpose is not Purpose.CHANGE_EMAIL)
    assert await people.count(desk, "sessions") == 0
    again = await auth.post(path, form=form)
    # Twice on the same button of a confirmation is no mistake of anybody's.
    assert again.status_code == (303 if purpose is Purpose.CONFIRM and by == "link" else 422)
    gone = await auth.get(path, query_string={"token": link.token})
    assert gone.status_code == (303 if purpose is Purpose.CONFIRM else 410)


@pytest.mark.parametrize("purpose", [Purpose.RECOVER, Purpose.INVITE, Purpose.CONFIRM])
async def test_whoever_just_proved_the_mailbox_is_not_held_up_by_guesses_from_elsewhere(
    auth: Client, desk: Desk, purpose: Purpose
) -> None:
    link, _ = await _mailed(desk, auth, purpose)
    form = _form(purpose, link)
    assert (await auth.post(PAGES[purpose], form=form)).status_code == 303
    eve = auth.app.test_client()
    for _ in range(limits.PASSWORD_GUESSES.count):
        assert (await sign_in(eve, password="not at all the right one")).status_code == 422
    assert (await sign_in(eve, password=form.get("password", PASSWORD))).status_code == 429
    assert (await sign_in(auth, password=form.get("password", PASSWORD))).status_code == 303


@pytest.mark.parametrize("path", PAGES.values())
async def test_a_dead_link_says_so_and_offers_the_code_form(auth: Client, path: str) -> None:
    for token in ("ot_nonsense", "os_" + "a" * 55, "\udcff", "x" * 500, "%00"):
        page = await auth.get(path, query_string={"token": token.encode("utf-8", "replace").decode()})
        assert page.status_code == 410
        assert "Code from the mail" in await words(page)


@pytest.mark.parametrize("path", PAGES.values())
async def test_an_empty_form_names_what_is_missing(auth: Client, path: str) -> None:
    answer = await auth.post(path, form={"password": OTHER} if path in {"/recover/reset", "/invitation"} else {})
    assert answer.status_code == 422
    assert "This is needed." in await words(answer)


@pytest.mark.parametrize("path", ["/recover/reset", "/invitation"])
async def test_a_password_that_will_not_do_keeps_the_link_in_the_form(auth: Client, desk: Desk, path: str) -> None:
    purpose = Purpose.RECOVER if path == "/recover/reset" else Purpose.INVITE
    link, _ = await _mailed(desk, auth, purpose)
    answer = await auth.post(path, form={"token": link.token, "password": "short"})
    assert answer.status_code == 422
    assert link.token in await body(answer)
    assert (await auth.post(path, form={"token": link.token, "password": OTHER})).status_code == 303


async def test_the_address_is_not_asked_for_twice_and_stands_in_no_url(auth: Client) -> None:
    answer = await auth.post("/signup", form={"email": ADA, "password": PASSWORD})
    assert answer.headers["Location"] == "/signup/confirm"
    assert f'value="{ADA}"' in await body(await auth.get("/signup/confirm"))


@pytest.mark.parametrize("path", ["/signup", "/signup/resend", "/recover"])
async def test_known_and_unknown_addresses_get_the_same_bytes(auth: Client, desk: Desk, path: str) -> None:
    await people.person(desk)
    await people.person(desk, "bob@example.test", confirmed=False)
    answers = []
    for email in (ADA, "bob@example.test", "eve@example.test"):
        answer = await auth.post(path, form={"email": email, **({"password": OTHER} if path == "/signup" else {})})
        headers = {name: value for name, value in answer.headers.items() if name.lower() not in PER_REQUEST}
        page = await body(await auth.get(answer.headers["Location"]))
        answers.append((answer.status_code, headers, sorted(cookies(answer)), page.replace(email, "…")))
    assert answers[0] == answers[1] == answers[2]
    assert answers[0][0] == 303


@pytest.mark.parametrize("path", ["/signup", "/signup/resend", "/recover", "/account/email"])
async def test_forged_hosts_reach_no_mail(auth: Client, desk: Desk, path: str) -> None:
    await people.person(desk)
    await sign_in(auth)
    forged = {
        "Host": "evil.test",
        "X-Forwarded-Host": "evil.test",
        "Forwarded": "host=evil.test",
        "X-Forwarded-Proto": "https",
    }
    form = {"email": "new@example.test", "password": OTHER, "current_password": PASSWORD}
    wanted = {"/signup": ("email", "password"), "/account/email": ("email", "current_password")}.get(path, ("email",))
    await auth.post(path, form={name: form[name] for name in wanted}, headers=forged)
    for row in await people.rows(
        desk, "SELECT t::text FROM messages t UNION ALL SELECT t::text FROM one_time_tokens t"
    ):
        assert "evil" not in str(row)


async def test_a_closed_house_shows_no_form(auth: Client, desk: Desk) -> None:
    settings = auth.app.extensions["ostiary"].settings
    object.__setattr__(settings, "registration", "closed")
    assert "invitation" in await words(await auth.get("/signup"))
    assert "Create an account" not in await words(await auth.get("/login"))
    assert (await auth.post("/signup", form={"email": ADA, "password": PASSWORD})).status_code == 403


async def test_the_claim_link_opens_the_console(auth: Client, desk: Desk) -> None:
    async with desk.begin() as work:
        link = await claim.make_claim_link(work)
    assert link is not None
    path = link.removeprefix("http://localhost")
    form = {"token": path.partition("=")[2], "name": "Ada", "email": ADA, "password": PASSWORD}
    for _ in range(5):
        assert (await auth.get(path)).status_code == 200
    assert (await auth.post("/claim", form={**form, "password": "short"})).status_code == 422
    answer = await auth.post("/claim", form=form)
    assert answer.headers["Location"] == "/admin"
    assert "ostiary" in cookies(answer)
    assert (await auth.post("/claim", form={**form, "email": "eve@example.test"})).status_code == 410
    assert (await auth.get("/claim")).status_code == 410
