"""Signing in with a password, in single statements: what to check it against, then one that lets in or refuses.

Written out rather than mapped: a password's check costs 20 ms of CPU, and all else must not cost half as much again.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from ostiary_shared.events import Event
from ostiary_shared.identity import Account, HeldRole, SessionFacts
from ostiary_shared.models.user import FOLDED_EMAIL
from ostiary_shared.statements import Statements
from ostiary_shared.store.sessions import ROTATION_GRACE, Start
from ostiary_shared.work import Caller

NOBODY = UUID(int=0)

# For an address that nobody has, the same is looked up for nobody. What waited when an administrator confirmed the
# address waits for ever: it is no password any more.
_AGAINST = f"""
    SELECT u.id, u.confirmed_at, u.locked_at, adopted.hash AS adopted, waiting.hash AS waiting
    FROM (VALUES ('{NOBODY}'::uuid)) nobody (id)
    LEFT JOIN users u ON {FOLDED_EMAIL} = casefold($1::text COLLATE pg_unicode_fast) AND u.deleted_at IS NULL
    LEFT JOIN passwords adopted ON adopted.user_id = coalesce(u.id, nobody.id) AND adopted.adopted_at IS NOT NULL
    LEFT JOIN LATERAL (
        SELECT p.hash FROM passwords p
        WHERE p.user_id = coalesce(u.id, nobody.id) AND p.adopted_at IS NULL
            AND p.created_at >= coalesce(u.confirmed_at, '-infinity')
        ORDER BY p.created_at DESC, p.id DESC LIMIT 1
    ) waiting ON true
"""  # noqa: S608 - made of constants

# Both rows are locked, so that who is locked out, deleted or given another password meanwhile is read as they are by
# then: a row that changed is compared again, and one that is gone is no row. Sessions beyond the newest are counted
# as the statement began; of several sign-ins at the same moment each may leave one more.
_ENTER = """
    WITH held AS (
        SELECT u.id, u.email, u.name, u.confirmed_at
        FROM users u JOIN passwords p ON p.user_id = u.id
        WHERE u.id = $1 AND u.confirmed_at IS NOT NULL AND u.locked_at IS NULL AND u.deleted_at IS NULL
            AND p.adopted_at IS NOT NULL AND p.hash = $2
        FOR NO KEY UPDATE OF u FOR SHARE OF p
    ), begun AS (
        INSERT INTO sessions (user_id, token_digest, methods, assurance, created_at, authenticated_at, last_seen_at,
                              expires_at, idle_limit, ip, user_agent)
        SELECT id, $3, $4, $5, $6::timestamptz, $6, $6, $6 + $7::interval, $8, $9, $10 FROM held
        RETURNING id
    ), seen AS (
        UPDATE users u SET last_seen_at = $6 FROM held WHERE u.id = held.id
    ), noted AS (
        INSERT INTO audit_events (at, event, actor_id, actor, target_id, target, ip, user_agent, request_id)
        SELECT $6, $11, id, email, id, email, $9, $10, $12 FROM held
    ), planted AS (
        SELECT s.id FROM sessions s
        WHERE (s.token_digest = $13 OR (s.previous_digest = $13 AND s.rotated_at > $14)) AND s.ended_at IS NULL
    ), oldest AS (
        SELECT s.id FROM held JOIN sessions s ON s.user_id = held.id
        WHERE s.ended_at IS NULL AND s.expires_at > $6 AND s.last_seen_at + s.idle_limit > $6
            AND s.id NOT IN (SELECT id FROM planted)
        ORDER BY s.created_at DESC, s.id DESC OFFSET $15 - 1
    ), over AS (
        UPDATE sessions s SET ended_at = $6, ended_reason = ending.reason
        FROM held, (
            SELECT id, 'signed in again' FROM planted UNION ALL SELECT id, 'too many sessions' FROM oldest
        ) ending (id, reason)
        WHERE s.id = ending.id AND s.ended_at IS NULL
        RETURNING s.id
    )
    SELECT held.*, begun.id AS session_id, (SELECT count(*) FROM over) AS ended,
        r.name AS role, g.granted_at, g.expires_at, coalesce(giver.email, 'the system') AS giver,
        ARRAY(SELECT permission FROM role_permissions WHERE role_id = r.id) AS permissions
    FROM held CROSS JOIN begun
    LEFT JOIN role_grants g ON g.user_id = held.id AND g.ended_at IS NULL
        AND coalesce(g.expires_at, 'infinity') > $6
    LEFT JOIN roles r ON r.id = g.role_id
    LEFT JOIN users giver ON giver.id = g.granted_by
    ORDER BY r.name
