"""What a migration may do while the release before it serves: squawk's rules, and ours about what squawk cannot know.

Before the first release that is upgraded while it serves stand 0001 and 0002, which are exempt by name.
"""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ostiary_shared.migrations import scripts
from ostiary_shared.migrations.running import LOCK_TIMEOUT_MS, STATEMENT_TIMEOUT_MS

EXEMPT = {"0001", "0002"}
SQUAWK = Path(sys.executable).with_name("squawk")
NOT_OURS = (
    "prefer-bigint-over-int",  # a column says how large it may become
    "prefer-bigint-over-smallint",
    "prefer-robust-stmts",  # a statement that stands alone is looked at below
    "require-enum-value-ordering",
)
# In a comment above a statement: why the release before goes on working.
LIVES = re.compile(r"--\s*\d+\.\d+\.\d+ lives with it: \S.*")
INSTEAD = {
    "ban-drop-column": "stop using it in this release, and drop it in the next, with lives_with set to this one",
    "ban-drop-table": "stop using it in this release, and drop it in the next, with lives_with set to this one",
    "renaming-column": "add a column, write both, and drop the old one a release later",
    "renaming-table": "add a table, write both, and drop the old one a release later",
    "changing-column-type": "add a column of the new type, write both, and drop the old one a release later",
    "adding-required-field": "give it a DEFAULT, for the release before writes rows without it",
    "adding-not-nullable-field": "add CHECK (column IS NOT NULL) NOT VALID, and VALIDATE it in the next migration",
    "require-concurrent-index-creation": "write CREATE INDEX CONCURRENTLY IF NOT EXISTS, in a migration of its own",
    "require-concurrent-index-deletion": "write DROP INDEX CONCURRENTLY IF EXISTS, in a migration of its own",
    "constraint-missing-not-valid": "add it NOT VALID, and VALIDATE it in a migration of its own",
    "adding-foreign-key-constraint": "add it NOT VALID, and VALIDATE it in a migration of its own",
    "disallowed-unique-constraint": "make the unique index CONCURRENTLY, then ADD CONSTRAINT … USING INDEX",
}


@dataclass(frozen=True)
class Rule:
    """What a statement must not match, unless a comment says why the release before lives with it."""

    pattern: str
    instead: str
    excusable: bool = False


RULES = (
    Rule(r"\bREVOKE\b", "the release before needs its rights: take them away one release later"),
    Rule(r"^DROP\s+(FUNCTION|TRIGGER|SEQUENCE|VIEW|TYPE|SCHEMA)\b", "it is still in use: drop it one release later"),
    Rule(r"\bRENAME\b", "the release before knows the old name: make a new one and drop the old one a release later"),
    Rule(
        r"\bOR\s+REPLACE\b",
        "make one of another name; or say in a comment why what it did before is still done: -- 0.1.0 lives with it: …",
        excusable=True,
    ),
    Rule(
        r"^CREATE\s+(CONSTRAINT\s+)?TRIGGER\b",
        "say in a comment why it refuses nothing that the release before does: -- 0.1.0 lives with it: …",
        excusable=True,
    ),
    Rule(
        r"^CREATE\s+UNIQUE\s+INDEX\b|\bADD\s+(CONSTRAINT\s+\S+\s+)?(CHECK|UNIQUE|FOREIGN|EXCLUDE|NOT\s+NULL)\b",
        "say in a comment why the release before writes nothing that it refuses: -- 0.1.0 lives with it: …",
        excusable=True,
    ),
    Rule(r"\bDROP\s+(DEFAULT|CONSTRAINT)\b", "the release before relies on it: drop it one release later"),
    Rule(
        r"^(UPDATE|DELETE|INSERT|MERGE|TRUNCATE)\b", "change rows in the service, some at a time: here they stay locked"
    ),
    Rule(r"^(LOCK|CLUSTER|VACUUM|REINDEX)\b", "this holds up everybody: leave it to the operator"),
    Rule(r"^DO\b|\bEXECUTE\s+(format|')", "nobody can see what that will do: write the statements down"),
    Rule(r"\bSET\s+(UNLOGGED|LOGGED|TABLESPACE|SCHEMA)\b", "this rewrites or moves the table: add another one"),
    Rule(r"\bGENERATED\s+ALWAYS\s+AS\s*\([^)]*\)\s*STORED\b", "this rewrites the table: compute it in the service"),
    Rule(r"^SET\b|^RESET\b", "the runner sets the timeouts; nothing else is set here"),
)


