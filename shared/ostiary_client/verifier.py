"""Checks assertions for an app's own hosts with Ostiary's keys: one verifier for event loops, one for threads."""

import asyncio

from ostiary_client.assertion import AssertionInvalid, KeysUnavailable, check, key_id
from ostiary_client.complaints import Complaints
from ostiary_client.identity import Identity
from ostiary_client.keys import Keyring
from ostiary_client.trust import Trust


class SyncVerifier:
    """One for the whole process: it keeps the keys."""

    def __init__(self, trust: Trust) -> None:
        self._trust = trust
        self._keyring = Keyring(trust.keys_url)
        self._complaints = Complaints()

    def verify(self, token: str) -> Identity:
        """Whom a genuine assertion is about; raises AssertionInvalid, or KeysUnavailable when it cannot be checked."""
        try:
            return self._verified(token)
        except (AssertionInvalid, KeysUnavailable) as error:
            self._complaints.tell(error)
            raise

    def _verified(self, token: str) -> Identity:
        kid = key_id(token)
        keys = self._keyring.ready(kid)
        if keys is None:
            keys = self._keyring.fetch(kid)
        return check(token, keys, self._trust.issuer, self._trust.audiences)


class Verifier:
    """The same for asyncio. Keys are fetched in a thread, once in five minutes, so that no HTTP library is needed."""

    def __init__(self, trust: Trust) -> None:
        self._trust = trust
        self._keyring = Keyring(trust.keys_url)
        self._turn = asyncio.Lock()
        self._complaints = Complaints()

    async def verify(self, token: str) -> Identity:
        """Whom a genuine assertion is about; raises AssertionInvalid, or KeysUnavailable when it cannot be checked."""
        try:
            return await self._verified(token)
        except (AssertionInvalid, KeysUnavailable) as error:
            self._complaints.tell(error)
            raise

    async def _verified(self, token: str) -> Identity:
        kid = key_id(token)
        keys = self._keyring.ready(kid)
        if keys is None:
            async with self._turn:  # one thread waits for the answer, not one for each request
                keys = self._keyring.ready(kid)
                if keys is None:
                    keys = await asyncio.to_thread(self._keyring.fetch, kid)
        return check(token, keys, self._trust.issuer, self._trust.audiences)
