"""Every route × every role × every method gives what the permission table says; reading never guards a change."""

import re
from typing import Any
from uuid import UUID

from ostiary_shared.access import Asks
from ostiary_shared.permissions import SEED_ROLES, Permission
from ostiary_shared.web.door import stance_of
from tests.admin.conftest import Console

SOMEBODY = UUID(int=12345)
BY_AUTH = ("service_id>/secret", "services/<uuid:service_id>/delete", "service-clients/<uuid:service_id>")
PUBLIC = {"assets", "openapi", "healthz", "readyz"}
# The whole table, by hand: what a route asks for must be written in two places to be changed.
ACTS = {
    ("POST", "users/new"): Permission.USERS_CREATE,
    ("POST", "api/v1/users"): Permission.USERS_CREATE,
    ("PATCH", "api/v1/users/ID"): Permission.USERS_UPDATE,
    ("DELETE", "api/v1/users/ID"): Permission.USERS_DELETE,
    ("POST", "users/ID/edit"): Permission.USERS_UPDATE,
    ("POST", "users/ID/confirm"): Permission.USERS_UPDATE,
    ("POST", "users/ID/recover"): Permission.USERS_RECOVER,
    ("POST", "users/ID/invite"): Permission.USERS_CREATE,
    ("POST", "users/ID/lock"): Permission.USERS_LOCK,
    ("POST", "users/ID/unlock"): Permission.USERS_LOCK,
    ("POST", "users/ID/delete"): Permission.USERS_DELETE,
    ("POST", "users/ID/restore"): Permission.USERS_DELETE,
    ("POST", "users/ID/grants"): Permission.GRANTS_WRITE,
    ("POST", "users/ID/grants/NAME/revoke"): Permission.GRANTS_WRITE,
    ("POST", "users/ID/sessions/end"): Permission.SESSIONS_END,
    ("POST", "sessions/ID/end"): Permission.SESSIONS_END,
    ("DELETE", "api/v1/sessions/ID"): Permission.SESSIONS_END,
    ("DELETE", "api/v1/users/ID/sessions"): Permission.SESSIONS_END,
    ("POST", "api/v1/grants"): Permission.GRANTS_WRITE,
    ("DELETE", "api/v1/grants/ID"): Permission.GRANTS_WRITE,
    ("POST", "roles/new"): Permission.ROLES_WRITE,
    ("POST", "roles/NAME/edit"): Permission.ROLES_WRITE,
    ("POST", "roles/NAME/delete"): Permission.ROLES_WRITE,
    ("POST", "api/v1/roles"): Permission.ROLES_WRITE,
    ("PUT", "api/v1/roles/NAME"): Permission.ROLES_WRITE,
    ("DELETE", "api/v1/roles/NAME"): Permission.ROLES_WRITE,
    ("POST", "sites/new"): Permission.SITES_WRITE,
    ("POST", "sites/ID/edit"): Permission.SITES_WRITE,
    ("POST", "sites/ID/delete"): Permission.SITES_WRITE,
    ("POST", "api/v1/sites"): Permission.SITES_WRITE,
    ("PUT", "api/v1/sites/ID"): Permission.SITES_WRITE,
    ("DELETE", "api/v1/sites/ID"): Permission.SITES_WRITE,
    ("POST", "mail/ID/resend"): Permission.MESSAGES_RESEND,
    ("POST", "api/v1/messages/ID/resend"): Permission.MESSAGES_RESEND,
    ("POST", "users/ID/tokens/ID/revoke"): Permission.SESSIONS_END,
    ("POST", "users/ID/tokens/revoke"): Permission.SESSIONS_END,
    ("DELETE", "api/v1/users/ID/tokens/ID"): Permission.SESSIONS_END,
    ("DELETE", "api/v1/users/ID/tokens"): Permission.SESSIONS_END,
    ("GET", "users/ID/tokens"): Permission.SESSIONS_READ,
    ("POST", "services/new"): Permission.SERVICES_WRITE,
    ("POST", "services/ID/secret"): Permission.SERVICES_WRITE,
    ("POST", "services/ID/off"): Permission.SERVICES_WRITE,
    ("POST", "services/ID/on"): Permission.SERVICES_WRITE,
    ("POST", "services/ID/delete"): Permission.SERVICES_WRITE,
    ("POST", "api/v1/service-clients"): Permission.SERVICES_WRITE,
    ("POST", "api/v1/service-clients/ID/secret"): Permission.SERVICES_WRITE,
    ("PATCH", "api/v1/service-clients/ID"): Permission.SERVICES_WRITE,
    ("DELETE", "api/v1/service-clients/ID"): Permission.SERVICES_WRITE,
    # Forms are read by whoever may send them.
    ("GET", "services/new"): Permission.SERVICES_WRITE,
    ("GET", "users/new"): Permission.USERS_CREATE,
    ("GET", "users/ID/edit"): Permission.USERS_UPDATE,
    ("GET", "roles/new"): Permission.ROLES_WRITE,
    ("GET", "roles/NAME/edit"): Permission.ROLES_WRITE,
    ("GET", "sites/new"): Permission.SITES_WRITE,
    ("GET", "sites/ID/edit"): Permission.SITES_WRITE,
    ("GET", "users/ID/sites"): Permission.SITES_READ,
}
READS = {
    "": Permission.USERS_READ,
    "users": Permission.USERS_READ,
    "grants": Permission.USERS_READ,
    "roles": Permission.ROLES_READ,
    "sessions": Permission.SESSIONS_READ,
    "sites": Permission.SITES_READ,
    "services": Permission.SERVICES_READ,
    "service-clients": Permission.SERVICES_READ,
    "audit": Permission.AUDIT_READ,
    "mail": Permission.MESSAGES_READ,
    "messages": Permission.MESSAGES_READ,
    "denials": Permission.DENIALS_READ,
}


