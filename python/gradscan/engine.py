"""Intercepting backward passes: what runs is a handler instead of the engine.

    with backward_intercepted(handler):            # handler(roots, gradients, inputs)
        output.backward()

Only passes that add to .grad are intercepted, and only on this thread: torch.autograd.grad() runs as usual.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from gradscan.torch_versions import run_backward

Handler = Callable[[Sequence[Any], Sequence[Any], Sequence[Any]], None]


class _Interception(threading.local):
    def __init__(self) -> None:
        self.handler: Handler | None = None


_interception = _Interception()
_lock = threading.Lock()
_users = 0  # interceptions in progress


# This code runs with the globals of torch.autograd.graph, so it imports what it calls.
def _stand_in(t_outputs, *args, **kwargs):  # type: ignore[no-untyped-def]
    from gradscan.engine import backward_called

    return backward_called(t_outputs, args, kwargs)


def backward_called(roots: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Runs in place of the engine."""
    if _interception.handler is None or not kwargs.get("accumulate_grad"):
        return run_backward.original(roots, *args, **kwargs)
    gradients, _, _, inputs = args
    _interception.handler(roots, gradients, inputs)
    return ()


@contextlib.contextmanager
def backward_intercepted(handler: Handler) -> Iterator[None]:
    """Passes this thread's backward passes to `handler`."""
    before = _interception.handler
    _change_users(1)
    _interception.handler = handler
    try:
        yield
    finally:
        _interception.handler = before
        _change_users(-1)


def _change_users(by: int) -> None:
    global _users
    with _lock:
        if _users == 0:
            run_backward.replace(_stand_in)
        _users += by
        if _users == 0:
            run_backward.restore()
