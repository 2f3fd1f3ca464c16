"""A migration is a file of SQL: statements with an empty line between them, all in one transaction.

A statement that would hold a lock for long stands alone in its file, runs outside of transactions, and may be repeated.
"""

import re
from pathlib import Path

from alembic import op

_COMMENT = re.compile(r"--[^\n]*")
_CONCURRENTLY = re.compile(r"\bCONCURRENTLY\s+", re.IGNORECASE)
_ALONE = re.compile(r"\bCONCURRENTLY\b|\bVALIDATE\s+CONSTRAINT\b", re.IGNORECASE)


def run(module: str) -> None:
    """Do what the migration's file says; `module` is its `__file__`."""
    for statement in statements(forth(Path(module)).read_text(encoding="utf-8")):
        if not stands_alone(statement):
            op.get_bind().exec_driver_sql(statement)
            _observed(statement)
            continue
        if op.get_context()._in_external_transaction:  # noqa: SLF001 - of a restore: there nobody is at work
            op.get_bind().exec_driver_sql(_CONCURRENTLY.sub("", statement))
            continue
        with op.get_context().autocommit_block():
            op.get_bind().exec_driver_sql("SET statement_timeout = 0")  # it may take hours and hinders nobody
            op.get_bind().exec_driver_sql(statement)
            _observed(statement)


def undo(module: str) -> None:
    """Do what the migration's other file says."""
    for statement in statements(back(Path(module)).read_text(encoding="utf-8")):
        op.get_bind().exec_driver_sql(statement)


def _observed(statement: str) -> None:
    config = op.get_context().config
    observe = config.attributes.get("observe") if config else None
    if observe:
        observe(op.get_bind(), statement)


def forth(module: Path) -> Path:
    """The file that upgrades."""
    return module.with_suffix(".sql")


def back(module: Path) -> Path:
    """The file that goes back."""
    return module.with_suffix(".undo.sql")


def statements(text: str) -> list[str]:
    """The statements of a file, each with the comments above it."""
    parts = (part.strip() for part in text.split(";\n\n"))
    return [part.rstrip(";\n") for part in parts if bare(part).strip(";\n ")]


def bare(statement: str) -> str:
    """The statement without comments."""
    return _COMMENT.sub("", statement).strip()


def stands_alone(statement: str) -> bool:
    """Whether it runs outside of transactions."""
    return bool(_ALONE.search(bare(statement)))
