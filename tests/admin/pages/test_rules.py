"""Rules in full: the form and the JSON take all of it, say what is wrong and where, and tell what changed."""

import re
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import pytest
from sqlalchemy import select

from ostiary_shared.events import Event
from ostiary_shared.models import AuditEvent, Site
from ostiary_shared.store import sites
from tests.admin.conftest import Console

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
SITES = "/admin/api/v1/sites"
FULL: dict[str, Any] = {
    "path_prefix": "/pay",
    "match": "exact",
    "methods": ["GET", "POST"],
    "networks": ["10.0.0.0/8", "2001:db8::/32"],
    "asks": "any_role",
    "value": "",
    "roles": ["support", "auditor"],
    "assurance": 2,
    "fresh_minutes": 15,
}
PLAIN = {"path_prefix": "/", "asks": "signed_in"}


async def kept(console: Console, site_id: str) -> dict[str, Any]:
    async with console.rows() as session:
        [rule] = await sites.rules(session, UUID(site_id))
    return {name: list(getattr(rule, name)) if name in {"methods", "roles"} else getattr(rule, name) for name in FULL}


async def test_json_takes_all_of_a_rule_and_gives_it_back(console: Console) -> None:
    headers = await console.enter("admin")
    sent = await console.client.post(
        SITES, headers=headers, json={"name": "Shop", "host": "*.example.test", "rules": [FULL]}
    )
    assert sent.status_code == 201, await sent.get_data(as_text=True)
    site = await sent.get_json()
    assert (site["host"], site["rules"]) == ("*.example.test", [FULL])
    row = await kept(console, site["id"])
    assert [str(network) for network in row.pop("networks")] == FULL["networks"]
    assert row == {name: value for name, value in FULL.items() if name != "networks"}


async def test_the_form_takes_the_same_and_shows_it_unfolded(console: Console) -> None:
    headers = await console.enter("admin")
    form = {
        "name": "Shop",
        "host": "*.example.test",
        "position": ["10", "20"],
        "path": ["/pay", "/"],
        "methods": ["get post", ""],
        "who": ["any_role", "signed_in"],
        "match": ["exact", "prefix"],
        "networks": ["10.0.0.0/8, 2001:db8::/32", ""],
        "roles": ["support, auditor", ""],
        "assurance": ["2", "1"],
        "fresh_minutes": ["15", ""],
    }
    data = urlencode(form, doseq=True)
    sent = await console.client.post("/admin/sites/new", headers={**headers, **FORM}, data=data)
    assert sent.status_code == 303, await sent.get_data(as_text=True)
    where = sent.headers["Location"]
    by_json = await (await console.client.get(f"{SITES}/{where.rsplit('/', 1)[1]}", headers=headers)).get_json()
    assert by_json["rules"][0] == FULL
    edit = await (await console.client.get(f"{where}/edit", headers=headers)).get_data(as_text=True)
    assert edit.count('<details class="more" open>') == 1
    for name, value in (
        ("networks", "10.0.0.0/8, 2001:db8::/32"),
        ("roles", "support, auditor"),
        ("fresh_minutes", "15"),
    ):
        assert f'name="{name}" value="{value}"' in edit
    shown = " ".join(
        re.sub(r"<[^>]+>", "", await (await console.client.get(where, headers=headers)).get_data(True)).split()
    )
    assert (
        "/pay alone, by GET, POST, from 10.0.0.0/8, 2001:db8::/32: who has one of the roles support, auditor, "
        "signed in with a second factor, signed in within 15 minutes"
    ) in shown


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"match": "regex"}, "match"),
        ({"networks": ["10.0.0.1/8"]}, "networks"),
        ({"networks": ["10.0.0.0/255.0.0.0"]}, "networks"),
        ({"networks": ["office"]}, "networks"),
        ({"networks": ["fe80::1%eth0"]}, "networks"),
        ({"networks": ["::ffff:10.0.0.1"]}, "networks"),
        ({"networks": [f"10.0.0.{number}" for number in range(51)]}, "networks"),
        ({"networks": "10.0.0.0/8"}, "networks"),
        ({"networks": [1]}, "networks"),
        ({"roles": []}, "roles"),
        ({"roles": ["nobody"]}, "roles"),
        ({"asks": "role", "value": "support"}, "roles"),
        ({"value": "support"}, "value"),
        ({"assurance": 0}, "assurance"),
        ({"assurance": 4}, "assurance"),
        ({"fresh_minutes": 0}, "fresh_minutes"),
        ({"fresh_minutes": 10081}, "fresh_minutes"),
        ({"asks": "anyone", "roles": [], "fresh_minutes": None}, "assurance"),
        ({"asks": "anyone", "roles": [], "assurance": 1}, "fresh_minutes"),
    ],
)
async def test_what_is_wrong_is_named_with_its_rule_and_nothing_is_kept(
    change: dict[str, Any], field: str, console: Console
) -> None:
    headers = await console.enter("admin")
    body = {"name": "Shop", "host": "shop.test", "rules": [{**PLAIN, "path_prefix": "/a"}, {**FULL, **change}]}
    sent = await console.client.post(SITES, headers=headers, json=body)
    assert sent.status_code == 422
    named = {error["field"] for error in (await sent.get_json())["errors"]}
    assert {name.removeprefix("rules.1.").partition(".")[0] for name in named} == {field}
    async with console.rows() as session:
        assert await session.scalar(select(Site.id)) is None


