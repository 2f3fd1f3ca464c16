"""What each service's database role may do is exactly what is written here, and what it may not do is tried."""

import re

import asyncpg
import pytest

from tests.conftest import Databases

# Table, then what may be done to which columns: S select, I insert, U update, D delete; `*` is every column.
AUTH = """
alembic_version    S *
api_tokens         S *  I *  U *  D *
audit_events       S *  I *
counters           S *  I *  U *  D *
denials            S *  I *  U count,last_at  D *
messages           S *  I *  U *  D *
one_time_tokens    S *  I *  U *  D *
passwords          S *  I *  U *  D *
receipts           S *  I *
replicas           S *  I *  U *  D *
revoked_tokens     S *  I *  U *  D *
role_grants        S *  I *  U ended_at
role_permissions   S *  I *
roles              S *  I *
schema_revisions   S *
service_clients    S *  I *  U *  D *
sessions           S *  I *  U *  D *
signing_keys       S *  I *  U *
site_rules         S *
site_sessions      S *  I *  U *  D *
sites              S *
users              S *  I *  U confirmed_at,email,last_seen_at,name
"""
ADMIN = """
alembic_version    S *
api_tokens         S created_at,expires_at,id,last_used_at,name,revoked_at,revoked_reason,scopes,user_id
                   U revoked_at,revoked_reason
audit_events       S *  I *
counters           S *  I *  U *  D *
denials            S *  I *  U count,last_at
messages           S *  I *  U dropped_at,last_reply
one_time_tokens    S consumed_at,created_at,email,expires_at,id,purpose,user_id,voided_at  U voided_at
receipts           S *  I *
replicas           S *  D *
role_grants        S *  I *  U ended_at,ended_by
role_permissions   S *  I *  D *
roles              S *  I *  U description  D *
schema_revisions   S *
service_clients    S client_id,created_at,created_by,disabled_at,id,last_used_at,name,scopes  U disabled_at
sessions           S assurance,authenticated_at,created_at,ended_at,ended_reason,expires_at,id,idle_limit,
                   ip,last_seen_at,methods,rotated_at,user_agent,user_id  U ended_at,ended_reason
site_rules         S *  I *  U *  D *
sites              S *  I *  U *  D *
users              S *  I *  U confirmed_at,deleted_at,email,locked_at,locked_reason,name
"""
NEVER_FOR_ADMIN = [
    "SELECT hash FROM passwords",
    "SELECT count(*) FROM passwords",
    "INSERT INTO passwords (user_id, hash) SELECT id, '' FROM users",
    "UPDATE passwords SET hash = ''",
    "SELECT token_digest FROM sessions",
    "SELECT previous_digest FROM sessions",
    "SELECT * FROM sessions",
    "SELECT 1 FROM sessions WHERE token_digest = ''",
    "UPDATE sessions SET token_digest = ''",
    "UPDATE sessions SET user_id = NULL",
    "INSERT INTO sessions (user_agent) VALUES ('')",
    "SELECT token_digest FROM one_time_tokens",
    "SELECT code_digest FROM one_time_tokens",
    "SELECT subject FROM one_time_tokens",
    "INSERT INTO one_time_tokens (purpose) VALUES ('')",
    "UPDATE one_time_tokens SET consumed_at = NULL",
    "SELECT token_digest FROM api_tokens",
    "SELECT * FROM api_tokens",
    "SELECT 1 FROM api_tokens WHERE token_digest = ''",
    "UPDATE api_tokens SET token_digest = ''",
    "UPDATE api_tokens SET scopes = '{}'",
    "UPDATE api_tokens SET expires_at = now()",
    "UPDATE api_tokens SET user_id = NULL",
    "INSERT INTO api_tokens (name) VALUES ('')",
    "SELECT secret_digest FROM service_clients",
    "SELECT * FROM service_clients",
    "UPDATE service_clients SET secret_digest = ''",
    "UPDATE service_clients SET scopes = '{}'",
    "INSERT INTO service_clients (client_id) VALUES ('')",
    "SELECT count(*) FROM site_sessions",
    "SELECT count(*) FROM revoked_tokens",
    "INSERT INTO replicas (name) VALUES ('')",
    "UPDATE replicas SET acknowledged = 1",
    "UPDATE receipts SET milliseconds = 0",
    "SELECT sealed_private FROM signing_keys",
    "SELECT count(*) FROM signing_keys",
    "UPDATE role_grants SET expires_at = NULL",
    "UPDATE roles SET name = ''",
]
NEVER_FOR_AUTH = [
    "UPDATE users SET locked_at = NULL",
    "UPDATE users SET deleted_at = NULL",
    "DELETE FROM users",
    "DELETE FROM role_permissions",
    "UPDATE role_permissions SET permission = ''",
    "UPDATE roles SET name = ''",
    "DELETE FROM roles",
    "INSERT INTO sites (name, host) VALUES ('', '')",
    "UPDATE site_rules SET asks = 'anyone'",
    "UPDATE receipts SET milliseconds = 0",
    "DELETE FROM receipts",
]
NEVER_FOR_ANYBODY = [
    "UPDATE audit_events SET event = ''",
    "DELETE FROM audit_events",
    "TRUNCATE audit_events",
    "ALTER TABLE audit_events DISABLE TRIGGER ALL",
    "DROP TRIGGER append_only ON audit_events",
    "SET session_replication_role = replica",
    "CREATE TABLE mine (a int)",
    "UPDATE alembic_version SET version_num = ''",
    "SET ROLE ostiary_owner",
    "COPY users TO PROGRAM 'true'",
]
LISTING = """
    SELECT c.relname AS table, a.attname AS column,
           has_column_privilege($1, c.oid, a.attnum, 'SELECT') AS "S",
           has_column_privilege($1, c.oid, a.attnum, 'INSERT') AS "I",
           has_column_privilege($1, c.oid, a.attnum, 'UPDATE') AS "U",
           has_table_privilege($1, c.oid, 'DELETE') AS "D"
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
    ORDER BY 1, 2
"""


