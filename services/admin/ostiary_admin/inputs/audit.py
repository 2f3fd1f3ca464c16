"""What may be asked of the audit log."""

from ostiary_admin.inputs.listing import Day, Listing, Word


class AuditQuery(Listing):
    """Which events: actor and target are an id, or part of an address or name; days are in UTC, both included."""

    event: Word = ""
    actor: Word = ""
    target: Word = ""
    since: Day | None = None
    until: Day | None = None
