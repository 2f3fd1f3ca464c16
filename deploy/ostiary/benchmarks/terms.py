"""What the operator asked for: how many rounds of how many seconds, of which measurements."""

from dataclasses import dataclass

REFERENCE = "nginx"


@dataclass(frozen=True, slots=True)
class Terms:
    """`only` names measurements; empty means all but those that have to be asked for."""

    rounds: int = 5
    seconds: float = 2.0
    people: int = 2_000  # in turns of seconds, more would measure the signing of an assertion for each
    only: frozenset[str] = frozenset()
    peers: bool = False

    def wants(self, *names: str) -> bool:
        """Whether any of these was asked for."""
        return not self.only or any(name in self.only for name in names)
