"""What each letter is told: one frozen context a kind, with a sample, and the single-use secret it carries."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ostiary_shared.store.messages import Kind
from ostiary_shared.store.one_time_tokens import LIFETIMES, Purpose

_SAMPLE_TIME = datetime(2026, 11, 22, 11, 58, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Notice:
    """What every letter knows: whose site, to whom, and when that happened which it tells of."""

    site_name: str
    public_url: str
    name: str
    email: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Errand(Notice):
    """A letter with something to do: a link, its typed twin, and until when both are good."""

    link: str
    page: str
    code: str
    good_until: datetime


@dataclass(frozen=True, slots=True)
class OfToken(Notice):
    """A letter about an API token: its name, what it allows in words, and until when it is good."""

    token_name: str
    allowed: str
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a kind of letter carries: the purpose of its secret, and the page that takes it; or an API token's facts."""

    purpose: Purpose | None = None
    path: str = ""
    of_token: bool = False

    @property
    def context(self) -> type[Notice]:
        """The type its templates are written against."""
        if self.of_token:
            return OfToken
        return Errand if self.purpose else Notice


RECIPES = {
    Kind.CONFIRM: Recipe(Purpose.CONFIRM, "/signup/confirm"),
    Kind.SIGNUP_EXISTING: Recipe(),
    Kind.WELCOME: Recipe(),
    Kind.RECOVER: Recipe(Purpose.RECOVER, "/recover/reset"),
    Kind.INVITE: Recipe(Purpose.INVITE, "/invitation"),
    Kind.PASSWORD_CHANGED: Recipe(),
    Kind.CHANGE_EMAIL: Recipe(Purpose.CHANGE_EMAIL, "/account/email/confirm"),
    Kind.EMAIL_CHANGED: Recipe(),
    Kind.API_TOKEN_MADE: Recipe(of_token=True),
    Kind.API_TOKEN_ENDS: Recipe(of_token=True),
}


def with_secret(notice: Notice, path: str, secret: tuple[str, str], good_until: datetime) -> Errand:
    """The notice with its link, built from the site's own address alone, and its code as people read it."""
    token, code = secret
    page = f"{notice.public_url}{path}"
    return Errand(
        notice.site_name,
        notice.public_url,
        notice.name,
        notice.email,
        notice.at,
        link=f"{page}?token={token}",
        page=page,
        code=f"{code[:4]}-{code[4:]}",
        good_until=good_until,
    )


def of_token(notice: Notice, token_name: str, scopes: Sequence[str], ends_at: datetime) -> OfToken:
    """The notice with a token's facts."""
    allowed = ", ".join(scopes)
    return OfToken(
        notice.site_name, notice.public_url, notice.name, notice.email, notice.at, token_name, allowed, ends_at
    )


def sample(kind: Kind) -> Notice:
    """A context as real ones are, for tests and for looking at a letter."""
    recipe = RECIPES[kind]
    notice = Notice("Ostiary", "https://login.example.org", "Ada Lovelace", "ada@example.org", _SAMPLE_TIME)
    if recipe.of_token:
        return of_token(notice, "Backup of the wiki", ("role:editor",), _SAMPLE_TIME + timedelta(days=90))
    if recipe.purpose is None:
        return notice
    secret = ("ot_hT7xq0Nf2c-5mVb9sKdLwYpZrGjE4uXo8aQi1RnBtM0", "7KQ2M4XP")
    return with_secret(notice, recipe.path, secret, _SAMPLE_TIME + timedelta(minutes=2) + LIFETIMES[recipe.purpose])