async def matrix(superuser: str, role: str) -> str:
    """All rights of a role, in the words of the tables above."""
    connection = await asyncpg.connect(superuser)
    rows = await connection.fetch(LISTING, role)
    await connection.close()
    lines = []
    for table in sorted({row["table"] for row in rows}):
        columns = [row for row in rows if row["table"] == table]
        rights = []
        for letter in "SIUD":
            allowed = [row["column"] for row in columns if row[letter]]
            if allowed:
                rights.append(f"{letter} {'*' if len(allowed) == len(columns) else ','.join(allowed)}")
        if rights:
            lines.append(f"{table:<18} {'  '.join(rights)}")
    return "\n".join(lines)


@pytest.mark.parametrize(("role", "expected"), [("ostiary_auth", AUTH), ("ostiary_admin", ADMIN)])
async def test_a_role_may_do_what_is_listed_and_nothing_else(databases: Databases, role: str, expected: str) -> None:
    written = re.sub(r"(,?)\n {19}", lambda broken: broken[1] or "  ", expected.strip()).splitlines()
    assert (await matrix(databases.superuser, role)).splitlines() == written


@pytest.mark.parametrize(
    ("role", "statement"),
    [
        *(("ostiary_admin", statement) for statement in NEVER_FOR_ADMIN),
        *(("ostiary_auth", statement) for statement in NEVER_FOR_AUTH),
        *((role, statement) for statement in NEVER_FOR_ANYBODY for role in ("ostiary_auth", "ostiary_admin")),
    ],
)
async def test_what_a_role_may_not_do_is_refused(databases: Databases, role: str, statement: str) -> None:
    connection = await asyncpg.connect({"ostiary_auth": databases.auth, "ostiary_admin": databases.admin}[role])
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)
    finally:
        await connection.close()


async def test_no_role_has_rights_beyond_its_tables(databases: Databases) -> None:
    """Nothing is granted to everybody, and no service role is a superuser, a maker of roles or a member of another."""
    connection = await asyncpg.connect(databases.superuser)
    try:
        strong = await connection.fetch(
            "SELECT rolname FROM pg_roles WHERE rolname LIKE 'ostiary\\_%' "
            "AND (rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls)"
        )
        members = await connection.fetch(
            "SELECT 1 FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.member WHERE r.rolname LIKE 'ostiary\\_%'"
        )
    finally:
        await connection.close()
    assert (strong, members) == ([], [])
    assert await matrix(databases.superuser, "public") == ""


async def test_even_the_owner_cannot_rewrite_history(databases: Databases) -> None:
    connection = await asyncpg.connect(databases.owner)
    try:
        for statement in ("UPDATE audit_events SET event = ''", "DELETE FROM audit_events", "TRUNCATE audit_events"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError, match="never changed or removed"):
                await connection.execute(statement)
    finally:
        await connection.close()