@pytest.mark.parametrize(
    ("column", "typed", "words"),
    [
        ("networks", "10.0.0.1/8", "This must hold networks: 10.0.0.1/8 is an address within 10.0.0.0/8."),
        ("roles", "nobody", "There is no role nobody."),
        ("fresh_minutes", "soon", "Please enter a number of minutes"),
        ("fresh_minutes", "99999", "Please enter a number of minutes"),
        ("fresh_minutes", "²", "Please enter a number of minutes"),
    ],
)
async def test_a_fault_in_the_folded_part_is_shown_unfolded_at_its_field(
    column: str, typed: str, words: str, console: Console
) -> None:
    headers = await console.enter("admin")
    form = {"name": "Shop", "host": "shop.test", "position": "10", "path": "/", "who": "any_role", "roles": "support"}
    sent = await console.client.post("/admin/sites/new", headers=headers, form={**form, column: typed})
    assert sent.status_code == 422
    text = await sent.get_data(as_text=True)
    assert words in text
    assert f'href="#f-rules.0.{column}"' in text
    assert re.search(rf'<input id="f-rules.0.{column}"[^>]* aria-invalid="true"', text)
    assert '<details class="more" open>' in text


@pytest.mark.parametrize("host", ["*.test", "*", "*.*.example.test", "w*.example.test", "*.10.0.0.1", "shop.test."])
async def test_a_host_that_is_neither_a_name_nor_a_wildcard_is_refused(host: str, console: Console) -> None:
    headers = await console.enter("admin")
    sent = await console.client.post(SITES, headers=headers, json={"name": "Shop", "host": host})
    assert sent.status_code == 422
    assert [error["field"] for error in (await sent.get_json())["errors"]] == ["host"]


async def test_the_audit_log_shows_the_rules_that_a_change_touched_and_no_others(console: Console) -> None:
    headers = await console.enter("admin")
    first = {"name": "Shop", "host": "shop.test", "rules": [FULL, PLAIN]}
    site = await (await console.client.post(SITES, headers=headers, json=first)).get_json()
    second: dict[str, Any] = {
        **first,
        "rules": [{**FULL, "networks": [], "fresh_minutes": 5}, PLAIN, {**PLAIN, "path_prefix": "/x"}],
    }
    assert (await console.client.put(f"{SITES}/{site['id']}", headers=headers, json=second)).status_code == 422
    second["rules"][1:] = [{**PLAIN, "asks": "anyone", "path_prefix": "/open"}, PLAIN]
    assert (await console.client.put(f"{SITES}/{site['id']}", headers=headers, json=second)).status_code == 200
    async with console.rows() as session:
        row = await session.scalar(select(AuditEvent).where(AuditEvent.event == Event.SITE_UPDATED))
    assert row is not None
    roles = "one of the roles support, auditor, signed in at level 2"
    assert row.before == {
        "rule 1": f"/pay alone GET POST from 10.0.0.0/8 2001:db8::/32: {roles}, signed in within 15 min",
        "rule 2": "/ any method: anyone signed in",
    }
    assert row.after == {
        "rule 1": f"/pay alone GET POST: {roles}, signed in within 5 min",
        "rule 2": "/open any method: anyone",
        "rule 3": "/ any method: anyone signed in",
    }


async def test_a_change_that_only_touches_a_network_is_a_change(console: Console) -> None:
    headers = await console.enter("admin")
    body = {"name": "Shop", "host": "shop.test", "rules": [FULL]}
    site = await (await console.client.post(SITES, headers=headers, json=body)).get_json()
    for key, value in (("networks", ["10.0.0.0/9"]), ("match", "prefix"), ("roles", ["auditor"]), ("assurance", 1)):
        changed = await console.client.put(
            f"{SITES}/{site['id']}", headers=headers, json={**body, "rules": [{**FULL, key: value}]}
        )
        assert (await changed.get_json())["rules"][0][key] == value


async def test_a_role_that_a_rule_asks_for_among_others_cannot_be_deleted_unnoticed(console: Console) -> None:
    headers = await console.enter("admin")
    await console.client.post("/admin/api/v1/roles", headers=headers, json={"name": "author"})
    rule = {**FULL, "roles": ["support", "author"]}
    await console.client.post(SITES, headers=headers, json={"name": "Shop", "host": "shop.test", "rules": [rule]})
    refused = await console.client.delete("/admin/api/v1/roles/author", headers=headers)
    assert refused.status_code == 409
    assert "Shop" in (await refused.get_json())["detail"]


async def test_whoever_was_overtaken_sees_what_they_typed_and_may_insist(console: Console) -> None:
    headers = await console.enter("admin")
    body = {"name": "Shop", "host": "shop.test", "rules": [PLAIN]}
    site = await (await console.client.post(SITES, headers=headers, json=body)).get_json()
    where = f"/admin/sites/{site['id']}/edit"
    read = await (await console.client.get(where, headers=headers)).get_data(as_text=True)
    assert f'name="version" value="{site["version"]}"' in read
    closed = {**body, "rules": [], "version": site["version"]}
    assert (await console.client.put(f"{SITES}/{site['id']}", headers=headers, json=closed)).status_code == 200
    again = await console.client.put(f"{SITES}/{site['id']}", headers=headers, json=closed)
    assert (again.status_code, (await again.get_json())["code"]) == (409, "conflict")
    form = {"name": "Shop", "host": "shop.test", "position": "10", "path": "/mine", "who": "signed_in"}
    told = await console.client.post(where, headers=headers, form={**form, "version": site["version"]})
    page = await told.get_data(as_text=True)
    assert told.status_code == 409
    assert "Somebody changed this site since you read it." in page
    assert 'value="/mine"' in page
    found = re.search(r'name="version" value="(\w+)"', page)
    assert found
    assert (await console.client.post(where, headers=headers, form={**form, "version": found[1]})).status_code == 303
