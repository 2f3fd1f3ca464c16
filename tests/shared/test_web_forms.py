"""Bad input gets a clear answer that names the field; nothing is echoed that should not be."""

import json

import pytest
from quart.typing import TestClientProtocol as Browser

from ostiary_shared.errors import Invalid
from ostiary_shared.web.paging import from_cursor, to_cursor
from tests.shared.web_app import Behind, small_app


@pytest.fixture
def client() -> Browser:
    return small_app(Behind()).test_client()


async def test_a_form_becomes_a_model_and_its_password_is_not_kept(client: Browser) -> None:
    answer = await client.post("/form", form={"email": " a@b.test ", "password": "hunter2", "remember": "on"})
    assert await answer.get_json() == {"ok": True, "values": {"email": " a@b.test ", "remember": "on"}, "errors": {}}


@pytest.mark.parametrize(
    ("form", "field", "says"),
    [
        ({"password": "x"}, "email", "needed"),
        ({"email": "a", "password": "x", "role": "admin"}, "role", "no such field"),
        ({"email": "a\nb", "password": "x"}, "email", "single line"),
        ({"email": "a\x00", "password": "x"}, "email", "cannot be typed"),
        ({"email": "a", "password": "x\x00"}, "password", "cannot be typed"),
    ],
)
async def test_a_bad_field_is_named_with_its_remedy(
    client: Browser, form: dict[str, str], field: str, says: str
) -> None:
    body = await (await client.post("/form", form=form)).get_json()
    assert not body["ok"]
    assert says in body["errors"][field]


async def test_a_field_sent_twice_is_refused(client: Browser) -> None:
    answer = await client.post(
        "/form",
        data="email=a&email=b&password=x&tags=1&tags=2",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert list((await answer.get_json())["errors"]) == ["email"]


@pytest.mark.parametrize(
    ("data", "kind", "status", "code"),
    [
        (b"{}", "text/plain", 415, "unsupported_media_type"),
        (b"email=a", "application/x-www-form-urlencoded", 415, "unsupported_media_type"),
        (b"{", "application/json", 400, "bad_json"),
        (b"\xff\xfe{}", "application/json", 400, "bad_json"),
        (b"[]", "application/json", 400, "bad_json"),
        (b"[" * 50_000, "application/json", 400, "bad_json"),
        (b"{}", "application/json", 422, "invalid_input"),
        (b'{"email": "\\ud800", "password": "x"}', "application/json", 422, "invalid_input"),
        (b'{"email": 1, "password": "x"}', "application/json", 422, "invalid_input"),
        (b"x" * 70_000, "application/json", 413, "request_entity_too_large"),
    ],
)
async def test_a_body_that_cannot_be_used_is_never_a_crash(
    client: Browser, data: bytes, kind: str, status: int, code: str
) -> None:
    answer = await client.post("/api/json", data=data, headers={"Content-Type": kind})
    assert (answer.status_code, (await answer.get_json())["code"]) == (status, code)


async def test_every_field_at_fault_is_named_and_no_input_echoed(client: Browser) -> None:
    sent = {"email": None, "password": 17, "unknown": "canary"}
    answer = await client.post("/api/json", data=json.dumps(sent), headers={"Content-Type": "application/json"})
    text = await answer.get_data(as_text=True)
    assert {fault["field"] for fault in json.loads(text)["errors"]} == {"email", "password", "unknown"}
    assert "canary" not in text
    assert "17" not in text


async def test_a_query_is_read_by_the_same_rules(client: Browser) -> None:
    assert (await client.get("/api/query?email=a&password=x&remember=")).status_code == 200
    assert (await client.get("/api/query?email=a&password=x&sort=1")).status_code == 422


def test_a_page_link_survives_the_url_and_tampering_is_told() -> None:
    assert from_cursor(to_cursor(["ä", 3, None]), 3) == ["ä", 3, None]
    for damaged in ("", "x", "W10", to_cursor([1]), to_cursor([1, [2], 3]), "%%%"):
        with pytest.raises(Invalid):
            from_cursor(damaged, 3)
