"""${message}"""

from ostiary_shared.migrations import scripts

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = None
depends_on = None

since = ""  # the release that brings it
lives_with = ${repr(down_revision)}
loses: dict[str, str] = {}


def upgrade() -> None:
    scripts.run(__file__)


def downgrade() -> None:
    scripts.undo(__file__)
