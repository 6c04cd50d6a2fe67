"""Intercepting every call of apply() of a custom autograd Function, however it was imported.

    with applied(handler):            # handler(cls, args, kwargs, proceed)
        model(x)

`proceed()` does what the call would do without this handler. Only calls on this thread are intercepted.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable
from typing import Any

from gradscan.interception import Interception
from gradscan.torch_versions import function_apply

Handler = Callable[[Any, tuple[Any, ...], dict[str, Any], Callable[[], Any]], Any]


class _StandIn:
    # Where the original is written in Python, it has a __class__ cell, so the code that replaces it must have one, too.
    def apply(cls, *args, **kwargs):  # type: ignore[no-untyped-def]  # noqa: N805
        __class__  # type: ignore[name-defined]  # noqa: B018
        from gradscan.apply import function_called

        return function_called(cls, args, kwargs)


_interception = Interception[Handler](lambda: function_apply.replace(_StandIn.apply), function_apply.restore)


def function_called(cls: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Runs in place of cls.apply()."""
    return _run(_interception.handlers, cls, args, kwargs)


def _run(handlers: tuple[Handler, ...], cls: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    if not handlers:
        return function_apply.original(cls, *args, **kwargs)
    return handlers[-1](cls, args, kwargs, functools.partial(_run, handlers[:-1], cls, args, kwargs))


def applied(handler: Handler) -> contextlib.AbstractContextManager[None]:
    """Passes this thread's calls of apply() to `handler` and returns its results from them."""
    return _interception.by(handler)
