"""The example everybody starts from (login, two roles, mail, users and roles behind the admin role), row by row."""

import asyncio
import re

from sqlalchemy import func, select

from ostiary_auth.app import create_app
from ostiary_auth.settings import AuthSettings
from ostiary_shared.models import Password, Role, User
from ostiary_shared.store import passwords
from tests.make import PASSWORD
from tests.system.conftest import Site, token_in

OTHER = "copper kettle meadow 77"


async def test_admin_and_end_user_roles_exist_after_first_start_once_however_many_start(
    site: Site, auth_settings: AuthSettings
) -> None:
    async with site.sessions.begin() as session:
        held = set(await session.scalars(select(Role.name)))
    assert {"admin", "end-user"} <= held

    async def start() -> None:
        async with create_app(auth_settings).test_app():
            pass

    await asyncio.gather(*(start() for _ in range(5)))
    async with site.sessions.begin() as session:
        names = list(await session.scalars(select(Role.name)))
    assert sorted(names) == sorted(held)


async def test_a_user_has_none_one_or_many_roles(site: Site) -> None:
    admin = await site.person("admin@example.test", "admin")
    body = {"email": "p@example.test", "roles": ["support", "auditor"]}
    made = await site.ask("POST", "/admin/api/v1/users", json=body, headers=admin.bearer)
    assert made.status == 201, made.text
    for fewer in (["auditor", "end-user", "support"], ["end-user", "support"], ["support"], []):
        shown = await site.ask("GET", f"/admin/api/v1/users/{made.json['id']}", headers=admin.bearer)
        assert _names(shown.json) == fewer
        grants = await site.ask("GET", f"/admin/api/v1/grants?user={made.json['id']}", headers=admin.bearer)
        for first in sorted(grants.json["items"], key=lambda grant: str(grant["role"]))[:1]:
            gone = await site.ask("DELETE", f"/admin/api/v1/grants/{first['id']}", headers=admin.bearer)
            assert gone.status == 200, gone.text


async def test_signing_in_is_required_for_a_page_that_asks_no_role(site: Site) -> None:
    person = await site.person("p@example.test")
    assert (await site.ask("GET", "/account", headers={"Accept": "text/html"})).status == 303
    cookie = {"Cookie": f"ostiary={person.token}"}
    assert (await site.ask("GET", "/account", headers=cookie)).status == 200


async def test_the_admin_role_is_required_for_users_and_roles(site: Site) -> None:
    person, admin = await site.person("p@example.test"), await site.person("admin@example.test", "admin")
    for path in ("/admin/users", "/admin/roles"):
        assert (await site.ask("GET", path, headers={"Cookie": f"ostiary={person.token}"})).status == 403
        assert (await site.ask("GET", path, headers={"Cookie": f"ostiary={admin.token}"})).status == 200


async def test_the_users_list_never_shows_a_password(site: Site) -> None:
    admin = await site.person("admin@example.test", "admin")
    async with site.sessions.begin() as session:
        hashes = list(await session.scalars(select(Password.hash)))
    cookie = {"Cookie": f"ostiary={admin.token}"}
    for path, headers in (
        ("/admin/users", cookie),
        (f"/admin/users/{admin.id}", cookie),
        ("/admin/api/v1/users", admin.bearer),
    ):
        shown = await site.ask("GET", path, headers=headers)
        assert shown.status == 200
        assert not any(hashed in shown.text for hashed in hashes)
        assert "argon2" not in shown.text
        assert PASSWORD not in shown.text


async def test_role_names_appear_readably_when_editing_a_user(site: Site) -> None:
    admin = await site.person("admin@example.test", "admin")
    person = await site.person("p@example.test", "support")
    page = await site.ask("GET", f"/admin/users/{person.id}", headers={"Cookie": f"ostiary={admin.token}"})
    shown = re.sub(r"<[^>]+>", " ", page.text)
    assert "support" in shown
    assert "auditor" in shown  # offered in the list of roles to grant


async def test_a_new_password_is_set_hashed_and_a_blank_one_keeps_the_old(site: Site) -> None:
    admin = await site.person("admin@example.test", "admin")
    person = await site.person("p@example.test")
    cookie = {"Cookie": f"ostiary={admin.token}"}
    before = await _hash(site, person.id)
    edit = {"email": person.email, "name": "Pat", "password": ""}
    assert (await site.ask("POST", f"/admin/users/{person.id}/edit", data=edit, headers=cookie)).status == 303
    assert await _hash(site, person.id) == before
    assert (
        await site.ask("POST", f"/admin/users/{person.id}/edit", data={**edit, "password": OTHER}, headers=cookie)
    ).status == 303
    after = await _hash(site, person.id)
    assert after != before
    assert str(after).startswith("$argon2id$")
    assert OTHER not in str(after)
    sign_in = await site.ask("POST", "/api/v1/login", json={"email": person.email, "password": OTHER})
    assert sign_in.status == 200, sign_in.text


