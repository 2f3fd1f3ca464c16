"""What the app refused a moment ago, to be said again to the same question: a refusal costs it 200 µs and more.

Strangers share a refusal if all is alike that it may differ by. Whoever carries a token of ours hears their own again,
until a notice about that token, or about the rules, arrives.
"""

from dataclasses import dataclass

from ostiary_auth.fast.answers import Answer
from ostiary_auth.fast.ask import Question

SECONDS = 2.0
MOST = 2_000
# Bytes of a question that is remembered: strangers may send headers as long as their proxy takes.
LONGEST = 4_000
# Who asks: nobody, somebody with a token that we did not make, or the key of a token of ours.
NOBODY, UNKNOWN = b"", b"?"
_REFUSALS = frozenset({302, 401, 403})


@dataclass(frozen=True, slots=True)
class _Said:
    until: float
    told: Answer


class Replies:
    """Question, and whose it is → the refusal. `heard` counts what made some of them void."""

    def __init__(self) -> None:
        self.heard = 0
        self._said: dict[tuple[Question, bytes], _Said] = {}
        self._of: dict[bytes, set[tuple[Question, bytes]]] = {}

    def clear(self) -> None:
        """Forget them: what was refused may be open now."""
        self.heard += 1
        self._said.clear()
        self._of.clear()

    def forget(self, who: bytes) -> None:
        """Forget what was said to one token."""
        self.heard += 1
        for key in self._of.pop(who, ()):
            self._said.pop(key, None)

    def again(self, question: Question, who: bytes, now: float) -> Answer | None:
        """What the same question was told a moment ago."""
        key = question, who
        said = self._said.get(key)
        if said is None or now < said.until:
            return said.told if said else None
        if now < said.until + SECONDS:  # one asks the app anew, and meanwhile the others hear the old answer
            self._said[key] = _Said(now + SECONDS, said.told)
        return None

    def keep(self, question: Question, who: bytes, told: Answer, now: float) -> None:
        """Remember a refusal. One that sets a cookie is meant for its asker alone."""
        if told.status not in _REFUSALS or any(name == b"set-cookie" for name, _ in told.headers):
            return
        _method, _scheme, host, uri, forwarded = question.place
        if sum(map(len, (host, uri, *forwarded, *(value for _, value in question.manner)))) > LONGEST:
            return
        if len(self._said) >= MOST:
            self.clear()
        self._said[question, who] = _Said(now + SECONDS, told)
        if who not in {NOBODY, UNKNOWN}:
            self._of.setdefault(who, set()).add((question, who))
