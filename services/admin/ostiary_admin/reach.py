"""The partial order of permissions: who stands above whom."""

from collections.abc import Collection, Iterable
from uuid import UUID

from ostiary_shared.permissions import ADMIN


def beyond(mine: Iterable[str], wanted: Iterable[str]) -> list[str]:
    """Which of `wanted` are not among `mine`, sorted. Empty means: within reach."""
    return sorted(set(wanted) - set(mine))


def may_favour(me: UUID | None, roles: Collection[str], person: UUID) -> bool:
    """Whether somebody with these roles may give one to this person: to oneself only with the role `admin`.

    A role without permissions is within everybody's reach, and may still open every site.
    """
    return me != person or ADMIN in roles
