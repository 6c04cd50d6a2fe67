"""Intercepting every call of apply() of a custom autograd Function, however it was imported.

    with applied(handler):            # handler(cls, args, kwargs, proceed)
        model(x)

`proceed()` does what the call would do without this handler. Only calls on this thread are intercepted; those on other threads
run as usual.
"""

from __future__ import annotations

import contextlib
import functools
import threading
from collections.abc import Callable, Iterator
from typing import Any

from gradscan.torch_versions import function_apply

Handler = Callable[[Any, tuple[Any, ...], dict[str, Any], Callable[[], Any]], Any]


class _Interception(threading.local):
    """The handlers of this thread's calls, innermost last."""

    def __init__(self) -> None:
        self.handlers: tuple[Handler, ...] = ()


_interception = _Interception()
_lock = threading.Lock()
_users = 0  # interceptions in progress: apply() is replaced while there are any


class _StandIn:
    # Where the original is written in Python, it has a __class__ cell, so the code that replaces it must have one, too.
    def apply(cls, *args, **kwargs):  # type: ignore[no-untyped-def]  # noqa: N805
        __class__  # type: ignore[name-defined]  # noqa: B018
        from gradscan.apply import function_called

        return function_called(cls, args, kwargs)


def function_called(cls: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Runs in place of cls.apply()."""
    return _run(_interception.handlers, cls, args, kwargs)


def _run(handlers: tuple[Handler, ...], cls: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    if not handlers:
        return function_apply.original(cls, *args, **kwargs)
    return handlers[-1](cls, args, kwargs, functools.partial(_run, handlers[:-1], cls, args, kwargs))


@contextlib.contextmanager
def applied(handler: Handler) -> Iterator[None]:
    """Passes this thread's calls of apply() to `handler` and returns its results from them."""
    before = _interception.handlers
    _replace()
    _interception.handlers = (*before, handler)
    try:
        yield
    finally:
        _interception.handlers = before
        _restore()


def _replace() -> None:
    global _users
    with _lock:
        if _users == 0:
            function_apply.replace(_StandIn.apply)
        _users += 1


def _restore() -> None:
    global _users
    with _lock:
        _users -= 1
        if _users == 0:
            function_apply.restore()
