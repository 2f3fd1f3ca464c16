"""What samples are made of, and those of the theme. A template without a sample fails the test.

Keys with a leading underscore set the scene: `_path` is the address of the page, `_identity` whoever looks at it
(somebody who may do everything, unless said).
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from uuid import UUID

from ostiary_shared.identity import Identity, SessionFacts
from ostiary_shared.permissions import Permission

Samples = dict[str, list[Mapping[str, object]]]

NOW = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)
ID = UUID(int=7)
SESSION = SessionFacts(
    id=ID,
    assurance=1,
    methods=("password",),
    created_at=NOW,
    authenticated_at=NOW,
    last_seen_at=NOW,
    expires_at=NOW + timedelta(days=1),
    idle_limit=timedelta(hours=1),
    ended_at=None,
    ended_reason="",
)
IDENTITY = Identity(ID, "ada@example.test", "Ada <Lovelace>", ("admin",), frozenset(Permission), SESSION)
NOBODY_SPECIAL = Identity(ID, "bo@example.test", "Bo", ("end-user",), frozenset(), SESSION)

# Files of macros have nothing to show by themselves.
MACROS: list[Mapping[str, object]] = [{}]
NAV = [{"href": "/admin/users", "label": "People", "icon": "people", "current": True}]

THEME: Samples = {
    "theme/account.html": [{"here": "account"}, {"here": "sessions", "console_href": "/admin"}],
    "theme/console.html": [{"nav": NAV}],
    "theme/door.html": [{}, {"_identity": None}],
    "theme/error.html": [
        *({"status": status, "_identity": None} for status in (400, 403, 404, 405, 409, 413, 422, 429, 500, 503)),
        {
            "status": 403,
            "title": "A & B",
            "text": "<x>",
            "reference": "7K2M-Q9XD",
            "ways": [{"href": "/", "label": "Go"}],
        },
    ],
    "theme/forms.html": MACROS,
    "theme/icons.html": MACROS,
    "theme/layout.html": [{}],
    "theme/parts.html": MACROS,
    "theme/plain.html": [
        {"title": "A & B", "text": "<x>", "home": "https://login.example.test", "_identity": None, **more}
        for more in ({}, {"act": {"href": "/.ostiary/sign-out?next=%2F", "label": "Sign out"}})
    ],
    "theme/refused.html": [
        {"sentence": "No.", "reference": "7K2M-Q9XD", "sign_in": sign_in} for sign_in in (True, False)
    ],
    "theme/shell.html": [{"home_href": "/admin", "product": "", "nav_label": "Sections", "entries": NAV}],
    "theme/tables.html": MACROS,
}
