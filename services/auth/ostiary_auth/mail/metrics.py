"""What the courier counts (docs/operating/observe.md lists all figures)."""

from ostiary_shared.metrics import counter, gauge, histogram, shapes

MAILS = counter(
    "ostiary_mails_total",
    "Tries to send a mail: sent, deferred, refused (by the server, for good), given_up (after days) or pointless.",
    "outcome",
)
MAIL_SECONDS = histogram(
    "ostiary_mail_delay_seconds", "From promising a mail to the server's taking it.", buckets=shapes.MAIL
)
OUTBOX_WAITING = gauge("ostiary_outbox_waiting", "Mails that wait to be sent.", over_processes="livemax")
OUTBOX_AGE = gauge(
    "ostiary_outbox_oldest_seconds", "How long the oldest of them has been waiting.", over_processes="livemax"
)
