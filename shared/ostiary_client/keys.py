"""Ostiary's public keys: fetched when needed, kept for five minutes, asked for anew when an unknown one turns up."""

import json
import threading
import time

from joserfc.jwk import KeySet

from ostiary_client.assertion import KeysUnavailable, import_keys
from ostiary_client.fetching import NoAnswer, get

KEPT_SECONDS = 300.0
# An unknown key id makes us look again, but a flood of made-up ones not more often than this.
ASK_AGAIN_SECONDS = 10.0
# After a failure, requests are turned away at once for this long rather than each waiting for a timeout.
PAUSE_SECONDS = 2.0
TIMEOUT_SECONDS = 5.0


class Keyring:
    """The keys of one Ostiary, shared by all threads of a process."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._keys = KeySet([])
        self._fetched_at = self._failed_at = -KEPT_SECONDS
        self._failure = ""
        self._turn = threading.Lock()

    def ready(self, kid: str) -> KeySet | None:
        """The keys, if they need not be fetched to judge a token signed by `kid`."""
        known = any(key.kid == kid for key in self._keys.keys)
        age = time.monotonic() - self._fetched_at
        return self._keys if age < (KEPT_SECONDS if known else ASK_AGAIN_SECONDS) else None

    def fetch(self, kid: str) -> KeySet:
        """The keys, fetched if need be, by one thread while the others wait. Raises KeysUnavailable."""
        with self._turn:
            found = self.ready(kid)
            if found is not None:
                return found
            now = time.monotonic()
            if now - self._failed_at < PAUSE_SECONDS:
                raise KeysUnavailable(self._failure)
            try:
                self._keys = _fetched(self._url)
            except KeysUnavailable as error:
                self._failed_at, self._failure = time.monotonic(), str(error)
                raise
            self._fetched_at = now
            return self._keys


def _fetched(url: str) -> KeySet:
    try:
        status, body = get(url, {"Accept": "application/json"}, TIMEOUT_SECONDS)
        listed = json.loads(body)["keys"] if status == 200 else None
    except NoAnswer as error:
        raise KeysUnavailable(f"cannot fetch keys from {url}: {error}") from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise KeysUnavailable(f"cannot fetch keys from {url}: the answer is something else") from error
    if not isinstance(listed, list):
        raise KeysUnavailable(f"cannot fetch keys from {url}: status {status} and no keys")
    return import_keys(listed)
