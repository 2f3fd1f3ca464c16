"""The release before can live with each migration; others are refused with what to write instead."""

from itertools import pairwise
from pathlib import Path

import pytest

from ostiary_shared.migrations import chain, scripts
from tests.house import migration_rules as rules

STEPS = [step for step in chain.steps() if step.revision not in rules.EXEMPT]
GOOD = {
    "a new column with a default": "ALTER TABLE messages ADD COLUMN tone text DEFAULT '' NOT NULL;",
    "a new column that may be empty": "ALTER TABLE messages ADD COLUMN tone text;",
    "a new table with all that belongs to it": """CREATE TABLE tones (
    name text NOT NULL CONSTRAINT pk_tones PRIMARY KEY,
    volume integer NOT NULL CONSTRAINT ck_tones_volume CHECK (volume > 0)
);

CREATE UNIQUE INDEX uq_tones_volume ON tones (volume);

GRANT SELECT ON tones TO ostiary_auth;
""",
    "an index beside the traffic": "CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_messages_kind ON messages (kind);",
    "a constraint for what comes": """-- 0.2.0 lives with it: it never writes less than nothing.
ALTER TABLE messages ADD CONSTRAINT ck_messages_attempts CHECK (attempts >= 0) NOT VALID;
""",
    "the same for what is there": "ALTER TABLE messages VALIDATE CONSTRAINT ck_messages_attempts;",
    "a function that does more": """-- 0.2.0 lives with it: what it tells is told as before.
CREATE OR REPLACE FUNCTION tell(notice text) RETURNS void LANGUAGE sql AS $$ SELECT pg_notify('ostiary', notice) $$;
""",
}
BAD = {
    "ALTER TABLE messages DROP COLUMN kind;": "drop it in the next",
    "ALTER TABLE messages RENAME COLUMN kind TO sort;": "write both",
    "ALTER TABLE messages RENAME TO mails;": "write both",
    "ALTER INDEX ix_messages_due RENAME TO ix_messages_now;": "the old name",
    "DROP TABLE denials;": "drop it in the next",
    "ALTER TABLE messages ALTER COLUMN kind TYPE varchar(20);": "a column of the new type",
    "ALTER TABLE messages ADD COLUMN tone text NOT NULL;": "give it a DEFAULT",
    "ALTER TABLE messages ADD COLUMN at timestamptz DEFAULT clock_timestamp() NOT NULL;": "rewrite",
    "ALTER TABLE messages ADD COLUMN a text GENERATED ALWAYS AS (kind) STORED;": "compute it in the service",
    "ALTER TABLE messages ALTER COLUMN user_id SET NOT NULL;": "NOT VALID",
    "ALTER TABLE messages ALTER COLUMN kind DROP DEFAULT;": "relies on it",
    "ALTER TABLE site_rules DROP CONSTRAINT ck_site_rules_match_known;": "relies on it",
    "CREATE INDEX ix_messages_kind ON messages (kind);": "CREATE INDEX CONCURRENTLY IF NOT EXISTS",
    "CREATE INDEX CONCURRENTLY ix_messages_kind ON messages (kind);": "it may be repeated",
    "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS uq ON messages (kind);": "why the release before writes nothing",
    "ALTER TABLE x ADD COLUMN a text;\n\nCREATE INDEX CONCURRENTLY IF NOT EXISTS i ON x (a);": "of its own",
    "DROP INDEX ix_messages_due;": "DROP INDEX CONCURRENTLY",
    "ALTER TABLE messages ADD CONSTRAINT ck CHECK (attempts > 0);": "NOT VALID",
    "ALTER TABLE messages ADD CONSTRAINT ck CHECK (attempts > 0) NOT VALID;": "why the release before writes nothing",
    "ALTER TABLE messages ADD CONSTRAINT fk FOREIGN KEY (kind) REFERENCES roles (name);": "NOT VALID",
    "ALTER TABLE messages ADD CONSTRAINT uq UNIQUE (kind);": "USING INDEX",
    "REVOKE SELECT ON messages FROM ostiary_auth;": "one release later",
    "DROP FUNCTION tell(text);": "one release later",
    "DROP TRIGGER tell ON sessions;": "one release later",
    "CREATE OR REPLACE FUNCTION tell(n text) RETURNS void LANGUAGE sql AS $$ SELECT 1 $$;": "of another name",
    "CREATE TRIGGER more AFTER UPDATE ON users FOR EACH ROW EXECUTE FUNCTION user_changed();": "refuses nothing",
    "UPDATE messages SET kind = 'x';": "some at a time",
    "DELETE FROM denials;": "some at a time",
    "LOCK TABLE users;": "holds up everybody",
    "VACUUM FULL users;": "holds up everybody",
    "DO $$ BEGIN DROP TABLE users; END $$;": "write the statements down",
    "ALTER TABLE counters SET LOGGED;": "add another one",
    "SET lock_timeout = 0;": "the runner sets the timeouts",
}  # fmt: skip


@pytest.mark.parametrize("step", STEPS, ids=[step.revision for step in STEPS])
def test_the_release_before_can_live_with_a_migration(step: chain.Step) -> None:
    assert list(rules.of_module(step.module)) == []
    assert list(rules.faults(scripts.forth(step.module))) == []


def test_what_each_migration_says_of_itself_is_so() -> None:
    steps = chain.steps()
    for before, step in pairwise(steps):
        assert before.revision < step.revision
        assert before.lives_with <= step.lives_with <= step.revision
        assert chain.numbered(before.since) <= chain.numbered(step.since)
    for step in STEPS:
        older = [one for one in steps if chain.numbered(one.since) < chain.numbered(step.since)]
        assert step.lives_with <= older[-1].revision, f"the release before {step.since} would have to stop"


@pytest.mark.parametrize("name", GOOD)
def test_what_hinders_nobody_passes(name: str, tmp_path: Path) -> None:
    (tmp_path / "0009_sample.sql").write_text(GOOD[name])
    assert list(rules.faults(tmp_path / "0009_sample.sql")) == []


@pytest.mark.parametrize("statement", BAD)
def test_what_the_release_before_would_trip_over_is_refused_with_what_to_write_instead(
    statement: str, tmp_path: Path
) -> None:
    (tmp_path / "0009_sample.sql").write_text(statement + "\n")
    found = list(rules.faults(tmp_path / "0009_sample.sql"))
    assert any(BAD[statement] in sentence for sentence in found), found


def test_a_migration_that_hides_its_sql_in_python_is_refused(tmp_path: Path) -> None:
    module = tmp_path / "0009_sample.py"
    module.write_text('def upgrade() -> None:\n    op.drop_table("users")\n')
    found = " ".join(rules.of_module(module))
    assert "write SQL into 0009_sample.sql" in found
    assert "0009_sample.undo.sql is missing" in found
