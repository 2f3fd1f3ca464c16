"""Every page opens for an administrator, empty and filled."""

import pytest

from tests.admin.conftest import Console

PAGES = (
    "/admin",
    "/admin/users",
    "/admin/users/new",
    "/admin/roles",
    "/admin/roles/new",
    "/admin/roles/admin",
    "/admin/roles/support/edit",
    "/admin/roles/admin/edit",
    "/admin/sessions",
    "/admin/sites",
    "/admin/sites/new",
    "/admin/audit",
    "/admin/mail",
    "/admin/denials",
)


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_opens_in_an_empty_house(console: Console, path: str) -> None:
    headers = await console.enter("admin")
    answer = await console.client.get(path, headers=headers)
    assert answer.status_code == 200, await answer.get_data(as_text=True)
    text = await answer.get_data(as_text=True)
    assert "<h1>" in text


async def test_the_page_of_a_person_opens_in_every_state(console: Console) -> None:
    headers = await console.enter("admin")
    for email, confirmed in (("new@example.test", False), ("old@example.test", True)):
        user_id = await console.person(email, "support", confirmed=confirmed)
        page = f"/admin/users/{user_id}"
        for act in ("", "lock", "unlock", "delete", "restore"):
            if act:
                sent = await console.client.post(
                    f"{page}/{act}", headers=headers, form={"reason": "because"} if act in {"lock", "delete"} else {}
                )
                assert sent.status_code == 303, await sent.get_data(as_text=True)
            for where in (page, f"{page}/edit", f"/admin/sessions?user={user_id}", f"/admin/mail?user={user_id}"):
                answer = await console.client.get(where, headers=headers)
                assert answer.status_code == 200, await answer.get_data(as_text=True)
                assert email in await answer.get_data(as_text=True) or "edit" in where or "?" in where


async def test_the_console_opens_with_and_without_a_slash(console: Console) -> None:
    headers = await console.enter("admin")
    for path in ("/admin", "/admin/"):
        assert (await console.client.get(path, headers=headers)).status_code == 200
