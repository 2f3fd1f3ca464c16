"""What may be asked of the outbox."""

from typing import Literal

from ostiary_admin.inputs.listing import OfSomebody


class MailQuery(OfSomebody):
    """Which mails, by what became of them."""

    state: Literal["", "waiting", "sent", "failed", "dropped"] = ""
