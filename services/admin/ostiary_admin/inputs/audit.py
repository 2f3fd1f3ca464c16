"""What may be asked of the audit log."""

from datetime import date

from ostiary_admin.inputs.listing import Listing, Word


class AuditQuery(Listing):
    """Which events: actor and target are an id, or part of an address or name; days are in UTC, both included."""

    event: Word = ""
    actor: Word = ""
    target: Word = ""
    since: date | None = None
    until: date | None = None
