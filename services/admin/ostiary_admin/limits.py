"""The rate-limit table of the console: per network, declared at the routes."""

from datetime import timedelta

from ostiary_shared.limit import Limit

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)

READ = ("console", Limit(600, MINUTE))
ACT = ("console-act", Limit(300, 10 * MINUTE))
# Every one of these sends a mail or costs auth a password hash.
MAIL = ("console-mail", Limit(120, HOUR))
