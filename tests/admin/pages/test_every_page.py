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
    "/admin/sites/who",
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


@pytest.mark.parametrize(
    ("address", "left_out"),
    [
        ("/admin/users?q=ada&sort=foo", "sort"),
        ("/admin/users?q=ada&page=99", "page"),
        ("/admin/users?q=ada&after=damaged", "after"),
        ("/admin/audit?since=yesterday", "since"),
        ("/admin/denials?user=ada", "user"),
        ("/admin/mail?state=lost&x=1", "state, x"),
        ("/admin/sessions?who=ada", "who"),
        ("/admin/users?" + "&".join(f"strange{number}=1" for number in range(40)), "strange0"),
    ],
)
async def test_what_an_address_means_nothing_by_is_left_out_and_the_list_stays(
    console: Console, address: str, left_out: str
) -> None:
    headers = await console.enter("admin", email="ada@example.test")
    answer = await console.client.get(address, headers=headers)
    text = await answer.get_data(as_text=True)
    assert answer.status_code == 200
    assert f"means nothing here and was left out: {left_out}" in text
    assert 'aria-current="page"' in text
    if "q=ada" in address:
        assert "ada@example.test" in text
        assert "q=ada&amp;sort=-email" in text
    assert "sort=foo" not in text
    assert "page=99" not in text


async def test_what_is_too_long_in_an_address_is_called_that(console: Console) -> None:
    headers = await console.enter("admin", email="ada@example.test")
    text = await (await console.client.get(f"/admin/users?q={'a' * 1001}", headers=headers)).get_data(as_text=True)
    assert "Too long, and left out: q." in text
    assert "means nothing here" not in text


async def test_the_overview_calls_sessions_sessions(console: Console) -> None:
    answer = await console.client.get("/admin", headers=await console.enter("admin"))
    assert '<span class="tile-label">sessions</span>' in await answer.get_data(as_text=True)
