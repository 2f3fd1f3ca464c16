"""What strangers were told a moment ago, to be said again: a refusal costs the app 200 µs, and them nothing."""

from dataclasses import dataclass

from ostiary_auth.fast.answers import Told
from ostiary_auth.fast.ask import Ask

SECONDS = 2.0
MOST = 2_000
# Bytes of a question that is remembered: strangers may send headers as long as their proxy takes.
LONGEST = 4_000
_REFUSALS = frozenset({302, 401, 403})


@dataclass(frozen=True, slots=True)
class _Said:
    until: float
    told: Told


class Replies:
    """All of a request that a refusal may differ by → the refusal."""

    def __init__(self) -> None:
        self._said: dict[object, _Said] = {}

    def clear(self) -> None:
        """Forget them: what was refused may be open now."""
        self._said.clear()

    def again(self, ask: Ask, now: float, *, carried: bool) -> Told | None:
        """What a stranger with the same request was told a moment ago."""
        key = _key(ask, carried=carried)
        said = self._said.get(key)
        if said is None or now < said.until:
            return said.told if said else None
        if now < said.until + SECONDS:  # one asks the app anew, and meanwhile the others hear the old answer
            self._said[key] = _Said(now + SECONDS, said.told)
        return None

    def keep(self, ask: Ask, told: Told, now: float, *, carried: bool) -> None:
        """Remember a refusal. One that sets a cookie is meant for its asker alone."""
        if told.status not in _REFUSALS or any(name == b"set-cookie" for name, _ in told.headers):
            return
        if len(ask.host) + len(ask.uri) + sum(len(value) for _, value in ask.manner) > LONGEST:
            return
        if len(self._said) >= MOST:
            self._said.clear()
        self._said[_key(ask, carried=carried)] = _Said(now + SECONDS, told)


def _key(ask: Ask, *, carried: bool) -> object:
    # Where two credentials are there, the app may see one in what we do not.
    several = len(ask.authorization) + len(ask.cookies) > 1
    asked = (ask.door, ask.method, ask.proto, ask.host, ask.uri, bool(ask.forwarded))
    return (asked, carried, several, ask.manner)
