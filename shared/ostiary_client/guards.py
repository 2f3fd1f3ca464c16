"""What a view asks of whoever wants it: somebody signed in, a role, a permission. For async and for plain views.

Each is a decorator, `@has_role("editor")`, and a FastAPI dependency, `Depends(has_role("editor"))`.
"""

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast, overload

from ostiary_client.identity import Identity, checked_identity
from ostiary_client.refusal import forbidden, unknown

View = TypeVar("View", bound=Callable[..., Any])


class Guard:
    """Lets through whom `judge` accepts, and raises Refusal for everybody else: 401 for nobody, 403 for somebody."""

    # What FastAPI reads to learn what a dependency needs: nothing.
    __signature__ = inspect.Signature()

    def __init__(self, judge: Callable[[Identity], bool]) -> None:
        self._judge = judge

    @overload
    def __call__(self) -> Identity: ...
    @overload
    def __call__(self, view: View) -> View: ...
    def __call__(self, view: View | None = None) -> View | Identity:
        """Without a view: who is asking, if they may. With one: that view, guarded."""
        if view is None:
            return self._check()
        if isinstance(view, type):
            raise TypeError(f"guard the methods of {view.__name__}, or what its as_view() returns, not the class")
        return cast("View", self._around_async(view) if inspect.iscoroutinefunction(view) else self._around(view))

    def _check(self) -> Identity:
        who = checked_identity()
        if who is None:
            raise unknown()
        if not self._judge(who):
            raise forbidden()
        return who

    def _around(self, view: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            self._check()
            return view(*args, **kwargs)

        return guarded

    def _around_async(self, view: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(view)
        async def guarded(*args: Any, **kwargs: Any) -> Any:
            self._check()
            return await view(*args, **kwargs)

        return guarded


signed_in = Guard(lambda _: True)


def has_role(*names: str, all: bool = False) -> Guard:  # noqa: A002 - `has_role("a", "b", all=True)` reads as it is said
    """One of these roles; with `all=True` each of them."""
    wanted = frozenset(_said(names))
    return Guard(lambda who: wanted <= set(who.roles) if all else who.has_role(*wanted))


def may(permission: str) -> Guard:
    """A permission, from whatever role."""
    _said((permission,))
    return Guard(lambda who: who.may(permission))


def _said(names: tuple[str, ...]) -> tuple[str, ...]:
    """Names and at least one: `@has_role` without brackets would otherwise guard nothing."""
    if not names or not all(isinstance(name, str) for name in names):
        raise TypeError('say which: has_role("editor"), may("audit:read")')
    return names
