"""Samples for the templates of the console: empty lists, full ones, and what somebody sees who may only read."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_network
from typing import Any
from uuid import UUID

from ostiary_admin.auth_client import Explained, ServiceSecret
from ostiary_admin.inputs.audit import AuditQuery
from ostiary_admin.inputs.denials import DenialsQuery
from ostiary_admin.inputs.listing import OfSomebody
from ostiary_admin.inputs.mail import MailQuery
from ostiary_admin.inputs.people import PeopleQuery
from ostiary_admin.inputs.sites import WhoQuery
from ostiary_admin.pages import rule_rows
from ostiary_admin.pages.people import COLUMNS
from ostiary_admin.pages.person import Everything, Typed
from ostiary_admin.queries import who_could_open
from ostiary_admin.queries.audit import AuditRow
from ostiary_admin.queries.could_open import Opened, Part
from ostiary_admin.queries.denials import DenialRow
from ostiary_admin.queries.grants import GrantRow
from ostiary_admin.queries.keyset import Page
from ostiary_admin.queries.mail import STATES, MessageRow
from ostiary_admin.queries.overview import Counts
from ostiary_admin.queries.people import PersonRow
from ostiary_admin.queries.remedies import Cure
from ostiary_admin.queries.roles import RoleRow
from ostiary_admin.queries.services import ServiceRow
from ostiary_admin.queries.sessions import SessionRow
from ostiary_admin.queries.sites import RuleRow, SiteRow, SiteWithRules
from ostiary_admin.queries.tokens import TokenRow
from ostiary_admin.queries.try_out import Request, Tried
from ostiary_admin.queries.who_could_open import Visitor
from ostiary_shared.access import Asks, Check, Decision, Outcome, Remedy, Requirement, Step
from ostiary_shared.events import Event
from ostiary_shared.permissions import MEANINGS, Permission
from ostiary_shared.store.messages import Kind
from tests.house.samples import ID, IDENTITY, MACROS, NOW, Samples

Sample = Mapping[str, Any]
READER = replace(IDENTITY, permissions=frozenset(p for p in Permission if p.value.endswith(":read")))
ALONE = replace(IDENTITY, permissions=frozenset())
# Rendered by the page that includes it.
INCLUDED: list[Mapping[str, object]] = []

AGENTS = ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "<script>", "")
THEIRS = UUID(int=8)
ADA = PersonRow(THEIRS, "ada@example.test", "Ada <x>", ["admin", "end-user"], NOW, NOW, NOW, None, "", None)
PEOPLE = [
    ADA,
    replace(ADA, name="", roles=[], confirmed_at=None, last_seen_at=None),
    replace(ADA, locked_at=NOW, locked_reason="<why>"),
    replace(ADA, deleted_at=NOW),
]
GRANTS = [
    GrantRow(ID, ID, ADA.email, "editor", "<asked>", "bo@example.test", NOW, NOW),
    GrantRow(ID, ID, ADA.email, "end-user", "", None, NOW, None),
]
SESSIONS = [
    SessionRow(ID, ID, ADA.email, ADA.name, agent, "192.0.2.7" if agent else None, 1, ["password"], NOW, NOW, NOW)
    for agent in AGENTS
]
TOKENS = [
    TokenRow(ID, "Backup <x>", ["role:admin", "users:read"], NOW, NOW + timedelta(days=1), NOW),
    TokenRow(ID, "Old", [], NOW, NOW, None),
]
SERVICES = [
    ServiceRow(ID, "wiki-7kq2m4", "Wiki <x>", ["read", "write"], NOW, NOW, None),
    ServiceRow(ID, "old-7kq2m4", "Old", [], NOW, None, NOW),
]
SECRET = ServiceSecret(ID, "wiki-7kq2m4", "oc_x", "Wiki <x>", [])
WAITING = MessageRow(ID, "confirm", ID, ADA.email, "waiting", 0, "", NOW, NOW, None, None, None)
MAILS = [
    *(replace(WAITING, kind=kind.value) for kind in Kind),
    replace(WAITING, state="sent", sent_at=NOW, attempts=1, last_reply="250 OK"),
    replace(WAITING, state="failed", failed_at=NOW, attempts=9, last_reply="550 <no>", user_id=None),
    replace(WAITING, state="dropped", dropped_at=NOW),
]
EVENTS = [
    *(
        AuditRow(ID, NOW, event.value, ID, "ada@example.test", ID, "bo", "", None, None, None, "", "")
        for event in Event
    ),
    AuditRow(ID, NOW, "role:x", None, "", None, "", "<why>", {"name": "a"}, {"name": "b"}, "192.0.2.7", "curl", "R1"),
]
DENIALS = [
    DenialRow("7K2M-Q9XD", ID, ADA.email, name, "GET", "http://wiki.test/<x>", remedy, count, NOW)
    for name, remedy, count in (("Ada", "Grant editor.", 1), ("", "", 12))
]
ROLES = [
    RoleRow(ID, "admin", "May do everything.", [p.value for p in Permission], 12345),
    RoleRow(ID, "editor", "", [], 0),
    RoleRow(ID, "support", "<helps>", ["users:read"], 1),
]
OFFICE = [ip_network("10.0.0.0/8"), ip_network("fd00::/64")]
SEVERAL = ["editor", "<author>"]
RULES = [
    *(
        RuleRow("/", [], asks, "editor", "prefix", [], [], 1, None)
        for asks in ("anyone", "signed_in", "role", "permission")
    ),
    RuleRow("/a", ["GET"], "any_role", "", "exact", OFFICE, SEVERAL, 2, 1),
    RuleRow("/b", [], "all_roles", "", "prefix", OFFICE, SEVERAL, 3, 15),
]
OPENED = [
    Opened(
        ID,
        "<Wiki>",
        "wiki.test",
        [Part(n, rule, n % 2 == 0, "Is <x> held? no", "Grant it." * (n % 2)) for n, rule in enumerate(RULES, 1)],
    ),
    Opened(ID, "Closed", "closed.test", []),
]
WHO_ASKED = WhoQuery(url="https://wiki.test/<x>", address="10.0.0.1")
VISITORS = [Visitor(ID, "ada@example.test", name, "from the role <editor>") for name in ("Ada <x>", "")]
COULD = [
    who_could_open.Answer("rule 2 of <Wiki>", "asks for <x>", everybody, count, Page(found, None, None))
    for everybody, count, found in ((True, 0, []), (False, 0, []), (False, 2, VISITORS), (False, 10001, VISITORS))
]
COULD.append(replace(COULD[1], depends_on_address=True))
LISTED: Sample = {"links": {"previous": "/admin", "next": None}}
OPEN = Everything(ADA, [], GRANTS, ["support"], SESSIONS, TOKENS, MAILS, OPENED, DENIALS, EVENTS)
BARE = Everything(ADA, ["audit:read"], [], [], [], [], [], [], [], [])
FAULTS = {
    "": "No <x>.",
    **dict.fromkeys(
        ("email", "name", "password", "host", "description", "rules.0.value", "rules.0.path_prefix"), "Look again."
    ),
}


def listed(items: list[Any], **more: object) -> Sample:
    """A page of a list."""
    return {**LISTED, "page": Page(items, None, None), **more}


def refusal(kind: str, *, known: bool = True) -> Explained:
    """A refusal with one step passed and one failed."""
    steps = (
        Step(Check.COOKIE, "Did the request carry a session?", passed=True, seen="a cookie"),
        Step(Check.ROLE, "Is the role <editor> held?", passed=False, seen="holds no role", remedy="Grant editor."),
    )
    decision = Decision(Outcome.REFUSED, steps, Check.ROLE, Remedy(kind, "editor", "Grant editor."))
    user_id, email = (THEIRS, ADA.email) if known else (None, "")
    return Explained("7K2M-Q9XD", NOW, 3, "GET", "http://wiki.test/editor/", user_id, email, decision)


def told(kind: str, cure: Cure, *, known: bool = True, button: bool = False) -> Sample:
    """The page of a refusal."""
    found = refusal(kind, known=known)
    steps: list[dict[str, Any]] = [
        {"title": step.title, "passed": step.passed, "seen": step.seen, "remedy": step.remedy}
        for step in found.decision.steps
    ]
    if button:
        action = f"/admin/users/{ID}/grants"
        steps[-1]["act"] = {"action": action, "text": "Grant editor", "fields": {"role": "editor"}}
    helpful = [(name, name, "users:read") for name in cure.roles]
    return {"denial": found, "steps": steps, "cure": cure, "helpful": helpful}


def as_both(*samples: Sample) -> list[Mapping[str, object]]:
    """For somebody who may do everything, who may only read, and who may do nothing."""
    return [{**sample, "_identity": who} for sample in samples for who in (IDENTITY, READER, ALONE)]


ASKED = Request("/<x>", "GET", ADA.email)
ROLE = Requirement(Asks.ROLE, "editor", source="rule 2 of <Wiki>")
TRIED = Tried(ROLE, refusal("grant-role").decision)
WHO = [("", [("anyone", "anyone")]), ("Roles", [("role:editor", "<editor>")])]
EDITED: list[Mapping[str, object]] = [
    {"values": {}, "errors": {}},
    {"values": {"email": "x", "name": "<x>", "host": "y"}, "errors": FAULTS},
]

ADMIN: Samples = {
    "audit.html": as_both(
        listed([], query=AuditQuery(), filtered=False, events=[event.value for event in Event]),
        listed(EVENTS, query=AuditQuery(actor="ada"), filtered=True, events=["x"]),
    ),
    "denial.html": as_both(
        told("grant-role", Cure(roles=("editor",)), button=True),
        told("grant-permission", Cure(roles=("editor", "support"))),
        told("grant-role", Cure()),
        told("unlock", Cure(done=True)),
        told("sign-in", Cure(), known=False),
    ),
    "denials.html": as_both(listed([], query=DenialsQuery()), listed(DENIALS, query=DenialsQuery(user=ID))),
    "mail.html": as_both(
        listed([], query=MailQuery(), states=STATES),
        listed(MAILS, query=MailQuery(user=ID, state="failed"), states=STATES),
    ),
    "message.html": as_both(*({"mail": mail, "again": again} for mail in MAILS for again in (False, True))),
    "overview.html": as_both(
        {"counts": Counts(0, 0, 0, 0, 0, 0), "denials": [], "events": []},
        {"counts": Counts(10001, 1, 2, 3, 4, 5), "denials": DENIALS, "events": EVENTS},
    ),
    "parts.html": MACROS,
    "people.html": as_both(
        *(
            listed(
                items,
                query=PeopleQuery(q="a", sort="-name"),
                filtered=filtered,
                role_names=["editor"],
                sorts={name: {"href": "/admin/users?sort=x", "order": None} for name in COLUMNS},
            )
            for items, filtered in ((PEOPLE, False), ([], True), ([], False))
        )
    ),
    "person.html": as_both(
        *(
            {"all": all_, "one": one, "typed": typed}
            for one in PEOPLE
            for all_ in (OPEN, BARE)
            for typed in (Typed(), *(Typed(name, {"until": "x"}, FAULTS) for name in ("grant", "lock", "delete")))
        )
    ),
    "person_acts.html": INCLUDED,
    "person_edit.html": as_both(
        *({**edited, "one": one} for edited in EDITED for one in (ADA, replace(ADA, id=IDENTITY.id)))
    ),
    "person_new.html": as_both(*({**edited, "roles": [("editor", "editor", "Edits <x>")]} for edited in EDITED)),
    "person_roles.html": INCLUDED,
    "person_sessions.html": INCLUDED,
    "person_sites.html": INCLUDED,
    "person_tokens.html": INCLUDED,
    "role.html": as_both(
        *({"role": role, "meanings": MEANINGS, "above": above} for role in ROLES for above in ([], ["users:read"]))
    ),
    "role_edit.html": as_both(
        *(
            {**edited, "role": role, "permissions": [("users:read", "users:read", "See people")]}
            for edited in EDITED
            for role in (None, *ROLES)
        )
    ),
    "roles.html": as_both({"roles": ROLES, "meanings": MEANINGS}),
    "service.html": as_both(*({"one": one} for one in SERVICES)),
    "service_new.html": as_both(*EDITED, {"values": {"scopes": "a b"}, "errors": {"": "No.", "scopes": "No."}}),
    "service_secret.html": as_both({"made": SECRET, "us": "http://localhost"}),
    "services.html": as_both({"services": []}, {"services": SERVICES}),
    "sessions.html": as_both(listed([], query=OfSomebody()), listed(SESSIONS, query=OfSomebody(user=ID))),
    "site.html": as_both(
        *(
            {
                "site": SiteWithRules(ID, "Wiki", "wiki.test", NOW, rules, "v1"),
                "asked": ASKED,
                "everybody": "/admin/sites/who?url=x",
                "falls": [None, 2, *[None] * len(rules)],
                "tried": tried,
                "errors": wrong,
            }
            for rules, tried, wrong in (([], None, {}), (RULES, None, {"path": "No <x>."}), (RULES, TRIED, {}))
        ),
        {
            "site": SiteWithRules(ID, "W", "w.test", NOW, RULES, "v1"),
            "asked": ASKED,
            "everybody": "/admin/sites/who?url=x",
            "falls": [None] * len(RULES),
            "tried": Tried(ROLE, depends_on_address=True),
            "errors": {},
        },
    ),
    "site_edit.html": as_both(
        *(
            {**edited, "site_id": site_id, "rows": rows, "who": WHO, "labels": {}}
            for edited in EDITED
            for site_id, rows in ((None, rule_rows.first()), (ID, rule_rows.of(RULES)))
        )
    ),
    "sites.html": as_both({"sites": []}, {"sites": [SiteRow(ID, "Wiki", "wiki.test", NOW, n) for n in (0, 3)]}),
    "who_could_open.html": as_both(
        {"query": WhoQuery(), "found": None, "errors": {}, "links": {}},
        {"query": WHO_ASKED, "found": None, "errors": {"url": "No <x>.", "method": "No."}, "links": {}},
        *({"query": WHO_ASKED, "found": found, "errors": {}, **LISTED} for found in COULD),
    ),
}
