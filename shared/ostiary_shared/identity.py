"""Who a request belongs to: frozen facts that outlive the database session which read them.

`Identity` is the wire contract of `GET /api/v1/session`; the other facts are what an access decision looks at.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Self
from uuid import UUID

# The method of a session that is none: a program came with a token of the person's.
API_TOKEN = "api_token"


@dataclass(frozen=True, slots=True)
class HeldRole:
    """A role somebody holds now, by which grant, and what it permits."""

    name: str
    permissions: frozenset[str]
    since: datetime
    by: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """What is known of a person when deciding. States are timestamps.

    `whole` is for words alone: what the person holds themselves, where `held` is what their token is given of it.
    """

    id: UUID
    email: str
    name: str
    confirmed_at: datetime | None
    locked_at: datetime | None
    locked_reason: str
    deleted_at: datetime | None
    held: tuple[HeldRole, ...] = ()
    whole: tuple[HeldRole, ...] = ()

    @property
    def roles(self) -> list[str]:
        """Role names, sorted."""
        return sorted(role.name for role in self.held)

    @property
    def permissions(self) -> list[str]:
        """All permissions of all held roles, sorted."""
        return sorted({permission for role in self.held for permission in role.permissions})


def narrowed(account: Account, scopes: Collection[str]) -> Account:
    """The account as a token with these scopes may act for it, never with more than the person may now.

    Of the roles held it keeps those named (`role:NAME`), and of what they permit, the permissions named.
    """
    named = frozenset(scopes)
    held = (
        replace(role, permissions=role.permissions & named) for role in account.held if f"role:{role.name}" in named
    )
    return replace(account, held=tuple(held), whole=account.whole or account.held)


def scopes_of(roles: Iterable[str], permissions: Iterable[str]) -> frozenset[str]:
    """These roles and permissions as the scopes of a token."""
    return frozenset({*(f"role:{name}" for name in roles), *permissions})


@dataclass(frozen=True, slots=True)
class SessionFacts:
    """What is known of a session when deciding."""

    id: UUID
    assurance: int
    methods: tuple[str, ...]
    created_at: datetime
    authenticated_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    idle_limit: timedelta
    ended_at: datetime | None
    ended_reason: str

    @property
    def of_program(self) -> bool:
        """Whether it is none, but an API token in the place of one."""
        return API_TOKEN in self.methods

    def idle_until(self) -> datetime:
        """When the session ends unless it is used before."""
        return min(self.last_seen_at + self.idle_limit, self.expires_at)


@dataclass(frozen=True, slots=True)
class Presented:
    """What a request brought: whether it carried a token, and the session and account found for it.

    `misplaced`: it was an API token of ours, at a door that takes none.
    """

    carried: bool = False
    session: SessionFacts | None = None
    account: Account | None = None
    misplaced: bool = False


@dataclass(frozen=True, slots=True)
class Identity:
    """A signed-in person as other services see them."""

    id: UUID
    email: str
    name: str
    roles: tuple[str, ...]
    permissions: frozenset[str]
    session: SessionFacts

    @classmethod
    def of(cls, account: Account, session: SessionFacts) -> Self:
        """The identity that an account has within a session."""
        return cls(
            account.id, account.email, account.name, tuple(account.roles), frozenset(account.permissions), session
        )

    @property
    def scopes(self) -> frozenset[str] | None:
        """What whoever asks is held to, beside the person's own rights: set for a program's token alone."""
        return scopes_of(self.roles, self.permissions) if self.session.of_program else None

    @property
    def token_id(self) -> UUID | None:
        """The API token by which a program acts for the person; None where they are there themselves."""
        return self.session.id if self.session.of_program else None

    def may(self, permission: str) -> bool:
        """Whether any held role permits this."""
        return permission in self.permissions

    def to_json(self) -> dict[str, Any]:
        """The body of `GET /api/v1/session` (200)."""
        session = self.session
        return {
            "user": {
                "id": str(self.id),
                "email": self.email,
                "name": self.name,
                "roles": list(self.roles),
                "permissions": sorted(self.permissions),
            },
            "session": {
                "id": str(session.id),
                "assurance": session.assurance,
                "methods": list(session.methods),
                "created_at": session.created_at.isoformat(),
                "authenticated_at": session.authenticated_at.isoformat(),
                "expires_at": session.idle_until().isoformat(),
            },
        }