def faults(file: Path) -> Iterator[str]:
    """What is wrong with a migration's file: the statement, and what to write instead."""
    statements = scripts.statements(file.read_text(encoding="utf-8"))
    yield from _of_squawk(file.name, _as_run(statements))
    made = _made(statements)
    for statement in statements:
        bare = scripts.bare(statement)
        excused = bool(LIVES.search(statement))
        for rule in RULES:
            if re.search(rule.pattern, bare, re.IGNORECASE) and not (rule.excusable and (excused or _on(bare) & made)):
                yield f"{file.name}: {_short(bare)}: {rule.instead}."
    if len(statements) > 1 and any(map(scripts.stands_alone, statements)):
        yield f"{file.name}: what is CONCURRENTLY or VALIDATEd runs outside of transactions: a migration of its own."
    for statement in filter(scripts.stands_alone, statements):
        if re.search(r"\bINDEX\b", statement, re.IGNORECASE) and not re.search(r"\bIF\s+(NOT\s+)?EXISTS\b", statement):
            yield f"{file.name}: {_short(scripts.bare(statement))}: it may be repeated: write IF NOT EXISTS."


def of_module(module: Path) -> Iterator[str]:
    """A migration's Python only runs its files, so that the rules see everything."""
    wanted = {"    scripts.run(__file__)", "    scripts.undo(__file__)"}
    found = [line for line in module.read_text(encoding="utf-8").splitlines() if line.startswith(" ")]
    if set(found) != wanted:
        yield f"{module.name}: write SQL into {module.stem}.sql and {module.stem}.undo.sql; the module runs them."
    for file in (scripts.forth(module), scripts.back(module)):
        if not file.is_file():
            yield f"{file.name} is missing."


def _of_squawk(name: str, script: str) -> Iterator[str]:
    command = [str(SQUAWK), "--pg-version=18", "--reporter=json", f"--exclude={','.join(NOT_OURS)}"]
    done = subprocess.run(command, input=script, capture_output=True, text=True, check=False)
    for found in json.loads(done.stdout):
        line = script.splitlines()[found["line"]].strip()
        rule = found["rule_name"]
        yield f"{name}: {_short(line)}: {INSTEAD.get(rule, found['message'].rstrip('.'))} ({rule})."


def _as_run(statements: list[str]) -> str:
    """The statements as the runner runs them."""
    body = ";\n\n".join(statements) + ";\n"
    limits = f"SET lock_timeout = {LOCK_TIMEOUT_MS};\nSET statement_timeout = {STATEMENT_TIMEOUT_MS};\n"
    return limits + (body if any(map(scripts.stands_alone, statements)) else f"BEGIN;\n{body}COMMIT;\n")


def _made(statements: list[str]) -> set[str]:
    """Tables that the migration makes: nobody uses them yet."""
    made = re.compile(r"CREATE\s+(?:UNLOGGED\s+)?TABLE\s+(\w+)", re.IGNORECASE)
    found = (made.match(scripts.bare(one)) for one in statements)
    return {match[1] for match in found if match}


def _on(statement: str) -> set[str]:
    return set(re.findall(r"\b(?:ON|ALTER\s+TABLE(?:\s+ONLY)?)\s+(\w+)", statement, re.IGNORECASE))


def _short(statement: str) -> str:
    line = " ".join(statement.split())
    return line if len(line) <= 80 else f"{line[:80]}…"