def wanted(method: str, rule: str) -> Permission:
    path = re.sub(r"<uuid:\w+>", "ID", rule)
    path = re.sub(r"<(path:)?\w+>", "NAME", path).removeprefix("/admin").removeprefix("/")
    route = (method, path)
    twin = (method, path.removeprefix("api/v1/"))
    if route in ACTS or twin in ACTS:
        return ACTS.get(route) or ACTS[twin]
    assert method == "GET", f"{route} changes something and is not in the table"
    return READS[path.removeprefix("api/v1/").split("/")[0]]


def routes(console: Console) -> list[tuple[str, Any]]:
    return [
        (method, rule)
        for rule in console.app.url_map.iter_rules()
        if rule.endpoint not in PUBLIC
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
    ]


def filled(rule: str) -> str:
    return re.sub(r"<(path:)?\w+>", "nothing", re.sub(r"<uuid:\w+>", str(SOMEBODY), rule))


async def test_every_route_declares_the_permission_of_the_table(console: Console) -> None:
    for method, rule in routes(console):
        stance = stance_of(console.app, rule.endpoint)
        assert stance is not None
        assert stance.guard.asks is Asks.PERMISSION
        assert stance.guard.value == wanted(method, rule.rule), (method, rule.rule)


async def test_no_view_answers_reading_and_changing_at_once(console: Console) -> None:
    for rule in console.app.url_map.iter_rules():
        methods = (rule.methods or set()) - {"HEAD", "OPTIONS"}
        assert len(methods) == 1, rule


async def test_every_role_gets_what_the_table_says(console: Console) -> None:
    people = {"none": (await console.enter(), frozenset[str]())}
    for role in SEED_ROLES:
        people[role.name] = (await console.enter(role.name), frozenset(role.permissions))
    for name, (headers, held) in people.items():
        for method, rule in routes(console):
            answer = await console.open(filled(rule.rule), method=method, headers={**headers, "Accept": "text/html"})
            allowed = wanted(method, rule.rule) in held
            assert (answer.status_code == 403) is not allowed, (name, method, rule.rule, answer.status_code)
            # What auth does with a service it cannot do here, where it only says who somebody is.
            away = answer.status_code == 503 and rule.rule.endswith(BY_AUTH)
            assert answer.status_code < 500 or away, (name, method, rule.rule)


async def test_other_methods_are_refused_or_unknown(console: Console) -> None:
    nobody = await console.enter()
    for _method, rule in routes(console):
        for method in ("HEAD", "OPTIONS", "TRACE", "PUT", "DELETE", "PATCH"):
            answer = await console.open(filled(rule.rule), method=method, headers=nobody)
            assert answer.status_code in {403, 405}, (method, rule.rule, answer.status_code)


async def test_strangers_are_sent_to_sign_in_and_come_back(console: Console) -> None:
    for method, rule in routes(console):
        path = filled(rule.rule)
        answer = await console.open(path, method=method, headers={"Accept": "text/html"})
        if method == "GET" and "/api/" not in path:
            assert answer.status_code == 303, path
            assert answer.headers["Location"].startswith("/login?next=%2Fadmin")
        else:
            assert answer.status_code == 401, (method, path)
        if "/api/" in path:
            assert (await answer.get_json())["reference"] == "s-sealed"


async def test_what_was_wanted_is_kept_with_its_query(console: Console) -> None:
    answer = await console.client.get("/admin/users?q=ada&sort=-seen", headers={"Accept": "text/html"})
    assert answer.headers["Location"] == "/login?next=%2Fadmin%2Fusers%3Fq%3Dada%26sort%3D-seen"


async def test_navigation_shows_only_what_may_be_opened(console: Console) -> None:
    support = await console.enter("support")
    page = await (await console.client.get("/admin/users", headers=support)).get_data(as_text=True)
    for href, shown in (
        ("/admin/users", True),
        ("/admin/sessions", True),
        ("/admin/roles", False),
        ("/admin/audit", False),
    ):
        assert (f'<li><a href="{href}"' in page) is shown
