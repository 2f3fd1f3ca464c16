"""The quick answer to a question at a door: at once from memory, else after one look into the database, else none.

None means that the app must say it: whoever is refused hears it from there. What a stranger has just been told there
is said again for a moment, so that a flood of made-up tokens reaches neither the app nor the database.
"""

import asyncio
import time
from asyncio import Future
from collections import Counter
from dataclasses import dataclass
from functools import partial
from hashlib import sha256

import asyncpg
import structlog
from sqlalchemy.exc import SQLAlchemyError

from ostiary_auth.fast import answers, record, sites
from ostiary_auth.fast.answers import NOBODY, Answer
from ostiary_auth.fast.ask import DOORS, SESSION_JSON, Ask, Headers, PlaceKey, Question
from ostiary_auth.fast.assertions import REUSED_SECONDS, Assertions
from ostiary_auth.fast.halves import Halves
from ostiary_auth.fast.lookup import Found, Lookups
from ostiary_auth.fast.memory import KEY_BYTES, Memory, Reading
from ostiary_auth.fast.places import Place, Places, place_of
from ostiary_auth.fast.ready import MOST_AT_GATE, MOST_SESSIONS, Made, Ready
from ostiary_auth.fast.record import AUTHENTICATED, EMAIL, HOST, MACHINE, NAME, STANDING, UNTIL, USER_ID
from ostiary_auth.fast.replies import NOBODY as NOBODY_AT_ALL
from ostiary_auth.fast.replies import UNKNOWN, Replies
from ostiary_auth.fast.standing import Standings
from ostiary_auth.gate.answers import header_safe
from ostiary_auth.gate.carried import ILLEGIBLE, Names, carried
from ostiary_auth.tools import AuthTools
from ostiary_shared import clock
from ostiary_shared.access import decide
from ostiary_shared.database import Sessions
from ostiary_shared.identity import Presented
from ostiary_shared.metrics import failed
from ostiary_shared.site_rules import Door
from ostiary_shared.tokens import PERSONAL, SESSION, SITE, genuine

log = structlog.get_logger("ostiary")

# A record lives no longer than this, whatever the session does.
LONGEST_SECONDS = 900.0
# Of forms of questions, each half.
MOST_FORMS = 5_000


@dataclass(frozen=True, slots=True)
class Parts:
    """What the keeper answers from."""

    tools: AuthTools
    sessions: Sessions
    memory: Memory
    sites: sites.Sites
    places: Places
    assertions: Assertions
    at_gate: Names
    at_session: Names
    json_headers: Headers


@dataclass(frozen=True, slots=True)
class Token:
    """A token that we made: its kind, its digest, and the key under which it is remembered."""

    kind: str
    digest: bytes

    @property
    def key(self) -> bytes:
        """The beginning of the digest."""
        return self.digest[:KEY_BYTES]


# A question and its place; the session's JSON has none.
Asked = tuple[Question, Place | None]


