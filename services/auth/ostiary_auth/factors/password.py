"""Passwords: what is acceptable, and hashing off the event loop in a bounded pool with a bounded queue.

Argon2id by OWASP's and ASVS's figures (11.4.2). The event loop and the gate stay free while people sign in.
"""

import asyncio
import functools
import os
import sys
import threading
import time
import unicodedata
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from zxcvbn_rs_py import zxcvbn

from ostiary_auth import metrics
from ostiary_auth.factors.legible import legible
from ostiary_auth.factors.slots import Slots
from ostiary_shared import tokens
from ostiary_shared.errors import Busy

MIN_LENGTH = 15  # NIST SP 800-63B-4: where the password is the only factor
MAX_LENGTH = 1024
MIN_SCORE = 3

Args = ParamSpec("Args")
Result = TypeVar("Result")
_seated: ContextVar[bool] = ContextVar("seated", default=False)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a password was right, and its new hash when the old one was made with weaker figures."""

    right: bool
    rehashed: str | None = None


class Passwords:
    """The process's one hasher."""

    def __init__(self, memory_kib: int, time_cost: int, threads: int, queue: int, folder: str = "") -> None:
        workers = threads or _cores()
        self._hasher = PasswordHasher(time_cost=time_cost, memory_cost=memory_kib, parallelism=1)
        self._pool = ThreadPoolExecutor(workers, "argon2", initializer=_be_nice)
        self._slots = Slots(workers, folder)
        self._places = self._room = workers + queue
        self._running = 0  # changed by threads of the pool, one at a time: they hold the lock
        self._counting = threading.Lock()
        self._nobody = _nobodys(memory_kib, time_cost)

    @property
    def full(self) -> bool:
        """Whether nobody more can wait."""
        return self._room <= 0

    @contextmanager
    def seat(self) -> Iterator[None]:
        """Be sure of a place in the queue for all hashes within the block. Raises Busy when too many wait."""
        if self.full:
            metrics.HASH_REFUSED.inc()
            raise busy()
        self._room -= 1
        seated = _seated.set(True)
        try:
            yield
        finally:
            _seated.reset(seated)
            self._room += 1

    async def hash(self, password: str) -> str:
        """The PHC string of a password, with a salt of its own. Raises Busy when too many wait."""
        return await self._run(self._hasher.hash, canonical(password))

    async def verify(self, hashed: str | None, password: str) -> Verdict:
        """Whether `password` is the one of `hashed`; without a hash the same work is done, for nothing."""
        return await self._run(self._verify, hashed, canonical(password))

    async def objection(self, password: str, context: tuple[str, ...] = ()) -> str | None:
        """The same as `objection`, in the pool: weighing a password is work, too. Raises Busy when too many wait."""
        return await self._run(objection, password, context)

    def sample(self) -> None:
        """Note how many are at work and how many wait."""
        running = self._running
        metrics.HASH_RUNNING.set(running)
        metrics.HASH_WAITING.set(max(0, self._places - self._room - running))

    def close(self) -> None:
        """Let go of the threads."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _verify(self, hashed: str | None, password: str) -> Verdict:
        try:
            self._hasher.verify(hashed or self._nobody, password)
        except (VerificationError, InvalidHashError):
            return Verdict(right=False)
        if hashed is None:
            return Verdict(right=False)
        weak = self._hasher.check_needs_rehash(hashed)
        return Verdict(right=True, rehashed=self._hasher.hash(password) if weak else None)

    async def _run(self, work: Callable[Args, Result], *args: Args.args, **kwargs: Args.kwargs) -> Result:
        asked = time.perf_counter()

        def slotted() -> Result:
            with self._slots.one(), self._counted(asked):
                return work(*args, **kwargs)

        with nullcontext() if _seated.get() else self.seat():
            return await asyncio.get_running_loop().run_in_executor(self._pool, slotted)

    @contextmanager
    def _counted(self, asked: float) -> Iterator[None]:
        began = time.perf_counter()
        metrics.HASH_WAIT.observe(began - asked)
        with self._counting:
            self._running += 1
        try:
            yield
        finally:
            with self._counting:
                self._running -= 1
            metrics.HASH_SECONDS.observe(time.perf_counter() - began)


def busy() -> Busy:
    """What those are told who cannot wait."""
    return Busy("Many people are signing in just now. Please try again in a few seconds.", retry_after=3)


def canonical(password: str) -> str:
    """NFC and nothing else: never trimmed, truncated or changed in case (ASVS 6.2.8)."""
    return unicodedata.normalize("NFC", password)


def objection(password: str, context: tuple[str, ...] = ()) -> str | None:
    """Why a new password is not acceptable, in words; None when it is. `context` are words an attacker tries first."""
    length = len(canonical(password))
    if length < MIN_LENGTH:
        return f"Please use at least {MIN_LENGTH} characters; this has {length}. A few words in a row will do."
    if length > MAX_LENGTH:
        return f"Please use at most {MAX_LENGTH} characters."
    words = [word for word in (*context, "ostiary", "admin") if len(word) > 2]
    rest = password.casefold()
    for word in words:
        rest = rest.replace(word.casefold(), "")
    if len(rest) < MIN_LENGTH // 2:
        return "This is little more than your name, your address or the site's name. Please use other words."
    if int(zxcvbn(legible(password), words).score) < MIN_SCORE:
        return "This is one of the first passwords an attacker would try. Please use other words."
    return None


@functools.cache
def _nobodys(memory_kib: int, time_cost: int) -> str:
    """A hash that is nobody's: unknown people cost the same work as known ones, since it is made with the same figures.

    After the figures were raised, those who have not signed in since cost what they cost before.
    """
    hasher = PasswordHasher(time_cost=time_cost, memory_cost=memory_kib, parallelism=1)
    return hasher.hash(tokens.random_bytes(16).hex())


def _cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def _be_nice() -> None:
    """Let hashing threads give way to the event loop. Elsewhere than on Linux this would slow the whole process."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, 0, 19)
