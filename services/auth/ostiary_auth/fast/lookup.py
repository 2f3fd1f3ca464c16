"""Who carries this token? One statement past SQLAlchemy.

The facts come back as the same frozen values that every decision looks at.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ostiary_shared.access import signed_in
from ostiary_shared.identity import Account, HeldRole, Identity, Presented, SessionFacts, narrowed
from ostiary_shared.statements import Statements
from ostiary_shared.store.sessions import ROTATION_GRACE
from ostiary_shared.tokens import PERSONAL, SESSION, SITE

_FOR_EVER = datetime(9999, 1, 1, tzinfo=UTC)

_PERSON = """u.id AS user_id, u.email, u.name, u.confirmed_at, u.locked_at, u.locked_reason, u.deleted_at,
    held.roles, held.ends, held.permits"""
_HELD = """CROSS JOIN LATERAL (
    SELECT coalesce(array_agg(r.name ORDER BY r.name), '{}') AS roles,
        coalesce(array_agg(g.expires_at ORDER BY r.name), '{}') AS ends,
        coalesce(array_agg(coalesce(
            (SELECT string_agg(p.permission, ' ') FROM role_permissions p WHERE p.role_id = r.id), ''
        ) ORDER BY r.name), '{}') AS permits
    FROM role_grants g JOIN roles r ON r.id = g.role_id
    WHERE g.user_id = u.id AND g.ended_at IS NULL AND (g.expires_at IS NULL OR g.expires_at > $2)
) held"""
_SESSION = """s.id, s.assurance, s.methods, s.created_at, s.authenticated_at, s.last_seen_at, s.expires_at,
    s.idle_limit, s.ended_at, s.ended_reason"""
# Put together from our own words alone.
STATEMENTS = {
    SESSION: f"""SELECT {_SESSION}, s.token_digest = $1 AS current, s.rotated_at, '' AS host, {_PERSON}
        FROM sessions s JOIN users u ON u.id = s.user_id {_HELD}
        WHERE s.token_digest = $1 OR (s.previous_digest = $1 AND s.rotated_at > $3)""",  # noqa: S608
    SITE: f"""SELECT {_SESSION}, true AS current, s.rotated_at, t.host, {_PERSON}
        FROM site_sessions t JOIN sessions s ON s.id = t.session_id JOIN users u ON u.id = s.user_id {_HELD}
        WHERE t.token_digest = $1 AND $3::timestamptz IS NOT NULL""",  # noqa: S608
    PERSONAL: f"""SELECT t.id, 1 AS assurance, ARRAY['api_token'] AS methods, t.created_at,
            t.created_at AS authenticated_at, t.created_at AS last_seen_at, t.expires_at,
            t.expires_at - t.created_at AS idle_limit, t.revoked_at AS ended_at, t.revoked_reason AS ended_reason,
            true AS current, NULL::timestamptz AS rotated_at, '' AS host, t.scopes, {_PERSON}
        FROM api_tokens t JOIN users u ON u.id = t.user_id {_HELD}
        WHERE t.token_digest = $1 AND $3::timestamptz IS NOT NULL""",  # noqa: S608
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Found:
    """What a token stands for, and who that is if the session lives and the account is in order.

    `host` is where alone it counts; at `ends_at` something of it ends by itself.
    """

    presented: Presented
    who: Identity | None
    machine: bool
    host: str
    ends_at: datetime


async def find(statements: Statements, kind: str, digest: bytes, now: datetime) -> Found | None:
    """The session or token with this digest, alive or not, and whose it is."""
    row = await statements.row(STATEMENTS[kind], digest, now, now - ROTATION_GRACE)
    if row is None:
        return None
    account, session = _account(row), _session(row)
    if kind == PERSONAL:
        account = narrowed(account, row["scopes"])
    late = [] if row["current"] else [row["rotated_at"] + ROTATION_GRACE]
    ends = min([session.idle_until(), *(end for end in row["ends"] if end), *late], default=_FOR_EVER)
    presented = Presented(carried=True, session=session, account=account)
    return Found(presented, signed_in(presented, now), kind == PERSONAL, row["host"], ends)


def _session(row: Mapping[str, Any]) -> SessionFacts:
    return SessionFacts(
        id=row["id"],
        assurance=row["assurance"],
        methods=tuple(row["methods"]),
        created_at=row["created_at"],
        authenticated_at=row["authenticated_at"],
        last_seen_at=row["last_seen_at"],
        expires_at=row["expires_at"],
        idle_limit=row["idle_limit"],
        ended_at=row["ended_at"],
        ended_reason=row["ended_reason"],
    )


def _account(row: Mapping[str, Any]) -> Account:
    # Since when and by whom a role is held only shows in refusals, which the app itself words.
    held = zip(row["roles"], row["permits"], row["ends"], strict=True)
    return Account(
        id=row["user_id"],
        email=row["email"],
        name=row["name"],
        confirmed_at=row["confirmed_at"],
        locked_at=row["locked_at"],
        locked_reason=row["locked_reason"],
        deleted_at=row["deleted_at"],
        held=tuple(
            HeldRole(name, frozenset(permits.split()), row["created_at"], "", until) for name, permits, until in held
        ),
    )