class Keeper:
    """One per process. `serving` is set while the app serves."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.memory = parts.memory
        self.standings = Standings()
        self.replies = Replies()
        # Token key and host → answer; cleared whenever standings are numbered anew, since what is kept names a number.
        self.ready_at_gate: Ready = Ready(MOST_AT_GATE)
        self.ready_sessions: Ready = Ready(MOST_SESSIONS)
        self.serving = False
        # Questions by their bytes (whole.py); each comes to a place that is known.
        self.known_forms: Halves[bytes, Asked] = Halves(MOST_FORMS)
        self.other_forms: Halves[bytes, Asked] = Halves(MOST_FORMS)
        self.version = 0  # for which alone a record counts that was made and not kept yet
        # How often what was answered at once, for the figures (tally.py); a whole number costs next to nothing.
        self.passed = dict.fromkeys(DOORS, 0)
        self.opened = dict.fromkeys(DOORS, 0)
        self.refused: Counter[tuple[bytes, str]] = Counter()
        self.missed = 0
        self._known_place = parts.places.known
        self._statements = parts.tools.statements
        self._lookups = Lookups(self._statements)
        tools = parts.tools
        self._keys = {SESSION: tools.session_key, SITE: tools.site_key, PERSONAL: tools.personal_key}

    def forget_all(self) -> None:
        """Remember nobody."""
        self.version += 1
        self._forget_places()
        self.memory.forget_all()
        self.standings.clear()
        self.ready_at_gate.clear()
        self.ready_sessions.clear()
        self.replies.clear()

    def forget(self, key: bytes) -> None:
        """Forget one token, and what it was refused."""
        self.memory.forget(key)
        self.replies.forget(key)

    def sites_changed(self) -> None:
        """Ask for the rules anew."""
        self._forget_places()
        self.parts.sites.stale()
        self.replies.clear()

    def _forget_places(self) -> None:
        self.parts.places.clear()
        self.known_forms.clear()
        self.other_forms.clear()

    def keys_changed(self) -> None:
        """Sign anew, with the key that signs now."""
        self.parts.assertions.stale()
        self.ready_at_gate.clear()

    def sites_now(self) -> dict[str, Door] | None:
        """The sites, if they are in memory and that may be relied on."""
        return self.parts.sites.doors if time.monotonic() < self.memory.lease_until else None

    def at_once(self, ask: Ask, now: float) -> Answer | None:
        """The answer from memory; None where there is none, or memory may not be relied on."""
        token = ask.carried = self._carried(ask)
        if not self._may_tell(ask):
            return None
        place = self._known_place(self._where(ask)) if ask.door != SESSION_JSON else None
        if place is None and ask.door != SESSION_JSON:
            return None
        return self.hit(ask.door, place, token, now) or self.repeated((self._question(ask), place), token, now)

    def asked(self, ask: Ask) -> Asked | None:
        """What is asked and of which place; None if only the app can tell."""
        question = self._question(ask)
        place = self._known_place(question.place) if ask.door != SESSION_JSON else None
        return (question, place) if self._may_tell(ask) and (place or ask.door == SESSION_JSON) else None

    def hit(self, door: bytes, place: Place | None, token: bytes | None, now: float) -> Answer | None:
        """The answer to somebody who is remembered and passes; None in every other case."""
        memory = self.memory
        if not token or now >= memory.lease_until:
            return None
        key = sha256(token).digest()[:KEY_BYTES]
        kept = memory.records.get(key)
        if kept is None:
            return None
        made_for, ready = key, self.ready_sessions
        if place is not None:
            if place.fresh and not _young(kept, place.fresh):
                return None
            made_for, ready = key + place.audience, self.ready_at_gate
        made = ready[made_for]
        if made is None or made.kept is not kept or now >= made.until:
            made = self._made(made_for, kept, place, now)
        if made is None or (place is not None and made.standing not in place.met):
            return None
        memory.used[key] = kept
        self.passed[door] += 1
        return made.answer

    def repeated(self, asked: Asked, token: bytes | None, now: float) -> Answer | None:
        """The answer to a stranger where anybody may pass, or what the app refused a moment ago."""
        if now >= self.memory.lease_until:
            return None
        question, place = asked
        ours = self._ours(token) if token else None
        if ours is not None:
            answer = self.replies.again(question, ours.key, now)
        else:
            answer = self._to_stranger(question, place, token, now)
        if answer is NOBODY:
            self.opened[question.door] += 1
        elif answer is not None:
            self.refused[question.door, answer.outcome] += 1
        return answer

    async def in_time(self, ask: Ask) -> Answer | None:
        """The same as `later`; when the database is away, the app finds the words for that."""
        try:
            return await self.later(ask)
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, SQLAlchemyError) as error:
            failed("quick_look")
            log.warning("a quick look failed", error=type(error).__name__)
            return None

    async def later(self, ask: Ask) -> Answer | None:
        """The answer after asking the database; None where the app must say it."""
        at_gate = ask.door != SESSION_JSON
        if not self.serving or not self._may_tell(ask):
            return None
        remember = time.monotonic() < self.memory.lease_until
        place = await self._place(ask, remember=remember) if at_gate else None
        if at_gate and place is None:
            return None
        value = self._carried(ask)
        token = self._ours(value) if value else None
        if token is None:
            return self._to_stranger(self._question(ask), place, value, time.monotonic())
        found = await self._found(token, remember=remember)
        return await self._to_found(token, found, place)

    def told(self, ask: Ask, told: Answer, heard: int) -> None:
        """What the app said to an ask, so that it can be said again.

        `heard` is `replies.heard` from before it was asked: a notice since then may be about what it had not seen yet.
        """
        now = time.monotonic()
        if not ask.trusted or ask.odd or heard != self.replies.heard or now >= self.memory.lease_until:
            return
        value = self._carried(ask)
        token = self._ours(value) if value else None
        who = token.key if token else NOBODY_AT_ALL if value is None else UNKNOWN
        self.replies.keep(self._question(ask), who, told, now)

    def _may_tell(self, ask: Ask) -> bool:
        return not ask.odd and (ask.trusted or ask.door == SESSION_JSON)

    def _where(self, ask: Ask) -> PlaceKey:
        return ask.where(by_address=self.parts.places.watching)

    def _question(self, ask: Ask) -> Question:
        return ask.question(by_address=self.parts.places.watching)

    def _carried(self, ask: Ask) -> bytes | None:
        names = self.parts.at_session if ask.door == SESSION_JSON else self.parts.at_gate
        return carried(ask.authorization, ask.cookies, names)

    def _ours(self, value: bytes) -> Token | None:
        """The token, if we made it: its tag says so, and nobody else can make one."""
        text = value.decode("latin-1")
        kind = text.partition("_")[0]
        if kind not in self._keys or not genuine(text, kind, self._keys[kind]):
            return None
        return Token(kind, sha256(value).digest())

    def _to_stranger(self, question: Question, place: Place | None, token: bytes | None, now: float) -> Answer | None:
        if place is not None and place.open:
            return NOBODY
        if place is None and token == ILLEGIBLE:  # of two cookies the app may take one
            return None
        return self.replies.again(question, NOBODY_AT_ALL if token is None else UNKNOWN, now)

    def _made(self, made_for: bytes, kept: bytes, place: Place | None, now: float) -> Made | None:
        """The answer to somebody who is remembered, made anew or found to be as good as new, and kept.

        None for whoever is not known to meet what is asked, without a key to sign with, and for a token that counts
        elsewhere alone.
        """
        head, ready = record.head(kept), self.ready_sessions if place is None else self.ready_at_gate
        made = ready[made_for]
        number, until = head[STANDING], head[UNTIL]
        if until <= now or (place is not None and number not in place.met):
            return None
        if place is None:
            if record.words(kept)[HOST]:
                return None
            said = answers.session(kept, self.standings.numbered[number], self.parts.json_headers)
            made = Made(said, kept, number, until, until)
        elif made is not None and now < made.signed_until and record.said(made.kept) == record.said(kept):
            made = made._replace(kept=kept, until=min(until, made.signed_until))
        else:
            answer = self._passed(kept, number, place, now)
            if answer is None:
                return None
            signed_until = now + REUSED_SECONDS
            made = Made(answer, kept, number, min(until, signed_until), signed_until)
        ready.keep(made_for, made)
        return made

    def _passed(self, kept: bytes, number: int, place: Place, now: float) -> Answer | None:
        words = record.words(kept)
        if (words[HOST] and words[HOST] != place.audience) or not self.parts.assertions.can_sign(now):
            return None
        standing = self.standings.numbered[number]
        assertion = self.parts.assertions.sign(record.identity(kept, standing), place.audience.decode())
        return answers.passed(words[USER_ID], words[EMAIL], words[NAME], standing.groups, assertion)

    async def _place(self, ask: Ask, *, remember: bool) -> Place | None:
        parts = self.parts
        if not remember:
            return place_of(ask, await sites.read(self._statements), parts.places.address_of)
        known = self._known_place(self._where(ask))
        while known is None:
            doors = await parts.sites.load(self._statements)
            if doors is parts.sites.doors:  # else they changed before it was our turn again
                return parts.places.find(ask, doors)
        return known

    async def _found(self, token: Token, *, remember: bool) -> Found | None:
        """What the token stands for now. A look that is under way is shared only while notices are heard."""
        if not remember:
            return await asyncio.shield(self._lookups.ask(token.kind, token.digest))
        self.missed += 1
        reading = self.memory.reading(token.key)
        look = reading.found if reading is not None else None
        if look is None:
            reading = self.memory.begin(token.key)
            look = reading.found = self._lookups.ask(token.kind, token.digest)
            look.add_done_callback(partial(self._read, token.key, reading))
        found: Found | None = await asyncio.shield(look)
        return found

    def _read(self, key: bytes, reading: Reading, look: "Future[Found | None]") -> None:
        kept = None
        try:
            found = None if look.exception() else look.result()
            kept = self._record(found) if found else None
        finally:
            self.memory.finish(key, reading, kept)

    def _record(self, found: Found) -> bytes | None:
        """The record of a session that lives; None where it does not, or does not fit into headers as it is."""
        if found.version != self.version:
            kept = self._packed(found)
            found.kept, found.version = kept, self.version
        return found.kept

    def _packed(self, found: Found) -> bytes | None:
        who = found.who
        if who is None or not (_fits(who.email) and _fits(who.name)):
            return None
        if self.standings.full:
            self.forget_all()
        number = self.standings.number(who)
        left = min((found.ends_at - clock.now()).total_seconds(), LONGEST_SECONDS)
        return record.pack(who, record.Kept(time.monotonic() + left, number, found.machine, found.host))

    async def _to_found(self, token: Token, found: Found | None, place: Place | None) -> Answer | None:
        """The answer to whoever carries a token that the database knows, by the one decision function."""
        if place is not None and not self.parts.assertions.can_sign(time.monotonic()):
            await self.parts.assertions.load_key(self.parts.sessions)
        # From here on nothing waits: numbers of standings count only until all is forgotten.
        kept = self._record(found) if found else None
        if place is None:
            return self._used(token.key, kept, None) if kept else None
        at_home = found is not None and (not found.host or found.host.encode() == place.audience)
        presented = found.presented if found is not None and at_home else Presented(carried=True)
        # What asks for being signed in alone was decided when the session was read.
        decided = place.plain and at_home and found is not None and found.who is not None
        if not decided and not decide(presented, place.requirement, clock.now()).allowed:
            return None
        if found is None or found.who is None or not at_home:
            return NOBODY
        if kept is None:
            return None
        place.met.add(record.head(kept)[STANDING])
        return self._used(token.key, kept, place)

    def _used(self, key: bytes, kept: bytes, place: Place | None) -> Answer | None:
        self.memory.used[key] = kept
        made = self._made(key + (place.audience if place is not None else b""), kept, place, time.monotonic())
        return made.answer if made is not None else None


def _young(kept: bytes, fresh: int) -> bool:
    """Whether somebody signed in, by themselves, within so many microseconds."""
    head = record.head(kept)
    return not head[MACHINE] and clock.micros() - head[AUTHENTICATED] <= fresh


def _fits(text: str) -> bool:
    """Whether a text can stand in a header as it is."""
    plain = text.isascii() and text.isprintable() and text == text.strip()
    return plain or header_safe(text) == text
