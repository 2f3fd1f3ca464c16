"""The partial order of permissions: who stands above whom."""

from collections.abc import Iterable


def beyond(mine: Iterable[str], wanted: Iterable[str]) -> list[str]:
    """Which of `wanted` are not among `mine`, sorted. Empty means: within reach."""
    return sorted(set(wanted) - set(mine))
