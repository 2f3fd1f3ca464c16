"""A form of a person's page that cannot be kept comes back open, as it was typed, with what is wrong beside it."""

import re
from datetime import timedelta

import pytest

from ostiary_shared import clock
from tests.admin.conftest import Console


async def sent(console: Console, act: str, form: dict[str, str], status: int = 422) -> str:
    """The page after a form of somebody's page was sent."""
    user_id = await console.person("bo@example.test", "end-user")
    headers = await console.enter("admin")
    answer = await console.client.post(f"/admin/users/{user_id}/{act}", headers=headers, form=form)
    assert answer.status_code == status
    if status == 303:
        answer = await console.client.get(f"/admin/users/{user_id}", headers=headers)
    return await answer.get_data(as_text=True)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("until", "2020-01-01", "Please choose a day that is still to come."),
        ("until", "soon", ""),
        ("reason", " ", "This is needed."),
        ("role", "", "This is needed."),
    ],
)
async def test_a_grant_at_fault_keeps_what_was_typed(console: Console, field: str, value: str, message: str) -> None:
    good = {"role": "support", "reason": "helps out", "until": "2090-12-01", "back": "/admin/denials"}
    typed = {**good, field: value}
    text = await sent(console, "grants", typed)
    assert '<details class="more" open>' in text
    assert f'href="#f-grant-{field}"' in text
    assert re.search(rf'id="f-grant-{field}"[^>]* aria-invalid="true"', text)
    assert message in text
    assert re.search(r'<option value="support" selected>', text) or field == "role"
    assert f'name="until" type="date" value="{typed["until"]}"' in text
    assert f'name="reason" type="text" value="{typed["reason"]}"' in text
    assert 'name="back" value="/admin/denials"' in text


@pytest.mark.parametrize("act", ["lock", "delete"])
async def test_without_a_reason_the_form_comes_back_open(console: Console, act: str) -> None:
    text = await sent(console, act, {"reason": ""})
    assert text.count('<details class="confirm" open>') == 1
    assert f'<a href="#f-{act}-reason">Reason: This is needed.</a>' in text
    assert re.search(rf'id="f-{act}-reason"[^>]* aria-invalid="true"', text)


async def test_whoever_may_not_see_people_is_not_shown_one_by_an_empty_form(console: Console) -> None:
    boss = await console.enter("admin")
    made = {"name": "granter", "permissions": "grants:write"}
    assert (await console.client.post("/admin/roles/new", headers=boss, form=made)).status_code == 303
    user_id = await console.person("bo@example.test", "end-user")
    headers = await console.enter("granter")
    answer = await console.client.post(f"/admin/users/{user_id}/grants", headers=headers, form={"role": ""})
    assert answer.status_code == 403
    assert "bo@example.test" not in await answer.get_data(as_text=True)


async def test_a_last_day_is_shown_as_the_day_that_was_chosen(console: Console) -> None:
    day = clock.now().date() + timedelta(days=40)
    text = await sent(console, "grants", {"role": "support", "reason": "x", "until": str(day)}, 303)
    assert f"until the end of {day.day} {day:%b %Y}" in text
