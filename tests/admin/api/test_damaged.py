"""What no person would send is answered in words: the ends of the calendar, a NUL in an address, six edits at once."""

import asyncio
import base64
import json
from typing import Any

import pytest

from tests.admin.conftest import Console

API = "/admin/api/v1"
ENDS = ("0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59.999999-23:59")
LISTS = ("users?sort=created&", "users?sort=-seen&", "audit?", "sessions?", "messages?", "grants?", "denials?")


def cursor(*key: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode().rstrip("=")


@pytest.mark.parametrize("moment", ENDS)
async def test_a_cursor_at_the_end_of_the_calendar_is_damaged(console: Console, moment: str) -> None:
    headers = await console.enter("admin")
    for path in LISTS:
        for way in ("after", "before"):
            word = cursor(moment, "00000000-0000-0000-0000-000000000001")
            answer = await console.client.get(f"{API}/{path}{way}={word}", headers=headers)
            assert answer.status_code == 422, path
            assert "This page link is damaged" in await answer.get_data(as_text=True)


@pytest.mark.parametrize("day", ["9999-12-31", "0001-01-01", "3000-01-01"])
async def test_days_beyond_what_people_mean_are_refused_by_name(console: Console, day: str) -> None:
    headers = await console.enter("admin")
    user_id = await console.person("until@example.test", "end-user")
    for name in ("until", "since"):
        answer = await console.client.get(f"{API}/audit?{name}={day}", headers=headers)
        assert answer.status_code == 422
        assert "must be between the years 1900 and 2999" in await answer.get_data(as_text=True)
        page = await console.client.get(f"/admin/audit?{name}={day}", headers=headers)
        assert page.status_code == 200
        assert f"was left out: {name}." in await page.get_data(as_text=True)
    form = {"role": "support", "reason": "x", "until": day}
    sent = await console.client.post(f"/admin/users/{user_id}/grants", headers=headers, form=form)
    assert sent.status_code == 422
    assert "This must be between the years 1900 and 2999." in await sent.get_data(as_text=True)
    for moment in (*ENDS, f"{day}T00:00:00Z"):
        grant = {"user": str(user_id), "role": "support", "reason": "x", "until": moment}
        answer = await console.client.post(f"{API}/grants", headers=headers, json=grant)
        assert answer.status_code == 422
        assert [fault["field"] for fault in (await answer.get_json())["errors"]] == ["until"]


async def test_the_last_day_that_is_taken_works(console: Console) -> None:
    headers = await console.enter("admin")
    user_id = await console.person("until@example.test", "end-user")
    form = {"role": "support", "reason": "x", "until": "2999-12-31"}
    sent = await console.client.post(f"/admin/users/{user_id}/grants", headers=headers, form=form)
    assert "“support” was granted" in await (
        await console.client.get(sent.headers["Location"], headers=headers)
    ).get_data(as_text=True)
    assert (
        await console.client.get(f"{API}/audit?since=1900-01-01&until=2999-12-31", headers=headers)
    ).status_code == 200


async def test_a_name_with_a_nul_is_no_name(console: Console) -> None:
    headers = await console.enter("admin")
    user_id = await console.person("nul@example.test", "end-user")
    body: dict[str, Any] = {"json": {"description": "", "permissions": []}}
    for method, path, sent in (
        ("GET", "/admin/roles/%00", {}),
        ("GET", "/admin/roles/%00/edit", {}),
        ("POST", "/admin/roles/a%00b/edit", {"form": {"description": ""}}),
        ("POST", "/admin/roles/%00/delete", {"form": {}}),
        ("POST", f"/admin/users/{user_id}/grants/%00/revoke", {"form": {}}),
        ("GET", f"{API}/roles/%00", {}),
        ("PUT", f"{API}/roles/%00", body),
        ("DELETE", f"{API}/roles/%00", {}),
        ("GET", f"{API}/denials/%00", {}),
        ("GET", "/admin/denials/%00", {}),
    ):
        answer = await console.client.open(path, method=method, headers=headers, **sent)
        assert answer.status_code == 404, (method, path)
        assert "Check the address" in await answer.get_data(as_text=True)


async def test_six_edits_of_one_person_at_once_all_come_through(console: Console) -> None:
    headers = await console.enter("admin")
    user_id = await console.person("busy@example.test", "end-user")

    async def edit(number: int) -> int:
        answer = await console.client.patch(
            f"{API}/users/{user_id}", headers=headers, json={"name": f"N{number}", "email": f"n{number}@example.test"}
        )
        return answer.status_code

    for _round in range(3):
        answers = await asyncio.gather(*(edit(number) for number in range(6)))
        assert set(answers) <= {200, 409}, answers
