"""Which release may live with which schema, and the id that runs from a request to the mail it promised."""

from ostiary_shared.migrations import scripts

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

since = "0.2.0"
lives_with = "0002"
loses: dict[str, str] = {}  # request ids tie lines of logs together; no promise hangs on them


def upgrade() -> None:
    scripts.run(__file__)


def downgrade() -> None:
    scripts.undo(__file__)
