"""Signs assertions with the key at hand; each is sent along for half of its life."""

import time

from joserfc.jwk import ECKey  # noqa: TC002 - kept beside what makes it

from ostiary_auth.flows import sign_assertion, signing_keys
from ostiary_auth.tools import AuthTools
from ostiary_shared import clock
from ostiary_shared.database import Sessions
from ostiary_shared.identity import Identity
from ostiary_shared.work import Caller, open_work

REUSED_SECONDS = sign_assertion.LIFETIME.total_seconds() / 2
# The key is read again as often as elsewhere, for one that signs from a certain time on.
REREAD_SECONDS = signing_keys.REREAD_AFTER.total_seconds()


class Assertions:
    """The key that signs. Whoever keeps what was signed forgets it when the key is `stale`."""

    def __init__(self, tools: AuthTools) -> None:
        self._tools = tools
        self._key: ECKey | None = None
        self._key_until = 0.0
        self._version = 0

    def stale(self) -> None:
        """Forget the key: another may sign from now on."""
        self._key = self._tools.keyring.key = None
        self._version += 1

    def can_sign(self, now: float) -> bool:
        """Whether the key is at hand."""
        return self._key is not None and now < self._key_until

    async def load_key(self, sessions: Sessions) -> None:
        """Get the key that signs now; again, if keys changed meanwhile."""
        version = -1
        while version != self._version:
            version = self._version
            async with open_work(sessions, tools=self._tools, caller=Caller()) as work:
                self._key = await signing_keys.current(work)
        self._key_until = time.monotonic() + REREAD_SECONDS

    def sign(self, identity: Identity, audience: str) -> bytes:
        """A new assertion. Raises ValueError without a key."""
        if self._key is None:
            raise ValueError("no key to sign with")
        said = sign_assertion.claims(identity, self._tools.settings.public_url, audience, clock.now())
        return sign_assertion.signed(self._key, said).encode()
