"""The rate-limit table: what may be done how often, counted per network, per account or per address."""

from datetime import timedelta

from ostiary_shared.limit import Limit

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)

# Per network, declared at the routes. A whole office may share one address and come in at nine: these are wide, and
# what is counted per account below is what stops guessing.
PAGE = ("page", Limit(600, MINUTE))
SIGN_IN = ("sign-in", Limit(300, 10 * MINUTE))
SIGN_UP = ("sign-up", Limit(120, HOUR))
MAIL = ("mail", Limit(120, HOUR))
TOKEN = ("token", Limit(300, 10 * MINUTE))
ACT = ("act", Limit(300, 10 * MINUTE))
OAUTH = ("oauth", Limit(600, MINUTE))
# A service may ask for each of its requests.
INTROSPECT = ("introspect", Limit(60_000, MINUTE))

# Per account, whoever asks: wrong passwords slow guessing down to this, and never lock anybody out for good.
PASSWORD_GUESSES = Limit(10, 15 * MINUTE)
# A device that signed in before has a count of its own, so that a stranger's guesses do not hold it up.
KNOWN_DEVICE_GUESSES = Limit(10, 15 * MINUTE)
# All wrong passwords together, so that one guess at each of a million accounts is slow, too.
ALL_GUESSES = Limit(6000, 10 * MINUTE)
# What strangers try is counted in place of an audit row; nothing is refused by this.
STRANGERS = Limit(1000, HOUR)
# Per service: a token lasts five minutes, so that this is far more than any needs.
CLIENT_TOKENS = Limit(300, MINUTE)
CODE_GUESSES = Limit(5, 15 * MINUTE)
# Per address: nobody's mailbox is filled by strangers (ASVS 2.4.1).
MAILS_PER_ADDRESS = Limit(3, HOUR)