"""

# Only accounts go by name: people type passwords into the address field.
_REFUSE = """
    WITH asked AS (
        SELECT u.id, u.email, u.confirmed_at, u.locked_at,
            EXISTS (SELECT FROM passwords p WHERE p.user_id = u.id AND p.adopted_at IS NOT NULL AND p.hash = $2)
                AS unchanged
        FROM (VALUES (true)) one LEFT JOIN users u ON u.id = $1 AND u.deleted_at IS NULL
    ), noted AS (
        INSERT INTO audit_events (at, event, target_id, target, ip, user_agent, request_id)
        SELECT $3, $4, id, coalesce(email, ''), $5, $6, $7 FROM asked
    )
    SELECT unchanged AND locked_at IS NULL AND confirmed_at IS NULL AS unconfirmed FROM asked
"""


@dataclass(frozen=True, slots=True)
class Against:
    """What a typed password is checked against. Everything is there for strangers, too."""

    user_id: UUID
    usable: bool
    adopted: str | None
    waiting: str | None


@dataclass(frozen=True, slots=True)
class Entrance:
    """Coming in: the hash that the password was right for, the session to begin, and the one in hand, which ends."""

    adopted: str
    wanted: Start
    presented: bytes | None
    most: int


@dataclass(frozen=True, slots=True)
class Entered:
    """The session begun, whose it is, and how many others ended for it."""

    account: Account
    session: SessionFacts
    ended: int


async def against(statements: Statements, email: str) -> Against:
    """What the password of this address is checked against."""
    row = await statements.row(_AGAINST, email)
    usable = row["confirmed_at"] is not None and row["locked_at"] is None
    return Against(row["id"] or NOBODY, usable, row["adopted"], row["waiting"])


async def enter(statements: Statements, entrance: Entrance, caller: Caller, now: datetime) -> Entered | None:
    """Begin a session for a person who is still as they were when the password was checked; None when they are not."""
    wanted = entrance.wanted
    rows = await statements.rows(
        _ENTER,
        wanted.user_id,
        entrance.adopted,
        wanted.token_digest,
        list(wanted.methods),
        wanted.assurance,
        now,
        wanted.lifetime.absolute,
        wanted.lifetime.idle,
        wanted.ip,
        wanted.user_agent[:400],
        Event.LOGIN_SUCCEEDED,
        caller.request_id,
        entrance.presented,
        now - ROTATION_GRACE,
        entrance.most,
    )
    return Entered(_account(rows), _session(rows[0], wanted, now), rows[0]["ended"]) if rows else None


async def refuse(statements: Statements, refused: Against, caller: Caller, now: datetime) -> bool:
    """Note a refusal. Whether all that somebody with this password still lacks is to confirm the address."""
    row = await statements.row(
        _REFUSE,
        refused.user_id,
        refused.adopted,
        now,
        Event.LOGIN_FAILED,
        caller.ip,
        caller.user_agent[:400],
        caller.request_id,
    )
    return bool(row["unconfirmed"])


def _account(rows: Any) -> Account:
    first = rows[0]
    return Account(
        id=first["id"],
        email=first["email"],
        name=first["name"],
        confirmed_at=first["confirmed_at"],
        locked_at=None,
        locked_reason="",
        deleted_at=None,
        held=tuple(
            HeldRole(row["role"], frozenset(row["permissions"]), row["granted_at"], row["giver"], row["expires_at"])
            for row in rows
            if row["role"]
        ),
    )


def _session(row: Any, wanted: Start, now: datetime) -> SessionFacts:
    return SessionFacts(
        id=row["session_id"],
        assurance=wanted.assurance,
        methods=wanted.methods,
        created_at=now,
        authenticated_at=now,
        last_seen_at=now,
        expires_at=now + wanted.lifetime.absolute,
        idle_limit=wanted.lifetime.idle,
        ended_at=None,
        ended_reason="",
    )
