"""Which release may live with which schema, and the id that runs from a request to the mail it promised."""

from pathlib import Path

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

SQL = Path(__file__).with_name("0003_operating.sql")


def upgrade() -> None:
    for statement in SQL.read_text(encoding="utf-8").split(";\n\n"):
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    op.get_bind().exec_driver_sql("DROP TABLE schema_revisions")
    op.get_bind().exec_driver_sql("ALTER TABLE messages DROP COLUMN request_id")
