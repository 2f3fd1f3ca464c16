"""Samples for the templates of auth: empty, filled in, and with every error that a person may see."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from ostiary_auth.flows.api_tokens import Made, OwnToken
from ostiary_auth.flows.onward import Onward
from ostiary_auth.flows.own_sessions import OwnSession
from ostiary_auth.pages.denied import _WORDS
from tests.house.samples import ID, MACROS, NOBODY_SPECIAL, NOW, Samples

TYPED = {"email": "ada@example.test", "name": "Ada <x>", "code": "7KQ2", "remember": "1"}
BY_LINK = {"token": "ot_x", "address": "ada@example.test"}
ERRORS = {
    "": "That did not work <x>.",
    **dict.fromkeys(("email", "name", "code", "password", "current_password"), "Please look again."),
}
EMPTY: Mapping[str, object] = {"values": {}, "errors": {}, "_identity": None}
FAULTY: Mapping[str, object] = {"values": TYPED, "errors": ERRORS, "_identity": None}
LINKED: Mapping[str, object] = {"values": BY_LINK, "errors": {}, "_identity": None}
MINE: list[Mapping[str, object]] = [
    {"values": {}, "errors": {}},
    {"values": TYPED, "errors": ERRORS},
    {"values": {}, "errors": {}, "_identity": NOBODY_SPECIAL},
]


def session(*, current: bool) -> OwnSession:
    """A place where somebody is signed in."""
    return OwnSession(ID, "Firefox on <Linux>", "192.0.2.7" if current else "", NOW, NOW, NOW, current)


TOKEN = OwnToken(ID, "Backup", ["role:admin", "users:read"], NOW, NOW + timedelta(days=90), None)
SIGN_IN: Mapping[str, object] = {"wanted": "", "onward": Onward(), "open_here": True, "again": False}

AUTH: Samples = {
    "account.html": MINE,
    "claim.html": [LINKED, FAULTY],
    "claim_dead.html": [{"_identity": None}],
    "confirm.html": [
        {**page, "asks": asks}
        for page in (EMPTY, FAULTY, LINKED, {**FAULTY, "values": BY_LINK})
        for asks in (False, True)
    ],
    "denied.html": [
        {"words": words, "reference": "7K2M-Q9XD", "sign_in": sign_in, "confirm": not sign_in, "wanted": "/account"}
        for words in _WORDS.values()
        for sign_in in ("", "/login?next=%2Faccount")
    ],
    "email.html": MINE,
    "email_confirm.html": [EMPTY, FAULTY, LINKED],
    "handover_again.html": [
        {"site": site, "retry": retry, "_identity": None}
        for site, retry in (("", ""), ("wiki.example.test", "https://wiki.example.test/.ostiary/sign-in?next=%2F"))
    ],
    "invitation.html": [EMPTY, FAULTY, LINKED],
    "login.html": [
        {**EMPTY, **SIGN_IN},
        {**FAULTY, **SIGN_IN, "wanted": "/account", "open_here": False},
        {**EMPTY, **SIGN_IN, "again": True},
        {**EMPTY, **SIGN_IN, "onward": Onward("https://wiki.example.test/", "https://wiki.example.test")},
    ],
    "mailbox.html": MACROS,
    "not_confirmed.html": [{"email": "ada@example.test", "_identity": None}],
    "own.html": [{"here": "account"}],
    "password.html": MINE,
    "recover.html": [EMPTY, FAULTY],
    "resend.html": [EMPTY, FAULTY],
    "reset.html": [EMPTY, FAULTY, LINKED],
    "sessions.html": [
        {"sessions": [session(current=True)], "now": NOW},
        {"sessions": [session(current=True), session(current=False)], "now": NOW},
    ],
    "signup.html": [EMPTY, FAULTY],
    "token_made.html": [{"made": Made(TOKEN, "osp_" + "x" * 55)}],
    "tokens.html": [
        {**page, "tokens": tokens, "roles": scopes, "permissions": scopes, "days": [("90", "90 days")], "now": NOW}
        for page, tokens, scopes in (
            ({"values": {"days": "90"}, "errors": {}}, [], []),
            (
                {"values": {**TYPED, "scopes": ["role:<x>"]}, "errors": {**ERRORS, "scopes": "No.", "days": "No."}},
                [TOKEN, replace(TOKEN, name="<b>", scopes=[], last_used_at=NOW, expires_at=NOW)],
                [("role:<x>", "Role <x>", "Sites.")],
            ),
        )
    ],
    "signup_closed.html": [{"_identity": None}],
}
