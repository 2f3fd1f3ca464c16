"""Replicas and their notices, site rules in full, tokens for single sites and for machines."""

import re
from pathlib import Path

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

since = "0.1.0"
lives_with = "0002"
no_way_back = "What stands in its tables would be lost."

HERE = Path(__file__).parent


def upgrade() -> None:
    for name in ("0002_sites_tokens_replicas.sql", "0002_notices.sql", "0002_grants.sql"):
        for statement in re.split(r";\n(?=\n|GRANT|CREATE)", (HERE / name).read_text(encoding="utf-8")):
            op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    raise RuntimeError(no_way_back)