async def test_passwords_are_hashed_with_a_salt_of_their_own(site: Site) -> None:
    hashes = []
    for email in ("a@example.test", "b@example.test"):
        signup = {"email": email, "password": PASSWORD, "name": ""}
        assert (await site.ask("POST", "/api/v1/signup", json=signup)).status == 202
        token = token_in(await site.mail_to(email))
        confirmed = await site.ask("POST", "/api/v1/signup/confirm", json={"token": token})
        assert confirmed.status == 200, confirmed.text
        async with site.sessions.begin() as session:
            found = await session.scalar(select(User.id).where(User.email == email))
        hashes.append(await _hash(site, found))
    first, second = hashes
    assert first != second
    assert str(first).split("$")[4] != str(second).split("$")[4]


async def test_mail_goes_out_on_registration_and_reset(site: Site) -> None:
    signup = {"email": "new@example.test", "password": PASSWORD, "name": "New"}
    assert (await site.ask("POST", "/api/v1/signup", json=signup)).status == 202
    confirm = await site.mail_to("new@example.test")
    assert (await site.ask("POST", "/api/v1/signup/confirm", json={"token": token_in(confirm)})).status == 200
    assert (await site.ask("POST", "/api/v1/recover", json={"email": "new@example.test"})).status == 202
    mail = await site.mail_to("new@example.test", "/recover/reset")
    reset = await site.ask("POST", "/api/v1/recover/reset", json={"token": token_in(mail), "password": OTHER})
    assert reset.status == 200, reset.text
    assert (
        await site.ask("POST", "/api/v1/login", json={"email": "new@example.test", "password": OTHER})
    ).status == 200


async def test_roles_have_name_and_description(site: Site) -> None:
    admin = await site.person("admin@example.test", "admin")
    body = {"name": "editor", "description": "Writes the pages.", "permissions": []}
    assert (await site.ask("POST", "/admin/api/v1/roles", json=body, headers=admin.bearer)).status == 201
    listed = await site.ask("GET", "/admin/api/v1/roles", headers=admin.bearer)
    assert ("editor", "Writes the pages.") in {(role["name"], role["description"]) for role in listed.json["items"]}


async def test_an_anonymous_visitor_is_redirected_and_a_person_without_the_role_gets_an_explained_refusal(
    site: Site,
) -> None:
    stranger = await site.ask("GET", "/admin/users", headers={"Accept": "text/html"})
    assert stranger.status == 303
    assert stranger.headers["Location"] == "/login?next=%2Fadmin%2Fusers"
    person = await site.person("p@example.test")
    refused = await site.ask(
        "GET", "/admin/users", headers={"Cookie": f"ostiary={person.token}", "Accept": "text/html"}
    )
    assert refused.status == 403
    code = re.search(r"\b[0-9A-Z]{4}-[0-9A-Z]{4}\b", refused.text)
    assert code
    admin = await site.person("admin@example.test", "admin")
    explained = await site.ask("GET", f"/admin/api/v1/denials/{code[0]}", headers=admin.bearer)
    assert explained.status == 200, explained.text
    assert explained.json["cause"] == "permission"
    assert explained.json["remedy"]["value"] == "users:read"


async def test_sample_users_come_on_request_only(site: Site) -> None:
    async with site.sessions.begin() as session:
        assert await session.scalar(select(func.count()).select_from(User)) == 0


async def test_postgresql_is_chosen_by_a_connection_string(auth_settings: AuthSettings) -> None:
    assert auth_settings.database_url.get_secret_value().startswith("postgresql://")
    async with create_app(auth_settings).test_app() as app:
        assert (await app.test_client().get("/readyz")).status_code == 200
    elsewhere = auth_settings.model_copy(
        update={"database_url": type(auth_settings.database_url)("postgresql://u@127.0.0.1:1/none")}
    )
    assert (await create_app(elsewhere).test_client().get("/readyz")).status_code == 503


async def _hash(site: Site, user_id: object) -> str | None:
    async with site.sessions.begin() as session:
        return await passwords.adopted(session, user_id)  # type: ignore[arg-type]


def _names(user: dict[str, object]) -> list[str]:
    """Role names, however the list carries them."""
    roles = user["roles"]
    assert isinstance(roles, list)
    return sorted(role if isinstance(role, str) else role["name"] for role in roles)
