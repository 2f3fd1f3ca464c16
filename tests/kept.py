"""What tests need again and again, made once a process: making it takes longer than most of them.

Each is what making it anew would give. The tests that are about making it make it themselves.
"""

from collections.abc import Callable
from types import CodeType

import asyncpg
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from quart import Quart
from werkzeug.routing import Rule

from ostiary_auth.tools import AuthTools
from ostiary_shared.database import make_engine, make_sessions
from ostiary_shared.store import roles

SEEDED = ("roles", "role_permissions")  # the second refers to the first
_AS_THEY_ARE = "SELECT jsonb_agg({0} ORDER BY {0}::text) FROM {0}"

Builder = Callable[..., tuple[str, str]]
_compile = Rule._compile_builder
_builders: dict[tuple[bool, tuple[tuple[bool, str], ...]], Builder] = {}
_templates: dict[tuple[str, str], CodeType] = {}
_hashes: dict[tuple[int, int, str], str] = {}
_seed: dict[str, str] = {}


class _Templates(BytecodeCache):
    """By name, file and source, as Jinja's own cache in files does it."""

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = _templates.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        assert bucket.code
        _templates[bucket.key, bucket.checksum] = bucket.code


def keep_what_is_compiled() -> None:
    """Let every app that is made in this process share what templates and routes were compiled to."""
    Quart.jinja_options = {**Quart.jinja_options, "bytecode_cache": _Templates()}
    Rule._compile_builder = _builder  # type: ignore[method-assign, assignment]


def _builder(rule: Rule, append_unknown: bool = True) -> Builder:
    """What writes a route's addresses. It is told the rule it speaks for each time; its text is made of these alone."""
    if rule.defaults:
        return _compile(rule, append_unknown)
    wanted = (append_unknown, tuple(rule._trace))
    if wanted not in _builders:
        _builders[wanted] = _compile(rule, append_unknown)
    return _builders[wanted]


async def hash_of(tools: AuthTools, password: str) -> str:
    """The hash of a password by the figures of these tools."""
    wanted = (tools.settings.argon2_memory_kib, tools.settings.argon2_time_cost, password)
    if wanted not in _hashes:
        _hashes[wanted] = await tools.passwords.hash(password)
    return _hashes[wanted]


async def plant_roles(connection: asyncpg.Connection, auth_url: str) -> None:
    """Give a database the roles that auth gives it when it starts, and no others."""
    found = {table: await connection.fetchval(_AS_THEY_ARE.format(table)) for table in SEEDED}
    if _seed and found == _seed:
        return
    await connection.execute("; ".join(f"DELETE FROM {table}" for table in reversed(SEEDED)))
    if not _seed:
        engine = make_engine(auth_url, "test")
        async with make_sessions(engine).begin() as session:
            await roles.seed(session)
        await engine.dispose()
        _seed.update({table: await connection.fetchval(_AS_THEY_ARE.format(table)) for table in SEEDED})
        return
    for table, rows in _seed.items():
        await connection.execute(f"INSERT INTO {table} SELECT * FROM jsonb_populate_recordset(NULL::{table}, $1)", rows)
