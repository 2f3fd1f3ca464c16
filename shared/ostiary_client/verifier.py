"""Checks assertions for an app's own hosts with Ostiary's keys: one verifier for event loops, one for threads."""

import asyncio

from joserfc.jwk import KeySet

from ostiary_client.assertion import check, key_id
from ostiary_client.complaints import Complaints
from ostiary_client.identity import Identity
from ostiary_client.keys import Keyring
from ostiary_client.service_token import Service, check_service
from ostiary_client.trust import Trust


class SyncVerifier:
    """One for the whole process: it keeps the keys."""

    def __init__(self, trust: Trust) -> None:
        self._trust = trust
        self._keyring = Keyring(trust.keys_url)
        self._complaints = Complaints()

    def verify(self, token: str) -> Identity:
        """Whom a genuine assertion is about; raises AssertionInvalid, or KeysUnavailable when it cannot be checked."""
        with self._complaints.told():
            return check(token, self._keys(token), self._trust.issuer, self._trust.audiences)

    def service(self, token: str) -> Service:
        """The service that a genuine token of `/oauth/token` speaks for; raises as `verify` does."""
        with self._complaints.told():
            return check_service(token, self._keys(token), self._trust.issuer)

    def _keys(self, token: str) -> KeySet:
        kid = key_id(token)
        keys = self._keyring.ready(kid)
        return self._keyring.fetch(kid) if keys is None else keys


class Verifier:
    """The same for asyncio. Keys are fetched in a thread, once in five minutes, so that no HTTP library is needed."""

    def __init__(self, trust: Trust) -> None:
        self._trust = trust
        self._keyring = Keyring(trust.keys_url)
        self._turn = asyncio.Lock()
        self._complaints = Complaints()

    async def verify(self, token: str) -> Identity:
        """Whom a genuine assertion is about; raises AssertionInvalid, or KeysUnavailable when it cannot be checked."""
        with self._complaints.told():
            return check(token, await self._keys(token), self._trust.issuer, self._trust.audiences)

    async def service(self, token: str) -> Service:
        """The service that a genuine token of `/oauth/token` speaks for; raises as `verify` does."""
        with self._complaints.told():
            return check_service(token, await self._keys(token), self._trust.issuer)

    async def _keys(self, token: str) -> KeySet:
        kid = key_id(token)
        keys = self._keyring.ready(kid)
        if keys is None:
            async with self._turn:  # one thread waits for the answer, not one for each request
                keys = self._keyring.ready(kid)
                if keys is None:
                    keys = await asyncio.to_thread(self._keyring.fetch, kid)
        return keys
