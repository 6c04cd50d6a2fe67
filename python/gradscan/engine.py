"""Intercepting backward passes: what runs is a handler instead of the engine.

    with backward_intercepted(handler):            # handler(roots, gradients, inputs)
        output.backward()

Only passes that add to .grad are intercepted, and only on this thread: torch.autograd.grad() runs as usual.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import Any

from gradscan.interception import Interception
from gradscan.torch_versions import run_backward

Handler = Callable[[Sequence[Any], Sequence[Any], Sequence[Any]], None]


# This code runs with the globals of torch.autograd.graph, so it imports what it calls.
def _stand_in(t_outputs, *args, **kwargs):  # type: ignore[no-untyped-def]
    from gradscan.engine import backward_called

    return backward_called(t_outputs, args, kwargs)


_interception = Interception[Handler](lambda: run_backward.replace(_stand_in), run_backward.restore)


def backward_called(roots: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Runs in place of the engine."""
    if not _interception.handlers or not kwargs.get("accumulate_grad"):
        return run_backward.original(roots, *args, **kwargs)
    gradients, _, _, inputs = args
    _interception.handlers[-1](roots, gradients, inputs)
    return ()


def backward_intercepted(handler: Handler) -> contextlib.AbstractContextManager[None]:
    """Passes this thread's backward passes to `handler`."""
    return _interception.by(handler)
